//! What TLS is told, from the settings of a host down to the wire: each setting once. What they come to in detail is core's tests' matter.

use urlpool_host::{
    AssertHostname, CertReqs, ClientError, Event, ManagerSettings, PoolManager, PoolSettings,
    TlsReason, TlsSettings, TlsVersion,
};
use urlpool_tests::{Authority, Origin, Reply, Server, Tls, fail};

use crate::common::{failure_of, get, manager_with};

const BOTH: [&str; 2] = ["localhost", "127.0.0.1"];

async fn origin(tls: Tls) -> Server {
    Origin::new()
        .reply(Reply::ok("secret"))
        .tls(tls)
        .start()
        .await
}

/// A manager that tells what it does.
async fn manager(tls: TlsSettings) -> PoolManager {
    manager_with(ManagerSettings {
        pool: PoolSettings {
            tls,
            ..PoolSettings::default()
        },
        events: Some(100),
        ..ManagerSettings::default()
    })
    .await
}

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings {
        roots: Some(authority.der()),
        ..TlsSettings::default()
    }
}

async fn reason(case: &str, manager: &PoolManager, origin: &Server) -> TlsReason {
    match failure_of(case, manager.get(origin.url("/"))).await {
        ClientError::Tls(reason, _) => reason,
        other => fail(&format!("{case}: {other:?}")),
    }
}

#[tokio::test]
async fn a_root_may_be_der_and_what_was_agreed_on_can_be_read() {
    let authority = Authority::new();
    let identity = authority.issue(&BOTH);
    let origin = origin(identity.tls13()).await;
    let manager = manager(trusting(&authority)).await;
    let response = manager.get(origin.url("/")).send().await.unwrap();
    assert!(response.head().connection.is_verified);
    let info = response.tls().await.unwrap().unwrap();
    assert_eq!(info.version, TlsVersion::Tls13);
    assert!(info.cipher.starts_with("TLS13_"), "{}", info.cipher);
    assert_eq!(info.certificates, [identity.der()]);
    assert!(info.is_verified && !info.resumed);
    assert_eq!(info.alpn, None);
}

#[tokio::test]
async fn a_server_for_members_is_shown_our_certificate() {
    let authority = Authority::new();
    let origin = origin(authority.issue(&BOTH).tls_for_members(&authority)).await;
    let stranger = manager(trusting(&authority)).await;
    assert_eq!(
        reason("stranger", &stranger, &origin).await,
        TlsReason::Alert
    );
    let own = TlsSettings {
        client_certificates: Some(authority.issue(&["member.test"]).pem().into()),
        ..trusting(&authority)
    };
    assert_eq!(get(&manager(own).await, origin.url("/")).await, "secret");
}

#[tokio::test]
async fn names_and_fingerprints_are_compared_as_asked_for() {
    let authority = Authority::new();
    let origin = origin(authority.issue(&["a.test"]).tls()).await;
    let wrong = "00:".repeat(31) + "00";
    let name = |name| TlsSettings {
        assert_hostname: Some(name),
        ..trusting(&authority)
    };
    for (case, tls, expected) in [
        (
            "by default",
            trusting(&authority),
            Some(TlsReason::Hostname),
        ),
        ("off", name(AssertHostname::Off), None),
        ("a name", name(AssertHostname::Name("a.test".into())), None),
        (
            "server hostname",
            TlsSettings {
                server_hostname: Some("a.test".into()),
                ..trusting(&authority)
            },
            None,
        ),
        (
            "fingerprint",
            TlsSettings {
                assert_fingerprint: Some(wrong),
                ..trusting(&authority)
            },
            Some(TlsReason::Fingerprint),
        ),
    ] {
        let manager = manager(tls).await;
        match expected {
            None => assert_eq!(get(&manager, origin.url("/")).await, "secret", "{case}"),
            Some(expected) => assert_eq!(reason(case, &manager, &origin).await, expected, "{case}"),
        }
    }
}

#[tokio::test]
async fn a_server_too_old_is_refused() {
    let authority = Authority::new();
    let origin = origin(authority.issue(&BOTH).tls12()).await;
    let tls = TlsSettings {
        min_version: Some(TlsVersion::Tls13),
        ..trusting(&authority)
    };
    assert_eq!(
        reason("too old", &manager(tls).await, &origin).await,
        TlsReason::Alert
    );
}

#[tokio::test]
async fn what_is_less_safe_is_told() {
    let origin = origin(Authority::new().issue(&BOTH).tls13()).await;
    let manager = manager(TlsSettings {
        cert_reqs: Some(CertReqs::None),
        key_log: Some(true),
        ..TlsSettings::default()
    })
    .await;
    let response = manager.get(origin.url("/")).send().await.unwrap();
    assert!(!response.head().connection.is_verified);
    let events = manager.take_events().await.unwrap();
    let warned = |event: &Event| matches!(event, Event::Warned(text) if text.starts_with("Unverified HTTPS request is being made to host"));
    let logged = |event: &Event| matches!(event, Event::KeyLog(line) if line.starts_with("CLIENT_TRAFFIC_SECRET_0 "));
    assert_eq!(events.iter().filter(|event| warned(event)).count(), 1);
    assert_eq!(events.iter().filter(|event| logged(event)).count(), 1);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused() {
    let encrypted = include_bytes!("../../guest/core/tests/driver/keys/ec-pbes2-aes256-sha256.pem");
    let identity = Authority::new().issue(&["member.test"]);
    let (certificate, _) = identity.pem().split_once("-----BEGIN PRIVATE").unwrap();
    let own = [encrypted, certificate.as_bytes()].concat();
    let tls = TlsSettings {
        client_certificates: Some(own),
        ..TlsSettings::default()
    };
    let settings = urlpool_host::Settings {
        manager: ManagerSettings {
            pool: PoolSettings {
                tls,
                ..PoolSettings::default()
            },
            ..ManagerSettings::default()
        },
        ..urlpool_host::Settings::default()
    };
    let error = PoolManager::new(settings).await.err().unwrap();
    let refusal = crate::common::refusal("encrypted", &error);
    let why = "Client private key is encrypted, password is required.";
    assert_eq!(
        (refusal.kind(), refusal.message()),
        ("invalid-settings", why)
    );
}
