//! Whom TLS trusts, what it says to the server, and what it says to the caller where there is no trust.

use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use urlpool_core::driver::Manager;
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Error, Limit, ManagerSettings, Phase, PoolSettings, TlsReason, TlsSettings, TlsVersion,
};

use crate::common::{
    Authority, GOODBYE, KEY_UPDATE, NOW, SECOND, Seen, TlsServer, World, address, ok, origin_of,
};

const DAY: Duration = Duration::from_secs(86_400);
const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn trusting(roots: Option<Vec<u8>>) -> World {
    World::of_pools(PoolSettings {
        idle_timeout: Some(Limit::Unlimited),
        tls: TlsSettings {
            roots,
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    })
}

/// A world in which `a.test` is a TLS server that its clients trust.
fn serving(authority: &Authority, server: TlsServer, scripts: Vec<Script>) -> World {
    let world = trusting(Some(authority.pem()));
    world.listen("a.test", 443, server.listener(scripts));
    world
}

#[track_caller]
fn refused(world: &World, url: &str) -> (TlsReason, String) {
    let error = world.get(url).expect_err("this is not to be trusted");
    let Error::Tls(reason, failure) = error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.phase, Phase::Handshake);
    assert!(!failure.may_have_been_acted_on);
    assert_eq!(world.net.open_connections(), 0);
    (reason, failure.message)
}

#[test]
fn a_server_that_can_be_trusted_is_talked_to() {
    for (case, names, url) in [
        ("name", vec!["a.test"], "https://a.test/"),
        (
            "one of several names",
            vec!["x.test", "a.test"],
            "https://a.test/",
        ),
        ("wildcard", vec!["*.b.test"], "https://a.b.test/"),
        ("other case", vec!["a.test"], "https://A.TEST/"),
        ("the root's dot", vec!["a.test"], "https://a.test./"),
        ("IPv4 address", vec!["192.0.2.97"], "https://192.0.2.97/"),
        (
            "IPv6 address",
            vec!["2001:db8::1"],
            "https://[2001:db8::1]/",
        ),
    ] {
        for version in BOTH {
            let authority = Authority::new();
            let server = authority.server(&names, &[version]);
            let world = serving(&authority, server, origin_of("a"));
            for host in ["a.test.", "a.b.test"] {
                world.net.name(host, &[address(host)]);
            }
            let six = authority
                .server(&names, &[version])
                .listener(origin_of("a"));
            world.net.listen("[2001:db8::1]:443".parse().unwrap(), six);
            let reply = world.get(url).unwrap();
            let expected = if version == &TLS12 {
                TlsVersion::Tls12
            } else {
                TlsVersion::Tls13
            };
            assert_eq!(reply.connection.tls, Some(expected), "{case}");
            assert!(world.get(url).unwrap().connection.reused, "{case}");
        }
    }
}

#[test]
fn a_server_that_cannot_be_trusted_is_refused_for_its_reason() {
    let (authority, other) = (Authority::new(), Authority::new());
    let pem = || Some(authority.pem());
    let both = [authority.pem(), other.pem()].concat();
    for (case, roots, names, now, reason, message) in [
        (
            "unknown root",
            Some(other.pem()),
            ["a.test"],
            NOW,
            TlsReason::Certificate,
            "unable to get local issuer certificate",
        ),
        (
            "built-in roots",
            None,
            ["a.test"],
            NOW,
            TlsReason::Certificate,
            "unable to get local issuer certificate",
        ),
        (
            "another name",
            pem(),
            ["b.test"],
            NOW,
            TlsReason::Hostname,
            "Hostname mismatch",
        ),
        (
            "another name, two roots",
            Some(both),
            ["b.test"],
            NOW,
            TlsReason::Hostname,
            "Hostname mismatch",
        ),
        (
            "a wildcard too high",
            pem(),
            ["*.a.test"],
            NOW,
            TlsReason::Hostname,
            "Hostname mismatch",
        ),
        (
            "expired",
            pem(),
            ["a.test"],
            NOW + DAY * 365,
            TlsReason::Certificate,
            "certificate has expired",
        ),
        (
            "not yet valid",
            pem(),
            ["a.test"],
            NOW - DAY * 365,
            TlsReason::Certificate,
            "certificate is not yet valid",
        ),
    ] {
        for version in BOTH {
            let world = trusting(roots.clone());
            world.net.set_wall_clock(now);
            let server = authority.server(&names, &[version]);
            let seen = server.seen();
            world.listen("a.test", 443, server.listener(origin_of("a")));
            let (found, text) = refused(&world, "https://a.test/");
            assert_eq!(found, reason, "{case}: {text}");
            assert!(
                text.starts_with(&format!("certificate verify failed: {message}")),
                "{case}: {text}"
            );
            let told = |seen: &Seen| matches!(seen.failure, Some(rustls::Error::AlertReceived(_)));
            assert!(told(&seen()[0]), "{case}: the server is told why");
        }
    }
}

#[test]
fn an_address_is_not_taken_for_a_name() {
    let authority = Authority::new();
    let world = serving(
        &authority,
        authority.server(&["a.test"], &[&TLS13]),
        origin_of("a"),
    );
    let (reason, _) = refused(&world, "https://192.0.2.97/");
    assert_eq!(reason, TlsReason::Hostname);
}

#[test]
fn the_clock_is_read_anew_for_each_handshake() {
    let authority = Authority::new();
    let script = Script::new().request().send(ok("a")).close();
    let world = serving(
        &authority,
        authority.server(&["a.test"], &[&TLS13]),
        vec![script],
    );
    world.get("https://a.test/").unwrap();
    world.net.set_wall_clock(NOW + DAY * 365);
    let (reason, _) = refused(&world, "https://a.test/");
    assert_eq!(reason, TlsReason::Certificate);
    world.net.set_wall_clock(NOW);
    world.get("https://a.test/").unwrap();
}

#[test]
fn roots_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let pem = String::from_utf8(Authority::new().pem()).unwrap();
    let broken = pem.replace("MII", "!!!");
    for (case, roots) in [
        ("nothing", ""),
        ("no PEM", "hello"),
        (
            "a key only",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
        ("not base64", broken.as_str()),
        (
            "no certificate inside",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
    ] {
        let tls = TlsSettings {
            roots: Some(roots.into()),
            ..TlsSettings::default()
        };
        let pool = PoolSettings {
            tls,
            ..PoolSettings::default()
        };
        let settings = ManagerSettings {
            pool: pool.clone(),
            ..ManagerSettings::default()
        };
        let error = Manager::new(SimNet::new(), settings).err().unwrap();
        assert_eq!(error.kind(), "invalid-settings", "{case}");
        let error = World::new()
            .manager
            .connection_from_url("http://a.test/", Some(pool))
            .err()
            .unwrap();
        assert_eq!(error.kind(), "invalid-settings", "{case}");
    }
}

#[test]
fn a_peer_that_speaks_no_tls_is_told_apart() {
    for (case, script, reason, message) in [
        (
            "HTTP",
            Script::new()
                .anything()
                .send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                .close(),
            TlsReason::Protocol,
            "wrong version number",
        ),
        (
            "rubbish",
            Script::new().anything().send([0x16, 3, 3, 0xff, 0xff]),
            TlsReason::Protocol,
            "wrong version number",
        ),
        (
            "nothing",
            Script::new().anything().pause(SECOND).close(),
            TlsReason::Protocol,
            "the peer closed the connection during the TLS handshake",
        ),
        (
            "half a record",
            Script::new().anything().send([0x16, 3, 3, 0, 9, 1]).close(),
            TlsReason::Protocol,
            "the peer closed",
        ),
        (
            "an alert",
            Script::new().anything().send([0x15, 3, 3, 0, 2, 2, 40]),
            TlsReason::Alert,
            "the peer ended TLS with the alert HandshakeFailure",
        ),
    ] {
        let world = World::new();
        world.listen("a.test", 443, Listener::Accept(vec![script]));
        let (found, text) = refused(&world, "https://a.test/");
        assert_eq!(found, reason, "{case}: {text}");
        assert!(text.starts_with(message), "{case}: {text}");
    }
}

#[test]
fn a_reset_during_the_handshake_is_an_error_of_the_connection() {
    let world = World::new();
    world.listen(
        "a.test",
        443,
        Listener::Accept(vec![Script::new().pause(SECOND).reset()]),
    );
    let error = world.get("https://a.test/").unwrap_err();
    assert_eq!(error.kind(), "protocol");
    assert_eq!(error.failure().unwrap().phase, Phase::Handshake);
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn session_tickets_on_an_idle_connection_do_not_make_it_dead() {
    let authority = Authority::new();
    let mut server = authority.server(&["a.test"], &[&TLS13]);
    // The answer goes out before the client has finished its handshake, so the tickets come after it.
    server.config.send_half_rtt_data = true;
    let script = Script::new()
        .send(ok("one"))
        .request()
        .request()
        .send(ok("two"));
    let world = serving(&authority, server, vec![script]);
    assert_eq!(world.get("https://a.test/").unwrap().body, b"one");
    let reply = world.get("https://a.test/").unwrap();
    assert_eq!(
        (reply.body.as_slice(), reply.connection.reused),
        (&b"two"[..], true)
    );
}

#[test]
fn new_keys_on_an_idle_connection_do_not_make_it_dead() {
    let authority = Authority::new();
    let server = authority.server(&["a.test"], &[&TLS13]);
    let seen = server.seen();
    let script = Script::new()
        .request()
        .send(ok("one"))
        .pause(SECOND)
        .send(KEY_UPDATE)
        .again();
    let world = serving(&authority, server, vec![script]);
    for _ in 0..3 {
        assert_eq!(world.get("https://a.test/").unwrap().body, b"one");
        world.net.pass(SECOND * 2);
    }
    assert_eq!(world.net.connections(), 1);
    assert_eq!(
        world.net.writes(0).len(),
        4,
        "the answer to new keys leaves with the next request"
    );
    assert_eq!(seen()[0].failure, None);
}

#[test]
fn a_tls_connection_that_ends_while_idle_costs_another_one() {
    for (case, script) in [
        ("close", Script::new().request().send(ok("a")).close()),
        (
            "goodbye and an open connection",
            Script::new().request().send(ok("a")).send(GOODBYE),
        ),
        (
            "close later",
            Script::new().request().send(ok("a")).pause(SECOND).close(),
        ),
        (
            "reset",
            Script::new().request().send(ok("a")).pause(SECOND).reset(),
        ),
        (
            "unasked",
            Script::new()
                .request()
                .send(ok("a"))
                .pause(SECOND)
                .send("x"),
        ),
    ] {
        for is_rude in [false, true] {
            let authority = Authority::new();
            let mut server = authority.server(&["a.test"], &[&TLS13]);
            server.is_rude = is_rude;
            let world = serving(&authority, server, vec![script.clone()]);
            for _ in 0..3 {
                // A POST is not replayed, so the connection must be found dead before it is used.
                let reply = world.post("https://a.test/", b"x").unwrap();
                assert_eq!(reply.body, b"a", "{case}");
                world.net.pass(SECOND * 2);
            }
            assert_eq!(world.net.connections(), 3, "{case}");
            assert_eq!(world.net.open_connections(), 1, "{case}");
        }
    }
}

#[test]
fn a_tls_connection_that_ends_under_the_request_is_replaced_for_a_get_and_not_for_a_post() {
    for is_rude in [false, true] {
        let authority = Authority::new();
        let mut server = authority.server(&["a.test"], &[&TLS13]);
        server.is_rude = is_rude;
        let script = Script::new().request().send(ok("a")).request().close();
        let world = serving(&authority, server, vec![script]);
        world.get("https://a.test/").unwrap();
        let reply = world.get("https://a.test/").unwrap();
        assert_eq!(reply.connection.number, 2);
        let error = world.post("https://a.test/", b"x").unwrap_err();
        assert_eq!(error.kind(), "protocol");
        assert_eq!(world.net.connections(), 2);
        assert_eq!(world.net.open_connections(), 0);
    }
}
