//! What the requests of [`Asked`](urlpool_consumers_asked::Asked) leave out of `urlpool:client-async/pools`, function by function. Its server
//! sees the requests; what cannot be seen there is checked here.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use wit_bindgen::spawn_local;

use crate::bindings::urlpool::client::types::{
    Budget, ErrorKind, HeaderOptions, ManagerSettings, Multipart, Part, PartData, PoolSettings,
    Retries,
};
use crate::bindings::urlpool::client_async::pools::{
    self, Body, FormData, PoolManager, Response, Upload,
};
use crate::bindings::wit_stream;
use crate::defaults::{MANAGER, POOL, REQUEST, RETRIES};
use crate::shown;

/// The end of a step: what went wrong, in words.
type Step = Result<(), String>;

/// All of it, against a server that answers every path but `/never`, and a proxy.
pub(crate) async fn all(url: &str, proxy: &str) -> Step {
    let manager = manager()?;
    pool(&manager, url).await?;
    bodies(&manager, url).await?;
    responses(&manager, url).await?;
    given_up(&manager, url).await?;
    through(url, proxy).await?;
    events(url).await?;
    functions(url).await
}

fn manager() -> Result<PoolManager, String> {
    open(MANAGER)
}

fn open(settings: ManagerSettings) -> Result<PoolManager, String> {
    let plain = Retries {
        total: Some(Budget::Off),
        ..RETRIES
    };
    PoolManager::open(&ManagerSettings {
        pool: Some(PoolSettings {
            retries: Some(plain),
            ..POOL
        }),
        ..settings
    })
    .map_err(|error| shown("manager", &error))
}

fn holds(what: &str, is_so: bool) -> Step {
    if is_so {
        Ok(())
    } else {
        Err(format!("{what} does not hold"))
    }
}

async fn read(
    what: &str,
    response: Result<Response, crate::bindings::urlpool::client::types::Error>,
) -> Result<Vec<u8>, String> {
    let response = response.map_err(|error| shown(what, &error))?;
    let body = response.read_all(1 << 20).await;
    body.map_err(|error| shown(what, &error))
}

async fn pool(manager: &PoolManager, url: &str) -> Step {
    let pool = manager
        .connection_from_url(url, None)
        .map_err(|error| shown("pool", &error))?;
    for method in ["get", "GET"] {
        let body = read(
            "pool",
            pool.request(method.into(), "/a/../b".into(), Body::Empty, REQUEST)
                .await,
        );
        holds("the body of a pool", body.await? == b"hello")?;
    }
    let counts = (pool.num_connections(), pool.num_requests(), pool.num_idle());
    holds("one connection for two requests", counts == (1, 2, 1))?;
    holds("one pool", manager.num_pools() == 1)?;
    let origin = pool.origin();
    let same = manager.connection_from_host(&origin.host, Some(origin.port), Some("http"), None);
    let same = same.map_err(|error| shown("host", &error))?;
    holds("the same pool", same.num_requests() == 2)?;
    pool.close();
    let closed = pool
        .urlopen("GET".into(), "/".into(), Body::Empty, REQUEST)
        .await;
    let kind = closed.err().map(|error| error.kind);
    holds("a closed pool refuses", kind == Some(ErrorKind::PoolClosed))?;
    manager.clear();
    holds("no pool", manager.num_pools() == 0)
}

fn stream(pieces: &'static [&'static str]) -> wit_bindgen::StreamReader<u8> {
    let (mut writer, bytes) = wit_stream::new();
    drop(spawn_local(async move {
        for piece in pieces {
            let rest = writer.write_all(piece.as_bytes().to_vec()).await;
            if !rest.is_empty() {
                // Nobody reads on, and writing again would trap.
                break;
            }
        }
    }));
    bytes
}

fn part(name: &str, data: PartData) -> Part {
    Part {
        name: name.into(),
        filename: None,
        content_type: None,
        headers: Vec::new(),
        data,
    }
}

fn form(rewindable: bool, streams: Vec<wit_bindgen::StreamReader<u8>>) -> Body {
    Body::Multipart(FormData {
        form: Multipart {
            parts: vec![
                part("a", PartData::Bytes(b"1".to_vec())),
                part("b", PartData::Streamed(None)),
                part("c", PartData::Streamed(Some(3))),
            ],
            boundary: Some("xyz".into()),
            rewindable,
        },
        streams,
    })
}

async fn bodies(manager: &PoolManager, url: &str) -> Step {
    let streams = || vec![stream(&["two", " too"]), stream(&["thr"])];
    for (path, body) in [
        ("bytes", Body::Bytes(b"bytes".to_vec())),
        ("text", Body::Text("text".into())),
        ("json", Body::Json("{}".into())),
        ("form", Body::Form(vec![("a".into(), "b c".into())])),
        (
            "fields",
            Body::Fields(vec![part("a", PartData::Bytes(b"b".to_vec()))]),
        ),
        ("multipart", form(false, streams())),
        (
            "streamed",
            Body::Streamed(Upload {
                bytes: stream(&["all ", "of it"]),
                length: Some(9),
            }),
        ),
    ] {
        let sent = manager.request("post".into(), format!("{url}{path}"), body, REQUEST);
        holds(path, read(path, sent.await).await? == b"hello")?;
    }
    let query = vec![("q".into(), "1 2".into())];
    let sent = manager.request_encode_url("PUT".into(), format!("{url}query?p=0"), query, REQUEST);
    read("query", sent.await).await?;
    let parts = vec![part("a", PartData::Bytes(b"b".to_vec()))];
    let sent = manager.request_encode_body("get".into(), format!("{url}body"), parts, REQUEST);
    read("body", sent.await).await?;
    for (what, body) in [
        (
            "a form with streams that is rewindable",
            form(true, streams()),
        ),
        (
            "a form with a stream too few",
            form(false, vec![stream(&["x"])]),
        ),
        (
            "a stream that is too short",
            Body::Streamed(Upload {
                bytes: stream(&["x"]),
                length: Some(2),
            }),
        ),
    ] {
        let refused = manager
            .request("POST".into(), format!("{url}refused"), body, REQUEST)
            .await;
        let kind = refused.err().map(|error| error.kind);
        holds(what, kind == Some(ErrorKind::InvalidRequest))?;
    }
    Ok(())
}

async fn responses(manager: &PoolManager, url: &str) -> Step {
    let get = async |path: &str| {
        let sent = manager.urlopen("GET".into(), format!("{url}{path}"), Body::Empty, REQUEST);
        sent.await.map_err(|error| shown(path, &error))
    };
    // While one call reads, another may ask for the facts but not for the body.
    let response = get("gated").await?;
    let (whole, (status, second)) = both(response.read_all(100), async {
        let second = response.text(100).await;
        // The server sends the body once it is asked for this.
        let _ = get("opened").await;
        (response.head().status, second.err().map(|error| error.kind))
    })
    .await;
    holds(
        "the body of the first",
        whole.is_ok_and(|whole| whole == b"hello"),
    )?;
    holds("the head meanwhile", status == 200)?;
    holds("the second is told", second == Some(ErrorKind::Other))?;
    holds(
        "no TLS, no history",
        response.tls().is_none() && response.history().is_empty(),
    )?;
    holds(
        "retries are told",
        matches!(response.retries().total, Some(Budget::Off)),
    )?;

    let response = get("packed").await?;
    response
        .decode_content(false)
        .map_err(|error| shown("raw", &error))?;
    let raw = response
        .read_all(1000)
        .await
        .map_err(|error| shown("raw", &error))?;
    holds("a raw body", raw.starts_with(&[0x1f, 0x8b]))?;
    let text = get("packed").await?.text(1000).await;
    holds("a decoded text", text.is_ok_and(|text| text == "unpacked"))?;

    let response = get("trailed").await?;
    holds("no trailers yet", response.trailers().is_empty())?;
    response
        .drain()
        .await
        .map_err(|error| shown("drain", &error))?;
    holds(
        "trailers",
        response.trailers() == [("X-Sum".to_owned(), b"1".to_vec())],
    )?;

    let large = get("large").await?.read_all(10).await;
    let kind = large.err().map(|error| error.kind);
    holds("a limit", kind == Some(ErrorKind::BodyTooLarge))?;
    let response = get("large").await?;
    response.close();
    holds(
        "a closed body",
        response
            .read_all(10)
            .await
            .is_ok_and(|rest| rest.is_empty()),
    )
}

/// Polls both until both are done.
async fn both<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            one = Some(output);
        }
        if other.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            other = Some(output);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (first, second) => {
                (one, other) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

/// Gives up a request that waits, while another goes on.
async fn given_up(manager: &PoolManager, url: &str) -> Step {
    let never = manager.request("GET".into(), format!("{url}never"), Body::Empty, REQUEST);
    let slow = manager.request("GET".into(), format!("{url}slow"), Body::Empty, REQUEST);
    let mut never = Box::pin(never);
    let (response, ()) = both(slow, async {
        poll_fn(|context| {
            let is_over = never.as_mut().poll(context).is_ready();
            Poll::Ready(is_over)
        })
        .await;
    })
    .await;
    drop(never);
    holds(
        "the other is answered",
        read("slow", response).await? == b"hello",
    )
}

async fn through(url: &str, proxy: &str) -> Step {
    let manager = pools::proxy_from_url(proxy, &MANAGER).map_err(|error| shown("proxy", &error))?;
    holds(
        "the proxy's URL",
        proxy.starts_with(manager.proxy().trim_end_matches('/')),
    )?;
    let sent = manager.request("get".into(), format!("{url}by-proxy"), Body::Empty, REQUEST);
    read("proxy", sent.await).await?;
    let same = manager.manager();
    let sent = same.urlopen(
        "GET".into(),
        format!("{url}by-its-manager"),
        Body::Empty,
        REQUEST,
    );
    read("proxy", sent.await).await.map(drop)
}

async fn events(url: &str) -> Step {
    let manager = open(ManagerSettings {
        events: Some(100),
        ..MANAGER
    })?;
    let sent = manager.request("GET".into(), format!("{url}watched"), Body::Empty, REQUEST);
    read("events", sent.await).await?;
    holds(
        "events",
        !manager.take_events().is_empty() && manager.take_events().is_empty(),
    )
}

async fn functions(url: &str) -> Step {
    let sent = pools::request("get".into(), format!("{url}shared"), Body::Empty, REQUEST);
    read("request", sent.await).await?;
    let headers = pools::make_headers(&HeaderOptions {
        keep_alive: true,
        accept_encoding: None,
        user_agent: None,
        basic_auth: None,
        proxy_basic_auth: None,
        disable_cache: false,
    });
    let headers = headers.map_err(|error| shown("headers", &error))?;
    holds(
        "headers",
        headers == [("connection".to_owned(), b"keep-alive".to_vec())],
    )
}
