//! Who we are to a server: certificates and keys in every form, and what is wrong with them.
//!
//! The keys in `keys/` are one P-256 key (`ec`) and one RSA key (`rsa`) in the forms that OpenSSL 3 writes, encrypted with `correct`, and two
//! others. They open nothing.

use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SupportedProtocolVersion};
use urlpool_core::driver::Manager;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{Error, ManagerSettings, PoolSettings, TlsReason, TlsSettings};

use crate::common::{Authority, World, origin_of};

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("keys/", $name, ".pem"))
    };
}

const EC: &str = key!("ec");
const RSA: &str = key!("rsa");

fn settings(certificates: &[u8], key: Option<&[u8]>, password: Option<&str>) -> TlsSettings {
    TlsSettings {
        client_certificates: Some(certificates.to_vec()),
        client_key: key.map(<[u8]>::to_vec),
        key_password: password.map(Into::into),
        ..TlsSettings::default()
    }
}

fn pool(tls: TlsSettings) -> PoolSettings {
    PoolSettings {
        tls,
        ..PoolSettings::default()
    }
}

/// Why settings are not accepted.
#[track_caller]
fn refusal(tls: TlsSettings) -> String {
    let settings = ManagerSettings {
        pool: pool(tls),
        ..ManagerSettings::default()
    };
    match Manager::new(SimNet::new(), settings).err() {
        Some(Error::InvalidSettings(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// How many certificates a server that demands one is shown.
fn shown(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
    tls: TlsSettings,
) -> usize {
    let server = authority.server_for_members(&["a.test"], version);
    let seen = server.seen();
    let world = World::of_pools(pool(TlsSettings {
        roots: Some(authority.pem()),
        ..tls
    }));
    world.listen("a.test", 443, server.listener(origin_of("a")));
    world.get("https://a.test/").unwrap();
    seen()[0].certificates
}

fn der(pem: &str) -> Vec<u8> {
    let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(pem.as_bytes()).unwrap();
    der
}

#[test]
fn a_certificate_and_its_key_are_taken_in_every_form() {
    let authority = Authority::new();
    let (ec, rsa) = (authority.client(EC), authority.client(RSA));
    for (case, certificate, key, password) in [
        ("PKCS#8", &ec, EC, None),
        ("SEC 1", &ec, key!("ec-sec1"), None),
        ("PKCS#8, RSA", &rsa, RSA, None),
        ("PKCS#1", &rsa, key!("rsa-pkcs1"), None),
        (
            "PBES2, AES-256, SHA-256",
            &ec,
            key!("ec-pbes2-aes256-sha256"),
            Some("correct"),
        ),
        (
            "PBES2, AES-128, SHA-1",
            &ec,
            key!("ec-pbes2-aes128-sha1"),
            Some("correct"),
        ),
        (
            "PBES2, AES-192, SHA-512",
            &ec,
            key!("ec-pbes2-aes192-sha512"),
            Some("correct"),
        ),
        (
            "PBES2, DES-EDE3, SHA-384",
            &ec,
            key!("ec-pbes2-des3-sha384"),
            Some("correct"),
        ),
        (
            "older, AES-256",
            &rsa,
            key!("rsa-legacy-aes256"),
            Some("correct"),
        ),
        (
            "older, AES-192",
            &ec,
            key!("ec-legacy-aes192"),
            Some("correct"),
        ),
        (
            "older, AES-128",
            &ec,
            key!("ec-legacy-aes128"),
            Some("correct"),
        ),
        (
            "older, DES-EDE3",
            &rsa,
            key!("rsa-legacy-des3"),
            Some("correct"),
        ),
    ] {
        let own = settings(certificate.as_bytes(), Some(key.as_bytes()), password);
        assert_eq!(shown(&authority, &TLS13, own), 1, "{case}");
        let together = [key, certificate].concat();
        let own = settings(together.as_bytes(), None, password);
        assert_eq!(shown(&authority, &TLS12, own), 1, "{case}, in one text");
    }
    for (case, certificate, key, password) in [
        ("PKCS#8", &ec, EC, None),
        ("SEC 1", &ec, key!("ec-sec1"), None),
        ("PKCS#1", &rsa, key!("rsa-pkcs1"), None),
    ] {
        let own = settings(&der(certificate), Some(&der(key)), password);
        assert_eq!(shown(&authority, &TLS13, own), 1, "{case} as DER");
    }
}

#[test]
fn an_encrypted_key_may_be_der() {
    let authority = Authority::new();
    let certificate = authority.client(EC);
    let text = key!("ec-pbes2-aes256-sha256").replace("ENCRYPTED ", "");
    let own = settings(certificate.as_bytes(), Some(&der(&text)), Some("correct"));
    assert_eq!(shown(&authority, &TLS13, own), 1);
}

#[test]
fn the_certificates_on_the_way_to_the_root_are_shown_too() {
    let authority = Authority::new();
    let chain = [
        authority.client(EC).into_bytes(),
        authority.pem(),
        EC.into(),
    ]
    .concat();
    for version in BOTH {
        assert_eq!(shown(&authority, version, settings(&chain, None, None)), 2);
    }
}

#[test]
fn what_cannot_be_used_is_refused_for_its_reason_before_anything_is_sent() {
    let authority = Authority::new();
    let certificate = authority.client(EC);
    let required = "Client private key is encrypted, password is required.";
    let wrong = "Client private key cannot be decrypted: the password is wrong.";
    let cipher =
        "Client private key cannot be decrypted: its cipher is neither AES-CBC nor DES-EDE3-CBC.";
    let mut many = vec![
        (
            "no password",
            key!("ec-pbes2-aes256-sha256"),
            None,
            required,
        ),
        (
            "no password, older",
            key!("ec-legacy-aes128"),
            None,
            required,
        ),
        ("no password, DES", key!("rsa-legacy-des3"), None, required),
        (
            "needless password",
            EC,
            Some("correct"),
            "Client private key is not encrypted, but there is a password.",
        ),
        (
            "another's key",
            RSA,
            None,
            "The client private key does not belong to the client certificate.",
        ),
        (
            "nothing",
            "",
            None,
            "The client private key cannot be used: it is neither PKCS#8 nor PKCS#1 nor SEC 1",
        ),
        (
            "no key",
            "hello",
            None,
            "The client private key cannot be used: it is neither PKCS#8 nor PKCS#1 nor SEC 1",
        ),
        (
            "a kind that nobody has",
            key!("p521"),
            None,
            "The client private key cannot be used: it is no RSA key of 2048 to 8192 bits, ECDSA key over P-256 or P-384, or Ed25519 key",
        ),
        (
            "scrypt",
            key!("ec-scrypt"),
            Some("correct"),
            "Client private key cannot be decrypted: its encryption key is derived otherwise than by PBKDF2.",
        ),
        (
            "PBES1",
            key!("ec-pbes1"),
            Some("correct"),
            "Client private key cannot be decrypted: it is encrypted otherwise than by PBES2.",
        ),
        (
            "Camellia",
            key!("ec-pbes2-camellia"),
            Some("correct"),
            cipher,
        ),
        (
            "Camellia, older",
            key!("ec-legacy-camellia"),
            Some("correct"),
            cipher,
        ),
        (
            "another's, Ed25519",
            key!("ed25519"),
            None,
            "The client private key does not belong to the client certificate.",
        ),
    ];
    for key in [
        key!("ec-pbes2-aes256-sha256"),
        key!("ec-pbes2-aes128-sha1"),
        key!("ec-pbes2-aes192-sha512"),
        key!("ec-pbes2-des3-sha384"),
        key!("rsa-legacy-aes256"),
        key!("ec-legacy-aes192"),
        key!("ec-legacy-aes128"),
        key!("rsa-legacy-des3"),
    ] {
        many.push(("wrong password", key, Some("incorrect"), wrong));
        many.push(("empty password", key, Some(""), wrong));
    }
    for (case, key, password, expected) in many {
        let own = settings(certificate.as_bytes(), Some(key.as_bytes()), password);
        assert_eq!(refusal(own), expected, "{case}");
    }
}

#[test]
fn halves_of_an_identity_are_refused() {
    let authority = Authority::new();
    let certificate = authority.client(EC);
    let alone = |key: Option<&str>, password: Option<&str>| TlsSettings {
        client_key: key.map(Into::into),
        key_password: password.map(Into::into),
        ..TlsSettings::default()
    };
    for (case, tls, expected) in [
        (
            "certificate",
            settings(certificate.as_bytes(), None, None),
            "The client certificate comes without a private key.",
        ),
        (
            "certificate as DER",
            settings(&der(&certificate), None, None),
            "The client certificate comes without a private key.",
        ),
        (
            "key",
            alone(Some(EC), None),
            "There is a client key, but no client certificate.",
        ),
        (
            "password",
            alone(None, Some("x")),
            "There is a key password, but no client key.",
        ),
        (
            "two keys",
            settings([EC, RSA, &certificate].concat().as_bytes(), None, None),
            "The client private key cannot be used: there is more than one",
        ),
        (
            "no certificate",
            settings(EC.as_bytes(), None, None),
            "The client certificates cannot be used: there is no CERTIFICATE block among them",
        ),
        (
            "cut short",
            settings(&certificate.as_bytes()[..200], Some(EC.as_bytes()), None),
            "The client certificates cannot be used: the PEM is malformed: no END of CERTIFICATE",
        ),
        (
            "not what it says",
            settings(
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                Some(EC.as_bytes()),
                None,
            ),
            "The client certificate cannot be used: invalid peer certificate: BadEncoding",
        ),
    ] {
        assert_eq!(refusal(tls), expected, "{case}");
    }
}

#[test]
fn keys_that_are_cut_or_changed_anywhere_are_refused_and_nothing_worse() {
    let authority = Authority::new();
    let certificate = authority.client(EC);
    let whole = der(&key!("ec-pbes2-aes128-sha1").replace("ENCRYPTED ", ""));
    for at in 0..whole.len() {
        refusal(settings(
            certificate.as_bytes(),
            Some(&whole[..at]),
            Some("correct"),
        ));
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let settings = ManagerSettings {
            pool: pool(settings(
                certificate.as_bytes(),
                Some(&changed),
                Some("correct"),
            )),
            ..ManagerSettings::default()
        };
        // A few bytes do not matter, such as those of a length that the cipher tells as well.
        if let Err(error) = Manager::new(SimNet::new(), settings) {
            assert_eq!(error.kind(), "invalid-settings", "at {at}");
        }
    }
}

#[test]
fn a_server_that_wants_a_certificate_says_so() {
    for version in BOTH {
        let authority = Authority::new();
        let server = authority.server_for_members(&["a.test"], version);
        let world = World::of_pools(pool(TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        }));
        world.listen("a.test", 443, server.listener(origin_of("a")));
        let error = world.get("https://a.test/").unwrap_err();
        let Error::Tls(TlsReason::Alert, failure) = error else {
            panic!("{error:?}");
        };
        assert!(
            failure.message.contains("CertificateRequired")
                || failure.message.contains("HandshakeFailure"),
            "{}",
            failure.message
        );
    }
}

#[test]
fn a_flight_with_a_certificate_is_one_write() {
    for (version, first, second) in [(&TLS13, 2, 2), (&TLS12, 3, 2)] {
        let authority = Authority::new();
        let own = settings([EC, &authority.client(EC)].concat().as_bytes(), None, None);
        let world = World::of_pools(pool(TlsSettings {
            roots: Some(authority.pem()),
            ..own
        }));
        let server = authority.server_for_members(&["a.test"], version);
        let seen = server.seen();
        let script = urlpool_core::sim::Script::new()
            .request()
            .send(crate::common::ok("a"))
            .close();
        world.listen("a.test", 443, server.listener(vec![script]));
        for _ in 0..2 {
            world.get("https://a.test/").unwrap();
        }
        let count = |number| world.net.writes(number).len();
        assert_eq!((count(0), count(1)), (first, second), "{version:?}");
        let expected = if version == &TLS12 {
            ProtocolVersion::TLSv1_2
        } else {
            ProtocolVersion::TLSv1_3
        };
        assert_eq!(seen()[0].version, Some(expected));
    }
}
