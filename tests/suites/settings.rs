//! How pools are found, counted and told apart, and what a manager reports.

use std::time::Duration;

use urlpool_host::{
    ClientError, Event, Headers, Limit, ManagerSettings, PoolContext, PoolManager, PoolSettings,
    Retries, Settings, Timeouts, TlsSettings,
};
use urlpool_tests::{Authority, Origin, Reply};

use crate::common::{get, manager, manager_with, manager_with_pools, refusal, trusting};

fn context(scheme: &str, host: &str, port: Option<u16>) -> PoolContext {
    PoolContext {
        scheme: scheme.into(),
        host: host.into(),
        port,
        settings: PoolSettings {
            retries: Retries::off(),
            ..PoolSettings::default()
        },
    }
}

#[tokio::test]
async fn one_origin_is_one_pool_however_it_is_asked_for() {
    let manager = manager().await;
    let pools = [
        manager
            .connection_from_url("http://Example.test/x?y", None)
            .await,
        manager
            .connection_from_url("HTTP://example.test:80", None)
            .await,
        manager
            .connection_from_host("EXAMPLE.test", None, None, None)
            .await,
        manager
            .connection_from_host("example.test", Some(80), Some("http"), None)
            .await,
        manager
            .connection_from_context(context("http", "example.test", None))
            .await,
    ];
    for pool in pools {
        let origin = pool.unwrap().origin().await.unwrap();
        assert_eq!(origin.to_string(), "http://example.test:80");
    }
    assert_eq!(manager.num_pools().await.unwrap(), 1);

    for (number, (scheme, host, port, expected)) in [
        (
            Some("https"),
            "example.test",
            None,
            "https://example.test:443",
        ),
        (None, "example.test", Some(81), "http://example.test:81"),
        (None, "other.test", None, "http://other.test:80"),
        (None, "::1", Some(80), "http://[::1]:80"),
    ]
    .into_iter()
    .enumerate()
    {
        let pool = manager.connection_from_host(host, port, scheme, None).await;
        let origin = pool.unwrap().origin().await.unwrap();
        assert_eq!(origin.to_string(), expected);
        let pools = u32::try_from(number).unwrap() + 2;
        assert_eq!(manager.num_pools().await.unwrap(), pools);
    }
}

#[tokio::test]
async fn what_is_no_origin_is_refused() {
    let manager = manager().await;
    let refused = [
        (
            "empty host",
            manager.connection_from_host("", None, None, None).await,
            "invalid-url",
        ),
        (
            "control in a host",
            manager.connection_from_host("a\rb", None, None, None).await,
            "invalid-url",
        ),
        (
            "scheme",
            manager
                .connection_from_host("h", None, Some("ftp"), None)
                .await,
            "unsupported-scheme",
        ),
        (
            "url",
            manager.connection_from_url("h/x", None).await,
            "invalid-url",
        ),
        (
            "context",
            manager
                .connection_from_context(context("", "h", None))
                .await,
            "unsupported-scheme",
        ),
    ];
    for (case, pool, kind) in refused {
        let error = refusal(case, &pool.err().expect(case));
        assert_eq!(error.kind(), kind, "{case}");
    }
    assert_eq!(manager.num_pools().await.unwrap(), 0);
}

#[tokio::test]
async fn settings_that_differ_never_share_a_connection() {
    let second = Some(Limit::After(Duration::from_secs(1)));
    let origin = Origin::new().reply(Reply::ok("x")).start().await;
    for (case, other) in [
        (
            "maxsize",
            PoolSettings {
                maxsize: Some(2),
                ..PoolSettings::default()
            },
        ),
        (
            "idle timeout",
            PoolSettings {
                idle_timeout: second,
                ..PoolSettings::default()
            },
        ),
        (
            "timeout",
            PoolSettings {
                timeouts: Timeouts {
                    read: second,
                    ..Timeouts::default()
                },
                ..PoolSettings::default()
            },
        ),
        ("roots", trusting(&Authority::new())),
    ] {
        let manager = manager().await;
        get(&manager, origin.url("/")).await;
        let url = origin.url("/");
        let same = manager.connection_from_url(&url, None).await.unwrap();
        let spelled_out = PoolSettings {
            maxsize: Some(1),
            ..PoolSettings::default()
        };
        let also_same = manager
            .connection_from_url(&url, Some(spelled_out))
            .await
            .unwrap();
        let differing = manager
            .connection_from_url(&url, Some(other))
            .await
            .unwrap();
        assert_eq!(same.num_idle().await.unwrap(), 1, "{case}");
        assert_eq!(also_same.num_idle().await.unwrap(), 1, "{case}");
        assert_eq!(differing.num_idle().await.unwrap(), 0, "{case}");
        assert_eq!(manager.num_pools().await.unwrap(), 2, "{case}");
    }
}

#[tokio::test]
async fn a_pool_inherits_from_its_manager_and_a_context_does_not() {
    let of_five = PoolSettings {
        maxsize: Some(5),
        retries: Retries::off(),
        ..PoolSettings::default()
    };
    let manager = manager_with_pools(of_five.clone()).await;
    manager
        .connection_from_host("h", None, None, None)
        .await
        .unwrap();
    let inheriting = Some(PoolSettings::default());
    manager
        .connection_from_host("h", None, None, inheriting)
        .await
        .unwrap();
    let spelled_out = PoolContext {
        settings: of_five,
        ..context("http", "h", None)
    };
    manager.connection_from_context(spelled_out).await.unwrap();
    assert_eq!(manager.num_pools().await.unwrap(), 1);
    manager
        .connection_from_context(context("http", "h", None))
        .await
        .unwrap();
    assert_eq!(manager.num_pools().await.unwrap(), 2);
}

#[tokio::test]
async fn pools_count_requests_connections_and_what_is_idle() {
    let origin = Origin::new().reply(Reply::ok("x")).start().await;
    let manager = manager().await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let idle = pool.num_idle().await.unwrap();
        seen.push((
            pool.num_requests().await.unwrap(),
            pool.num_connections().await.unwrap(),
            idle,
        ));
        get(&manager, origin.url("/")).await;
    }
    assert_eq!(seen, [(0, 0, 0), (1, 1, 1), (2, 1, 1)]);
}

#[tokio::test]
async fn settings_out_of_range_are_refused() {
    let zero = Some(Limit::After(Duration::ZERO));
    let pool = |pool| ManagerSettings {
        pool,
        ..ManagerSettings::default()
    };
    let timeouts = |timeouts| {
        pool(PoolSettings {
            timeouts,
            ..PoolSettings::default()
        })
    };
    let roots = |roots: &str| {
        let tls = TlsSettings {
            roots: Some(roots.into()),
            ..TlsSettings::default()
        };
        pool(PoolSettings {
            tls,
            ..PoolSettings::default()
        })
    };
    let block = |content: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
    };
    for (case, settings) in [
        (
            "connect",
            timeouts(Timeouts {
                connect: zero,
                ..Timeouts::default()
            }),
        ),
        (
            "read",
            timeouts(Timeouts {
                read: zero,
                ..Timeouts::default()
            }),
        ),
        (
            "total",
            timeouts(Timeouts {
                total: zero,
                ..Timeouts::default()
            }),
        ),
        (
            "deadline",
            timeouts(Timeouts {
                deadline: zero,
                ..Timeouts::default()
            }),
        ),
        ("no roots", roots("")),
        ("roots that are no PEM", roots("not a certificate")),
        ("roots that are no base64", roots(&block("*"))),
        ("roots that are no certificate", roots(&block("AAAA"))),
    ] {
        let made = PoolManager::new(Settings {
            manager: settings,
            ..Settings::default()
        })
        .await;
        let error = refusal(case, &made.err().expect(case));
        assert!(
            matches!(error, ClientError::InvalidSettings(_)),
            "{case}: {error:?}"
        );
    }
}

#[tokio::test]
async fn the_managers_headers_give_way_to_the_requests_own() {
    let origin = Origin::new().reply(Reply::ok("")).start().await;
    let headers = Headers::parse([("X-Manager", "1")]).unwrap();
    let manager = manager_with(ManagerSettings {
        headers: Some(headers),
        ..ManagerSettings::default()
    })
    .await;
    get(&manager, origin.url("/")).await;
    let own = manager.get(origin.url("/")).header("X-Own", "2");
    own.send().await.unwrap().bytes().await.unwrap();
    let sent: Vec<_> = origin
        .requests()
        .iter()
        .map(|request| (request.field("X-Manager"), request.field("X-Own")))
        .collect();
    assert_eq!(sent, [(Some("1".into()), None), (None, Some("2".into()))]);
}

#[tokio::test]
async fn events_tell_what_happened_without_secrets() {
    let origin = Origin::new()
        .reply(Reply::ok("x").interim("HTTP/1.1 103 Early Hints\r\n\r\n"))
        .start()
        .await;
    let manager = manager_with(ManagerSettings {
        events: Some(100),
        ..ManagerSettings::default()
    })
    .await;
    let url = origin.url_as("user:hunter2@localhost", "/");
    get(&manager, url.as_str()).await;
    get(&manager, url.as_str()).await;
    manager.clear().await.unwrap();
    let events = manager.take_events().await.unwrap();
    let names: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Resolved { .. } => "resolved",
            Event::Connected { number: 1, .. } => "connected",
            Event::Sent { number: 1, .. } => "sent",
            Event::Received { number: 1, .. } => "received",
            Event::CheckedIn { number: 1 } => "checked in",
            Event::CheckedOut { number: 1 } => "checked out",
            Event::Closed { number: 1, .. } => "closed",
            _ => "another",
        })
        .collect();
    let exchange = ["sent", "received", "received", "checked in"];
    let expected = [
        ["resolved", "connected"].as_slice(),
        &exchange,
        &["checked out"],
        &exchange,
        &["closed"],
    ];
    assert_eq!(names, expected.concat());
    assert!(!format!("{events:?}").contains("hunter2"));
    assert!(!format!("{events:?}").contains("dXNlcjpodW50ZXIy"));
    assert_eq!(manager.take_events().await.unwrap(), []);
}
