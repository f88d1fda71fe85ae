//! TLS with a proxy, and TLS with a server inside it.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Event, Failure, Headers, Phase, PoolSettings, ProxySettings, Timeouts, TlsVersion,
};

use crate::common::{
    Authority, MILLI, OPEN, SECOND, TestProxy, World, answer, answering, connect, in_turn, ok,
    origin_of, plain, proxied, proxy, target, through, times_out, trust, tunnelling,
};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// The facts of a request that fails between us and the proxy.
#[track_caller]
fn refused(world: &World, url: &str) -> Failure {
    let error = world.get(url).expect_err("it cannot be trusted");
    assert_eq!(error.kind(), "proxy", "{error:?}");
    assert_eq!(world.net.open_connections(), 0);
    let failure = error.failure().unwrap();
    assert!(!failure.may_have_been_acted_on);
    failure.clone()
}

#[test]
fn a_proxy_forwards_over_tls() {
    for version in BOTH {
        let authority = Authority::new();
        let world = proxied("https://p.test:8443", &authority);
        let server = authority.server(&["p.test"], &[version]);
        let seen = server.seen();
        let proxy = TestProxy::new().behind(server);
        let heard = proxy.heard();
        world.listen("p.test", 8443, proxy.listener(origin_of("a")));
        for url in ["http://a.test/x", "http://b.test/x"] {
            let reply = world.get(url).unwrap();
            assert_eq!(reply.connection.tls, None, "not with the server");
            assert_eq!(reply.connection.remote, "192.0.2.112:8443");
        }
        let request = |host: &str| {
            format!(
                "GET http://{host}/x HTTP/1.1\r\nAccept-Encoding: identity\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nHost: {host}\r\n\r\n"
            )
        };
        let expected = request("a.test") + &request("b.test");
        assert_eq!(heard()[0].outside(), expected);
        let [seen] = &seen()[..] else {
            panic!("one connection is enough");
        };
        assert_eq!(seen.name.as_deref(), Some("p.test"));
    }
}

#[test]
fn tls_runs_within_tls_whatever_their_versions() {
    for (outer, inner) in [
        (&TLS13, &TLS13),
        (&TLS13, &TLS12),
        (&TLS12, &TLS13),
        (&TLS12, &TLS12),
    ] {
        let (proxys, servers) = (Authority::new(), Authority::new());
        let roots = [proxys.pem(), servers.pem()].concat();
        let mut settings = PoolSettings {
            tls: trust(&proxys),
            ..through(ProxySettings {
                headers: Some(Headers::parse([("X-Proxy", "1")]).unwrap()),
                ..proxy("https://user:secret@p.test")
            })
        };
        settings.tls.roots = Some(roots);
        let world = World::of_pools(settings);
        let outer_server = proxys.server(&["p.test"], &[outer]);
        let inner_server = servers.server(&["a.test"], &[inner]);
        let (outer_seen, inner_seen) = (outer_server.seen(), inner_server.seen());
        let proxy = TestProxy::to(inner_server).behind(outer_server);
        let heard = proxy.heard();
        world.listen("p.test", 443, proxy.listener(vec![tunnelling(&[ok("a")])]));
        for reused in [false, true, true] {
            let before = world.net.writes(0).len();
            let reply = world.get("https://a.test/x").unwrap();
            assert_eq!(
                (&reply.body[..], reply.connection.reused),
                (&b"a"[..], reused)
            );
            let expected = match inner {
                version if version == &TLS12 => TlsVersion::Tls12,
                _ => TlsVersion::Tls13,
            };
            assert_eq!(reply.connection.tls, Some(expected), "the server's");
            if reused {
                assert_eq!(world.net.writes(0).len(), before + 1, "a write for each");
            }
        }
        let heard = heard();
        let [heard] = &heard[..] else {
            panic!("one tunnel is enough");
        };
        assert_eq!(
            heard.outside(),
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nX-Proxy: 1\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        );
        assert_eq!(heard.inside(), plain("/x", "a.test").repeat(3));
        assert_eq!(outer_seen()[0].name.as_deref(), Some("p.test"));
        assert_eq!(inner_seen()[0].name.as_deref(), Some("a.test"));
        assert_eq!(inner_seen()[0].alpn.as_deref(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn every_flight_is_one_write_at_any_depth() {
    // What comes next goes with the last flight of a handshake.
    for (case, scheme, url, expected) in [
        ("TLS 1.3 forwarded", "https", "http://a.test/", 2),
        ("TLS 1.3 in a tunnel", "http", "https://a.test/", 3),
        ("TLS 1.3 in TLS 1.3", "https", "https://a.test/", 4),
    ] {
        let (authority, server) = target();
        let world = proxied(&format!("{scheme}://p.test"), &authority);
        let script = match url.starts_with("https") {
            true => tunnelling(&[ok("a")]),
            false => in_turn(&[ok("a")]),
        };
        let mut proxy = TestProxy::to(server);
        if scheme == "https" {
            proxy = proxy.behind(authority.server(&["p.test"], &[&TLS13]));
        }
        let port = if scheme == "https" { 443 } else { 80 };
        world.listen("p.test", port, proxy.listener(vec![script]));
        world.get(url).unwrap();
        assert_eq!(world.net.writes(0).len(), expected, "{case}");
        world.get(url).unwrap();
        assert_eq!(world.net.writes(0).len(), expected + 1, "{case}");
        let long = vec![b'x'; 20_000];
        world.post(url, &long).unwrap();
        assert_eq!(
            world.net.writes(0).len(),
            expected + 2,
            "{case}: several records, one write"
        );
    }
}

#[test]
fn tls_in_tls_takes_any_pieces() {
    for limit in [1, 2, 5, 100, 1000] {
        let (authority, server) = target();
        let world = proxied("https://p.test", &authority);
        let proxy = TestProxy::to(server).behind(authority.server(&["p.test"], &[&TLS13]));
        let long = "0123456789".repeat(4000);
        let script = tunnelling(&[ok(&long)]);
        world.listen("p.test", 443, proxy.listener(vec![script]));
        world.net.limit_reads(limit);
        world.net.limit_writes(limit);
        for reused in [false, true] {
            let reply = world.get("https://a.test/").unwrap();
            assert_eq!(reply.body, long.as_bytes(), "by {limit}");
            assert_eq!(reply.connection.reused, reused, "by {limit}");
        }
    }
}

#[test]
fn a_refusal_and_a_truncation_are_known_over_tls_too() {
    let (authority, server) = target();
    let world = proxied("https://p.test", &authority);
    let outer = || authority.server(&["p.test"], &[&TLS13]);
    let refusing = answering(answer("407 No", &["Proxy-Authenticate: Basic"], "who?"));
    let listener = TestProxy::to(server)
        .behind(outer())
        .listener(vec![refusing]);
    world.listen("p.test", 443, listener);
    let failure = refused(&world, "https://a.test/");
    assert_eq!(failure.phase, Phase::Tunnel);
    assert_eq!(failure.refusal.unwrap().body, b"who?");
    for (case, server) in [("a farewell", outer()), ("none", outer().rude())] {
        let cut = Script::new().request().send(&OPEN[..10]).close();
        let listener = TestProxy::new().behind(server).listener(vec![cut]);
        world.listen("p.test", 443, listener);
        let failure = refused(&world, "https://a.test/");
        assert_eq!(failure.phase, Phase::Tunnel, "{case}");
        assert_eq!(failure.refusal, None, "{case}");
    }
}

#[test]
fn a_tunnel_over_tls_that_died_idle_is_replaced() {
    let (authority, server) = target();
    let world = proxied("https://p.test", &authority);
    let proxy = TestProxy::to(server).behind(authority.server(&["p.test"], &[&TLS13]));
    let heard = proxy.heard();
    let once = || Script::new().request().send(OPEN).request().send(ok("a"));
    let scripts = vec![once().close(), once().vanish(), tunnelling(&[ok("a")])];
    world.listen("p.test", 443, proxy.listener(scripts));
    for number in 1..=3 {
        let reply = world.get("https://a.test/").unwrap();
        assert_eq!(reply.connection.number, number);
        world.net.pass(MILLI);
    }
    let asked = heard();
    assert!(
        asked
            .iter()
            .all(|heard| heard.outside().matches("CONNECT").count() == 1)
    );
}

#[test]
fn cve_2021_28363_a_proxy_must_be_who_its_url_says() {
    let (trusted, other) = (Authority::new(), Authority::new());
    for (case, authority, name, expected) in [
        ("another name", &trusted, "a.test", "Hostname mismatch"),
        ("the server's name", &trusted, "b.test", "Hostname mismatch"),
        (
            "another authority",
            &other,
            "p.test",
            "unable to get local issuer certificate",
        ),
    ] {
        for url in ["http://b.test/", "https://b.test/"] {
            for version in BOTH {
                let world = proxied("https://p.test", &trusted);
                let proxy = TestProxy::to(trusted.server(&["b.test"], &[version]));
                let proxy = proxy.behind(authority.server(&[name], &[version]));
                let heard = proxy.heard();
                world.listen("p.test", 443, proxy.listener(origin_of("a")));
                let failure = refused(&world, url);
                assert_eq!(failure.phase, Phase::Handshake, "{case}");
                let words = "Unable to connect to proxy: certificate verify failed: ";
                let text = &failure.message;
                assert!(text.starts_with(words), "{case}: {text}");
                assert!(text.contains(expected), "{case}: {text}");
                assert!(!text.contains("appears to only use HTTP"), "{case}: {text}");
                assert_eq!(heard()[0].outside(), "", "{case}: it is asked nothing");
            }
        }
    }
}

#[test]
fn a_server_behind_a_proxy_must_be_who_its_url_says() {
    for scheme in ["http", "https"] {
        let authority = Authority::new();
        let world = proxied(&format!("{scheme}://p.test:8080"), &authority);
        let mut proxy = TestProxy::to(authority.server(&["p.test"], &[&TLS13]));
        if scheme == "https" {
            proxy = proxy.behind(authority.server(&["p.test"], &[&TLS13]));
        }
        let heard = proxy.heard();
        world.listen("p.test", 8080, proxy.listener(vec![tunnelling(&[ok("a")])]));
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(
            error.kind(),
            "tls",
            "the server's failure and not the proxy's"
        );
        assert!(error.message().contains("Hostname mismatch"), "{error}");
        assert!(!error.message().contains("proxy"), "{error}");
        assert_eq!(error.failure().unwrap().phase, Phase::Handshake);
        assert_eq!(heard()[0].inside(), "");
        assert_eq!(world.net.open_connections(), 0);
    }
}

#[test]
fn tls_to_a_proxy_that_speaks_plain_http_says_what_to_change() {
    const HINT: &str = ". Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP";
    let bad = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for url in ["http://a.test/", "https://a.test/"] {
        let world = World::of_pools(through(proxy("https://p.test:8080")));
        let script = Script::new().anything().send(bad).close();
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        let failure = refused(&world, url);
        assert_eq!(failure.phase, Phase::Handshake);
        assert!(failure.message.ends_with(HINT), "{}", failure.message);
        // A server that speaks plain HTTP behind a proxy is no proxy's fault.
        let world = World::of_pools(through(proxy("http://p.test:8080")));
        let script = Script::new().request().send(OPEN).anything().send(bad);
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(error.kind(), "tls");
        assert!(!error.message().contains("Your proxy"), "{error}");
    }
}

#[test]
fn a_proxy_that_speaks_tls_is_not_said_to_speak_plain_http() {
    // A hello of TLS 1.1.
    let mut old = b"\x16\x03\x02\0\x2a\x02\0\0\x26\x03\x02".to_vec();
    old.extend([7; 32]);
    old.extend(b"\0\xc0\x2f\0");
    for (case, script, expected) in [
        (
            "closed",
            Script::new().anything().close(),
            "closed the connection",
        ),
        (
            "too old",
            Script::new().anything().send(old),
            "peer is incompatible",
        ),
        (
            "an alert",
            Script::new()
                .anything()
                .send(&b"\x15\x03\x03\0\x02\x02\x28"[..]),
            "alert",
        ),
    ] {
        let world = World::of_pools(through(proxy("https://p.test:8080")));
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        let text = refused(&world, "https://a.test/").message;
        assert!(text.contains(expected), "{case}: {text}");
        assert!(!text.contains("appears to only use HTTP"), "{case}: {text}");
    }
}

#[test]
fn a_handshake_that_never_ends_is_ended_and_says_with_whom() {
    let silent = Script::new;
    let opened = || Script::new().request().send(OPEN);
    for (case, scheme, url, script, expected) in [
        (
            "the proxy's, forwarding",
            "https",
            "http://a.test/",
            silent(),
            "Unable to connect to proxy: The TLS handshake with p.test timed out. (connect timeout)",
        ),
        (
            "the proxy's, tunnelling",
            "https",
            "https://a.test/",
            silent(),
            "Unable to connect to proxy: The TLS handshake with p.test timed out. (connect timeout)",
        ),
        (
            "the server's",
            "http",
            "https://a.test/",
            opened(),
            "The TLS handshake with a.test timed out. (connect timeout)",
        ),
    ] {
        let world = World::of_pools(PoolSettings {
            timeouts: Timeouts { ..connect(3) },
            ..through(proxy(&format!("{scheme}://p.test:8080")))
        });
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        assert_eq!(
            times_out(&world, url, case),
            (
                "connect-timeout",
                Phase::Handshake,
                expected.to_owned(),
                SECOND * 3
            ),
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn an_https_proxy_may_be_asked_for_https_urls_themselves() {
    let authority = Authority::new();
    let world = World::of_pools(PoolSettings {
        tls: trust(&authority),
        ..through(ProxySettings {
            use_forwarding_for_https: Some(true),
            ..proxy("https://user:secret@p.test")
        })
    });
    let proxy = TestProxy::new().behind(authority.server(&["p.test"], &[&TLS13]));
    let heard = proxy.heard();
    world.listen("p.test", 443, proxy.listener(origin_of("a")));
    for (url, pools) in [
        ("https://a.test/x", 1),
        ("https://a.test/x", 1),
        ("https://b.test:444/x", 2),
        ("http://a.test/x", 3),
        ("http://b.test/x", 3),
    ] {
        let reply = world.get(url).unwrap();
        assert_eq!(reply.connection.tls, None, "{url}: none with the server");
        assert_eq!(world.manager.num_pools(), pools, "{url}");
    }
    let request = |url: &str, host: &str| {
        format!(
            "GET {url} HTTP/1.1\r\nAccept-Encoding: identity\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nHost: {host}\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        )
    };
    let asked: Vec<_> = heard().iter().map(|heard| heard.outside()).collect();
    assert_eq!(
        asked,
        [
            request("https://a.test/x", "a.test").repeat(2),
            request("https://b.test:444/x", "b.test:444"),
            request("http://a.test/x", "a.test") + &request("http://b.test/x", "b.test"),
        ]
    );
    let events = world.manager.take_events();
    let tunnelled = |event: &Event| matches!(event, Event::Tunnelled { .. });
    assert!(!events.iter().any(tunnelled));
}

#[test]
fn a_plain_proxy_is_never_asked_for_https_urls_themselves() {
    let (authority, server) = target();
    let world = World::of_pools(PoolSettings {
        tls: trust(&authority),
        ..through(ProxySettings {
            use_forwarding_for_https: Some(true),
            ..proxy("http://p.test")
        })
    });
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    world.listen("p.test", 80, proxy.listener(vec![tunnelling(&[ok("a")])]));
    world.get("https://a.test/x").unwrap();
    assert!(heard()[0].outside().starts_with("CONNECT a.test:443 "));
    assert_eq!(heard()[0].inside(), plain("/x", "a.test"));
}
