//! Who a server must be, as its caller says: roots, demands, names, fingerprints.

use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};
use urlpool_core::driver::Manager;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{
    AssertHostname, CertReqs, Error, Event, ManagerSettings, PoolSettings, TlsReason, TlsSettings,
};

use crate::common::{Authority, TlsServer, World, address, origin_of, self_signed};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn world_of(tls: TlsSettings) -> World {
    World::of_pools(PoolSettings {
        tls,
        ..PoolSettings::default()
    })
}

/// A world in which `a.test` is a TLS server.
fn serving(server: TlsServer, tls: TlsSettings) -> World {
    let world = world_of(tls);
    world.listen("a.test", 443, server.listener(origin_of("a")));
    world
}

/// Why the server was not accepted; `None` where it was.
fn reason(world: &World, url: &str) -> Option<(TlsReason, String)> {
    match world.get(url) {
        Ok(_) => None,
        Err(Error::Tls(reason, failure)) => Some((reason, failure.message)),
        Err(other) => panic!("{other:?}"),
    }
}

fn warnings(world: &World) -> Vec<String> {
    let text = |event| match event {
        Event::Warned(text) => Some(text),
        _ => None,
    };
    world
        .manager
        .take_events()
        .into_iter()
        .filter_map(text)
        .collect()
}

fn off() -> Option<AssertHostname> {
    Some(AssertHostname::Off)
}

fn name(name: &str) -> Option<AssertHostname> {
    Some(AssertHostname::Name(name.into()))
}

#[test]
fn cve_2016_9015_a_server_that_vouches_for_itself_is_refused_by_default() {
    for demand in [None, Some(CertReqs::Optional), Some(CertReqs::Required)] {
        let (server, _) = self_signed(&["a.test"], false);
        let tls = TlsSettings {
            cert_reqs: demand,
            ..TlsSettings::default()
        };
        let world = serving(server, tls);
        let (found, text) = reason(&world, "https://a.test/").unwrap();
        assert_eq!(found, TlsReason::Certificate, "{demand:?}");
        assert!(text.starts_with("certificate verify failed"), "{text}");
    }
}

#[test]
fn cve_2019_11324_roots_of_ones_own_replace_the_built_in_ones() {
    // With roots of its own a client has no others: what one authority signed is refused where another one is trusted, in one bundle or not.
    let (one, other) = (Authority::new(), Authority::new());
    let both = [one.pem(), other.pem()].concat();
    for (case, roots, accepted) in [
        ("its own", Some(one.pem()), true),
        ("its own as DER", Some(one.der()), true),
        ("both as DER", Some([other.der(), one.der()].concat()), true),
        ("both", Some(both), true),
        ("another", Some(other.pem()), false),
        ("built in", None, false),
    ] {
        let tls = TlsSettings {
            roots,
            ..TlsSettings::default()
        };
        let world = serving(one.server(&["a.test"], &BOTH), tls);
        let is_accepted = reason(&world, "https://a.test/").is_none();
        assert_eq!(is_accepted, accepted, "{case}");
    }
}

#[test]
fn a_certificate_among_the_roots_is_trusted_even_if_it_may_sign() {
    for is_authority in [false, true] {
        for (case, names, now, expected) in [
            ("right", ["a.test"], None, None),
            ("another name", ["b.test"], None, Some(TlsReason::Hostname)),
            (
                "expired",
                ["a.test"],
                Some(1_800_000_000),
                Some(TlsReason::Certificate),
            ),
        ] {
            let (server, pem) = self_signed(&names, is_authority);
            let tls = TlsSettings {
                roots: Some(pem),
                ..TlsSettings::default()
            };
            let world = serving(server, tls);
            if let Some(now) = now {
                world
                    .net
                    .set_wall_clock(std::time::Duration::from_secs(now));
            }
            let found = reason(&world, "https://a.test/").map(|(reason, _)| reason);
            assert_eq!(found, expected, "{case}, {is_authority}");
        }
        let (_, pem) = self_signed(&["a.test"], is_authority);
        let (other, _) = self_signed(&["a.test"], is_authority);
        let tls = TlsSettings {
            roots: Some(pem),
            ..TlsSettings::default()
        };
        let found = reason(&serving(other, tls), "https://a.test/").map(|(reason, _)| reason);
        assert_eq!(found, Some(TlsReason::Certificate), "{is_authority}");
    }
}

#[test]
fn a_server_that_need_not_prove_anything_is_warned_of_on_every_use() {
    for version in BOTH {
        let authority = Authority::new();
        let server = authority.server(&["b.test"], &[version]);
        let tls = TlsSettings {
            cert_reqs: Some(CertReqs::None),
            assert_hostname: name("c.test"),
            ..TlsSettings::default()
        };
        let world = serving(server, tls);
        for _ in 0..2 {
            let reply = world.get("https://a.test/").unwrap();
            assert!(!reply.connection.is_verified);
            let expected = "Unverified HTTPS request is being made to host 'a.test'. Adding certificate verification is strongly advised.";
            assert_eq!(warnings(&world), [expected]);
        }
        assert_eq!(world.net.connections(), 1);
    }
    let authority = Authority::new();
    let tls = TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    };
    let world = serving(authority.server(&["a.test"], &BOTH), tls);
    world.get("https://a.test/").unwrap();
    assert!(warnings(&world).is_empty());
}

#[test]
fn a_server_that_need_not_prove_anything_still_signs_its_handshake() {
    for version in BOTH {
        let (one, other) = (Authority::new(), Authority::new());
        let mut server = one.server(&["a.test"], &[version]);
        let key = other.server(&["a.test"], &[version]);
        server.config.cert_resolver = std::sync::Arc::new(Mixed {
            shown: server.certificate.clone(),
            signs: key.config.cert_resolver,
        });
        let tls = TlsSettings {
            cert_reqs: Some(CertReqs::None),
            ..TlsSettings::default()
        };
        let (found, text) = reason(&serving(server, tls), "https://a.test/").unwrap();
        assert_eq!(found, TlsReason::Certificate, "{text}");
    }
}

/// Shows one certificate and signs with the key of another.
#[derive(Debug)]
struct Mixed {
    shown: Vec<u8>,
    signs: std::sync::Arc<dyn rustls::server::ResolvesServerCert>,
}

impl rustls::server::ResolvesServerCert for Mixed {
    fn resolve(
        &self,
        hello: rustls::server::ClientHello<'_>,
    ) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
        let key = std::sync::Arc::clone(&self.signs.resolve(hello)?.key);
        let shown = vec![self.shown.clone().into()];
        Some(std::sync::Arc::new(rustls::sign::CertifiedKey::new(
            shown, key,
        )))
    }
}

#[test]
fn names_are_compared_as_asked_for() {
    for (case, names, url, assert_hostname, server_hostname, accepted) in [
        ("the host", "a.test", "https://a.test/", None, None, true),
        (
            "another host",
            "b.test",
            "https://a.test/",
            None,
            None,
            false,
        ),
        ("off", "b.test", "https://a.test/", off(), None, true),
        (
            "a name",
            "b.test",
            "https://a.test/",
            name("b.test"),
            None,
            true,
        ),
        (
            "a name it has not",
            "a.test",
            "https://a.test/",
            name("b.test"),
            None,
            false,
        ),
        (
            "server hostname",
            "b.test",
            "https://a.test/",
            None,
            Some("b.test"),
            true,
        ),
        (
            "server hostname it has not",
            "a.test",
            "https://a.test/",
            None,
            Some("b.test"),
            false,
        ),
        (
            "a name before the server hostname",
            "c.test",
            "https://a.test/",
            name("c.test"),
            Some("b.test"),
            true,
        ),
        (
            "a name with the root's dot",
            "b.test",
            "https://a.test/",
            name("b.test."),
            None,
            true,
        ),
        (
            "an address",
            "192.0.2.97",
            "https://192.0.2.97/",
            None,
            None,
            true,
        ),
        (
            "another address",
            "192.0.2.98",
            "https://192.0.2.97/",
            None,
            None,
            false,
        ),
        (
            "an address as a name",
            "a.test",
            "https://192.0.2.97/",
            name("a.test"),
            None,
            true,
        ),
        (
            "a name as an address",
            "192.0.2.1",
            "https://a.test/",
            name("192.0.2.1"),
            None,
            true,
        ),
        (
            "an IPv6 address in brackets",
            "2001:db8::1",
            "https://a.test/",
            name("[2001:db8::1]"),
            None,
            true,
        ),
        (
            "an IPv6 address with its zone",
            "fe80::1",
            "https://a.test/",
            name("fe80::1%eth0"),
            None,
            true,
        ),
        (
            "a wildcard",
            "*.b.test",
            "https://a.test/",
            name("a.b.test"),
            None,
            true,
        ),
        (
            "a wildcard and its own domain",
            "*.b.test",
            "https://a.test/",
            name("b.test"),
            None,
            false,
        ),
        (
            "a wildcard and two labels",
            "*.b.test",
            "https://a.test/",
            name("a.a.b.test"),
            None,
            false,
        ),
    ] {
        for version in BOTH {
            let authority = Authority::new();
            let server = authority.server(&[names], &[version]);
            let seen = server.seen();
            let tls = TlsSettings {
                roots: Some(authority.pem()),
                assert_hostname: assert_hostname.clone(),
                server_hostname: server_hostname.map(str::to_owned),
                ..TlsSettings::default()
            };
            let world = serving(server, tls);
            let found = reason(&world, url).map(|(reason, _)| reason);
            let expected = (!accepted).then_some(TlsReason::Hostname);
            assert_eq!(found, expected, "{case}");
            let is_address = url.contains("192");
            let heard = server_hostname.or((!is_address).then_some("a.test"));
            assert_eq!(seen()[0].name.as_deref(), heard, "{case}");
        }
    }
}

#[test]
fn a_common_name_is_no_name() {
    let authority = Authority::new();
    let tls = TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    };
    let server = authority.server_of_common_name("a.test");
    let (found, text) = reason(&serving(server, tls), "https://a.test/").unwrap();
    assert_eq!(found, TlsReason::Hostname);
    let expected = "certificate verify failed: Hostname mismatch, no appropriate subjectAltName";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_wrong_address_is_told_apart_from_a_wrong_name() {
    let authority = Authority::new();
    let tls = TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    };
    let world = serving(authority.server(&["a.test"], &BOTH), tls);
    let (_, text) = reason(&world, "https://192.0.2.97/").unwrap();
    let expected = "certificate verify failed: IP address mismatch";
    assert!(text.starts_with(expected), "{text}");
}

fn print(algorithm: &'static ring::digest::Algorithm, certificate: &[u8]) -> String {
    let hash = ring::digest::digest(algorithm, certificate);
    let digits: Vec<String> = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    digits.join(":")
}

#[test]
fn a_fingerprint_takes_the_place_of_the_name_alone() {
    let wrong = "0".repeat(64);
    for (case, is_trusted, names, demand, is_right, expected) in [
        ("right", true, "b.test", None, true, None),
        (
            "wrong",
            true,
            "a.test",
            None,
            false,
            Some(TlsReason::Fingerprint),
        ),
        (
            "nobody vouches",
            false,
            "a.test",
            None,
            true,
            Some(TlsReason::Certificate),
        ),
        (
            "nobody need vouch",
            false,
            "b.test",
            Some(CertReqs::None),
            true,
            None,
        ),
        (
            "wrong, nobody need vouch",
            false,
            "a.test",
            Some(CertReqs::None),
            false,
            Some(TlsReason::Fingerprint),
        ),
    ] {
        for version in BOTH {
            let authority = Authority::new();
            let server = authority.server(&[names], &[version]);
            let right = print(&ring::digest::SHA256, &server.certificate);
            let tls = TlsSettings {
                roots: is_trusted.then(|| authority.pem()),
                cert_reqs: demand,
                assert_hostname: name("c.test"),
                assert_fingerprint: Some(if is_right {
                    right.clone()
                } else {
                    wrong.clone()
                }),
                ..TlsSettings::default()
            };
            let world = serving(server, tls);
            match (reason(&world, "https://a.test/"), expected) {
                (None, None) => {
                    assert!(world.get("https://a.test/").unwrap().connection.is_verified);
                    assert!(warnings(&world).is_empty(), "{case}");
                }
                (Some((found, text)), Some(expected)) => {
                    assert_eq!(found, expected, "{case}");
                    if found == TlsReason::Fingerprint {
                        let got = right.replace(':', "").to_ascii_lowercase();
                        let told = format!(
                            "Fingerprints did not match. Expected \"{wrong}\", got \"{got}\""
                        );
                        assert_eq!(text, told, "{case}");
                    }
                }
                (found, _) => panic!("{case}: {found:?}"),
            }
        }
    }
}

#[test]
fn what_cannot_be_asked_of_a_server_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut TlsSettings)| {
        let mut tls = TlsSettings::default();
        change(&mut tls);
        tls
    };
    for (case, tls, expected) in [
        (
            "short fingerprint",
            with(|tls| tls.assert_fingerprint = Some("AA:BB".into())),
            "Fingerprint of invalid length: aabb",
        ),
        (
            "no digits",
            with(|tls| tls.assert_fingerprint = Some("x".repeat(32))),
            "Fingerprint is not hexadecimal: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
        (
            "name",
            with(|tls| tls.assert_hostname = name("a b")),
            "'a b' is not a name that a certificate could be for",
        ),
        (
            "server name",
            with(|tls| tls.server_hostname = Some(String::new())),
            "'' is not a name that a certificate could be for",
        ),
    ] {
        let settings = ManagerSettings {
            pool: PoolSettings {
                tls,
                ..PoolSettings::default()
            },
            ..ManagerSettings::default()
        };
        let error = Manager::new(SimNet::new(), settings).err();
        assert_eq!(
            error,
            Some(Error::InvalidSettings(expected.into())),
            "{case}"
        );
    }
}

#[test]
fn what_is_asked_of_a_server_makes_another_pool_and_other_sessions() {
    let authority = Authority::new();
    let server = authority.server(&["a.test"], &BOTH);
    let seen = server.seen();
    let strict = TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    };
    let world = serving(server, strict.clone());
    world.net.name("a.test", &[address("a.test")]);
    for change in [
        TlsSettings::default(),
        TlsSettings {
            cert_reqs: Some(CertReqs::None),
            ..TlsSettings::default()
        },
        TlsSettings {
            assert_hostname: off(),
            ..TlsSettings::default()
        },
    ] {
        let settings = PoolSettings {
            tls: change,
            ..PoolSettings::default()
        };
        let pool = world
            .manager
            .connection_from_url("https://a.test/", Some(settings))
            .unwrap();
        let request = pool.request("GET", "/", Default::default(), Default::default());
        world.net.run(request).unwrap();
    }
    let kinds: Vec<_> = seen().into_iter().filter_map(|seen| seen.kind).collect();
    assert_eq!(kinds, [HandshakeKind::Full; 3]);
    assert_eq!(world.manager.num_pools(), 3);
}
