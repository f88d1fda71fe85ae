//! Connections through SOCKS: what is said, who looks up names, and what the connections serve.

use std::net::IpAddr;

use urlpool_core::types::{
    AddressFamily, Headers, HostEntry, ManagerSettings, PoolSettings, ProxySettings, Retries,
};

use crate::common::{
    GRANTED4, GRANTED5, METHOD, MILLI, PASSWORD, SOCKS, TestProxy, World, address, found, get,
    granting, in_turn, ok, plain, proxy, resolved, saying, target, through, trust,
};

/// What says that name and password are right.
const RIGHT: &[u8] = b"\x01\0";

fn through_socks(url: &str) -> World {
    World::of_pools(through(proxy(url)))
}

/// A proxy that leads to servers without TLS.
fn plain_proxy(replies: &[&[u8]]) -> TestProxy {
    TestProxy::new().opening(replies.iter().map(|reply| reply.len()).sum())
}

#[test]
fn what_is_said_depends_on_the_kind_and_the_login() {
    type Row = (
        &'static str,
        &'static str,
        &'static [&'static [u8]],
        &'static [&'static [u8]],
        &'static [&'static str],
    );
    const BY_NAME: &[u8] = b"\x05\x01\0\x03\x06a.test\0\x50";
    const BY_ADDRESS: &[u8] = b"\x05\x01\0\x01\xc0\0\x02\x61\0\x50";
    let both = &["a.test", "p.test"];
    let rows: [Row; 10] = [
        (
            "4",
            "socks4://p.test",
            &[GRANTED4],
            &[b"\x04\x01\0\x50\xc0\0\x02\x61\0"],
            both,
        ),
        (
            "4, a user id",
            "socks4://me@p.test",
            &[GRANTED4],
            &[b"\x04\x01\0\x50\xc0\0\x02\x61me\0"],
            both,
        ),
        (
            "4a",
            "socks4a://p.test",
            &[GRANTED4],
            &[b"\x04\x01\0\x50\0\0\0\x01\0a.test\0"],
            &["p.test"],
        ),
        (
            "4a, a user id and a password that it has not",
            "socks4a://me:secret@p.test",
            &[GRANTED4],
            &[b"\x04\x01\0\x50\0\0\0\x01me\0a.test\0"],
            &["p.test"],
        ),
        (
            "5",
            "socks5://p.test",
            &[METHOD, GRANTED5],
            &[b"\x05\x01\0", BY_ADDRESS],
            both,
        ),
        (
            "5, a login",
            "socks5://me:secret@p.test",
            &[PASSWORD, RIGHT, GRANTED5],
            &[b"\x05\x02\0\x02", b"\x01\x02me\x06secret", BY_ADDRESS],
            both,
        ),
        (
            "5h",
            "socks5h://p.test",
            &[METHOD, GRANTED5],
            &[b"\x05\x01\0", BY_NAME],
            &["p.test"],
        ),
        (
            "5h, a login",
            "socks5h://me:s%20t@p.test",
            &[PASSWORD, RIGHT, GRANTED5],
            &[b"\x05\x02\0\x02", b"\x01\x02me\x03s t", BY_NAME],
            &["p.test"],
        ),
        (
            "5h, a login that nobody wants",
            "socks5h://me:secret@p.test",
            &[METHOD, GRANTED5],
            &[b"\x05\x02\0\x02", BY_NAME],
            &["p.test"],
        ),
        (
            "5h, an address",
            "socks5h://192.0.2.112",
            &[METHOD, GRANTED5],
            &[b"\x05\x01\0", BY_NAME],
            &[],
        ),
    ];
    for (case, url, replies, expected, names) in rows {
        for limit in [None, Some(1), Some(3)] {
            let world = through_socks(url);
            world.net.name("a.test", &[[192, 0, 2, 97].into()]);
            if let Some(limit) = limit {
                world.net.limit_reads(limit);
            }
            let proxy = plain_proxy(replies);
            let heard = proxy.heard();
            let script = saying(replies).followed_by(in_turn(&[ok("a")]));
            world.listen("p.test", 1080, proxy.listener(vec![script]));
            for reused in [false, true] {
                let reply = world.get("http://a.test/x").expect(case);
                assert_eq!(reply.connection.reused, reused, "{case}");
                assert_eq!(reply.connection.remote, "192.0.2.112:1080", "{case}");
            }
            let [heard] = &heard()[..] else {
                panic!("{case}: one connection is enough");
            };
            assert_eq!(heard.outside, expected.concat(), "{case}");
            let request = plain("/x", "a.test");
            assert_eq!(
                heard.inside(),
                request.repeat(2),
                "{case}: nothing is added"
            );
            let writes: Vec<Vec<u8>> = world.net.writes(0);
            assert_eq!(writes.len(), expected.len() + 2, "{case}: one write each");
            assert_eq!(resolved(&world.manager.take_events()), names, "{case}");
        }
    }
}

#[test]
fn tls_runs_with_the_server_through_every_kind() {
    for scheme in SOCKS {
        let (authority, server) = target();
        let world = World::of_pools(PoolSettings {
            tls: trust(&authority),
            ..through(proxy(&format!("{scheme}://p.test:9050")))
        });
        world.net.name("a.test", &[[192, 0, 2, 97].into()]);
        let seen = server.seen();
        let replies = granting(scheme);
        let opening = replies.iter().map(|reply| reply.len()).sum();
        let proxy = TestProxy::to(server).opening(opening);
        let heard = proxy.heard();
        let script = saying(replies).followed_by(in_turn(&[ok("a")]));
        world.listen("p.test", 9050, proxy.listener(vec![script]));
        for reused in [false, true] {
            let info = world.get("https://a.test/x").unwrap().connection;
            assert_eq!(info.reused, reused, "{scheme}");
            assert!(info.is_verified && !info.proxy_is_verified, "{scheme}");
        }
        assert_eq!(seen()[0].name.as_deref(), Some("a.test"), "{scheme}");
        assert_eq!(
            heard()[0].inside(),
            plain("/x", "a.test").repeat(2),
            "{scheme}"
        );
    }
}

#[test]
fn each_target_has_its_own_pool_and_redirects_go_from_one_to_the_other() {
    for scheme in SOCKS {
        let world = World::of_pools(PoolSettings {
            retries: Retries::total(3),
            ..through(proxy(&format!("{scheme}://p.test")))
        });
        for host in ["a.test", "b.test"] {
            world.net.name(host, &[address(host)]);
        }
        let replies = granting(scheme);
        let proxy = plain_proxy(replies);
        let heard = proxy.heard();
        let script = |response| saying(replies).followed_by(in_turn(&[response]));
        let scripts = vec![script(found("http://b.test/y")), script(ok("b"))];
        world.listen("p.test", 1080, proxy.listener(scripts));
        let answered = get(&world, "http://a.test/x").unwrap();
        assert_eq!(answered, (200, "http://b.test/y".into(), "b".into()));
        assert_eq!(world.manager.num_pools(), 2, "{scheme}");
        assert_eq!(heard()[0].inside(), plain("/x", "a.test"), "{scheme}");
        assert_eq!(heard()[1].inside(), plain("/y", "b.test"), "{scheme}");
    }
}

#[test]
fn names_are_looked_up_where_the_scheme_says() {
    let four: IpAddr = [192, 0, 2, 97].into();
    let six: IpAddr = "2001:db8::1".parse().unwrap();
    let six_written = b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
    let v4 = b"\x01\xc0\0\x02\x61";
    for (case, scheme, addresses, family, expected) in [
        (
            "both for 5",
            "socks5",
            vec![six, four],
            None,
            Ok(&six_written[..]),
        ),
        (
            "the first for 5",
            "socks5",
            vec![four, six],
            None,
            Ok(&v4[..]),
        ),
        (
            "as asked for 5",
            "socks5",
            vec![six, four],
            Some(AddressFamily::Ipv4),
            Ok(&v4[..]),
        ),
        ("both for 4", "socks4", vec![six, four], None, Ok(&v4[1..])),
        ("IPv6 alone for 4", "socks4", vec![six], None, Err("IPv4")),
        ("none for 4", "socks4", vec![], None, Err("no address")),
        ("none for 5", "socks5", vec![], None, Err("no address")),
    ] {
        let world = World::of_pools(PoolSettings {
            family,
            ..through(proxy(&format!("{scheme}://p.test")))
        });
        world.net.name("a.test", &addresses);
        let replies = granting(scheme);
        let proxy = plain_proxy(replies);
        let heard = proxy.heard();
        let script = saying(replies).followed_by(in_turn(&[ok("a")]));
        world.listen("p.test", 1080, proxy.listener(vec![script]));
        match expected {
            Ok(expected) => {
                assert_eq!(world.get("http://a.test/").expect(case).body, b"a");
                let asked = &heard()[0].outside;
                let at = asked
                    .windows(expected.len())
                    .position(|part| part == expected);
                assert!(at.is_some(), "{case}: {asked:?}");
            }
            Err(why) => {
                let error = world.get("http://a.test/").expect_err(case);
                assert_eq!(error.kind(), "name-resolution", "{case}");
                assert!(error.message().contains(why), "{case}: {error}");
                assert!(error.message().contains("a.test"), "{case}: {error}");
                assert_eq!(world.net.connections(), 0, "{case}: nobody is asked");
            }
        }
    }
}

#[test]
fn a_table_of_hosts_counts_where_we_look_up() {
    let entry = |host: &str, last| HostEntry {
        name: host.into(),
        addresses: vec![[192, 0, 2, last].into()],
    };
    for (scheme, expected) in [
        ("socks5", &b"\x01\xc0\0\x02\x63\0\x50"[..]),
        ("socks5h", b"\x03\x06a.test\0\x50"),
    ] {
        let world = World::with(ManagerSettings {
            hosts: vec![entry("a.test", 99), entry("p.test", 112)],
            pool: through(proxy(&format!("{scheme}://p.test"))),
            ..ManagerSettings::default()
        });
        let replies = granting(scheme);
        let proxy = plain_proxy(replies);
        let heard = proxy.heard();
        let script = saying(replies).followed_by(in_turn(&[ok("a")]));
        let there = "192.0.2.112:1080".parse().unwrap();
        world.net.listen(there, proxy.listener(vec![script]));
        world.get("http://a.test/").unwrap();
        assert!(heard()[0].outside.ends_with(expected), "{scheme}");
    }
}

#[test]
fn headers_for_a_proxy_are_not_for_socks() {
    let world = World::of_pools(through(ProxySettings {
        headers: Some(Headers::parse([("X-Proxy", "1")]).unwrap()),
        ..proxy("socks5h://p.test")
    }));
    let replies = granting("socks5h");
    let proxy = plain_proxy(replies);
    let heard = proxy.heard();
    let script = saying(replies).followed_by(in_turn(&[ok("a")]));
    world.listen("p.test", 1080, proxy.listener(vec![script]));
    world.get("http://a.test/x").unwrap();
    assert_eq!(heard()[0].inside(), plain("/x", "a.test"));
}

#[test]
fn a_connection_through_socks_that_died_idle_is_replaced() {
    for scheme in SOCKS {
        let world = through_socks(&format!("{scheme}://p.test"));
        world.net.name("a.test", &[[192, 0, 2, 97].into()]);
        let replies = granting(scheme);
        let proxy = plain_proxy(replies);
        let heard = proxy.heard();
        let once = || saying(replies).request().send(ok("a"));
        let always = saying(replies).followed_by(in_turn(&[ok("a")]));
        let scripts = vec![once().close(), once().vanish(), always];
        world.listen("p.test", 1080, proxy.listener(scripts));
        for number in 1..=3 {
            let reply = world.get("http://a.test/").unwrap();
            assert_eq!(reply.connection.number, number, "{scheme}");
            world.net.pass(MILLI);
        }
        let asked = heard();
        assert!(asked.iter().all(|heard| heard.outside == asked[0].outside));
    }
}
