//! Where responses end, and whether their connection serves another.

use urlpool_host::Version;
use urlpool_tests::{Origin, Peer, Reply, Step};

use crate::common::{get, manager, text};

/// Sends the request twice; the second time shows whether the connection was kept.
async fn check(case: &str, method: &str, reply: Reply, expected: &str, kept: bool) {
    let (manager, origin) = (manager().await, Origin::new().reply(reply).start().await);
    for _ in 0..2 {
        let response = manager.request(method, origin.url("/")).send().await;
        assert_eq!(text(response.expect(case)).await, expected, "{case}");
    }
    let connections = if kept { 1 } else { 2 };
    assert_eq!(origin.accepted(), connections, "{case}: connections");
}

#[tokio::test]
async fn bodies_end_where_they_should() {
    let body = "the quick brown fox";
    for (case, reply, expected, kept) in [
        ("length", Reply::ok(body), body, true),
        ("length 0", Reply::ok(""), "", true),
        ("one chunk", Reply::ok(body).chunked(100), body, true),
        ("chunks of one byte", Reply::ok(body).chunked(1), body, true),
        ("no chunk but the last", Reply::ok("").chunked(1), "", true),
        (
            "chunk extensions",
            Reply::ok(body).chunked(5).chunk_extension(";a=\"b;c\"; d"),
            body,
            true,
        ),
        (
            "trailers",
            Reply::ok(body)
                .chunked(5)
                .trailer("X-Sum", "1")
                .trailer("X-Two", ""),
            body,
            true,
        ),
        ("until close", Reply::ok(body).until_close(), body, false),
        ("until close, empty", Reply::ok("").until_close(), "", false),
        (
            "connection: close",
            Reply::ok(body).header("Connection", "close"),
            body,
            false,
        ),
        (
            "connection: Close among others",
            Reply::ok(body).header("connection", "foo, Close"),
            body,
            false,
        ),
        ("1.0", Reply::ok(body).http10(), body, false),
        (
            "1.0 until close",
            Reply::ok(body).http10().until_close(),
            body,
            false,
        ),
        (
            "1.0 keep-alive",
            Reply::ok(body).http10().header("Connection", "keep-alive"),
            body,
            true,
        ),
        ("204", Reply::new(204, "").without_framing(), "", true),
        ("304", Reply::new(304, "").without_framing(), "", true),
        (
            "304 with the length of what it is not",
            Reply::new(304, "")
                .header("Content-Length", "19")
                .without_framing(),
            "",
            true,
        ),
        ("404", Reply::new(404, body), body, true),
        ("500", Reply::new(500, body), body, true),
    ] {
        check(case, "GET", reply, expected, kept).await;
    }
}

#[tokio::test]
async fn head_has_no_body_whatever_the_framing() {
    for (case, reply, kept) in [
        ("length", Reply::ok("nineteen bytes here"), true),
        ("chunked", Reply::ok("x").chunked(1), true),
        ("nothing", Reply::ok("").without_framing(), true),
        ("1.0", Reply::ok("x").http10(), false),
    ] {
        check(case, "HEAD", reply, "", kept).await;
    }
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let continued = "HTTP/1.1 100 Continue\r\n\r\n";
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nContent-Length: 5\r\n\r\n";
    for (case, reply) in [
        ("100", Reply::ok("x").interim(continued)),
        ("103", Reply::ok("x").interim(hints)),
        (
            "102, 199",
            Reply::ok("x").interim("HTTP/1.1 102 P\r\n\r\nHTTP/1.1 199 ?\r\n\r\n"),
        ),
        (
            "several",
            Reply::ok("x")
                .interim(continued)
                .interim(hints)
                .interim(hints),
        ),
    ] {
        check(case, "GET", reply, "x", true).await;
    }
}

#[tokio::test]
async fn the_head_is_what_the_server_sent() {
    let reply = Reply::ok("x")
        .http10()
        .status_line("299 Any thing")
        .header("X-b", "1")
        .header("x-A", "  padded\t")
        .header("X-b", "2");
    let (manager, origin) = (manager().await, Origin::new().reply(reply).start().await);
    let url = origin.url_as("user:secret@127.0.0.1", "/a/../b?q#fragment");
    let response = manager.get(url).send().await.unwrap();
    let head = response.head().clone();
    assert_eq!((head.status, head.reason.as_str()), (299, "Any thing"));
    assert_eq!(head.version, Version::Http10);
    assert_eq!(head.url, origin.url("/b?q"));
    assert_eq!(head.connection.tls, None);
    let fields: Vec<_> = head
        .headers
        .iter()
        .map(|field| (field.name(), field.value()))
        .collect();
    let expected: [(&str, &[u8]); 4] = [
        ("X-b", b"1"),
        ("x-A", b"padded"),
        ("X-b", b"2"),
        ("Content-Length", b"1"),
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_status_line_needs_no_reason_and_values_need_not_be_text() {
    for (case, line, reason) in [
        ("no reason", "HTTP/1.1 200\r\n", ""),
        ("empty reason", "HTTP/1.1 200 \r\n", ""),
        ("status 999", "HTTP/1.1 999 x\r\n", "x"),
    ] {
        let head = [line.as_bytes(), b"X: \xff\xe9\r\nContent-Length: 0\r\n\r\n"].concat();
        let (manager, peer) = (manager().await, Peer::answering(head).start().await);
        let response = manager.get(peer.url("/")).send().await.expect(case);
        assert_eq!(response.head().reason, reason, "{case}");
        assert_eq!(
            response.headers().first("x"),
            Some(b"\xff\xe9".as_slice()),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_response_in_many_pieces_is_the_same() {
    let whole =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
    let mut script = vec![Step::Request];
    script.extend(whole.bytes().map(|byte| Step::Send(vec![byte])));
    script.push(Step::Hold);
    let (manager, peer) = (manager().await, Peer::always(script).start().await);
    assert_eq!(get(&manager, peer.url("/")).await, "abcde");
}

#[tokio::test]
async fn bytes_behind_a_response_are_not_the_next_one() {
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".to_owned()
        + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let peer = Peer::new()
        .connection([Step::Request, Step::send(two), Step::Hold])
        .connection([
            Step::Request,
            Step::send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"),
            Step::Hold,
        ])
        .start()
        .await;
    let manager = manager().await;
    assert_eq!(get(&manager, peer.url("/1")).await, "a");
    assert_eq!(get(&manager, peer.url("/2")).await, "b");
    assert_eq!(peer.accepted(), 2);
}
