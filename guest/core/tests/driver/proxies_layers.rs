//! Connections of several layers: ends of bodies, idle tunnels, sessions and certificates, each of which belongs to one of them.

use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{AssertHostname, CertReqs, TlsSettings};

use crate::common::{
    Authority, BARE, KEY_UPDATE, MILLI, OPEN, TestProxy, World, answering, in_turn, ok, proxied,
    target, trust, trusting, tunnelling,
};

/// A body that ends with its connection.
const UNTIL_CLOSED: &str = "HTTP/1.1 200 OK\r\n\r\nbody";

/// A world of an `https` proxy `p.test`, whose tunnels lead to `a.test`.
fn layered(is_proxy_rude: bool, is_server_rude: bool, script: Script) -> World {
    let (authority, mut server) = target();
    let world = proxied("https://p.test", &authority);
    let mut outer = authority.server(&["p.test"], &[&TLS13]);
    outer.is_rude = is_proxy_rude;
    server.is_rude = is_server_rude;
    let proxy = TestProxy::to(server).behind(outer);
    world.listen("p.test", 443, proxy.listener(vec![script]));
    world
}

#[test]
fn a_body_that_ends_with_its_connection_needs_the_farewell_of_whoever_sent_it() {
    for (case, url, is_proxy_rude, is_server_rude, is_whole) in [
        (
            "both polite, forwarded",
            "http://a.test/",
            false,
            true,
            true,
        ),
        (
            "a rude proxy, forwarded",
            "http://a.test/",
            true,
            true,
            false,
        ),
        ("both polite", "https://a.test/", false, false, true),
        ("a rude proxy", "https://a.test/", true, false, true),
        ("a rude server", "https://a.test/", false, true, false),
        ("both rude", "https://a.test/", true, true, false),
    ] {
        let script = match url.starts_with("https") {
            true => Script::new().request().send(OPEN),
            false => Script::new(),
        };
        let script = script.request().send(UNTIL_CLOSED).close();
        let world = layered(is_proxy_rude, is_server_rude, script);
        match world.get(url) {
            Ok(reply) => assert!(is_whole && reply.body == b"body", "{case}"),
            Err(error) => {
                assert!(!is_whole, "{case}: {error}");
                assert_ne!(
                    error.kind(),
                    "proxy",
                    "{case}: it is the response that broke"
                );
            }
        }
    }
}

#[test]
fn an_idle_tunnel_may_change_its_keys() {
    for (case, url) in [
        ("forwarded over TLS", "http://a.test/"),
        ("TLS in TLS", "https://a.test/"),
    ] {
        let opened = match url.starts_with("https") {
            true => Script::new().request().send(OPEN),
            false => Script::new(),
        };
        let script = opened.request().send(ok("a")).send(KEY_UPDATE);
        let script = script.followed_by(in_turn(&[ok("b")]));
        let world = layered(false, false, script);
        assert_eq!(world.get(url).unwrap().body, b"a", "{case}");
        world.net.pass(MILLI);
        let reply = world.get(url).unwrap();
        assert_eq!(
            (&reply.body[..], reply.connection.reused),
            (&b"b"[..], true),
            "{case}"
        );
    }
}

#[test]
fn what_comes_in_an_idle_tunnel_unasked_ends_it() {
    for (case, behind) in [("a response", ok("evil")), ("a byte", b"x".to_vec())] {
        let once = Script::new().request().send(OPEN).request().send(ok("a"));
        let world = layered(false, false, once.send(behind));
        for number in 1..=2 {
            let reply = world.get("https://a.test/").unwrap();
            assert_eq!(reply.body, b"a", "{case}");
            assert_eq!(reply.connection.number, number, "{case}");
            world.net.pass(MILLI);
        }
    }
}

#[test]
fn sessions_are_taken_up_with_the_proxy_and_with_the_server() {
    for version in [&TLS12, &TLS13] {
        let authority = Authority::new();
        let world = proxied("https://p.test", &authority);
        let outer = authority.server(&["p.test"], &[version]);
        let inner = authority.server(&["a.test"], &[version]);
        let (outer_seen, inner_seen) = (outer.seen(), inner.seen());
        let once = Script::new().request().send(OPEN).request().send(ok("a"));
        let proxy = TestProxy::to(inner).behind(outer);
        world.listen("p.test", 443, proxy.listener(vec![once.close()]));
        for _ in 0..2 {
            world.get("https://a.test/").unwrap();
            world.net.pass(MILLI);
        }
        for seen in [outer_seen(), inner_seen()] {
            let kinds: Vec<_> = seen.iter().map(|seen| seen.kind).collect();
            let expected = [HandshakeKind::Full, HandshakeKind::Resumed].map(Some);
            assert_eq!(kinds, expected);
        }
    }
}

#[test]
fn the_certificate_that_is_shown_is_the_servers() {
    let authority = Authority::new();
    let world = proxied("https://p.test", &authority);
    let inner = authority.server(&["a.test"], &[&TLS13]);
    let certificate = inner.certificate.clone();
    let proxy = TestProxy::to(inner).behind(authority.server(&["p.test"], &[&TLS13]));
    let scripts = vec![tunnelling(&[ok("a")]), in_turn(&[ok("a")])];
    world.listen("p.test", 443, proxy.listener(scripts));
    let response = world.open("https://a.test/");
    let tls = response.tls().unwrap();
    assert_eq!(tls.certificates[0], certificate);
    assert!(tls.is_verified);
    assert!(
        world.open("http://a.test/").tls().is_none(),
        "the proxy's is none of its"
    );
}

#[test]
fn a_name_that_is_asserted_of_servers_is_not_asserted_of_the_proxy() {
    let authority = Authority::new();
    for (case, asserted, is_fine) in [("right", "s.test", true), ("the proxy's", "p.test", false)] {
        let own = TlsSettings {
            assert_hostname: Some(AssertHostname::Name(asserted.into())),
            cert_reqs: Some(CertReqs::Required),
            ..trust(&authority)
        };
        let world = trusting("https://p.test", own, None, false);
        let proxy = TestProxy::to(authority.server(&["s.test"], &[&TLS13]));
        let proxy = proxy.behind(authority.server(&["p.test"], &[&TLS13]));
        world.listen("p.test", 443, proxy.listener(vec![tunnelling(&[ok("a")])]));
        let kind = world
            .get("https://a.test/")
            .map_or_else(|error| error.kind(), |_| "none");
        assert_eq!(kind, if is_fine { "none" } else { "tls" }, "{case}");
    }
}

#[test]
fn alerts_tell_which_layer_they_are_of() {
    let alert = &b"\x15\x03\x03\0\x02\x02\x28"[..];
    for (case, scheme, script, kind) in [
        (
            "the proxy's",
            "https",
            Script::new().anything().send(alert),
            "proxy",
        ),
        (
            "the server's",
            "http",
            answering(OPEN).anything().send(alert),
            "tls",
        ),
    ] {
        let (authority, _) = target();
        let world = proxied(&format!("{scheme}://p.test:8080"), &authority);
        let listener = Listener::Accept(vec![script]);
        world.listen("p.test", 8080, listener);
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(error.kind(), kind, "{case}: {error}");
    }
}

#[test]
fn what_fails_of_the_proxys_own_tls_is_the_proxys_to_the_end() {
    let garbage = [BARE, b"HTTP/1.1 502 What?\r\n\r\n"].concat();
    let alert = [BARE, b"\x15\x03\x03\0\x02\x02\x28"].concat();
    // Through both layers.
    let deep = [BARE, &garbage].concat();
    let opened = || answering(OPEN).anything();
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody";
    let https = "https://a.test/";
    for (case, url, has_server, is_rude, script, kind) in [
        (
            "an alert in the handshake",
            https,
            false,
            false,
            opened().send(alert),
            "proxy",
        ),
        (
            "garbage in the handshake",
            https,
            false,
            false,
            opened().send(&*garbage),
            "proxy",
        ),
        (
            "cut in the handshake",
            https,
            false,
            true,
            opened().close(),
            "proxy",
        ),
        (
            "ended in the handshake",
            https,
            false,
            false,
            opened().close(),
            "tls",
        ),
        (
            "garbage of the server's",
            https,
            false,
            false,
            opened().send("what?"),
            "tls",
        ),
        (
            "garbage for a head",
            https,
            true,
            false,
            answering(OPEN).request().send(&*deep),
            "proxy",
        ),
        (
            "the server's garbage for a head",
            https,
            true,
            false,
            answering(OPEN).request().send(&*garbage),
            "tls",
        ),
        (
            "garbage in a body",
            https,
            true,
            false,
            answering(OPEN).request().send(begun).send(&*deep),
            "proxy",
        ),
        (
            "the server's garbage in a body",
            https,
            true,
            false,
            answering(OPEN).request().send(begun).send(&*garbage),
            "tls",
        ),
        (
            "garbage in a body, forwarded",
            "http://a.test/",
            false,
            false,
            answering(begun).send(&*garbage),
            "proxy",
        ),
    ] {
        let (authority, server) = target();
        let world = proxied("https://p.test", &authority);
        let mut outer = authority.server(&["p.test"], &[&TLS13]);
        outer.is_rude = is_rude;
        let proxy = match has_server {
            true => TestProxy::to(server),
            false => TestProxy::new(),
        };
        world.listen("p.test", 443, proxy.behind(outer).listener(vec![script]));
        let error = world.get(url).expect_err(case);
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert!(
            !error.message().contains("appears to only use"),
            "{case}: {error}"
        );
    }
}
