//! Sends requests through `urlpool:client-async/pools` and prints what comes back. [`Asked`] says how to ask; `CA_PEM` holds the certificates to
//! trust, and proxies come from the variables that curl reads. `surface URL PROXY` calls the functions that this leaves out.
//!
//! It ends with failure, and with the error's kind on standard error, where a request or a body fails.

mod bindings;
#[path = "../../../../examples/consumers/rust/src/defaults.rs"]
mod defaults;
mod surface;

use std::time::Duration;

use bindings::{urlpool, wit_stream};
use urlpool::client::types::{
    Budget, Error, Limit, ManagerSettings, PoolSettings, RequestOptions, Retries, Timeouts,
    TlsSettings,
};
use urlpool::client_async::pools::{Body, PoolManager, Response, Upload, proxies_from_environment};
use urlpool_consumers_asked::{Answer, Asked, piece};
use wit_bindgen::{StreamResult, spawn_local};

use defaults::{MANAGER, POOL, REQUEST, RETRIES, TIMEOUTS, TLS};

wasip3::cli::command::export!(Component);

struct Component;

impl wasip3::exports::cli::run::Guest for Component {
    async fn run() -> Result<(), ()> {
        send_all().await.map_err(|why| eprintln!("{why}"))
    }
}

async fn send_all() -> Result<(), String> {
    let arguments = wasip3::cli::environment::get_arguments();
    if let [_, surface, url, proxy] = &arguments[..]
        && surface == "surface"
    {
        return surface::all(url, proxy).await;
    }
    let asked = Asked::parse(arguments.into_iter().skip(1))?;
    let manager = manager(&asked).map_err(|error| shown("manager", &error))?;
    asked
        .send_all(async |asked| send(&manager, asked).await)
        .await
}

fn manager(asked: &Asked) -> Result<PoolManager, Error> {
    let variables = wasip3::cli::environment::get_environment();
    let roots = variables.iter().find(|(name, _)| name == "CA_PEM");
    PoolManager::open(&ManagerSettings {
        pool: Some(PoolSettings {
            maxsize: Some(asked.parallel),
            tls: Some(TlsSettings {
                roots: roots.map(|(_, pem)| pem.as_bytes().to_vec()),
                ..TLS
            }),
            proxies: Some(proxies_from_environment(&variables)),
            // Failures come as they are.
            retries: Some(Retries {
                total: Some(Budget::Off),
                ..RETRIES
            }),
            ..POOL
        }),
        ..MANAGER
    })
}

async fn send(manager: &PoolManager, asked: &Asked) -> Result<Answer, String> {
    let body = asked
        .body
        .map_or(Body::Empty, |length| Body::Streamed(upload(length, asked)));
    let (method, url) = (asked.method.clone(), asked.url.clone());
    let response = manager.request(method, url, body, options(asked)).await;
    let response = response.map_err(|error| shown("response", &error))?;
    let head = response.head();
    let mut answer = Answer {
        status: head.status,
        headers: head.headers,
        ..Answer::default()
    };
    // Where nothing of it is wanted, the response is dropped as it is.
    if asked.wanted() > 0 {
        read(response, asked, &mut answer).await?;
    }
    Ok(answer)
}

fn upload(length: u64, asked: &Asked) -> Upload {
    let (mut writer, bytes) = wit_stream::new();
    drop(spawn_local(async move {
        let mut from = 0;
        while from < length {
            let next = piece(from, length);
            from += next.len() as u64;
            if !writer.write_all(next).await.is_empty() {
                break;
            }
        }
    }));
    Upload {
        bytes,
        length: asked.is_announced.then_some(length),
    }
}

async fn read(response: Response, asked: &Asked, answer: &mut Answer) -> Result<(), String> {
    let (mut body, ending) = Response::body(response).await;
    let mut buffer = Vec::with_capacity(asked.buffer);
    while answer.bytes < asked.wanted() {
        let (result, read) = body.read(buffer).await;
        asked.note(answer, &read);
        if !matches!(result, StreamResult::Complete(_)) {
            answer.trailers = ending.await.map_err(|error| shown("body", &error))?;
            break;
        }
        buffer = read;
        buffer.clear();
    }
    Ok(())
}

fn options(asked: &Asked) -> RequestOptions {
    let limit = |span: Option<Duration>| {
        span.map(|span| Limit::After(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    };
    RequestOptions {
        headers: Some(asked.headers.clone()).filter(|headers| !headers.is_empty()),
        timeouts: Some(Timeouts {
            connect: limit(asked.connect),
            head: limit(asked.first),
            read: limit(asked.between),
            ..TIMEOUTS
        }),
        ..REQUEST
    }
}

fn shown(what: &str, error: &Error) -> String {
    format!("{what}: {:?}: {}", error.kind, error.message)
}
