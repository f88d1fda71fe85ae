//! Sends requests through `wasi:http/client@0.3` and prints what comes back. [`Asked`] says how to ask.
//!
//! It ends with failure, and with the error's code on standard error, where a request or a body fails.

use std::time::Duration;

use urlpool_consumers_asked::{Answer, Asked, Field, piece};
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme};
use wasip3::wit_bindgen::StreamResult;
use wasip3::{spawn_local, wit_future, wit_stream};

wasip3::cli::command::export!(Component);

struct Component;

impl wasip3::exports::cli::run::Guest for Component {
    async fn run() -> Result<(), ()> {
        send_all().await.map_err(|why| eprintln!("{why}"))
    }
}

async fn send_all() -> Result<(), String> {
    let arguments = wasip3::cli::environment::get_arguments();
    let asked = Asked::parse(arguments.into_iter().skip(1))?;
    asked.send_all(send).await
}

async fn send(asked: &Asked) -> Result<Answer, String> {
    let response = client::send(request(asked)?).await;
    let response = response.map_err(|code| shown("response", &code))?;
    let mut answer = Answer {
        status: response.get_status_code(),
        headers: response.get_headers().copy_all(),
        ..Answer::default()
    };
    // Where nothing of it is wanted, the response is dropped as it is.
    if asked.wanted() > 0 {
        read(response, asked, &mut answer).await?;
    }
    Ok(answer)
}

async fn read(response: Response, asked: &Asked, answer: &mut Answer) -> Result<(), String> {
    let (_done, processed) = wit_future::new(|| Ok(()));
    let (mut body, trailers) = Response::consume_body(response, processed);
    let mut buffer = Vec::with_capacity(asked.buffer);
    while answer.bytes < asked.wanted() {
        let (result, read) = body.read(buffer).await;
        asked.note(answer, &read);
        if !matches!(result, StreamResult::Complete(_)) {
            let trailers = trailers.await.map_err(|code| shown("body", &code))?;
            answer.trailers = trailers.map_or_else(Vec::new, |fields| fields.copy_all());
            break;
        }
        buffer = read;
        buffer.clear();
    }
    Ok(())
}

fn request(asked: &Asked) -> Result<Request, String> {
    let (scheme, authority, target) = split(&asked.url)?;
    let mut headers = asked.headers.clone();
    if let Some(length) = asked.body.filter(|_| asked.is_announced) {
        headers.push(("Content-Length".into(), length.to_string().into_bytes()));
    }
    let (sent, trailers) = wit_future::new(|| Ok(None));
    let contents = asked.body.map(|length| {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            let mut from = 0;
            while from < length {
                let next = piece(from, length);
                from += next.len() as u64;
                if !writer.write_all(next).await.is_empty() {
                    break;
                }
            }
        });
        reader
    });
    let options = options(asked)?;
    let (request, _processed) = Request::new(fields(&headers)?, contents, trailers, options);
    if asked.gives_up {
        spawn_local(async move {
            // Nobody waits for it where the request failed.
            let _ = sent.write(Err(ErrorCode::InternalError(None))).await;
        });
    } else if !asked.trailers.is_empty() {
        let trailers = fields(&asked.trailers)?;
        spawn_local(async move {
            // Nobody waits for it where the request failed.
            let _ = sent.write(Ok(Some(trailers))).await;
        });
    }
    let refused = |what: &str| format!("the {what} is refused");
    request
        .set_method(&method(&asked.method))
        .map_err(|()| refused("method"))?;
    request
        .set_scheme(Some(&scheme))
        .map_err(|()| refused("scheme"))?;
    request
        .set_authority(Some(authority))
        .map_err(|()| refused("authority"))?;
    request
        .set_path_with_query(Some(target))
        .map_err(|()| refused("path"))?;
    Ok(request)
}

fn options(asked: &Asked) -> Result<Option<RequestOptions>, String> {
    let options = RequestOptions::new();
    let nanoseconds = |span: Option<Duration>| {
        span.map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    };
    let set = options
        .set_connect_timeout(nanoseconds(asked.connect))
        .and_then(|()| options.set_first_byte_timeout(nanoseconds(asked.first)))
        .and_then(|()| options.set_between_bytes_timeout(nanoseconds(asked.between)));
    set.map_err(|error| format!("options: {error:?}"))?;
    let are_set = [asked.connect, asked.first, asked.between];
    Ok(are_set.iter().any(Option::is_some).then_some(options))
}

fn fields(list: &[Field]) -> Result<Fields, String> {
    Fields::from_list(list).map_err(|error| format!("fields: {error:?}"))
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}

/// Scheme, authority, and the path with its query.
fn split(url: &str) -> Result<(Scheme, &str, &str), String> {
    let (scheme, rest) = url.split_once("://").ok_or("the URL has no scheme")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok((
        scheme,
        authority,
        if target.is_empty() { "/" } else { target },
    ))
}

fn shown(what: &str, code: &ErrorCode) -> String {
    format!("{what}: {code:?}")
}
