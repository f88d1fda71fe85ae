//! What the sandbox keeps from a component, however it is asked for, and how it says so.

use urlpool_host::{ClientError, Grants, Phase, PoolManager, Settings};
use urlpool_tests::{Origin, Reply, Server};

use crate::common::{failure_of, get};

async fn granted(grants: Grants) -> PoolManager {
    let settings = Settings {
        grants,
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("secret")).start().await
}

fn phase(error: &ClientError) -> Phase {
    error.failure().expect("facts").phase
}

#[tokio::test]
async fn what_is_public_does_not_hold_what_is_private() {
    let origin = origin().await;
    let manager = granted(Grants::none().allow_public(None)).await;
    for host in [
        "127.0.0.1",
        "127.1.2.3",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "localhost",
        "LOCALHOST",
    ] {
        let error = failure_of(host, manager.get(origin.url_as(host, "/"))).await;
        assert_eq!(error.kind(), "denied", "{host}: {error}");
    }
    // These are no addresses to connect to at all, and wasmtime says so before anybody is asked.
    for host in [
        "[::127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "224.0.0.1",
    ] {
        let error = failure_of(host, manager.get(origin.url_as(host, "/"))).await;
        assert!(!error.message().is_empty(), "{host}");
    }
    assert_eq!(origin.accepted(), 0);
}

#[tokio::test]
async fn the_address_that_connections_come_from_needs_every_grant() {
    let origin = origin().await;
    for (grants, expected) in [
        (Grants::all(), None),
        (
            Grants::none().allow("127.0.0.1", origin.port()),
            Some("Grants::all()"),
        ),
    ] {
        let mut settings = Settings {
            grants,
            ..Settings::default()
        };
        settings.manager.pool.source_address = Some("127.0.0.1:0".parse().unwrap());
        let manager = PoolManager::new(settings).await.unwrap();
        match expected {
            None => assert_eq!(get(&manager, origin.url("/")).await, "secret"),
            Some(grant) => {
                let error = failure_of(grant, manager.get(origin.url("/"))).await;
                assert_eq!(error.kind(), "denied", "{error}");
                assert!(error.message().contains(grant), "{error}");
            }
        }
    }
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_refusal_says_what_to_grant() {
    let origin = origin().await;
    let port = origin.port();
    for (case, grants, host, expected, where_it_was) in [
        (
            "address",
            Grants::none(),
            "127.0.0.1",
            format!("Grants::allow(\"127.0.0.1\", {port})"),
            Phase::Connect,
        ),
        (
            "name",
            Grants::none(),
            "localhost",
            "Grants::allow(\"localhost\", port)".to_owned(),
            Phase::Resolve,
        ),
        (
            "private",
            Grants::none().allow_public(None),
            "localhost",
            "Grants::allow_private(\"localhost\", port)".to_owned(),
            Phase::Resolve,
        ),
        (
            "port of a name",
            Grants::none().allow("localhost", 1),
            "localhost",
            format!("Grants::allow(\"localhost\", {port})"),
            Phase::Connect,
        ),
    ] {
        let manager = granted(grants).await;
        let error = failure_of(case, manager.get(origin.url_as(host, "/"))).await;
        assert_eq!(
            (error.kind(), phase(&error)),
            ("denied", where_it_was),
            "{case}: {error}"
        );
        assert!(error.message().contains(&expected), "{case}: {error}");
    }
    assert_eq!(origin.accepted(), 0);
}

#[tokio::test]
async fn what_is_private_is_had_where_it_is_named() {
    let origin = origin().await;
    let port = origin.port();
    for (case, grants, host) in [
        (
            "network",
            Grants::none().allow("127.0.0.0/8", port),
            "127.0.0.1",
        ),
        (
            "private name",
            Grants::none().allow_private("localhost", port),
            "localhost",
        ),
        (
            "pattern",
            Grants::none().allow("localhost", None),
            "localhost",
        ),
        (
            "public, and an address",
            Grants::none().allow_public(None).allow("127.0.0.1", port),
            "localhost",
        ),
    ] {
        let manager = granted(grants).await;
        assert_eq!(
            get(&manager, origin.url_as(host, "/")).await,
            "secret",
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_is_not_granted() {
    let inner = origin().await;
    for host in ["127.0.0.1", "localhost"] {
        let away = Reply::new(302, "").header("Location", inner.url_as(host, "/"));
        let outer = Origin::new().reply(away).start().await;
        let manager = granted(Grants::none().allow("127.0.0.1", outer.port())).await;
        let error = failure_of(host, manager.get(outer.url("/"))).await;
        assert_eq!(error.kind(), "denied", "{host}: {error}");
        assert_eq!(outer.accepted(), 1);
    }
    assert_eq!(inner.accepted(), 0);
}
