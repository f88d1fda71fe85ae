//! Who may vouch for a server, and what is not asked of it.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};
use urlpool_core::driver::Manager;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{
    AssertHostname, CertReqs, Error, ManagerSettings, PoolSettings, TlsReason, TlsSettings,
};

use crate::common::{Authority, address, reason, self_signed, serving, warnings};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

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
        server.config.cert_resolver = Arc::new(Mixed {
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
    signs: Arc<dyn ResolvesServerCert>,
}

impl ResolvesServerCert for Mixed {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = Arc::clone(&self.signs.resolve(hello)?.key);
        let shown = vec![self.shown.clone().into()];
        Some(Arc::new(CertifiedKey::new(shown, key)))
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
