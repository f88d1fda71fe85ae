//! The Rust spelling of the contract: what no other suite calls, function by function, and what giving a call up costs.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use urlpool_host::{
    AcceptEncoding, Error, FieldsIn, Grants, Limits, MakeHeaders, Part, PartData, PoolManager,
    Reading, Response, Retries, Settings, make_headers, request,
};
use urlpool_tests::{Gate, Origin, Peer, Reply, Server, Step, within};

use crate::common::{failure_of, get, manager, refusal, text};
use crate::decoding::gzip;

/// How long urllib3's function `request` waits.
const PATIENCE: Duration = Duration::from_secs(3);

async fn answering(reply: Reply) -> (PoolManager, Server) {
    (manager().await, Origin::new().reply(reply).start().await)
}

async fn response(manager: &PoolManager, origin: &Server) -> Response {
    manager
        .get(origin.url("/"))
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_body_is_read_as_its_reader_likes() {
    let gate = Gate::new();
    let reply = Reply::ok("one\ntwo\nand the rest").chunked(6);
    let reply = reply.trailer("X-Sum", "20").body_after(&gate);
    let (manager, origin) = answering(reply).await;
    let mut read = response(&manager, &origin).await;
    assert!(read.trailers().await.unwrap().is_empty());
    gate.open();
    assert_eq!(read.read(0).await.unwrap(), b"");
    assert_eq!(read.read_line(100).await.unwrap(), b"one\n");
    assert_eq!(read.read_line(2).await.unwrap(), b"tw");
    assert_eq!(read.read(1).await.unwrap(), b"o");
    assert_eq!(read.read_full(9).await.unwrap(), b"\nand the ");
    assert_eq!(read.read_full(100).await.unwrap(), b"rest");
    for _ in 0..2 {
        assert_eq!(read.read(1).await.unwrap(), b"");
        assert_eq!(read.read_line(1).await.unwrap(), b"");
        assert_eq!(read.read_full(1).await.unwrap(), b"");
    }
    let trailers = read.trailers().await.unwrap();
    assert_eq!(trailers.joined("x-sum").as_deref(), Some(&b"20"[..]));

    let mut chunks = response(&manager, &origin).await;
    for expected in ["one\ntw", "o\nand ", "the re", "st", "", ""] {
        assert_eq!(chunks.read_chunk(100).await.unwrap(), expected.as_bytes());
    }
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_body_without_chunks_has_none_to_read() {
    let (manager, origin) = answering(Reply::ok("body")).await;
    let mut read = response(&manager, &origin).await;
    let error = read.read_chunk(100).await.unwrap_err();
    assert_eq!(refusal("chunk", &error).kind(), "invalid-request");
    assert_eq!(text(read).await, "body");
}

#[tokio::test]
async fn what_has_been_read_and_what_is_left_is_counted_before_decoding() {
    let packed = gzip(&[b'x'; 1000]);
    let length = packed.len() as u64;
    let reply = Reply::ok(packed).header("Content-Encoding", "gzip");
    let (manager, origin) = answering(reply).await;
    let mut read = response(&manager, &origin).await;
    let left = read.length_remaining().await.unwrap().unwrap();
    assert_eq!(read.tell().await.unwrap() + left, length);
    assert_eq!(read.read_full(1000).await.unwrap().len(), 1000);
    assert_eq!(read.read(1).await.unwrap(), b"");
    assert_eq!(read.tell().await.unwrap(), length);
    assert_eq!(read.length_remaining().await.unwrap(), Some(0));

    let (manager, origin) = answering(Reply::ok("body").chunked(2)).await;
    let read = response(&manager, &origin).await;
    assert_eq!(read.length_remaining().await.unwrap(), None);
}

#[tokio::test]
async fn text_is_utf8_within_its_limit() {
    let large = "\u{e9}".repeat(1 << 20);
    for (case, reply, expected) in [
        ("length", Reply::ok("caf\u{e9}"), Ok("caf\u{e9}")),
        (
            "chunked",
            Reply::ok("caf\u{e9}").chunked(4),
            Ok("caf\u{e9}"),
        ),
        ("large", Reply::ok(large.clone()), Ok(large.as_str())),
        ("latin-1", Reply::ok(*b"caf\xe9"), Err("decode")),
        (
            "latin-1 in chunks",
            Reply::ok(*b"caf\xe9").chunked(2),
            Err("decode"),
        ),
    ] {
        let (manager, origin) = answering(reply).await;
        match (response(&manager, &origin).await.text().await, expected) {
            (Ok(read), Ok(expected)) => assert!(read == expected, "{case}"),
            (Err(error), Err(kind)) => assert_eq!(refusal(case, &error).kind(), kind, "{case}"),
            (read, _) => assert_eq!(read.is_ok(), expected.is_ok(), "{case}"),
        }
    }
    for (case, reply) in [
        ("length", Reply::ok("body")),
        ("chunked", Reply::ok("body").chunked(3)),
    ] {
        let (manager, origin) = answering(reply).await;
        let whole = response(&manager, &origin).await.text_within(4).await;
        assert_eq!(whole.unwrap(), "body", "{case}");
        let error = response(&manager, &origin).await.text_within(3).await;
        let error = refusal(case, &error.unwrap_err());
        assert_eq!(error.kind(), "body-too-large", "{case}");
    }
}

#[tokio::test]
async fn a_small_body_that_decodes_to_a_large_one_is_put_together_outside() {
    let zeros = vec![0; 64 << 20];
    let reply = Reply::ok(gzip(&zeros)).header("Content-Encoding", "gzip");
    let origin = Origin::new().reply(reply).start().await;
    let manager = PoolManager::new(Settings {
        grants: Grants::all(),
        limits: Limits {
            memory: 16 << 20,
            ..Limits::default()
        },
        ..Settings::default()
    })
    .await
    .unwrap();
    assert!(response(&manager, &origin).await.bytes().await.unwrap() == zeros);
}

#[tokio::test]
async fn closing_and_releasing_end_the_body_and_its_connection() {
    let gate = Gate::new();
    let (manager, origin) = answering(Reply::ok("body").body_after(&gate)).await;
    let mut closed = response(&manager, &origin).await;
    closed.close().await.unwrap();
    origin.closed(1).await;
    assert_eq!(closed.chunk().await.unwrap(), None);
    let mut released = response(&manager, &origin).await;
    released.release().await.unwrap();
    origin.closed(2).await;
    assert_eq!(released.chunk().await.unwrap(), None);

    // What has arrived whole has given its connection back before.
    let (manager, origin) = answering(Reply::ok("body")).await;
    let mut whole = response(&manager, &origin).await;
    assert_eq!(whole.read_full(4).await.unwrap(), b"body");
    whole.close().await.unwrap();
    assert_eq!(get(&manager, origin.url("/")).await, "body");
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn fields_go_where_their_caller_puts_them() {
    let (manager, origin) = answering(Reply::ok("fine")).await;
    let url = origin.url("/?q=1#f");
    let pool = manager.connection_from_url(&url, None).await.unwrap();
    let fields = || [Part::field("a b", "\u{e9}&")];
    for (case, request, is_query) in [
        (
            "POST, query",
            manager.request("POST", &url).fields_in(FieldsIn::Query),
            true,
        ),
        (
            "GET, query",
            manager.get(&url).fields_in(FieldsIn::Query),
            true,
        ),
        ("GET", manager.get(&url), true),
        ("POST", manager.request("POST", &url), false),
        (
            "GET, body",
            manager.get(&url).fields_in(FieldsIn::Body),
            false,
        ),
        (
            "pool, query",
            pool.get("/?q=1").fields_in(FieldsIn::Query),
            true,
        ),
        (
            "pool, body",
            pool.get("/?q=1").fields_in(FieldsIn::Body),
            false,
        ),
    ] {
        let response = request.fields(fields()).send().await.expect(case);
        assert_eq!(text(response).await, "fine", "{case}");
        let sent = origin.requests().pop().expect(case);
        let target = if is_query {
            "/?q=1&a+b=%C3%A9%26"
        } else {
            "/?q=1"
        };
        assert_eq!(sent.target(), target, "{case}");
        let kind = sent.field("content-type").unwrap_or_default();
        assert_eq!(
            kind.starts_with("multipart/form-data;"),
            !is_query,
            "{case}"
        );
        assert_eq!(sent.body.is_empty(), is_query, "{case}");
    }
}

#[tokio::test]
async fn what_no_function_of_the_component_does_is_refused() {
    let (manager, origin) = answering(Reply::ok("fine")).await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    let everywhere = || [Part::field("a", "b")];
    let query = |request: urlpool_host::RequestBuilder| {
        request.fields(everywhere()).fields_in(FieldsIn::Query)
    };
    let put = || manager.request("PUT", origin.url("/"));
    let file = Part::file("a", "b.txt", PartData::default());
    for (case, request) in [
        ("pool", query(pool.request("PUT", "/"))),
        ("exact", query(put()).exact_method()),
        ("file", query(put()).fields([file])),
        ("bytes", query(put()).fields([Part::field("a", *b"\xff")])),
        ("method", query(manager.request("P T", origin.url("/")))),
    ] {
        assert_eq!(
            failure_of(case, request).await.kind(),
            "invalid-request",
            "{case}"
        );
    }
    let alone = async || {
        request(Grants::all(), "put", origin.url("/"))
            .await
            .unwrap()
    };
    for (case, request) in [("query", query(put())), ("alone", alone().await)] {
        let error = request.start().await.err().expect(case);
        assert_eq!(refusal(case, &error).kind(), "invalid-request", "{case}");
    }
    assert_eq!(origin.accepted(), 0);
}

#[tokio::test]
async fn a_request_needs_no_manager() {
    let origin = Origin::new().reply(Reply::ok("fine")).start().await;
    let granted = Grants::none().allow("127.0.0.1", origin.port());
    let sent = request(granted, "post", origin.url("/x")).await.unwrap();
    let response = sent.json("[1]").send().await.unwrap();
    assert_eq!(response.url(), origin.url("/x"));
    assert_eq!(response.text().await.unwrap(), "fine");
    let sent = origin.request();
    assert_eq!((sent.method().as_str(), &*sent.body), ("POST", &b"[1]"[..]));
    let denied = request(Grants::none(), "GET", origin.url("/"))
        .await
        .unwrap();
    assert_eq!(failure_of("denied", denied).await.kind(), "denied");
}

#[tokio::test]
async fn a_request_without_a_manager_waits_three_seconds() {
    let silent = Peer::always([Step::Hold]).start().await;
    let request = request(Grants::all(), "GET", silent.url("/"))
        .await
        .unwrap();
    let started = Instant::now();
    let error = request.retries(Retries::off()).send().await.unwrap_err();
    let took = started.elapsed();
    assert_eq!(refusal("silent", &error).kind(), "read-timeout");
    assert!(took >= PATIENCE && took < 2 * PATIENCE, "it took {took:?}");
}

#[tokio::test]
async fn made_headers_and_text_are_sent() {
    let (manager, origin) = answering(Reply::ok("")).await;
    let headers = make_headers(MakeHeaders {
        accept_encoding: Some(AcceptEncoding::All),
        basic_auth: Some("user:pass".into()),
        disable_cache: true,
        ..MakeHeaders::default()
    });
    let request = manager.request("PUT", origin.url("/")).text("caf\u{e9}");
    let request = request.header("X-Y", "z").headers(headers.unwrap());
    request.send().await.unwrap().drain().await.unwrap();
    let sent = origin.request();
    for (name, value) in [
        ("accept-encoding", Some("gzip,deflate,br,zstd")),
        ("authorization", Some("Basic dXNlcjpwYXNz")),
        ("cache-control", Some("no-cache")),
        ("x-y", Some("z")),
        ("content-type", None),
    ] {
        assert_eq!(sent.field(name).as_deref(), value, "{name}");
    }
    assert_eq!(sent.body, "caf\u{e9}".as_bytes());
}

#[tokio::test]
async fn what_is_read_before_the_response_is_there_without_waiting() {
    let (manager, origin) = answering(Reply::ok("body")).await;
    let reading = Reading {
        is_preloaded: true,
        ..Reading::default()
    };
    let request = manager.get(origin.url("/")).reading(reading);
    let read = request.send().await.unwrap();
    assert_eq!(read.length_remaining().await.unwrap(), Some(0));
    assert_eq!(get(&manager, origin.url("/")).await, "body");
    assert_eq!((origin.accepted(), text(read).await.as_str()), (1, "body"));
}

#[tokio::test]
async fn a_started_request_says_whether_it_is_ready() {
    let gate = Gate::new();
    let (manager, origin) = answering(Reply::ok("body").after(&gate)).await;
    let started = [manager.get(origin.url("/")).start().await.unwrap()];
    assert!(!started[0].is_ready().await.unwrap());
    gate.open();
    assert_eq!(manager.wait(&started, None).await.unwrap(), [0]);
    assert!(started[0].is_ready().await.unwrap());
    assert!(manager.wait(&[], None).await.unwrap().is_empty());
    let [started] = started;
    assert_eq!(text(started.response().await.unwrap()).await, "body");
}

/// Takes and gives nothing but errors.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Err(std::io::Error::other("it broke")))
    }
}

impl AsyncWrite for Broken {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Err(std::io::Error::other("it broke")))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_body_is_copied_to_a_writer() {
    let body = vec![b'x'; 200_000];
    let (manager, origin) = answering(Reply::ok(body.clone())).await;
    let mut copy = Vec::new();
    let copied = response(&manager, &origin).await.copy_to(&mut copy).await;
    assert_eq!(copied.unwrap(), 200_000);
    assert!(copy == body);

    let mut read = response(&manager, &origin).await;
    let error = refusal("writer", &read.copy_to(&mut Broken).await.unwrap_err());
    assert_eq!(error.kind(), "other");
    assert!(error.message().contains("it broke"), "{error}");
    origin.closed(1).await;
    assert_eq!(read.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_body_is_sent_from_a_reader() {
    let (manager, origin) = answering(Reply::ok("taken")).await;
    let body = vec![b'x'; 200_000];
    for (case, length) in [("length", Some(200_000)), ("chunked", None)] {
        let put = manager.request("PUT", origin.url("/"));
        let response = put.send_from(&mut body.as_slice(), length).await;
        assert_eq!(text(response.expect(case)).await, "taken", "{case}");
        let sent = origin.requests().pop().expect(case);
        let framing = sent
            .field("content-length")
            .or_else(|| sent.field("transfer-encoding"));
        let expected = length.map_or_else(|| "chunked".to_owned(), |length| length.to_string());
        assert_eq!(framing, Some(expected), "{case}");
        let count = sent.body.iter().filter(|byte| **byte == b'x').count();
        assert_eq!(count, body.len(), "{case}");
    }
    let put = || manager.request("PUT", origin.url("/"));
    for (case, error) in [
        ("broken", put().send_from(&mut Broken, None).await),
        (
            "short",
            put().send_from(&mut &body[..], Some(200_001)).await,
        ),
        ("long", put().send_from(&mut &body[..], Some(199_999)).await),
    ] {
        let error = refusal(case, &error.expect_err(case));
        assert_eq!(error.kind(), "invalid-request", "{case}: {error}");
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_instance_along_and_no_more() {
    let gate = Gate::new();
    let origin = Origin::new()
        .at("/slow", Reply::ok("slow").after(&gate))
        .at("/body", Reply::ok("slow").body_after(&gate))
        .reply(Reply::ok("fine"))
        .start()
        .await;
    let manager = manager().await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    let mut read = manager.get(origin.url("/body")).send().await.unwrap();
    let started = manager.get(origin.url("/other")).start().await.unwrap();
    {
        let mut slow = Box::pin(manager.get(origin.url("/slow")).send());
        let asked = async {
            tokio::select! {
                _ = &mut slow => {}
                () = origin.requested(2) => {}
            }
        };
        within("the request", asked).await;
    }
    for (case, error) in [
        ("response", read.chunk().await.err()),
        ("started", started.response().await.err()),
        ("pool", pool.num_idle().await.err()),
        ("through the pool", pool.get("/").send().await.err()),
    ] {
        let error = error.expect(case);
        assert!(matches!(error, Error::Trap(_)), "{case}: {error:?}");
    }
    assert_eq!(get(&manager, origin.url("/")).await, "fine");
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_is_given_up_for_nothing() {
    let gate = Gate::new();
    let origin = Origin::new()
        .at("/slow", Reply::ok("slow").after(&gate))
        .reply(Reply::ok("fine"))
        .start()
        .await;
    let manager = manager().await;
    let slow = get(&manager, origin.url("/slow"));
    let impatient = async {
        origin.requested(1).await;
        let waiting = tokio::time::timeout(Duration::ZERO, get(&manager, origin.url("/"))).await;
        assert!(waiting.is_err());
        gate.open();
    };
    let both = async { tokio::join!(slow, impatient).0 };
    assert_eq!(within("the slow one", both).await, "slow");
    assert_eq!(get(&manager, origin.url("/again")).await, "fine");
    assert_eq!(origin.accepted(), 1);
}
