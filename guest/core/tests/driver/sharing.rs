//! Which requests share a pool, and which make none.

use std::time::Duration;

use urlpool_core::driver::ConnectionPool;
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::{
    Content, Error, Headers, Limit, ManagerSettings, PoolContext, PoolSettings, RequestOptions,
    Retries, Timeouts, TlsSettings,
};

use crate::common::{Authority, SECOND, World, ok, origin_of};

fn serving_a() -> World {
    World::serving(origin_of("a"))
}

#[test]
fn a_request_goes_through_the_pool_of_its_origin_and_of_the_managers_settings() {
    let roots = Authority::new().pem();
    let timeouts = |read| Timeouts {
        read: Some(Limit::After(read)),
        ..Timeouts::default()
    };
    let set = |settings: PoolSettings| Some(settings);
    let own = || PoolSettings::default();
    for (case, url, settings, shared) in [
        ("same URL", "http://a.test/", None, true),
        ("other path", "http://a.test/x?y=z", None, true),
        ("default port spelled out", "http://a.test:80/", None, true),
        ("other case", "HTTP://A.TEST/", None, true),
        ("userinfo", "http://u:p@a.test/", None, true),
        ("nothing set", "http://a.test/", set(own()), true),
        (
            "the default set",
            "http://a.test/",
            set(PoolSettings {
                maxsize: Some(1),
                ..own()
            }),
            true,
        ),
        ("other host", "http://b.test/", None, false),
        ("other port", "http://a.test:81/", None, false),
        ("other scheme", "https://a.test:80/", None, false),
        (
            "maxsize",
            "http://a.test/",
            set(PoolSettings {
                maxsize: Some(2),
                ..own()
            }),
            false,
        ),
        (
            "idle timeout",
            "http://a.test/",
            set(PoolSettings {
                idle_timeout: Some(Limit::Unlimited),
                ..own()
            }),
            false,
        ),
        (
            "read timeout",
            "http://a.test/",
            set(PoolSettings {
                timeouts: timeouts(SECOND),
                ..own()
            }),
            false,
        ),
        (
            "roots",
            "http://a.test/",
            set(PoolSettings {
                tls: TlsSettings {
                    roots: Some(roots),
                    ..TlsSettings::default()
                },
                ..own()
            }),
            false,
        ),
    ] {
        let world = serving_a();
        world.get("http://a.test/").unwrap();
        let pool = world.manager.connection_from_url(url, settings).unwrap();
        assert_eq!(pool.num_requests() == 1, shared, "{case}");
        assert_eq!(world.manager.num_pools(), 2 - usize::from(shared), "{case}");
    }
}

#[test]
fn a_pool_is_found_by_host_by_url_and_by_context() {
    let world = World::of_pools(PoolSettings {
        maxsize: Some(7),
        ..PoolSettings::default()
    });
    world.serve("a.test", origin_of("a"));
    world.get("http://a.test/").unwrap();
    let context = |port, maxsize| PoolContext {
        scheme: "http".into(),
        host: "a.test".into(),
        port,
        settings: PoolSettings {
            maxsize,
            retries: Retries::off(),
            ..PoolSettings::default()
        },
    };
    let manager = &world.manager;
    let other = PoolSettings {
        maxsize: Some(8),
        ..PoolSettings::default()
    };
    for (case, pool, shared) in [
        (
            "host",
            manager.connection_from_host("a.test", None, None, None),
            true,
        ),
        (
            "port",
            manager.connection_from_host("a.test", Some(80), None, None),
            true,
        ),
        (
            "scheme",
            manager.connection_from_host("a.test", None, Some("HTTP"), None),
            true,
        ),
        (
            "url",
            manager.connection_from_url("http://a.test/x", None),
            true,
        ),
        (
            "context",
            manager.connection_from_context(context(None, Some(7))),
            true,
        ),
        (
            "https",
            manager.connection_from_host("a.test", None, Some("https"), None),
            false,
        ),
        (
            "settings",
            manager.connection_from_host("a.test", None, None, Some(other)),
            false,
        ),
        (
            "context inherits nothing",
            manager.connection_from_context(context(None, None)),
            false,
        ),
    ] {
        assert_eq!(pool.unwrap().num_requests() == 1, shared, "{case}");
    }
}

#[test]
fn what_makes_no_pool_is_refused_with_its_own_error() {
    let world = World::new();
    let manager = &world.manager;
    let zero = Some(PoolSettings {
        timeouts: Timeouts {
            connect: Some(Limit::After(Duration::ZERO)),
            ..Timeouts::default()
        },
        ..PoolSettings::default()
    });
    let kind =
        |outcome: Result<ConnectionPool<SimNet>, Error>| outcome.err().map(|error| error.kind());
    for (case, refused, expected) in [
        (
            "no host",
            manager.connection_from_host("", None, None, None),
            "invalid-url",
        ),
        (
            "a path",
            manager.connection_from_host("a/b", None, None, None),
            "invalid-url",
        ),
        (
            "scheme",
            manager.connection_from_host("a.test", None, Some("ftp"), None),
            "unsupported-scheme",
        ),
        (
            "url",
            manager.connection_from_url("a.test", None),
            "invalid-url",
        ),
        (
            "timeout",
            manager.connection_from_host("a.test", None, None, zero),
            "invalid-settings",
        ),
    ] {
        assert_eq!(kind(refused), Some(expected), "{case}");
    }
    assert_eq!(manager.num_pools(), 0);
}

#[test]
fn headers_of_the_manager_are_for_requests_that_name_none() {
    let headers = |name: &str| Headers::parse([(name, "x")]).expect("the header is a header");
    let world = World::with(ManagerSettings {
        headers: Some(headers("X-Manager")),
        ..ManagerSettings::default()
    });
    world.serve("a.test", vec![Script::always(ok(""))]);
    for own in [None, Some(headers("X-Own"))] {
        let options = RequestOptions {
            headers: own,
            ..RequestOptions::default()
        };
        let request = world
            .manager
            .request("GET", "http://a.test/", Content::Empty, options);
        world.net.run(request).unwrap();
    }
    let sent = world.net.writes(0);
    let has = |write: usize, name: &str| String::from_utf8_lossy(&sent[write]).contains(name);
    assert_eq!((has(0, "X-Manager"), has(0, "X-Own")), (true, false));
    assert_eq!((has(1, "X-Manager"), has(1, "X-Own")), (false, true));
}
