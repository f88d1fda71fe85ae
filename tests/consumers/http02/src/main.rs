//! Sends requests through `wasi:http/outgoing-handler@0.2`, by wstd, and prints what comes back. [`Asked`] says how to ask.
//!
//! It ends with failure, and with the error's code on standard error, where a request or a body fails.

use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use urlpool_consumers_asked::{Answer, Asked, Field, piece};
use wstd::http::body::{Body, Bytes, Frame, HttpBody};
use wstd::http::{BodyExt as _, Client, HeaderMap, HeaderName, HeaderValue, Request};

fn main() -> ExitCode {
    match wstd::runtime::block_on(send_all()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn send_all() -> Result<(), String> {
    let asked = Asked::parse(std::env::args().skip(1))?;
    asked.send_all(send).await
}

async fn send(asked: &Asked) -> Result<Answer, String> {
    let mut client = Client::new();
    if let Some(span) = asked.connect {
        client.set_connect_timeout(span);
    }
    if let Some(span) = asked.first {
        client.set_first_byte_timeout(span);
    }
    if let Some(span) = asked.between {
        client.set_between_bytes_timeout(span);
    }
    let response = client.send(request(asked)?).await;
    let response = response.map_err(|error| format!("response: {error:?}"))?;
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: listed(response.headers()),
        ..Answer::default()
    };
    let wanted = asked.wanted();
    let mut body = response.into_body().into_boxed_body();
    while answer.bytes < wanted
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| format!("body: {error:?}"))?;
        match frame.into_data() {
            Ok(bytes) => answer.read(&bytes),
            Err(frame) => answer.trailers = frame.trailers_ref().map_or_else(Vec::new, listed),
        }
    }
    Ok(answer)
}

fn request(asked: &Asked) -> Result<Request<Body>, String> {
    let mut builder = Request::builder()
        .method(asked.method.as_str())
        .uri(asked.url.as_str());
    for (name, value) in &asked.headers {
        builder = builder.header(name, value.as_slice());
    }
    if let Some(length) = asked.body.filter(|_| asked.is_announced) {
        builder = builder.header("content-length", length);
    }
    let body = match asked.body {
        None => Body::empty(),
        Some(length) => Body::from_http_body(Pieces {
            from: 0,
            length,
            trailers: Some(collected(&asked.trailers)?).filter(|fields| !fields.is_empty()),
        }),
    };
    builder.body(body).map_err(|error| error.to_string())
}

/// The body of a request, piece by piece.
struct Pieces {
    from: u64,
    length: u64,
    trailers: Option<HeaderMap>,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = wstd::http::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.from == self.length {
            return Poll::Ready(
                self.trailers
                    .take()
                    .map(|fields| Ok(Frame::trailers(fields))),
            );
        }
        let next = piece(self.from, self.length);
        self.from += next.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(next.into()))))
    }
}

fn listed(fields: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    fields.iter().map(field).collect()
}

fn collected(fields: &[Field]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(value).map_err(|error| error.to_string())?;
        map.append(name, value);
    }
    Ok(map)
}
