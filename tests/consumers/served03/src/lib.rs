//! Answers each request with what `UPSTREAM`, a URL without a path, has under the same path, through `wasi:http/client@0.3`.
//!
//! Status and body are the other server's, the body while it arrives; where that cannot be asked, the answer is its error's code.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_future;

wasip3::http::service::export!(Component);

struct Component;

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let variables = wasip3::cli::environment::get_environment();
        let upstream = variables.iter().find(|(name, _)| name == "UPSTREAM");
        let (_, upstream) = upstream.ok_or_else(|| internal("there is no UPSTREAM"))?;
        let response = client::send(asking(upstream, &request)?).await?;
        let status = response.get_status_code();
        let (_done, processed) = wit_future::new(|| Ok(()));
        let (body, trailers) = Response::consume_body(response, processed);
        let (answer, _sent) = Response::new(Fields::new(), Some(body), trailers);
        answer
            .set_status_code(status)
            .map_err(|()| internal("the status is refused"))?;
        Ok(answer)
    }
}

fn asking(upstream: &str, request: &Request) -> Result<Request, ErrorCode> {
    let (scheme, authority) = match upstream.split_once("://") {
        Some(("http", authority)) => (Scheme::Http, authority),
        Some(("https", authority)) => (Scheme::Https, authority),
        _ => return Err(internal("UPSTREAM is no URL")),
    };
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (asking, _sent) = Request::new(Fields::new(), None, trailers, None);
    let target = request.get_path_with_query();
    asking
        .set_scheme(Some(&scheme))
        .and_then(|()| asking.set_authority(Some(authority)))
        .and_then(|()| asking.set_path_with_query(target.as_deref()))
        .map_err(|()| internal("the URL is refused"))?;
    Ok(asking)
}

fn internal(why: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(why.to_owned()))
}
