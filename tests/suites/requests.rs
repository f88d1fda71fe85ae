//! What is sent, byte for byte, and in how many writes.

use urlpool_host::RequestBuilder;
use urlpool_tests::{Authority, Origin, Reply, Request, Server};

use crate::common::{manager, manager_with_pools, trusting};

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("")).start().await
}

async fn send(request: RequestBuilder) {
    let response = request.send().await.expect("a response");
    response.bytes().await.expect("a body");
}

/// The only request that an origin gets when this is sent to it.
async fn sent(
    method: &str,
    path: &str,
    change: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> (Request, String) {
    let (manager, origin) = (manager().await, origin().await);
    send(change(manager.request(method, origin.url(path)))).await;
    let mut received = origin.connections().remove(0).received;
    let request = origin.request();
    let rest = received.split_off(request.head.len() + request.body.len());
    assert_eq!(rest, b"", "bytes behind the request");
    (request, origin.authority())
}

#[tokio::test]
async fn a_request_says_what_it_must_and_no_more() {
    let (get, authority) = sent("GET", "/x?y=1#z", |request| request).await;
    assert_eq!(
        get.head_text(),
        format!(
            "GET /x?y=1 HTTP/1.1\r\nHost: {authority}\r\nAccept-Encoding: identity\r\nUser-Agent: urlpool/0.1.0\r\n\r\n"
        )
    );
    let (post, authority) = sent("POST", "", |request| {
        request.body("a\0b\r\n\r\n").header("X-Y", "z")
    })
    .await;
    assert_eq!(
        post.head_text(),
        format!(
            "POST / HTTP/1.1\r\nHost: {authority}\r\nAccept-Encoding: identity\r\nContent-Length: 7\r\nUser-Agent: urlpool/0.1.0\r\nX-Y: z\r\n\r\n"
        )
    );
    assert_eq!(post.body, b"a\0b\r\n\r\n");
}

#[tokio::test]
async fn a_missing_body_has_a_length_where_one_is_usual() {
    for (method, expected) in [
        ("POST", Some("0")),
        ("PUT", Some("0")),
        ("PATCH", Some("0")),
        ("GET", None),
        ("HEAD", None),
        ("DELETE", None),
        ("OPTIONS", None),
    ] {
        let (request, _) = sent(method, "/", |request| request).await;
        assert_eq!(
            request.field("content-length").as_deref(),
            expected,
            "{method}"
        );
        assert_eq!(request.field("transfer-encoding"), None, "{method}");
    }
}

#[tokio::test]
async fn fields_keep_case_order_and_duplicates_and_replace_ours() {
    let (request, authority) = sent("GET", "/", |request| {
        request
            .header("x-B", "1")
            .header("X-a", " spaced\tout ")
            .header("x-B", "2")
            .header("user-agent", "me")
            .header("ACCEPT-ENCODING", "br")
            .header("X-Bytes", b"\xff\xe9".to_vec())
    })
    .await;
    let expected = format!(
        "GET / HTTP/1.1\r\nHost: {authority}\r\nx-B: 1\r\nX-a:  spaced\tout \r\nx-B: 2\r\nuser-agent: me\r\nACCEPT-ENCODING: br\r\n"
    );
    let expected = [expected.as_bytes(), b"X-Bytes: \xff\xe9\r\n\r\n"].concat();
    assert_eq!(request.head, expected, "{}", request.head_text());

    let (request, _) = sent("GET", "/", |request| request.header("hOST", "other.test")).await;
    let hosts: Vec<_> = request
        .fields()
        .into_iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .collect();
    assert_eq!(hosts, [("hOST".to_owned(), "other.test".to_owned())]);
}

#[tokio::test]
async fn methods_are_sent_in_upper_case_unless_they_are_to_stay() {
    assert_eq!(sent("get", "/", |request| request).await.0.method(), "GET");
    assert_eq!(
        sent("purge", "/", |request| request).await.0.method(),
        "PURGE"
    );
    let (request, _) = sent("pUrGe", "/", RequestBuilder::exact_method).await;
    assert_eq!(request.method(), "pUrGe");
}

#[tokio::test]
async fn what_is_started_has_its_method_in_upper_case_too_unless_it_is_to_stay() {
    let manager = manager().await;
    for through_pool in [false, true] {
        let origin = origin().await;
        let url = origin.url("/");
        let pool = manager.connection_from_url(&url, None).await;
        let pool = pool.expect("a pool");
        let request = || match through_pool {
            true => pool.request("pUrGe", "/"),
            false => manager.request("pUrGe", origin.url("/")),
        };
        for request in [request(), request().exact_method()] {
            let started = request.start().await.expect("a request that can be sent");
            let response = started.response().await.expect("a response");
            response.bytes().await.expect("a body");
        }
        let sent = origin.requests();
        let methods: Vec<_> = sent.iter().map(Request::method).collect();
        assert_eq!(
            methods,
            ["PURGE", "pUrGe"],
            "through a pool: {through_pool}"
        );
    }
}

#[tokio::test]
async fn targets_are_normalised_and_encoded() {
    for (written, expected) in [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a/../b", "/b"),
        ("/a b\tc\r\nX: y", "/a%20b%09c%0D%0AX:%20y"),
        ("/%41%2f?%zz", "/%41%2F?%25zz"),
        ("/\u{e9}", "/%C3%A9"),
    ] {
        let (request, _) = sent("GET", written, |request| request).await;
        assert_eq!(request.target(), expected, "{written:?}");
    }
}

#[tokio::test]
async fn userinfo_becomes_credentials_and_gives_way_to_the_callers() {
    let (manager, origin) = (manager().await, origin().await);
    let url = origin.url_as("user:pa%20ss@127.0.0.1", "/");
    send(manager.get(url.as_str())).await;
    send(
        manager
            .get(url.as_str())
            .header("authorization", "Bearer t"),
    )
    .await;
    send(manager.get(origin.url("/"))).await;
    let credentials: Vec<_> = origin
        .requests()
        .iter()
        .map(|request| request.field("authorization"))
        .collect();
    let expected = [
        Some("Basic dXNlcjpwYSBzcw==".to_owned()),
        Some("Bearer t".to_owned()),
        None,
    ];
    assert_eq!(credentials, expected);
    let received = origin.connections().remove(0).received;
    assert!(!String::from_utf8_lossy(&received).contains("user:"));
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let body: Vec<u8> = (0..3_000_000_u32)
        .map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1])
        .collect();
    let (request, _) = sent("PUT", "/", |request| request.body(body.clone())).await;
    assert_eq!(request.field("content-length").as_deref(), Some("3000000"));
    assert!(request.body == body);
}

/// A waiting server sees each write as one read.
#[tokio::test]
async fn what_fits_in_one_write_is_one() {
    let (manager, origin) = (manager().await, origin().await);
    for _ in 0..20 {
        send(manager.get(origin.url("/"))).await;
        send(
            manager
                .request("POST", origin.url("/"))
                .body(vec![b'x'; 4000]),
        )
        .await;
    }
    let connections = origin.connections();
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0].reads.len(), 40, "{:?}", connections[0].reads);
}

#[tokio::test]
async fn each_flight_of_a_handshake_is_one_write() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"]);
    for (case, tls, flights) in [
        // ClientHello; Finished with the request.
        ("1.3", identity.tls13(), 2),
        // ClientHello; ClientKeyExchange, ChangeCipherSpec and Finished; the request.
        ("1.2", identity.tls12(), 3),
    ] {
        let origin = Origin::new().reply(Reply::ok("")).tls(tls).start().await;
        let manager = manager_with_pools(trusting(&authority)).await;
        let post = manager
            .request("POST", origin.url("/"))
            .body(vec![b'x'; 2000]);
        send(post).await;
        let reads = origin.connections().remove(0).reads;
        assert_eq!(reads.len(), flights, "{case}: {reads:?}");
    }
}
