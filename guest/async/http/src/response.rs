//! A response of core's, handed out as one of `wasi:http`.

use urlpool_core::driver;
use urlpool_core::policy::hop_by_hop::end_to_end;
use urlpool_core::types;
use urlpool_sockets::{AsyncNet, pour};
use wit_bindgen::{FutureWriter, StreamWriter, spawn_local};

use crate::bindings::wasi::http::types::{ErrorCode, Fields, Response};
use crate::bindings::{wit_future, wit_stream};
use crate::error;

/// Makes a response whose body comes as it is read.
pub(crate) fn hand_out(response: driver::Response<AsyncNet>) -> Result<Response, ErrorCode> {
    let head = response.head();
    let (status, fields) = (head.status, fields(&head.headers, response.is_decoded())?);
    let (body, bytes) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (handed_out, _) = Response::new(fields, Some(bytes), trailers);
    if status != 200 {
        let set = handed_out.set_status_code(status);
        set.map_err(|()| ErrorCode::HttpProtocolError)?;
    }
    drop(spawn_local(pump(response, body, end)));
    Ok(handed_out)
}

/// The fields, without those that were between the server and us, and those that say what the body was before it was decoded.
fn fields(headers: &types::Headers, is_decoded: bool) -> Result<Fields, ErrorCode> {
    let is_stale = |name: &str| {
        let framing = ["content-encoding", "content-length"];
        is_decoded && framing.iter().any(|stale| stale.eq_ignore_ascii_case(name))
    };
    let fields: Vec<(String, Vec<u8>)> = end_to_end(headers)
        .iter()
        .filter(|field| !is_stale(field.name()))
        .map(|field| (field.name().to_owned(), field.value().to_vec()))
        .collect();
    Fields::from_list(&fields).map_err(|_| ErrorCode::HttpProtocolError)
}

/// Copies the body, and says how it ended where that is not the end that is assumed.
async fn pump(
    response: driver::Response<AsyncNet>,
    body: StreamWriter<u8>,
    end: FutureWriter<Result<Option<Fields>, ErrorCode>>,
) {
    let Some(ending) = pour(response, body).await else {
        return;
    };
    let ending = ending
        .map_err(|failure| error::of(&failure))
        .and_then(|behind| trailers(&behind));
    match ending {
        Ok(None) => {}
        // Whoever does not listen need not.
        told => drop(end.write(told).await),
    }
}

fn trailers(headers: &types::Headers) -> Result<Option<Fields>, ErrorCode> {
    if headers.is_empty() {
        return Ok(None);
    }
    fields(headers, false).map(Some)
}
