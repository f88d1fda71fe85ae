//! Servers that fail: each failure has its own case and phase, comes soon, and leaves the manager as good as new.

use urlpool_host::{ClientError, Phase, Timeouts};
use urlpool_tests::{DeafListener, Gate, Peer, RefusingPort, Server, Step, fail};

use crate::common::{NO_SUCH_NAME, assert_healthy, failure_of, get, manager, millis, refusal};

/// What an error says, without its words.
fn facts(error: &ClientError) -> (&'static str, Option<Phase>) {
    (error.kind(), error.failure().map(|failure| failure.phase))
}

async fn answering(bytes: impl Into<Vec<u8>>) -> Server {
    Peer::answering(bytes).start().await
}

#[tokio::test]
async fn there_is_no_server() {
    let manager = manager().await;
    let refusing = RefusingPort::new();
    for (case, url, expected) in [
        (
            "refused",
            refusing.url("/"),
            ("connection-failed", Some(Phase::Connect)),
        ),
        (
            "a name that does not resolve",
            NO_SUCH_NAME.to_owned(),
            ("name-resolution", Some(Phase::Resolve)),
        ),
    ] {
        let error = failure_of(case, manager.get(url.as_str())).await;
        assert_eq!(facts(&error), expected, "{case}: {error}");
        let failure = error.failure().unwrap();
        assert_eq!(
            (failure.url.as_str(), failure.method.as_str()),
            (url.as_str(), "GET")
        );
        assert_eq!((failure.attempt, failure.reused), (1, false), "{case}");
        assert!(!failure.may_have_been_acted_on, "{case}");
        assert!(!failure.message.is_empty(), "{case}");
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn what_comes_instead_of_a_head_is_a_protocol_error() {
    let long = |length: usize| "x".repeat(length);
    let many = "X-Header: value\r\n".repeat(20_000);
    for (case, bytes) in [
        ("nothing", String::new()),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le".into()),
        (
            "garbage",
            "\x16\x03\x01\0\u{2}garbage without end\r\n\r\n".into(),
        ),
        ("a greeting", "SSH-2.0-OpenSSH_9.6\r\n\r\n".into()),
        ("HTTP/0.9", "<html>hello</html>\r\n\r\n".into()),
        ("HTTP/2", "HTTP/2 200 OK\r\n\r\n".into()),
        ("status of two digits", "HTTP/1.1 20 OK\r\n\r\n".into()),
        ("status of letters", "HTTP/1.1 abc OK\r\n\r\n".into()),
        (
            "switched protocols",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".into(),
        ),
        (
            "a name with a space",
            "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n".into(),
        ),
        (
            "a value with NUL",
            "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n".into(),
        ),
        (
            "a line without a colon",
            "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n".into(),
        ),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into(),
        ),
        (
            "a negative length",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".into(),
        ),
        (
            "an unknown coding",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".into(),
        ),
        (
            "a header of a megabyte",
            format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", long(1 << 20)),
        ),
        (
            "a status line of a megabyte",
            format!("HTTP/1.1 200 {}\r\n\r\n", long(1 << 20)),
        ),
        (
            "twenty thousand headers",
            format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        ),
    ] {
        let (manager, peer) = (manager().await, answering(bytes).await);
        let error = failure_of(case, manager.get(peer.url("/"))).await;
        assert_eq!(
            facts(&error),
            ("protocol", Some(Phase::AwaitHead)),
            "{case}: {error}"
        );
        let failure = error.failure().unwrap();
        assert!(
            failure.may_have_been_acted_on && !failure.message.is_empty(),
            "{case}"
        );
        assert_eq!((failure.attempt, peer.accepted()), (1, 1), "{case}");
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn a_reset_instead_of_a_head_is_a_protocol_error() {
    let peer = Peer::always([Step::Request, Step::Reset]).start().await;
    let manager = manager().await;
    let error = failure_of("reset", manager.get(peer.url("/"))).await;
    assert_eq!(
        facts(&error),
        ("protocol", Some(Phase::AwaitHead)),
        "{error}"
    );
    assert_healthy("reset", &manager).await;
}

#[tokio::test]
async fn a_head_without_end_is_a_protocol_error() {
    for (case, flood) in [
        (
            "interim responses",
            "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".repeat(100),
        ),
        ("header lines", "X-Header: value\r\n".repeat(100)),
        ("one line", "x".repeat(1000)),
    ] {
        let start = if flood.starts_with("HTTP") {
            ""
        } else {
            "HTTP/1.1 200 OK\r\n"
        };
        let script = [
            Step::Request,
            Step::send(start),
            Step::Flood(flood.into_bytes()),
        ];
        let (manager, peer) = (manager().await, Peer::always(script).start().await);
        let error = failure_of(case, manager.get(peer.url("/"))).await;
        assert_eq!(
            facts(&error),
            ("protocol", Some(Phase::AwaitHead)),
            "{case}: {error}"
        );
        peer.closed(1).await;
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_says_how() {
    let chunked =
        |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    for (case, bytes, kind) in [
        (
            "cut short",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned(),
            "incomplete-body",
        ),
        (
            "cut before a chunk",
            chunked("3\r\nabc\r\n"),
            "incomplete-body",
        ),
        ("cut in a chunk", chunked("5\r\nabc"), "incomplete-body"),
        (
            "cut in a chunk's size",
            chunked("3\r\nabc\r\n1"),
            "incomplete-body",
        ),
        (
            "cut in the trailers",
            chunked("3\r\nabc\r\n0\r\nX: y"),
            "incomplete-body",
        ),
        (
            "a size of letters",
            chunked("3\r\nabc\r\nxyz\r\n"),
            "invalid-chunk",
        ),
        ("an empty size", chunked("\r\nabc\r\n"), "invalid-chunk"),
        (
            "a negative size",
            chunked("-3\r\nabc\r\n0\r\n\r\n"),
            "invalid-chunk",
        ),
        (
            "a size with a prefix",
            chunked("0x3\r\nabc\r\n0\r\n\r\n"),
            "invalid-chunk",
        ),
        (
            "a size of 17 digits",
            chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"),
            "invalid-chunk",
        ),
        (
            "a chunk longer than its size",
            chunked("3\r\nabcd\r\n0\r\n\r\n"),
            "invalid-chunk",
        ),
    ] {
        let (manager, peer) = (manager().await, answering(bytes).await);
        let error = failure_of(case, manager.get(peer.url("/"))).await;
        assert_eq!(
            facts(&error),
            (kind, Some(Phase::ReceiveBody)),
            "{case}: {error}"
        );
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn an_incomplete_body_says_what_came_and_what_is_missing() {
    let manager = manager().await;
    let peer = answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    let mut response = manager.get(peer.url("/")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), b"abc");
    for again in ["first", "second"] {
        let error = refusal(again, &response.chunk().await.unwrap_err());
        let ClientError::IncompleteBody {
            received, missing, ..
        } = error
        else {
            fail(&format!("{again}: {error:?}"));
        };
        assert_eq!((received, missing), (3, Some(7)), "{again}");
    }
}

#[tokio::test]
async fn a_body_that_is_reset_is_no_complete_body() {
    for (case, framing) in [
        ("length", "Content-Length: 10"),
        ("until close", "Connection: close"),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\nabc");
        let gate = Gate::new();
        let script = [
            Step::Request,
            Step::send(head),
            Step::Wait(gate.clone()),
            Step::Reset,
        ];
        let (manager, peer) = (manager().await, Peer::always(script).start().await);
        let mut response = manager.get(peer.url("/")).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), b"abc", "{case}");
        gate.open();
        let error = refusal(case, &response.chunk().await.unwrap_err());
        assert!(
            ["protocol", "incomplete-body"].contains(&error.kind()),
            "{case}: {error:?}"
        );
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn a_connection_that_failed_is_not_used_again() {
    let peer = Peer::new()
        .connection([
            Step::Request,
            Step::send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"),
            Step::Hold,
        ])
        .connection([
            Step::Request,
            Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ])
        .start()
        .await;
    let manager = manager().await;
    assert_eq!(
        failure_of("chunk", manager.get(peer.url("/"))).await.kind(),
        "invalid-chunk"
    );
    peer.closed(1).await;
    assert_eq!(get(&manager, peer.url("/")).await, "ok");
}

#[tokio::test]
async fn a_listener_that_never_accepts_is_a_connect_timeout() {
    let Some(deaf) = DeafListener::start().await else {
        eprintln!("this kernel's queues never fill; the simulated network has the same case");
        return;
    };
    let manager = manager().await;
    for (case, timeouts, kind) in [
        (
            "connect",
            Timeouts {
                connect: millis(100),
                ..Timeouts::default()
            },
            "connect-timeout",
        ),
        (
            "total",
            Timeouts {
                total: millis(100),
                ..Timeouts::default()
            },
            "connect-timeout",
        ),
        (
            "deadline",
            Timeouts {
                deadline: millis(100),
                ..Timeouts::default()
            },
            "deadline-exceeded",
        ),
    ] {
        let error = failure_of(case, manager.get(deaf.url("/")).timeouts(timeouts)).await;
        assert_eq!(
            facts(&error),
            (kind, Some(Phase::Connect)),
            "{case}: {error}"
        );
        assert!(!error.failure().unwrap().may_have_been_acted_on, "{case}");
        assert_healthy(case, &manager).await;
    }
}
