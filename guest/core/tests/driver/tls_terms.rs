//! What is agreed on: versions, protocols, sessions; and what is said about it.

use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ProtocolVersion, SupportedProtocolVersion};
use urlpool_core::driver::Manager;
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::{
    Error, Event, ManagerSettings, PoolSettings, TlsReason, TlsSettings, TlsVersion,
};

use crate::common::{Authority, TlsServer, World, address, ok, origin_of};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// A world in which `a.test` is a TLS server.
fn serving(server: TlsServer, scripts: Vec<Script>, tls: TlsSettings) -> World {
    let world = World::of_pools(PoolSettings {
        tls,
        ..PoolSettings::default()
    });
    world.listen("a.test", 443, server.listener(scripts));
    world
}

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    }
}

#[track_caller]
fn refused(world: &World) -> (TlsReason, String) {
    match world.get("https://a.test/") {
        Err(Error::Tls(reason, failure)) => (reason, failure.message),
        other => panic!("{other:?}"),
    }
}

/// Why settings are not accepted.
fn refusal(tls: TlsSettings) -> Option<String> {
    let settings = ManagerSettings {
        pool: PoolSettings {
            tls,
            ..PoolSettings::default()
        },
        ..ManagerSettings::default()
    };
    match Manager::new(SimNet::new(), settings) {
        Ok(_) => None,
        Err(Error::InvalidSettings(why)) => Some(why),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_server_hears_its_name_and_the_protocol() {
    for (names, url, name) in [
        (["a.test"], "https://a.test/", Some("a.test")),
        (["a.test"], "https://a.test./", Some("a.test")),
        (["192.0.2.97"], "https://192.0.2.97/", None),
    ] {
        let authority = Authority::new();
        let server = authority.server(&names, &[&TLS13]);
        let seen = server.seen();
        let world = serving(server, origin_of("a"), trusting(&authority));
        world.net.name("a.test.", &[address("a.test")]);
        world.get(url).unwrap();
        assert_eq!(seen()[0].alpn.as_deref(), Some(&b"http/1.1"[..]), "{url}");
        assert_eq!(seen()[0].name.as_deref(), name, "{url}");
        assert_eq!(seen()[0].failure, None, "{url}");
    }
}

#[test]
fn chacha20_is_asked_for_first() {
    for (version, suite) in [
        (&TLS13, "TLS13_CHACHA20_POLY1305_SHA256"),
        (&TLS12, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let authority = Authority::new();
        let mut server = authority.server(&["a.test"], &[version]);
        server.config.ignore_client_order = false;
        let world = serving(server, origin_of("a"), trusting(&authority));
        world.get("https://a.test/").unwrap();
        let agreed = |event| match event {
            Event::Secured { suite, .. } => Some(suite),
            _ => None,
        };
        let suites = world.manager.take_events().into_iter().filter_map(agreed);
        assert_eq!(Vec::from_iter(suites), [suite]);
    }
}

#[test]
fn a_server_without_our_protocol_ends_the_handshake() {
    let authority = Authority::new();
    let mut server = authority.server(&["a.test"], &[&TLS13]);
    server.config.alpn_protocols = vec![b"h2".to_vec()];
    let world = serving(server, origin_of("a"), trusting(&authority));
    let (reason, text) = refused(&world);
    assert_eq!(reason, TlsReason::Alert);
    assert!(
        text.contains(&format!("{:?}", AlertDescription::NoApplicationProtocol)),
        "{text}"
    );
}

#[test]
fn sessions_belong_to_a_pool() {
    let authority = Authority::new();
    let server = authority.server(&["a.test"], &[&TLS13]);
    let seen = server.seen();
    let script = Script::new().request().send(ok("a")).close();
    let world = serving(server, vec![script], trusting(&authority));
    world.get("https://a.test/").unwrap();
    world.manager.clear();
    world.get("https://a.test/").unwrap();
    world.get("https://a.test/").unwrap();
    let kinds: Vec<_> = seen().into_iter().filter_map(|seen| seen.kind).collect();
    use rustls::HandshakeKind::{Full, Resumed};
    assert_eq!(kinds, [Full, Full, Resumed]);
}

#[test]
fn versions_are_agreed_on_within_bounds() {
    use TlsVersion::{Tls12, Tls13};
    for (case, offered, min, max, expected) in [
        (
            "both",
            &BOTH[..],
            None,
            None,
            Some(ProtocolVersion::TLSv1_3),
        ),
        (
            "at most 1.2",
            &BOTH,
            None,
            Some(Tls12),
            Some(ProtocolVersion::TLSv1_2),
        ),
        (
            "at least 1.3",
            &BOTH,
            Some(Tls13),
            None,
            Some(ProtocolVersion::TLSv1_3),
        ),
        ("1.3 against 1.2", &[&TLS12], Some(Tls13), None, None),
        ("1.2 against 1.3", &[&TLS13], None, Some(Tls12), None),
        (
            "1.2 alone",
            &BOTH,
            Some(Tls12),
            Some(Tls12),
            Some(ProtocolVersion::TLSv1_2),
        ),
    ] {
        let authority = Authority::new();
        let server = authority.server(&["a.test"], offered);
        let seen = server.seen();
        let tls = TlsSettings {
            min_version: min,
            max_version: max,
            ..trusting(&authority)
        };
        let world = serving(server, origin_of("a"), tls);
        if expected.is_none() {
            let (reason, text) = refused(&world);
            assert_eq!(reason, TlsReason::Alert, "{case}: {text}");
            assert!(text.contains("ProtocolVersion"), "{case}: {text}");
        } else {
            world.get("https://a.test/").unwrap();
            assert_eq!(seen()[0].version, expected, "{case}");
        }
    }
    let crossed = TlsSettings {
        min_version: Some(Tls13),
        max_version: Some(Tls12),
        ..TlsSettings::default()
    };
    let why = "The oldest version of TLS is newer than the newest.";
    assert_eq!(refusal(crossed).as_deref(), Some(why));
}

#[test]
fn protocols_are_offered_as_asked_for() {
    for (case, offered, known, expected) in [
        ("the default", None, &["http/1.1"][..], Ok(Some("http/1.1"))),
        ("a server without", None, &[], Ok(None)),
        ("none", Some(&[][..]), &["http/1.1"], Ok(None)),
        (
            "another",
            Some(&["x-http", "http/1.1"]),
            &["x-http"],
            Ok(Some("x-http")),
        ),
        (
            "not the server's",
            Some(&["x-http"]),
            &["http/1.1"],
            Err(TlsReason::Alert),
        ),
    ] {
        let authority = Authority::new();
        let mut server = authority.server(&["a.test"], &BOTH);
        server.config.alpn_protocols = known.iter().map(|name| (*name).into()).collect();
        let tls = TlsSettings {
            alpn: offered.map(|names| names.iter().map(|name| (*name).into()).collect()),
            ..trusting(&authority)
        };
        let world = serving(server, origin_of("a"), tls);
        match expected {
            Ok(name) => {
                let response = world.open("https://a.test/");
                let alpn = response.tls().unwrap().alpn.as_deref();
                assert_eq!(alpn, name.map(str::as_bytes), "{case}");
            }
            Err(reason) => assert_eq!(refused(&world).0, reason, "{case}"),
        }
    }
}

#[test]
fn protocols_that_cannot_be_spoken_are_not_offered() {
    let long = "x".repeat(256);
    for (name, accepted) in [
        ("http/1.1", true),
        ("x", true),
        ("", false),
        ("h2", false),
        ("h3", false),
        (&long, false),
        (&long[1..], true),
    ] {
        let tls = TlsSettings {
            alpn: Some(vec![name.into()]),
            ..TlsSettings::default()
        };
        assert_eq!(refusal(tls).is_none(), accepted, "{name:?}");
    }
}

#[test]
fn sessions_are_taken_up_unless_that_is_switched_off() {
    for version in BOTH {
        for resumption in [None, Some(true), Some(false)] {
            let authority = Authority::new();
            let server = authority.server(&["a.test"], &[version]);
            let tls = TlsSettings {
                resumption,
                ..trusting(&authority)
            };
            let script = Script::new().request().send(ok("a")).close();
            let world = serving(server, vec![script], tls);
            for expected in [false, resumption.unwrap_or(true)] {
                let response = world.open("https://a.test/");
                let info = response.tls().unwrap().clone();
                assert_eq!(info.resumed, expected, "{version:?}, {resumption:?}");
                assert_eq!(info.certificates.len(), 1, "{version:?}, {resumption:?}");
                assert!(info.is_verified);
                drop(response);
            }
        }
    }
}

#[test]
fn what_was_agreed_on_can_be_read() {
    for (version, told, cipher) in [
        (&TLS13, TlsVersion::Tls13, "TLS13_AES_256_GCM_SHA384"),
        (
            &TLS12,
            TlsVersion::Tls12,
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ),
    ] {
        let authority = Authority::new();
        let mut server = authority.server(&["a.test"], &[version]);
        server.config.ignore_client_order = true;
        let certificate = server.certificate.clone();
        let world = serving(server, origin_of("a"), trusting(&authority));
        let response = world.open("https://a.test/");
        let info = response.tls().unwrap();
        assert_eq!(info.version, told);
        assert_eq!(info.cipher, cipher);
        assert_eq!(info.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(info.certificates, [certificate]);
        assert!(info.is_verified && !info.resumed);
        assert!(response.head().connection.is_verified);
    }
    let world = World::serving(origin_of("a"));
    let response = world.open("http://a.test/");
    assert_eq!(response.tls(), None);
    assert!(!response.head().connection.is_verified);
}

#[test]
fn secrets_are_told_only_where_they_are_asked_for() {
    for (version, labels) in [
        (
            &TLS13,
            &[
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0",
                "EXPORTER_SECRET",
            ][..],
        ),
        (&TLS12, &["CLIENT_RANDOM"]),
    ] {
        for key_log in [None, Some(false), Some(true)] {
            let authority = Authority::new();
            let server = authority.server(&["a.test"], &[version]);
            let tls = TlsSettings {
                key_log,
                ..trusting(&authority)
            };
            let world = serving(server, origin_of("a"), tls);
            world.get("https://a.test/").unwrap();
            let line = |event| match event {
                Event::KeyLog(line) => Some(line),
                _ => None,
            };
            let lines = world.manager.take_events().into_iter().filter_map(line);
            let lines = Vec::from_iter(lines);
            let mut found: Vec<&str> = Vec::new();
            for line in &lines {
                let [label, random, secret] = line.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{line}");
                };
                assert!(random.len() == 64 && secret.len() >= 64, "{line}");
                let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(is_hex(random) && is_hex(secret), "{line}");
                found.push(label);
            }
            found.sort_unstable();
            let mut expected = if key_log == Some(true) {
                labels.to_vec()
            } else {
                vec![]
            };
            expected.sort_unstable();
            assert_eq!(found, expected, "{version:?}, {key_log:?}");
        }
    }
}
