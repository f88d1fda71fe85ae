//! Tunnels: how a proxy is asked for one, what opens it, and how long it serves.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Content, Event, Headers, Limit, PoolSettings, ProxySettings, RequestOptions, Retries,
};

use crate::common::{
    Authority, GRANTED4, MILLI, OPEN, TestProxy, World, found, get, in_turn, lines, ok, origin_of,
    plain, proxied, proxy, target, through, trust, tunnelling,
};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A world of a proxy that does this, whatever opens its tunnels, and of `a.test` behind it.
fn opening(script: Script, length: usize) -> World {
    let (authority, server) = target();
    let world = proxied("http://p.test:8080", &authority);
    let proxy = TestProxy::to(server).opening(length);
    world.listen("p.test", 8080, proxy.listener(vec![script]));
    world
}

#[test]
fn a_tunnel_is_asked_for_byte_for_byte_in_one_write() {
    for (case, name, url, authority_form, host) in [
        (
            "a name",
            "a.test",
            "https://a.test/x",
            "a.test:443",
            "a.test",
        ),
        (
            "a port",
            "a.test",
            "https://A.test:8443/x",
            "a.test:8443",
            "a.test:8443",
        ),
        (
            "IPv6",
            "2001:db8::1",
            "https://[2001:DB8::1]/x",
            "[2001:db8::1]:443",
            "[2001:db8::1]",
        ),
        (
            "IPv4",
            "192.0.2.7",
            "https://192.0.2.7/x",
            "192.0.2.7:443",
            "192.0.2.7",
        ),
        (
            "IDNA",
            "xn--bcher-kva.test",
            "https://b\u{fc}cher.test/x",
            "xn--bcher-kva.test:443",
            "xn--bcher-kva.test",
        ),
    ] {
        for version in BOTH {
            let authority = Authority::new();
            let world = World::of_pools(PoolSettings {
                tls: trust(&authority),
                ..through(ProxySettings {
                    headers: Some(Headers::parse([("X-Proxy", "1")]).unwrap()),
                    ..proxy("http://user:secret@p.test:8080")
                })
            });
            let proxy = TestProxy::to(authority.server(&[name], &[version]));
            let heard = proxy.heard();
            let script = tunnelling(&[ok("a")]);
            world.listen("p.test", 8080, proxy.listener(vec![script]));
            assert_eq!(world.get(url).unwrap().body, b"a", "{case}");
            let expected = format!(
                "CONNECT {authority_form} HTTP/1.1\r\nHost: {authority_form}\r\nX-Proxy: 1\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
            );
            let [heard] = &heard()[..] else {
                panic!("{case}: one connection is enough");
            };
            assert_eq!(heard.outside(), expected, "{case}");
            assert_eq!(
                world.net.writes(0)[0],
                expected.as_bytes(),
                "{case}: one write"
            );
            assert_eq!(
                heard.inside(),
                plain("/x", host),
                "{case}: nothing is added"
            );
            // With TLS 1.3 the request goes with the last flight of the handshake.
            let expected = if version == &TLS13 { 3 } else { 4 };
            assert_eq!(world.net.writes(0).len(), expected, "{case}");
        }
    }
}

#[test]
fn a_host_that_the_proxys_headers_name_is_the_only_one() {
    let (authority, server) = target();
    let world = World::of_pools(PoolSettings {
        tls: trust(&authority),
        ..through(ProxySettings {
            headers: Some(Headers::parse([("host", "elsewhere.test")]).unwrap()),
            ..proxy("http://p.test:8080")
        })
    });
    let proxy = TestProxy::to(server);
    world.listen("p.test", 8080, proxy.listener(vec![tunnelling(&[ok("a")])]));
    world.get("https://a.test/").unwrap();
    assert_eq!(
        world.net.writes(0)[0],
        b"CONNECT a.test:443 HTTP/1.1\r\nhost: elsewhere.test\r\n\r\n"
    );
}

#[test]
fn cve_2026_1502_no_line_break_gets_into_what_asks_for_a_tunnel() {
    for (name, value) in [
        ("X", "1\r\nEvil: 2"),
        ("X", "1\nEvil: 2"),
        ("X", "1\rEvil: 2"),
        ("X\r\nEvil", "2"),
        ("X Y", "2"),
        ("", "2"),
    ] {
        let refused = Headers::parse([(name, value)]).unwrap_err();
        assert_eq!(refused.kind(), "invalid-request", "{name:?}: {value:?}");
    }
    let world = World::of_pools(through(proxy("http://p.test:8080")));
    world.listen("p.test", 8080, Listener::Accept(origin_of("p")));
    for host in ["a\r\nEvil: 2", "a b", "a\0b", "a\x7fb"] {
        let settled = world
            .manager
            .connection_from_host(host, None, Some("https"), None);
        assert_eq!(settled.err().unwrap().kind(), "invalid-url", "{host:?}");
    }
    assert_eq!(world.net.connections(), 0);
}

#[test]
fn any_2xx_opens_a_tunnel_whatever_comes_before_it_and_whatever_it_announces() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for (case, reply) in [
        ("200", OPEN.to_owned()),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n".into()),
        ("no reason", "HTTP/1.1 200\r\n\r\n".into()),
        ("201", "HTTP/1.1 201 Created\r\n\r\n".into()),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n".into()),
        ("299", "HTTP/1.1 299 Fine\r\n\r\n".into()),
        (
            "a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".into(),
        ),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".into(),
        ),
        (
            "interim ones",
            format!("{interim}HTTP/1.1 103 E\r\nLink: x\r\n\r\n{OPEN}"),
        ),
        ("64 interim ones", format!("{}{OPEN}", interim.repeat(64))),
    ] {
        let script = Script::new().request().send(reply.clone());
        let world = opening(script.followed_by(in_turn(&[ok("a")])), reply.len());
        for expected in [false, true] {
            let reply = world.get("https://a.test/").unwrap();
            assert_eq!(reply.body, b"a", "{case}");
            assert_eq!(reply.connection.reused, expected, "{case}");
        }
    }
}

#[test]
fn what_opens_a_tunnel_may_come_in_any_pieces() {
    for at in 1..OPEN.len() {
        let (first, second) = OPEN.split_at(at);
        let script = Script::new().request().send(first);
        let script = script.pause(MILLI).send(second);
        let world = opening(script.followed_by(in_turn(&[ok("a")])), OPEN.len());
        assert_eq!(world.get("https://a.test/").unwrap().body, b"a", "{at}");
    }
    let script = Script::new().request().drip(OPEN.as_bytes(), MILLI);
    let world = opening(script.followed_by(in_turn(&[ok("a")])), OPEN.len());
    assert_eq!(world.get("https://a.test/").unwrap().body, b"a");
    let world = opening(tunnelling(&[ok("a")]), OPEN.len());
    world.net.limit_reads(1);
    world.net.limit_writes(3);
    assert_eq!(
        world.get("https://a.test/").unwrap().body,
        b"a",
        "byte by byte"
    );
}

#[test]
fn bytes_behind_what_opens_a_tunnel_are_never_taken_for_the_servers() {
    for (case, behind) in [
        ("TLS", &b"\x16\x03\x03\0\x02\x02\x28"[..]),
        ("an alert", b"\x15\x03\x03\0\x02\x02\x28"),
        ("HTTP", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("a byte", b"\0"),
    ] {
        let reply = [OPEN.as_bytes(), behind].concat();
        let script = Script::new().request().send(reply.clone());
        let world = opening(script, reply.len());
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(error.kind(), "proxy", "{case}");
        let expected = format!(
            "Unable to connect to proxy: Connection aborted. the proxy sent {} bytes behind its reply",
            behind.len()
        );
        assert_eq!(error.message(), expected, "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}: no TLS begins");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn bytes_that_come_on_their_own_are_not_the_servers_either() {
    for (case, url, target, script, length) in [
        (
            "CONNECT",
            "http://p.test:8080",
            "https://a.test/",
            Script::new().request().send(OPEN),
            OPEN.len(),
        ),
        (
            "SOCKS, then TLS",
            "socks4a://p.test:8080",
            "https://a.test/",
            Script::new().anything().send(GRANTED4),
            GRANTED4.len(),
        ),
        (
            "SOCKS, then HTTP",
            "socks4a://p.test:8080",
            "http://a.test/",
            Script::new().anything().send(GRANTED4),
            GRANTED4.len(),
        ),
    ] {
        let world = World::of_pools(through(proxy(url)));
        let script = script.send("HTTP/1.1 200 OK\r\n\r\n");
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        world.net.limit_reads(length);
        let error = world.get(target).unwrap_err();
        assert_eq!(error.kind(), "proxy", "{case}");
        let expected = "the proxy sent more behind its reply";
        assert!(error.message().ends_with(expected), "{case}: {error}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}: it is told no more");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_refused_tunnel_is_told_as_it_was_said_but_for_secrets() {
    let world = World::of_pools(through(proxy("http://user:secret@p.test")));
    let reply =
        "HTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 407 No\r\nX: y\r\nContent-Length: 0\r\n\r\n";
    let script = Script::new().request().send(reply);
    world.listen("p.test", 80, Listener::Accept(vec![script]));
    world.get("https://a.test/").unwrap_err();
    let events = world.manager.take_events().into_iter();
    let heads = events.filter_map(|event| match event {
        Event::Sent { head, .. } | Event::Received { head, .. } => Some(head),
        _ => None,
    });
    assert_eq!(
        Vec::from_iter(heads),
        [
            "CONNECT a.test:443 HTTP/1.1\nHost: a.test:443\nProxy-Authorization: [redacted]",
            "HTTP/1.1 103 E\nLink: x",
            "HTTP/1.1 407 No\nX: y\nContent-Length: 0",
        ]
    );
}

#[test]
fn a_tunnel_serves_one_request_after_another() {
    let (authority, server) = target();
    let world = proxied("http://p.test:8080", &authority);
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    world.listen("p.test", 8080, proxy.listener(vec![tunnelling(&[ok("a")])]));
    world.get("https://a.test/0").unwrap();
    let before = world.net.writes(0).len();
    for number in 1..5 {
        world.get(&format!("https://a.test/{number}")).unwrap();
    }
    assert_eq!(world.net.writes(0).len(), before + 4, "a write for each");
    let [heard] = &heard()[..] else {
        panic!("one tunnel is enough");
    };
    assert_eq!(heard.outside().matches("CONNECT ").count(), 1);
    assert_eq!(heard.inside().matches("GET /").count(), 5);
    let pool = world
        .manager
        .connection_from_url("https://a.test", None)
        .unwrap();
    assert_eq!(pool.num_connections(), 1);
    let options = RequestOptions::default();
    let request = pool.request("GET", "/a/../b", Content::Empty, options);
    let response = world.net.run(request).unwrap();
    assert_eq!(response.head().url, "https://a.test/a/../b");
    assert!(response.head().connection.reused);
}

#[test]
fn a_tunnel_that_died_idle_is_replaced_by_another() {
    let (authority, server) = target();
    let world = proxied("http://p.test:8080", &authority);
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    let vanishing = tunnelling_once().vanish();
    let resetting = tunnelling_once().request().reset();
    let closing = tunnelling_once().close();
    let scripts = vec![vanishing, resetting, closing, tunnelling(&[ok("a")])];
    world.listen("p.test", 8080, proxy.listener(scripts));
    for number in 1..=4 {
        let reply = world.get("https://a.test/").unwrap();
        assert_eq!(reply.connection.number, number);
        assert!(!reply.connection.reused);
        world.net.pass(MILLI);
    }
    for (number, heard) in heard().iter().enumerate() {
        assert_eq!(heard.outside().matches("CONNECT ").count(), 1, "{number}");
    }
    let events = world.manager.take_events();
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Replayed { .. })), 2);
    assert_eq!(count(|event| matches!(event, Event::Tunnelled { .. })), 4);
}

/// A tunnel in which one request is answered.
fn tunnelling_once() -> Script {
    let opening = Script::new().request().send(OPEN);
    opening.request().send(ok("a"))
}

#[test]
fn a_tunnel_is_told_between_its_connection_and_its_tls() {
    let world = opening(tunnelling(&[ok("a")]), OPEN.len());
    world.get("https://a.test/").unwrap();
    let told: Vec<_> = world
        .manager
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Resolved { host, .. } => Some(format!("resolved {host}")),
            Event::Connected { number, remote } => Some(format!("{number} connected {remote}")),
            Event::Tunnelled { number, origin } => {
                Some(format!("{number} tunnelled {}", origin.host().as_str()))
            }
            Event::Secured { number, .. } => Some(format!("{number} secured")),
            Event::Sent { number, head } => Some(format!("{number} sent {}", lines(&head)[0])),
            Event::Received { number, head } => Some(format!("{number} received {head}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "resolved p.test",
            "1 connected 192.0.2.112:8080",
            "1 sent CONNECT a.test:443 HTTP/1.1",
            "1 received HTTP/1.1 200 Connection established",
            "1 tunnelled a.test",
            "1 secured",
            "1 sent GET / HTTP/1.1",
            "1 received HTTP/1.1 200 OK\nContent-Length: 1",
        ],
        "the name of the server is the proxy's to look up"
    );
}

#[test]
fn a_redirect_changes_the_way_with_its_scheme() {
    let (authority, server) = target();
    let world = World::of_pools(PoolSettings {
        tls: trust(&authority),
        retries: Retries::total(3),
        idle_timeout: Some(Limit::Unlimited),
        ..through(proxy("http://p.test:8080"))
    });
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    let scripts = vec![
        in_turn(&[found("https://a.test/2"), ok("end")]),
        tunnelling(&[found("http://b.test/3")]),
    ];
    world.listen("p.test", 8080, proxy.listener(scripts));
    let reply = get(&world, "http://a.test/1").unwrap();
    assert_eq!(reply, (200, "http://b.test/3".into(), "end".into()));
    let heard = heard();
    let outside = heard[0].outside();
    let asked = lines(&outside)
        .into_iter()
        .filter(|line| line.starts_with("GET "));
    assert_eq!(
        Vec::from_iter(asked),
        [
            "GET http://a.test/1 HTTP/1.1",
            "GET http://b.test/3 HTTP/1.1"
        ]
    );
    assert!(heard[1].outside().starts_with("CONNECT a.test:443 "));
    assert_eq!(heard[1].inside(), plain("/2", "a.test"));
}
