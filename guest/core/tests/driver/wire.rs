//! The bytes of requests, and in how many writes they leave.
//!
//! A flight that leaves in two writes waits for an acknowledgement in between (Nagle's algorithm, which WASI cannot switch off).

use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};
use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::Script;
use urlpool_core::types::{
    Content, Headers, PoolSettings, RequestOptions, TlsSettings, TlsVersion,
};

use crate::common::{Authority, World, ok, origin_of, text};

const KIB: usize = 1024;

/// A world with a TLS server, whose settings may be changed.
fn secured(
    version: &'static SupportedProtocolVersion,
    maxsize: u32,
    change: impl FnOnce(&mut rustls::ServerConfig),
) -> (World, impl Fn() -> Vec<HandshakeKind>) {
    let authority = Authority::new();
    let world = World::of_pools(PoolSettings {
        maxsize: Some(maxsize),
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    });
    let mut server = authority.server(&["a.test"], &[version]);
    change(&mut server.config);
    let seen = server.seen();
    world.listen("a.test", 443, server.listener(origin_of("a")));
    (world, move || {
        seen().into_iter().filter_map(|seen| seen.kind).collect()
    })
}

#[test]
fn a_request_is_these_bytes_in_one_write() {
    let tail = format!("User-Agent: {USER_AGENT}\r\n");
    for (case, method, url, content, expected) in [
        (
            "GET",
            "get",
            "http://a.test/x?y=z#f",
            Content::Empty,
            format!(
                "GET /x?y=z HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: identity\r\n{tail}\r\n"
            ),
        ),
        (
            "another port",
            "GET",
            "http://a.test:8080",
            Content::Empty,
            format!(
                "GET / HTTP/1.1\r\nHost: a.test:8080\r\nAccept-Encoding: identity\r\n{tail}\r\n"
            ),
        ),
        (
            "userinfo",
            "GET",
            "http://u:p@a.test/",
            Content::Empty,
            format!(
                "GET / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: identity\r\n{tail}Authorization: Basic dTpw\r\n\r\n"
            ),
        ),
        (
            "POST",
            "POST",
            "http://a.test/",
            Content::Bytes(b"a=b".to_vec()),
            format!(
                "POST / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: identity\r\nContent-Length: 3\r\n{tail}\r\na=b"
            ),
        ),
        (
            "POST of nothing",
            "POST",
            "http://a.test/",
            Content::Empty,
            format!(
                "POST / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: identity\r\nContent-Length: 0\r\n{tail}\r\n"
            ),
        ),
    ] {
        let world = World::serving(origin_of("a"));
        world.listen(
            "a.test",
            8080,
            urlpool_core::sim::Listener::Accept(origin_of("a")),
        );
        world.send(method, url, content).unwrap();
        let writes: Vec<String> = world
            .net
            .writes(0)
            .iter()
            .map(|write| text(write))
            .collect();
        assert_eq!(writes, [expected], "{case}");
    }
}

#[test]
fn the_callers_headers_stand_as_they_were_written() {
    let world = World::serving(origin_of("a"));
    let pairs = [
        ("x-One", "1"),
        ("User-Agent", "me"),
        ("HOST", "other"),
        ("x-One", "2"),
    ];
    let options = RequestOptions {
        headers: Some(Headers::parse(pairs).unwrap()),
        ..RequestOptions::default()
    };
    let request = world
        .manager
        .urlopen("get", "http://a.test/", Content::Empty, options);
    world.net.run(request).unwrap();
    let expected = "get / HTTP/1.1\r\nAccept-Encoding: identity\r\n\
        x-One: 1\r\nUser-Agent: me\r\nHOST: other\r\nx-One: 2\r\n\r\n";
    assert_eq!(text(&world.net.writes(0)[0]), expected);
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let world = World::serving(origin_of("a"));
    for (case, method, url, kind) in [
        ("method", "GE T", "http://a.test/", "invalid-request"),
        (
            "method with a line break",
            "GET\r\nX: y",
            "http://a.test/",
            "invalid-request",
        ),
        ("scheme", "GET", "ftp://a.test/", "unsupported-scheme"),
        ("no host", "GET", "http:///x", "invalid-url"),
        ("bad port", "GET", "http://a.test:99999/", "invalid-url"),
        (
            "control in the host",
            "GET",
            "http://a\r\n.test/",
            "invalid-url",
        ),
    ] {
        let error = world.send(method, url, Content::Empty).err().unwrap();
        assert_eq!(error.kind(), kind, "{case}");
        assert!(error.is_callers_input(), "{case}");
    }
    assert_eq!((world.net.connections(), world.manager.num_pools()), (0, 0));
    assert_eq!(world.net.elapsed(), Duration::ZERO);
}

#[test]
fn a_body_leaves_with_its_head_as_far_as_64_kib() {
    for (size, expected) in [
        (1, 1),
        (KIB, 1),
        (63 * KIB, 1),
        (64 * KIB, 2),
        (100 * KIB, 2),
    ] {
        let world = World::serving(origin_of("a"));
        world.post("http://a.test/", &vec![b'x'; size]).unwrap();
        let writes = world.net.writes(0);
        let whole = writes.concat();
        let head = whole
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert_eq!(whole.len() - head, size, "{size}");
        assert_eq!(writes[0].len(), whole.len().min(64 * KIB), "{size}");
        assert_eq!(writes.len(), expected, "{size}");
    }
}

#[test]
fn a_network_that_takes_a_byte_at_a_time_gets_the_same_bytes() {
    for (body, limit) in [(300, 1), (300, 7), (100 * KIB, 1000)] {
        let sent = |limit: usize| {
            let world = World::serving(origin_of("a"));
            world.net.limit_writes(limit);
            let body = Vec::from_iter((0..=250_u8).cycle().take(body));
            assert_eq!(world.post("http://a.test/", &body).unwrap().body, b"a");
            let writes = world.net.writes(0);
            assert!(writes.iter().all(|write| write.len() <= limit));
            writes.concat()
        };
        assert!(sent(usize::MAX) == sent(limit), "{body} bytes by {limit}");
    }
}

#[test]
fn a_tls_handshake_and_a_request_leave_in_as_many_writes_as_there_are_flights() {
    type Change = fn(&mut rustls::ServerConfig);
    let retry: Change = |config| {
        // A server that knows no group of the first hello asks for another one (RFC 8446, section 4.1.4).
        let mut provider = rustls::crypto::CryptoProvider::clone(config.crypto_provider());
        provider.kx_groups = vec![rustls::crypto::ring::kx_group::SECP384R1];
        let mut other = rustls::ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(config.cert_resolver.clone());
        other.alpn_protocols = config.alpn_protocols.clone();
        *config = other;
    };
    let as_it_is: Change = |_| {};
    for (case, version, change, kinds, first, second) in [
        (
            "1.3",
            &TLS13,
            as_it_is,
            [HandshakeKind::Full, HandshakeKind::Resumed],
            2,
            2,
        ),
        (
            "1.3 with a retry",
            &TLS13,
            retry,
            [
                HandshakeKind::FullWithHelloRetryRequest,
                HandshakeKind::Resumed,
            ],
            3,
            2,
        ),
        // Resumed, the client has the last word in TLS 1.2 too, and it goes with the request.
        (
            "1.2",
            &TLS12,
            as_it_is,
            [HandshakeKind::Full, HandshakeKind::Resumed],
            3,
            2,
        ),
    ] {
        let (world, seen) = secured(version, 0, change);
        for _ in 0..2 {
            assert_eq!(world.get("https://a.test/").unwrap().body, b"a", "{case}");
        }
        assert_eq!(seen(), kinds, "{case}");
        assert_eq!(world.net.writes(0).len(), first, "{case}");
        assert_eq!(world.net.writes(1).len(), second, "{case}, resumed");
    }
}

#[test]
fn a_request_over_an_open_tls_connection_is_one_write() {
    for (version, expected) in [(&TLS13, TlsVersion::Tls13), (&TLS12, TlsVersion::Tls12)] {
        let (world, _) = secured(version, 1, |_| {});
        let before = |world: &World| world.net.writes(0).len();
        world.get("https://a.test/").unwrap();
        for body in [0, 1, KIB, 63 * KIB] {
            let open = before(&world);
            let reply = world.post("https://a.test/", &vec![b'x'; body]).unwrap();
            assert_eq!(reply.connection.tls, Some(expected));
            assert!(reply.connection.reused);
            assert_eq!(before(&world) - open, 1, "{expected:?}, {body} bytes");
        }
    }
}

#[test]
fn a_small_post_leaves_with_the_end_of_the_handshake() {
    for (body, expected) in [
        (1, 2),
        (KIB, 2),
        (63 * KIB, 2),
        (64 * KIB, 3),
        (100 * KIB, 3),
    ] {
        let (world, _) = secured(&TLS13, 1, |_| {});
        world.post("https://a.test/", &vec![b'x'; body]).unwrap();
        assert_eq!(world.net.writes(0).len(), expected, "{body} bytes");
    }
}

#[test]
fn a_flight_is_one_write_however_the_servers_flight_arrives() {
    for (version, expected) in [(&TLS13, 2), (&TLS12, 3)] {
        for limit in [1, 130, 500] {
            let (world, _) = secured(version, 1, |_| {});
            world.net.limit_reads(limit);
            assert_eq!(world.get("https://a.test/").unwrap().body, b"a");
            let writes: Vec<usize> = world.net.writes(0).iter().map(Vec::len).collect();
            assert_eq!(
                writes.len(),
                expected,
                "{version:?} in reads of {limit} bytes: {writes:?}"
            );
        }
    }
}

#[test]
fn tls_over_a_network_that_takes_a_byte_at_a_time_works() {
    for version in [&TLS13, &TLS12] {
        let (world, _) = secured(version, 1, |_| {});
        world.net.limit_writes(1);
        for _ in 0..2 {
            assert_eq!(
                world
                    .post("https://a.test/", &vec![b'x'; 3000])
                    .unwrap()
                    .body,
                b"a"
            );
        }
        assert_eq!(world.net.connections(), 1);
        assert!(world.net.writes(0).iter().all(|write| write.len() == 1));
    }
}

#[test]
fn large_bodies_cross_tls_whole_in_both_directions() {
    let body = "0123456789".repeat(30_000);
    let (world, _) = secured(&TLS13, 1, |_| {});
    let authority = Authority::new();
    let echo = World::of_pools(PoolSettings {
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    });
    let server = authority.server(&["a.test"], &[&TLS13]);
    echo.listen(
        "a.test",
        443,
        server.listener(vec![Script::always(ok(&body))]),
    );
    assert!(echo.post("https://a.test/", body.as_bytes()).unwrap().body == body.as_bytes());
    assert!(echo.get("https://a.test/").unwrap().connection.reused);
    assert_eq!(
        world.post("https://a.test/", body.as_bytes()).unwrap().body,
        b"a"
    );
}
