//! Requests that a proxy forwards: what it is asked, with which fields, and over which connections.

use urlpool_core::driver::ConnectionPool;
use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Content, Headers, HostRule, ManagerSettings, PoolSettings, Proxies, ProxyRule, ProxySettings,
    RequestOptions, Retries, Skipped, Writing,
};

use crate::common::{
    TestProxy, World, answer, ask, found, in_turn, lines, ok, origin_of, proxied, proxy, target,
    through, trust, tunnelling, with_headers,
};

/// A proxy without TLS that answers everything itself.
fn forwarding(proxy: ProxySettings) -> World {
    let world = World::of_pools(through(proxy));
    world.listen("p.test", 8080, Listener::Accept(origin_of("a")));
    world
}

fn headed(fields: &[(&str, &str)]) -> ProxySettings {
    ProxySettings {
        headers: Some(Headers::parse(fields.iter().copied()).unwrap()),
        ..proxy("http://p.test:8080")
    }
}

#[test]
fn a_forwarded_request_is_byte_for_byte() {
    for (case, url, target, host) in [
        ("a path", "http://a.test/x?y=z", "/x?y=z", "a.test"),
        ("no path", "http://a.test", "/", "a.test"),
        ("a fragment", "http://a.test/x#top", "/x", "a.test"),
        ("a port", "http://a.test:81/x", "/x", "a.test:81"),
        ("its own port", "http://A.TEST:80/x", "/x", "a.test"),
        ("IPv6", "http://[2001:DB8::1]/x", "/x", "[2001:db8::1]"),
    ] {
        let world = forwarding(proxy("http://user:secret@p.test:8080"));
        let reply = world.get(url).unwrap();
        assert_eq!(reply.status, 200, "{case}");
        assert_eq!(reply.connection.remote, "192.0.2.112:8080", "{case}");
        let expected = format!(
            "GET http://{host}{target} HTTP/1.1\r\nAccept-Encoding: identity\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nHost: {host}\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        );
        assert_eq!(world.sent(0), expected, "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}");
    }
}

#[test]
fn userinfo_is_for_its_origin_and_not_in_the_target() {
    let world = forwarding(proxy("http://p.test:8080"));
    world.get("http://user:secret@a.test/x").unwrap();
    let sent = world.sent(0);
    assert_eq!(lines(&sent)[0], "GET http://a.test/x HTTP/1.1");
    assert!(
        sent.contains("\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"),
        "{sent}"
    );
}

#[test]
fn the_callers_fields_win_over_ours_and_the_proxys_over_the_callers() {
    type Pairs = &'static [(&'static str, &'static str)];
    let rows: [(&str, Pairs, bool, Pairs, &[&str]); 6] = [
        (
            "nobody's",
            &[],
            false,
            &[],
            &["Accept: */*", "Host: a.test"],
        ),
        (
            "the caller's",
            &[("accept", "text/html"), ("HOST", "c.test")],
            false,
            &[],
            &["accept: text/html", "HOST: c.test"],
        ),
        ("no Host", &[], true, &[], &["Accept: */*"]),
        (
            "the proxy's beside the caller's",
            &[("X-Mine", "1")],
            false,
            &[("X-Proxy", "2")],
            &["Accept: */*", "Host: a.test", "X-Mine: 1", "X-Proxy: 2"],
        ),
        (
            "the proxy's for the caller's",
            &[("x-both", "1"), ("X-BOTH", "2"), ("X-Mine", "1")],
            false,
            &[("X-Both", "3")],
            &["Accept: */*", "Host: a.test", "X-Mine: 1", "X-Both: 3"],
        ),
        (
            "the proxy's for ours",
            &[],
            false,
            &[("Accept", "a/b"), ("Host", "c.test")],
            &["Accept: a/b", "Host: c.test"],
        ),
    ];
    for (case, callers, skips_host, proxys, expected) in rows {
        let world = forwarding(headed(proxys));
        let options = RequestOptions {
            writing: Writing {
                skipped: Skipped {
                    host: skips_host,
                    accept_encoding: true,
                    user_agent: true,
                },
                ..Writing::default()
            },
            ..with_headers(callers)
        };
        for _ in 0..2 {
            let outcome = ask(&world, "GET", "http://a.test/x", "", options.clone()).unwrap();
            assert_eq!(outcome.0, 200, "{case}");
        }
        let writes = world.net.writes(0);
        assert_eq!(writes.len(), 2, "{case}: sent with each request");
        for write in writes {
            let sent = String::from_utf8(write).unwrap();
            assert_eq!(lines(&sent)[1..], *expected, "{case}");
        }
    }
}

#[test]
fn a_body_goes_along_in_the_same_write() {
    let world = forwarding(proxy("http://p.test:8080"));
    assert_eq!(world.post("http://a.test/x", b"body").unwrap().status, 200);
    let sent = world.sent(0);
    assert!(
        sent.starts_with("POST http://a.test/x HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("\r\nContent-Length: 4\r\n"), "{sent}");
    assert!(sent.ends_with("\r\n\r\nbody"), "{sent}");
    assert_eq!(world.net.writes(0).len(), 1);
}

#[test]
fn all_plain_targets_share_a_pool_and_each_https_target_has_its_own() {
    let (authority, server) = target();
    let world = proxied("http://p.test:8080", &authority);
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    let scripts = vec![in_turn(&[ok("plain")]), tunnelling(&[ok("tls")])];
    world.listen("p.test", 8080, proxy.listener(scripts));
    let mut pools = Vec::new();
    for url in [
        "http://a.test/1",
        "http://b.test/2",
        "https://a.test/3",
        "https://b.test/4",
        "http://c.test:81/5",
        "https://a.test/6",
    ] {
        assert_eq!(world.get(url).unwrap().status, 200, "{url}");
        pools.push((world.manager.num_pools(), world.net.connections()));
    }
    assert_eq!(pools, [(1, 1), (1, 1), (2, 2), (3, 3), (3, 3), (3, 3)]);
    let heard = heard();
    let asked: Vec<_> = heard.iter().map(|heard| heard.outside()).collect();
    assert_eq!(asked[0].matches("GET http://").count(), 3);
    assert!(asked[1].starts_with("CONNECT a.test:443 "), "{asked:?}");
    assert!(asked[2].starts_with("CONNECT b.test:443 "), "{asked:?}");
    assert_eq!(heard[1].inside().matches("GET /").count(), 2);
}

fn pool(world: &World, url: &str) -> ConnectionPool<SimNet> {
    world.manager.connection_from_url(url, None).unwrap()
}

#[test]
fn the_pool_of_a_host_asks_the_proxy_for_that_hosts_paths() {
    let world = forwarding(proxy("http://p.test:8080"));
    let (a, b) = (
        pool(&world, "http://a.test"),
        pool(&world, "http://b.test:81"),
    );
    for (pool, origin, path, expected) in [
        (&a, "a.test", "/x?y", "http://a.test/x?y"),
        (&b, "b.test", "/a/../b", "http://b.test:81/a/../b"),
        (&a, "a.test", "//x", "http://a.test//x"),
        (&b, "b.test", "http://b.test:81/z", "http://b.test:81/z"),
    ] {
        assert_eq!(pool.origin().host().as_str(), origin);
        let options = RequestOptions::default();
        let request = pool.request("GET", path, Content::Empty, options);
        let mut response = world.net.run(request).unwrap();
        assert_eq!(response.head().url, expected);
        world.net.run(response.drain()).unwrap();
        let sent = world.net.writes(0).pop().unwrap();
        let sent = String::from_utf8(sent).unwrap();
        assert_eq!(lines(&sent)[0], format!("GET {expected} HTTP/1.1"));
    }
    // urllib3 counts in the one pool that all plain targets share.
    for pool in [&a, &b] {
        let counts = (pool.num_connections(), pool.num_requests(), pool.num_idle());
        assert_eq!(counts, (1, 4, 1));
    }
    let options = RequestOptions::default();
    let foreign = a.request("GET", "http://b.test:81/", Content::Empty, options);
    let error = world.net.run(foreign).err().unwrap();
    assert_eq!(error.kind(), "host-changed", "though one pool serves both");
}

#[test]
fn a_redirect_goes_through_the_proxy_again() {
    let world = World::of_pools(PoolSettings {
        retries: Retries::total(3),
        ..through(proxy("http://p.test:8080"))
    });
    let script = in_turn(&[found("/y"), found("http://b.test/z"), ok("b")]);
    world.listen("p.test", 8080, Listener::Accept(vec![script]));
    let reply = ask(
        &world,
        "GET",
        "http://a.test/x",
        "",
        with_headers(&[("Host", "c.test")]),
    );
    assert_eq!(reply.unwrap(), (200, "http://b.test/z".into(), "b".into()));
    let sent = world.sent(0);
    let heads: Vec<_> = lines(&sent)
        .into_iter()
        .filter(|line| line.starts_with("GET ") || line.starts_with("Host: "))
        .collect();
    assert_eq!(
        heads,
        [
            "GET http://a.test/x HTTP/1.1",
            "Host: c.test",
            "GET http://a.test/y HTTP/1.1",
            "Host: c.test",
            "GET http://b.test/z HTTP/1.1",
            "Host: b.test",
        ],
        "a Host of the caller's named the first origin"
    );
}

#[test]
fn a_connection_to_the_proxy_that_died_idle_is_replaced() {
    let world = World::of_pools(through(proxy("http://p.test:8080")));
    let vanishing = Script::new().request().send(ok("1")).vanish();
    let listener = Listener::Accept(vec![vanishing, Script::always(ok("2"))]);
    world.listen("p.test", 8080, listener);
    assert_eq!(world.get("http://a.test/").unwrap().body, b"1");
    assert_eq!(world.get("http://b.test/").unwrap().body, b"2");
    assert_eq!(world.net.connections(), 2);
}

#[test]
fn what_the_proxy_says_itself_is_a_response() {
    for (status, body) in [
        ("407 Proxy Authentication Required", "who are you"),
        ("502 Bad Gateway", "nobody there"),
    ] {
        let world = World::of_pools(through(proxy("http://p.test:8080")));
        let response = answer(status, &["Proxy-Authenticate: Basic"], body);
        let listener = Listener::Accept(vec![Script::always(response)]);
        world.listen("p.test", 8080, listener);
        let reply = world.get("http://a.test/").unwrap();
        assert_eq!(reply.status.to_string(), status[..3]);
        assert_eq!(reply.body, body.as_bytes());
    }
}

#[test]
fn each_request_takes_the_way_that_its_rules_say() {
    let (authority, server) = target();
    let rule = |scheme: &str, host: &str, url: &str| ProxyRule {
        scheme: (!scheme.is_empty()).then(|| scheme.into()),
        host: (!host.is_empty()).then(|| host.into()),
        proxy: (!url.is_empty()).then(|| proxy(url)),
    };
    let world = World::of_pools(PoolSettings {
        proxies: Some(Proxies {
            rules: vec![
                rule("", "e.test", ""),
                rule("http", "*.f.test", "http://q.test:8080"),
                rule("http", "", "http://p.test:8080"),
                rule("https", "", "http://t.test:8080"),
            ],
            no_proxy: vec!["d.test".into(), "192.0.2.0/30".into()],
        }),
        tls: trust(&authority),
        ..PoolSettings::default()
    });
    for host in ["p.test", "q.test"] {
        world.listen(host, 8080, Listener::Accept(origin_of(host)));
    }
    world.listen(
        "t.test",
        8080,
        TestProxy::to(server).listener(vec![tunnelling(&[ok("t.test")])]),
    );
    for host in ["d.test", "e.test"] {
        world.serve(host, origin_of("direct"));
    }
    let one = "192.0.2.1:80".parse().unwrap();
    world.net.listen(one, Listener::Accept(origin_of("direct")));
    for (url, expected) in [
        ("http://a.test/", "p.test"),
        ("http://x.f.test/", "q.test"),
        ("http://f.test/", "p.test"),
        ("https://a.test/", "t.test"),
        ("http://d.test/", "direct"),
        ("http://e.test/", "direct"),
        ("http://192.0.2.1/", "direct"),
        ("http://192.0.2.5/", "p.test"),
    ] {
        assert_eq!(world.get(url).unwrap().body, expected.as_bytes(), "{url}");
    }
}

#[test]
fn a_pool_or_a_host_may_go_its_own_way() {
    let rules = |url: Option<&str>| PoolSettings {
        proxies: Some(url.map_or_else(Proxies::default, |url| Proxies::all_through(proxy(url)))),
        ..PoolSettings::default()
    };
    let world = World::with(ManagerSettings {
        pool: rules(Some("http://p.test:8080")),
        host_rules: vec![
            HostRule {
                host: "q.test".into(),
                port: None,
                settings: rules(Some("http://[2001:db8::1]:3128")),
            },
            HostRule {
                host: "d.test".into(),
                port: None,
                settings: rules(None),
            },
        ],
        ..ManagerSettings::default()
    });
    world.listen("p.test", 8080, Listener::Accept(origin_of("p")));
    let six = "[2001:db8::1]:3128".parse().unwrap();
    world.net.listen(six, Listener::Accept(origin_of("six")));
    for host in ["a.test", "d.test"] {
        world.serve(host, origin_of("direct"));
    }
    for (url, expected) in [
        ("http://a.test/", "p"),
        ("http://q.test/", "six"),
        ("http://d.test/", "direct"),
    ] {
        assert_eq!(world.get(url).unwrap().body, expected.as_bytes(), "{url}");
    }
    for (settings, expected) in [
        (None, "p"),
        (Some(PoolSettings::default()), "p"),
        (Some(rules(None)), "direct"),
        (Some(rules(Some("http://[2001:db8::1]:3128"))), "six"),
    ] {
        let pool = world
            .manager
            .connection_from_url("http://a.test", settings)
            .unwrap();
        let options = RequestOptions::default();
        let request = pool.request("GET", "/", Content::Empty, options);
        let mut response = world.net.run(request).unwrap();
        let body = world.net.run(response.read_all(100)).unwrap();
        assert_eq!(body, expected.as_bytes());
    }
}
