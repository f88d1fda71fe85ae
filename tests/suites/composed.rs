//! Consumers of WASI 0.3 with one of our components plugged under them: one that speaks `wasi:http` and knows nothing of urlpool, and one that
//! imports `urlpool:client-async`. One list of behaviours holds for both.

mod faults;

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use urlpool_tests::{
    Authority, DeafListener, Gate, HttpProxy, Origin, Peer, RefusingPort, Reply, Server, Step,
    Tunnel, fail,
};

use crate::common::NO_SUCH_NAME;
use crate::decoding::gzip;
use crate::speaking::{Outcome, Run, refused};

/// A consumer, what is plugged under it, and what each of the two calls the same failure.
struct Door {
    consumer: &'static str,
    under: &'static str,
    /// The variable that holds the certificates to trust.
    roots: &'static str,
    words: fn(Failure) -> &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    Refused,
    Name,
    Certificate,
    Connect,
    Head,
    Body,
    NotHttp,
    Incomplete,
    Chunk,
    Proxy,
    Sending,
}

const DOORS: [Door; 2] = [DROP_IN, POOLS];

const DROP_IN: Door = Door {
    consumer: "http03",
    under: "urlpool-http.wasm",
    roots: "URLPOOL_CA_BUNDLE",
    words: |failure| match failure {
        Failure::Refused => "response: ErrorCode::ConnectionRefused",
        Failure::Name => "response: ErrorCode::DnsError",
        Failure::Certificate => "response: ErrorCode::TlsCertificateError",
        Failure::Connect => "response: ErrorCode::ConnectionTimeout",
        Failure::Head => "response: ErrorCode::ConnectionReadTimeout",
        Failure::Body => "body: ErrorCode::ConnectionReadTimeout",
        Failure::NotHttp => "response: ErrorCode::HttpProtocolError",
        Failure::Incomplete => "body: ErrorCode::HttpResponseIncomplete",
        Failure::Chunk => "body: ErrorCode::HttpResponseTransferCoding",
        Failure::Proxy => "response: ErrorCode::DestinationUnavailable",
        Failure::Sending => "response: ErrorCode::ConnectionTerminated",
    },
};

const POOLS: Door = Door {
    consumer: "pools03",
    under: "urlpool-async.wasm",
    roots: "CA_PEM",
    words: |failure| match failure {
        Failure::Refused => "response: ErrorKind::ConnectionFailed",
        Failure::Name => "response: ErrorKind::NameResolution",
        Failure::Certificate => "response: ErrorKind::Tls",
        Failure::Connect => "response: ErrorKind::ConnectTimeout",
        Failure::Head => "response: ErrorKind::ReadTimeout",
        Failure::Body => "body: ErrorKind::ReadTimeout",
        Failure::NotHttp => "response: ErrorKind::Protocol",
        Failure::Incomplete => "body: ErrorKind::IncompleteBody",
        Failure::Chunk => "body: ErrorKind::InvalidChunk",
        Failure::Proxy => "response: ErrorKind::Proxy",
        Failure::Sending => "response: ErrorKind::BodyNotReplayable",
    },
};

impl Door {
    fn run<A: Into<String>>(&self, arguments: impl IntoIterator<Item = A>) -> Run<'_> {
        Run::composed(self.consumer, self.under).arguments(arguments)
    }

    async fn get(&self, url: &str) -> Outcome {
        self.run([url]).end().await
    }

    fn refused(&self, case: &str, outcome: Outcome, failure: Failure) {
        let case = format!("{} {case}", self.consumer);
        refused(&case, outcome, (self.words)(failure));
    }
}

async fn answering(reply: Reply) -> Server {
    Origin::new().reply(reply).start().await
}

#[tokio::test]
async fn requests_in_turn_are_one_connection() {
    for door in DOORS {
        let origin = answering(Reply::ok("hello")).await;
        let url = origin.url("/a?b=c");
        let printed = door.run([&url, "count=100"]).end().await.unwrap();
        assert!(printed.contains("\ntotal 100 500 bytes "), "{printed}");
        assert_eq!((origin.accepted(), origin.requests().len()), (1, 100));
        assert_eq!(origin.requests()[0].target(), "/a?b=c");
    }
}

#[tokio::test]
async fn requests_at_a_time_are_as_many_connections() {
    for door in DOORS {
        let origin = answering(Reply::ok("hello").delayed(Duration::from_millis(2))).await;
        let url = origin.url("/");
        let arguments = [&url, "count=200", "parallel=8", "print=total"];
        let printed = door.run(arguments).end().await.unwrap();
        assert!(printed.starts_with("total 200 1000 bytes "), "{printed}");
        assert_eq!(origin.requests().len(), 200);
        assert!(origin.accepted() <= 8, "{}", origin.accepted());
    }
}

#[tokio::test]
async fn a_thousand_requests_wait_in_little_memory() {
    for door in DOORS {
        let gate = Gate::new();
        let origin = answering(Reply::ok("late").after(&gate)).await;
        let url = origin.url("/");
        let arguments = [
            &url,
            "count=1000",
            "parallel=1000",
            "buffer=4096",
            "print=total",
        ];
        let run = door.run(arguments).memory(24 << 20).end();
        let all_wait = async {
            origin.requested(1000).await;
            gate.open();
        };
        let (printed, ()) = tokio::join!(run, all_wait);
        let printed = printed.unwrap();
        assert!(printed.starts_with("total 1000 4000 bytes "), "{printed}");
    }
}

#[tokio::test]
async fn bodies_go_both_ways_with_trailers_behind_them() {
    for door in DOORS {
        for (method, length) in [
            ("POST", Some("length=announced")),
            ("PUT", None),
            ("GET", None),
        ] {
            let reply = Reply::ok(vec![7; 300_000]).chunked(10_000);
            let origin = answering(reply.trailer("X-Sum", "42")).await;
            let url = origin.url("/");
            let method = format!("method={method}");
            let arguments = [&url, method.as_str(), "body=1000000"];
            let run = door.run(arguments.into_iter().chain(length));
            let printed = run.end().await.unwrap();
            assert!(printed.contains("\nbody 300000 sum 2100000\n"), "{printed}");
            let trailer = printed.to_ascii_lowercase();
            assert!(trailer.contains("\ntrailer x-sum: 42\n"), "{printed}");
            let sent = origin.request();
            let expected: Vec<u8> = (0..1_000_000)
                .map(|place: u32| (place % 251) as u8)
                .collect();
            assert!(sent.content() == expected, "{} {method}", door.consumer);
            let announced = sent.field("Content-Length");
            assert_eq!(announced.as_deref(), length.map(|_| "1000000"));
            let is_chunked = sent.field("Transfer-Encoding").as_deref() == Some("chunked");
            assert_eq!(is_chunked, length.is_none(), "{} {method}", door.consumer);
        }
        let origin = answering(Reply::ok("x")).await;
        let url = origin.url("/");
        for method in ["POST", "GET", "HEAD"] {
            let method = format!("method={method}");
            door.run([&url, &method]).end().await.unwrap();
        }
        let requests = origin.requests();
        let lengths = requests.iter().map(|sent| sent.field("Content-Length"));
        assert!(
            lengths.eq([Some("0".into()), None, None]),
            "{}",
            door.consumer
        );
    }
}

#[tokio::test]
async fn trailers_of_requests_reach_the_server() {
    let origin = answering(Reply::ok("x")).await;
    let url = origin.url("/");
    let arguments = [&url, "method=PUT", "body=3", "trailer=X-End: 9"];
    DROP_IN.run(arguments).end().await.unwrap();
    let received = origin.connections()[0].received.to_ascii_lowercase();
    assert!(received.ends_with(b"\r\n0\r\nx-end: 9\r\n\r\n"));
}

#[tokio::test]
async fn a_large_body_needs_little_memory() {
    for door in DOORS {
        let origin = answering(Reply::ok(vec![1; 100 << 20])).await;
        let url = origin.url("/");
        let run = door.run([url.as_str(), "print=total"]).memory(16 << 20);
        let printed = run.end().await.unwrap();
        assert!(printed.starts_with("total 1 104857600 bytes "), "{printed}");
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_body_is_an_answer() {
    for door in DOORS {
        let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!";
        let origin = Peer::always([Step::Bytes, Step::send(refusal), Step::Hold])
            .start()
            .await;
        let url = origin.url("/");
        let arguments = [&url, "method=POST", "body=50000000"];
        let printed = door.run(arguments).end().await.unwrap();
        assert!(printed.starts_with("status 413\n"), "{printed}");
        assert!(printed.contains("\nbody 3 "), "{printed}");
        origin.closed(1).await;
    }
}

#[tokio::test]
async fn a_response_that_is_dropped_amid_its_upload_is_no_harm_to_the_instance() {
    let refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\n";
    for door in DOORS {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let url = format!("http://{address}/");
        let arguments = [&url, "method=POST", "body=50000000", "keep=0", "count=3"];
        let run = door.run(arguments).end();
        // It reads nothing, so that a write stays under way, which is what the time is for.
        let refusing = async {
            let mut clients = Vec::new();
            loop {
                let (mut client, _) = listener.accept().await.expect("a client");
                tokio::time::sleep(Duration::from_millis(200)).await;
                client.write_all(refusal).await.expect("room for it");
                clients.push(client);
            }
        };
        let printed = tokio::select! {
            outcome = run => outcome.unwrap(),
            never = refusing => never,
        };
        assert!(printed.contains("\ntotal 3 0 bytes "), "{printed}");
    }
}

#[tokio::test]
async fn a_body_that_its_sender_gives_up_is_not_sent_as_whole() {
    let origin = answering(Reply::ok("x")).await;
    let url = origin.url("/");
    for body in ["body=given-up", "body=10"] {
        let arguments = [&url, "method=POST", "body=given-up", body];
        let outcome = DROP_IN.run(arguments).end().await;
        refused(body, outcome, "response: ErrorCode::HttpProtocolError");
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    for door in DOORS {
        let peer = Peer::always([Step::Hold]).start().await;
        let url = peer.url("/");
        let arguments = [&url, "method=POST", "body=500000000", "between=100"];
        let outcome = door.run(arguments).end().await;
        let why = outcome.expect_err(door.consumer);
        assert!(why.contains("Timeout"), "{}: {why}", door.consumer);
        peer.closed(1).await;
    }
}

#[tokio::test]
async fn a_connection_that_died_idle_costs_no_request() {
    let ok = || Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for door in DOORS {
        let origin = Peer::new()
            .connection([Step::Request, ok(), Step::Request])
            .connection([Step::Request, ok()])
            .start()
            .await;
        let url = origin.url("/");
        let printed = door.run([&url, "count=2"]).end().await.unwrap();
        assert!(printed.contains("\ntotal 2 4 bytes "), "{printed}");
        assert_eq!((origin.accepted(), origin.requests().len()), (2, 3));

        // A body that was read from a stream is gone.
        let origin = Peer::new()
            .connection([Step::Request, ok(), Step::Request])
            .connection([Step::Request, ok()])
            .start()
            .await;
        let url = origin.url("/");
        let arguments = [&url, "count=2", "method=PUT", "body=1000"];
        let outcome = door.run(arguments).end().await;
        door.refused("a streamed body", outcome, Failure::Sending);
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost", "127.0.0.1"]);
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    for door in DOORS {
        let origin = Origin::new()
            .reply(Reply::ok("secret"))
            .tls(identity.tls())
            .start()
            .await;
        let url = origin.url("/");
        let run = door.run([&url, "count=10"]).variable(door.roots, &roots);
        run.end().await.unwrap();
        assert_eq!((origin.accepted(), origin.requests().len()), (1, 10));
        let outcome = door.get(&url).await;
        door.refused("the built-in roots", outcome, Failure::Certificate);
    }
}

#[tokio::test]
async fn all_goes_through_the_proxy_that_is_named() {
    let authority = Authority::new();
    let origin = Origin::new()
        .reply(Reply::ok("secret"))
        .tls(authority.issue(&["far.test"]).tls())
        .start()
        .await;
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let far = origin.url_as("far.test", "/");
    for (door, variables) in [
        (DROP_IN, &["URLPOOL_PROXY"][..]),
        (DROP_IN, &["http_proxy", "https_proxy"]),
        (POOLS, &["http_proxy", "https_proxy"]),
    ] {
        let proxy = HttpProxy::new().reply(Reply::ok("plain")).start().await;
        for (url, count) in [(far.as_str(), "count=3"), ("http://near.test/x", "count=2")] {
            let mut run = door.run([url, count]).variable(door.roots, &roots);
            for variable in variables {
                run = run.variable(variable, proxy.proxy_url("http"));
            }
            run.end().await.unwrap();
        }
        let requests = proxy.requests();
        let asked: Vec<String> = requests
            .iter()
            .map(|sent| format!("{} {}", sent.method(), sent.target()))
            .collect();
        let tunnel = format!("CONNECT far.test:{}", origin.port());
        let plain = "GET http://near.test/x";
        assert_eq!(asked, [tunnel.as_str(), plain, plain], "{}", door.consumer);
    }
}

#[tokio::test]
async fn a_proxy_that_goes_away_is_to_blame() {
    for door in DOORS {
        let proxy = HttpProxy::new().tunnel(Tunnel::closing()).start().await;
        let run = door.run(["https://far.test/"]);
        let run = run.variable("https_proxy", proxy.proxy_url("http"));
        door.refused("a proxy", run.end().await, Failure::Proxy);
    }
}

#[tokio::test]
async fn what_runs_out_of_time_says_of_what() {
    let Some(deaf) = DeafListener::start().await else {
        return;
    };
    let silent = Peer::always([Step::Request, Step::Hold]).start().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let stopped = Peer::always([Step::Request, Step::send(head), Step::Hold]);
    let stopped = stopped.start().await;
    let slow = answering(Reply::ok("slow").delayed(Duration::from_millis(300))).await;
    let (deaf, silent, stopped) = (deaf.url("/"), silent.url("/"), stopped.url("/"));
    for door in DOORS {
        for (url, option, failure) in [
            (&deaf, "connect=100", Failure::Connect),
            (&silent, "first=100", Failure::Head),
            (&stopped, "between=100", Failure::Body),
        ] {
            let outcome = door.run([url.as_str(), option]).end().await;
            door.refused(option, outcome, failure);
        }
        // The time for the body is not for the head where that has its own.
        let arguments = [&slow.url("/"), "between=100", "first=5000"];
        door.run(arguments).end().await.unwrap();
    }
}

#[tokio::test]
async fn failures_say_what_they_are() {
    let bytes = |bytes: &str| Peer::answering(bytes.to_owned());
    let garbled = bytes("SSH-2.0\r\n\r\n").start().await;
    let cut = bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    let cut = cut.start().await;
    let chunks = bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    let chunks = chunks.start().await;
    let refusing = RefusingPort::new();
    for door in DOORS {
        for (url, failure) in [
            (refusing.url("/").as_str(), Failure::Refused),
            (NO_SUCH_NAME, Failure::Name),
            (&garbled.url("/"), Failure::NotHttp),
            (&cut.url("/"), Failure::Incomplete),
            (&chunks.url("/"), Failure::Chunk),
        ] {
            door.refused(url, door.get(url).await, failure);
        }
    }
}

#[tokio::test]
async fn dropping_a_response_closes_its_connection_and_no_other() {
    for door in DOORS {
        let gate = Gate::new();
        let origin = Origin::new()
            .at("/large", Reply::ok(vec![0; 50_000_000]))
            .at("/", Reply::ok("small"))
            .start()
            .await;
        let large = origin.url("/large");
        let printed = door.run([&large, "keep=1000", "count=3"]).end().await;
        assert!(printed.unwrap().contains("total 3 "), "{}", door.consumer);
        origin.closed(3).await;
        gate.open();
        door.get(&origin.url("/")).await.unwrap();
        assert_eq!(origin.accepted(), 4, "{}", door.consumer);
    }
}

#[tokio::test]
async fn a_store_that_goes_away_leaves_no_connection() {
    for door in DOORS {
        let never = answering(Reply::ok("").after(&Gate::new())).await;
        let url = never.url("/");
        let waiting = door.run([&url, "count=2", "parallel=2"]).end();
        tokio::select! {
            outcome = waiting => fail(&format!("{}: {outcome:?}", door.consumer)),
            () = never.requested(2) => {}
        }
        never.closed(2).await;
    }
}

#[tokio::test]
async fn each_function_of_the_asynchronous_interface_does_what_it_says() {
    let gate = Gate::new();
    let trailed = Reply::ok("x").chunked(1).trailer("X-Sum", "1");
    let packed = Reply::ok(gzip(b"unpacked")).header("Content-Encoding", "gzip");
    let origin = Origin::new()
        .reply(Reply::ok("hello"))
        .at(
            "/slow",
            Reply::ok("hello").delayed(Duration::from_millis(50)),
        )
        .at("/gated", Reply::ok("hello").body_after(&gate))
        .at("/never", Reply::ok("").after(&Gate::new()))
        .at("/packed", packed)
        .at("/trailed", trailed)
        .at("/large", Reply::ok(vec![0; 100_000]))
        .start()
        .await;
    let proxy = HttpProxy::new().reply(Reply::ok("hello")).start().await;
    let (url, via) = (origin.url("/"), proxy.proxy_url("http"));
    let run = POOLS.run(["surface", &url, &via]).end();
    let opened = async {
        while !origin
            .requests()
            .iter()
            .any(|sent| sent.target() == "/opened")
        {
            origin.requested(origin.requests().len() + 1).await;
        }
        gate.open();
    };
    let (printed, ()) = tokio::join!(run, opened);
    assert_eq!(printed, Ok(String::new()));

    let asked: Vec<String> = proxy
        .requests()
        .iter()
        .map(|sent| sent.target().to_owned())
        .collect();
    assert_eq!(
        asked,
        [format!("{url}by-proxy"), format!("{url}by-its-manager")]
    );
    let form = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                --xyz\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\ntwo too\r\n\
                --xyz\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nthr\r\n--xyz--\r\n";
    let requests = origin.requests();
    for (method, target, body) in [
        ("GET", "/a/../b", ""),
        ("POST", "/bytes", "bytes"),
        ("POST", "/text", "text"),
        ("POST", "/json", "{}"),
        ("POST", "/form", "a=b+c"),
        ("POST", "/multipart", form),
        ("POST", "/streamed", "all of it"),
        ("PUT", "/query?p=0&q=1+2", ""),
        ("GET", "/never", ""),
        ("GET", "/watched", ""),
        ("GET", "/shared", ""),
    ] {
        let sent = requests
            .iter()
            .find(|sent| sent.target() == target && sent.method() == method);
        let sent = sent.unwrap_or_else(|| fail(&format!("{method} {target} was not sent")));
        let content = sent.content();
        assert_eq!(String::from_utf8_lossy(&content), body, "{target}");
    }
    let refused = requests.iter().filter(|sent| sent.target() == "/refused");
    assert_eq!(refused.count(), 0, "whole requests with half a body");
}

#[tokio::test]
async fn ten_thousand_requests_leave_nothing_behind() {
    for door in DOORS {
        let origin = answering(Reply::ok(vec![1; 1000])).await;
        let url = origin.url("/");
        let arguments = [&url, "count=10000", "print=total"];
        // What a request left behind, of 1 KiB or more, would not fit, and a host has room for fewer handles.
        let run = door.run(arguments).memory(10 << 20);
        let printed = run.end().await.unwrap();
        assert!(printed.starts_with("total 10000 10000000 "), "{printed}");
        assert_eq!(origin.accepted(), 1, "{}", door.consumer);
    }
}

#[tokio::test]
async fn a_drop_in_adds_nothing_and_decodes_nothing_unless_asked() {
    let packed = gzip(&[b'x'; 1000]);
    let reply = Reply::ok(packed.clone())
        .header("Content-Encoding", "gzip")
        .header("Keep-Alive", "timeout=5")
        .header("X-Hop", "1")
        .header("Connection", "X-Hop, keep-alive");
    let origin = answering(reply).await;
    let url = origin.url("/p%20q/?r=%C3%A9&s");
    let printed = DROP_IN.run([&url, "header=X-A: 1"]).end().await.unwrap();
    let sum: u64 = packed.iter().copied().map(u64::from).sum();
    let body = format!("\nbody {} sum {sum}\n", packed.len());
    assert!(printed.contains(&body), "{printed}");
    assert!(printed.contains("header content-encoding: gzip\n"));
    for hidden in ["keep-alive", "x-hop", "connection"] {
        let line = format!("header {hidden}:");
        assert!(!printed.contains(&line), "{printed}");
    }
    let authority = origin.authority();
    let expected =
        format!("GET /p%20q/?r=%C3%A9&s HTTP/1.1\r\nHost: {authority}\r\nx-a: 1\r\n\r\n");
    let sent = origin.request().head_text();
    assert_eq!(sent.to_lowercase(), expected.to_lowercase());

    let decoding = DROP_IN.run([&url]).variable("URLPOOL_DECODE", "1");
    let printed = decoding.end().await.unwrap();
    assert!(printed.contains("\nbody 1000 sum 120000\n"), "{printed}");
    for stale in ["content-encoding", "content-length"] {
        assert!(!printed.contains(stale), "{printed}");
    }
}

#[tokio::test]
async fn a_drop_in_follows_and_tries_again_as_variables_say() {
    let origin = Origin::new()
        .at("/moved", Reply::new(302, "").header("Location", "/there"))
        .at("/there", Reply::ok("there"))
        .at("/loop", Reply::new(302, "").header("Location", "/loop"))
        .at("/busy", Reply::new(503, "busy"))
        .start()
        .await;
    for (path, variables, status, sent) in [
        ("/moved", &[][..], 302, 1),
        ("/moved", &[("URLPOOL_REDIRECTS", "5")], 200, 2),
        ("/loop", &[("URLPOOL_REDIRECTS", "5")], 302, 6),
        ("/busy", &[("URLPOOL_RETRIES", "2")], 503, 1),
        (
            "/busy",
            &[("URLPOOL_RETRIES", "2"), ("URLPOOL_RETRY_ON", "503")],
            503,
            3,
        ),
    ] {
        let before = origin.requests().len();
        let mut run = DROP_IN.run([origin.url(path)]);
        for (name, value) in variables {
            run = run.variable(name, *value);
        }
        let printed = run.end().await.unwrap();
        let expected = format!("status {status}\n");
        assert!(
            printed.starts_with(&expected),
            "{path} {variables:?}: {printed}"
        );
        let count = origin.requests().len() - before;
        assert_eq!(count, sent, "{path} {variables:?}");
    }
}

#[tokio::test]
async fn a_drop_in_says_which_variable_it_does_not_understand() {
    let run = DROP_IN.run(["http://127.0.0.1:1/"]);
    let outcome = run.variable("URLPOOL_RETRIES", "many").end().await;
    refused("a word", outcome, "URLPOOL_RETRIES must be a whole number");
}

#[tokio::test]
async fn what_belongs_to_a_connection_is_not_for_consumers_to_write() {
    let origin = answering(Reply::ok("hello")).await;
    let url = origin.url("/");
    for header in [
        "Connection: close",
        "Host: other.test",
        "Content-Length: +1",
    ] {
        let header = format!("header={header}");
        let outcome = DROP_IN.run([&url, &header]).end().await;
        assert!(outcome.is_err(), "{header}: {outcome:?}");
    }
    let trailer = ["method=PUT", "body=5", "trailer=Content-Length: 1"];
    let arguments = [url.as_str()].into_iter().chain(trailer);
    let outcome = DROP_IN.run(arguments).end().await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(origin.requests().is_empty());
}
