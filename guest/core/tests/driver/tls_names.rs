//! Which certificate a server must have: one for a name, or one with a fingerprint.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use urlpool_core::types::{AssertHostname, CertReqs, TlsReason, TlsSettings};

use crate::common::{Authority, reason, serving, warnings};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn off() -> Option<AssertHostname> {
    Some(AssertHostname::Off)
}

fn name(name: &str) -> Option<AssertHostname> {
    Some(AssertHostname::Name(name.into()))
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
            let heard = server_hostname.or_else(|| (!is_address).then_some("a.test"));
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
    let expected = "certificate verify failed: Hostname mismatch, certificate is not valid for 'a.test': no appropriate subjectAltName fields were found";
    assert_eq!(text, expected);
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
    let expected = "certificate verify failed: IP address mismatch, certificate is not valid for '192.0.2.97': hostname '192.0.2.97' doesn't match 'a.test'";
    assert_eq!(text, expected);
}

#[test]
fn a_wrong_name_is_told_with_those_that_the_certificate_has() {
    for (names, expected) in [
        (&["b.test"][..], "hostname 'a.test' doesn't match 'b.test'"),
        (
            &["b.test", "*.c.test"],
            "hostname 'a.test' doesn't match either of 'b.test', '*.c.test'",
        ),
        (
            &["192.0.2.1"],
            "hostname 'a.test' doesn't match '192.0.2.1'",
        ),
    ] {
        let authority = Authority::new();
        let tls = TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        };
        let world = serving(authority.server(names, &BOTH), tls);
        let (_, text) = reason(&world, "https://a.test/").unwrap();
        let known =
            "certificate verify failed: Hostname mismatch, certificate is not valid for 'a.test'";
        assert_eq!(text, format!("{known}: {expected}"));
    }
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
