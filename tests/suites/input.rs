//! Input that cannot be sent: refused with its own case before anything leaves.

use urlpool_host::RequestBuilder;
use urlpool_tests::{Origin, Reply};

use crate::common::{assert_healthy, failure_of, manager};

#[tokio::test]
async fn urls_that_are_none_are_refused() {
    let manager = manager().await;
    for (case, url, kind) in [
        ("empty", "", "invalid-url"),
        ("no scheme", "127.0.0.1/x", "invalid-url"),
        ("unknown scheme", "ftp://127.0.0.1/", "unsupported-scheme"),
        (
            "a scheme like ours",
            "httpx://127.0.0.1/",
            "unsupported-scheme",
        ),
        ("no host", "http://", "invalid-url"),
        ("empty host", "http:///x", "invalid-url"),
        ("only a port", "http://:80/", "invalid-url"),
        ("only userinfo", "http://u:p@/", "invalid-url"),
        ("port too large", "http://127.0.0.1:65536/", "invalid-url"),
        (
            "port that is no number",
            "http://127.0.0.1:x/",
            "invalid-url",
        ),
        ("negative port", "http://127.0.0.1:-1/", "invalid-url"),
        (
            "line break in the host",
            "http://127.0.0.1\r\nX: y/",
            "invalid-url",
        ),
        ("NUL in the host", "http://127.0.0\0.1/", "invalid-url"),
        ("DEL in the host", "http://127.0.0.1\x7f/", "invalid-url"),
        ("space in the host", "http://127.0 .0.1/", "invalid-url"),
        ("open bracket", "http://[::1/", "invalid-url"),
        ("no IPv4 address", "http://127.0.0.256/", "invalid-url"),
        (
            "control in the scheme",
            "ht\ttp://127.0.0.1/",
            "invalid-url",
        ),
    ] {
        let error = failure_of(case, manager.get(url)).await;
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert!(
            error.is_callers_input() && !error.message().is_empty(),
            "{case}"
        );
    }
    assert_eq!(manager.num_pools().await.unwrap(), 0);
    assert_healthy("bad URLs", &manager).await;
}

#[tokio::test]
async fn methods_headers_and_framing_that_cannot_be_sent_are_refused() {
    type Change = fn(RequestBuilder) -> RequestBuilder;
    let origin = Origin::new().reply(Reply::ok("")).start().await;
    let manager = manager().await;
    let rows: [(&str, &str, Change); 22] = [
        ("empty method", "", |request| request),
        ("method with a space", "GET /", |request| request),
        (
            "method with a line break",
            "GET / HTTP/1.1\r\nX: y\r\n\r\nGET",
            |request| request,
        ),
        ("method with NUL", "GE\0T", |request| request),
        ("method with DEL", "GE\x7fT", |request| request),
        ("method that is not ASCII", "G\u{c9}T", |request| request),
        (
            "exact method with a tab",
            "GE\tT",
            RequestBuilder::exact_method,
        ),
        ("empty name", "GET", |request| request.header("", "x")),
        ("name with a colon", "GET", |request| {
            request.header("X:", "x")
        }),
        ("name with a space", "GET", |request| {
            request.header("X ", "x")
        }),
        ("name with a line break", "GET", |request| {
            request.header("X\r\nY", "x")
        }),
        ("name that is not ASCII", "GET", |request| {
            request.header("X\u{e9}", "x")
        }),
        ("value with a line break", "GET", |request| {
            request.header("X", "a\r\nY: b")
        }),
        ("value with a folded line", "GET", |request| {
            request.header("X", "a\r\n b")
        }),
        ("value with NUL", "GET", |request| {
            request.header("X", "a\0")
        }),
        ("value with DEL", "GET", |request| {
            request.header("X", "a\x7f")
        }),
        ("value with ESC", "GET", |request| {
            request.header("X", "\x1b[31m")
        }),
        ("two hosts", "GET", |request| {
            request.header("Host", "a").header("Host", "b")
        }),
        ("length too large", "POST", |request| {
            request.header("Content-Length", "4").body("abc")
        }),
        ("length too small", "POST", |request| {
            request.header("Content-Length", "2").body("abc")
        }),
        ("length without a body", "POST", |request| {
            request.header("Content-Length", "1")
        }),
        ("another coding by hand", "POST", |request| {
            request
                .header("Transfer-Encoding", "gzip, chunked")
                .body("abc")
        }),
    ];
    for (case, method, change) in rows {
        let request = change(manager.request(method, origin.url("/")));
        let error = failure_of(case, request).await;
        assert_eq!(error.kind(), "invalid-request", "{case}: {error}");
        assert!(!error.message().is_empty(), "{case}");
    }
    assert_eq!(origin.accepted(), 0);
    assert_healthy("bad requests", &manager).await;
}
