//! Connections through SOCKS: what is said, who looks up names, and what comes of a proxy that says no or nothing.

use std::net::IpAddr;
use std::time::Duration;

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    AddressFamily, Headers, HostEntry, ManagerSettings, Phase, PoolSettings, ProxySettings,
    Retries, Timeouts,
};

use crate::common::{
    GRANTED4, GRANTED5, MILLI, SECOND, TestProxy, World, address, connect, deadline, found, get,
    in_turn, ok, plain, proxy, resolved, target, through, times_out, total, trust,
};

/// What is granted without a login.
const METHOD: &[u8] = b"\x05\0";
/// What asks for name and password.
const PASSWORD: &[u8] = b"\x05\x02";
const RIGHT: &[u8] = b"\x01\0";
const KINDS: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

/// A proxy that says these, each once something has come.
fn saying(replies: &[&[u8]]) -> Script {
    replies.iter().fold(Script::new(), |script, reply| {
        script.anything().send(*reply)
    })
}

/// What a proxy of a kind says where all goes well.
fn granting(scheme: &str) -> &'static [&'static [u8]] {
    if scheme.starts_with("socks4") {
        &[GRANTED4]
    } else {
        &[METHOD, GRANTED5]
    }
}

fn through_socks(url: &str) -> World {
    World::of_pools(through(proxy(url)))
}

/// A proxy that leads to servers without TLS.
fn plain_proxy(replies: &[&[u8]]) -> TestProxy {
    TestProxy::new().opening(replies.iter().map(|reply| reply.len()).sum())
}

fn facing(url: &str, script: Script, timeouts: Timeouts) -> World {
    let world = World::of_pools(PoolSettings {
        timeouts,
        ..through(proxy(url))
    });
    world.net.name("a.test", &[[192, 0, 2, 97].into()]);
    world.listen("p.test", 1080, Listener::Accept(vec![script]));
    world
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
    for scheme in KINDS {
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
    for scheme in KINDS {
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
fn every_no_has_its_own_words() {
    for (case, url, replies, expected) in [
        (
            "4",
            "socks4://p.test",
            vec![&b"\0\x5b\0\0\0\0\0\0"[..]],
            "0x5b: Request rejected or failed",
        ),
        (
            "4a",
            "socks4a://p.test",
            vec![b"\0\x5d\0\0\0\0\0\0"],
            "0x5d: Request rejected because the client program and identd report different user-ids",
        ),
        (
            "4, unknown",
            "socks4://p.test",
            vec![b"\0\x01\0\0\0\0\0\0"],
            "0x01: Unknown error",
        ),
        (
            "no method",
            "socks5://p.test",
            vec![b"\x05\xff"],
            "all offered SOCKS5 authentication methods were rejected",
        ),
        (
            "a login is wanted",
            "socks5://p.test",
            vec![PASSWORD],
            "the proxy picked the SOCKS5 authentication method 0x02, which was not offered",
        ),
        (
            "a wrong login",
            "socks5://me:secret@p.test",
            vec![PASSWORD, b"\x01\x01"],
            "SOCKS5 authentication failed",
        ),
        (
            "ruleset",
            "socks5h://p.test",
            vec![METHOD, b"\x05\x02\0\x01\0\0\0\0\0\0"],
            "0x02: Connection not allowed by ruleset",
        ),
        (
            "refused",
            "socks5h://p.test",
            vec![METHOD, b"\x05\x05\0\x01\0\0\0\0\0\0"],
            "0x05: Connection refused",
        ),
        (
            "unreachable",
            "socks5://p.test",
            vec![METHOD, b"\x05\x04\0\x01\0\0\0\0\0\0"],
            "0x04: Host unreachable",
        ),
        (
            "HTTP for 5",
            "socks5://p.test",
            vec![b"HTTP/1.1 400 Bad Request\r\n\r\n"],
            "the proxy does not speak SOCKS5: its reply begins with 0x48",
        ),
        (
            "5 for 4",
            "socks4://p.test",
            vec![b"\x05\xff"],
            "the proxy does not speak SOCKS4: its reply begins with 0x05",
        ),
        (
            "more behind 4",
            "socks4://p.test",
            vec![b"\0\x5a\0\0\0\0\0\0HTTP"],
            "the proxy sent 4 bytes behind its reply",
        ),
        (
            "more behind 5",
            "socks5://p.test",
            vec![METHOD, b"\x05\0\0\x01\0\0\0\0\0\0\x16"],
            "the proxy sent 1 bytes behind its reply",
        ),
        (
            "more behind a method",
            "socks5://p.test",
            vec![b"\x05\0\x05\0\0\x01\0\0\0\0\0\0"],
            "the proxy sent 10 bytes behind its reply",
        ),
    ] {
        for scheme in ["http", "https"] {
            let world = facing(url, saying(&replies), Timeouts::default());
            let error = world.get(&format!("{scheme}://a.test/")).expect_err(case);
            assert_eq!(error.kind(), "proxy", "{case}: {error}");
            assert_eq!(
                error.message(),
                format!("Unable to connect to proxy: {expected}"),
                "{case}"
            );
            let failure = error.failure().unwrap();
            assert_eq!(failure.phase, Phase::Tunnel, "{case}");
            assert!(!failure.may_have_been_acted_on, "{case}");
            assert_eq!(failure.refusal, None, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
            assert_eq!(
                world.net.writes(0).len(),
                replies.len(),
                "{case}: nothing more is said"
            );
        }
    }
}

#[test]
fn a_proxy_that_breaks_off_or_says_nothing_does_not_hold_us_up() {
    for scheme in KINDS {
        let url = format!("{scheme}://p.test");
        let lookup = if matches!(scheme, "socks4" | "socks5") {
            MILLI
        } else {
            Duration::ZERO
        };
        for (case, script) in [
            ("closed", Script::new().anything().close()),
            (
                "cut",
                Script::new()
                    .anything()
                    .send(&granting(scheme)[0][..1])
                    .close(),
            ),
            ("reset", Script::new().anything().reset()),
        ] {
            let world = facing(&url, script, Timeouts::default());
            let (outcome, took) = world.timed_by(|| world.get("http://a.test/"));
            let error = outcome.expect_err(case);
            assert_eq!(error.kind(), "proxy", "{scheme} {case}");
            let words = "Unable to connect to proxy: Connection aborted. ";
            assert!(
                error.message().starts_with(words),
                "{scheme} {case}: {error}"
            );
            assert_eq!(took, lookup + MILLI * 2, "{scheme} {case}");
        }
        let first = granting(scheme)[0];
        for (case, script) in [
            ("silent", Script::new().anything()),
            ("half", Script::new().anything().send(&first[..1])),
            (
                "dripping",
                Script::new().anything().drip(&first[..1], SECOND * 2),
            ),
        ] {
            for (timeouts, kind, clock) in [
                (connect(3), "connect-timeout", "connect timeout"),
                (total(3), "connect-timeout", "total timeout"),
                (deadline(3), "deadline-exceeded", "deadline"),
            ] {
                let world = facing(&url, script.clone(), timeouts);
                let expected = format!(
                    "Unable to connect to proxy: Asking p.test for a connection timed out. ({clock})"
                );
                assert_eq!(
                    times_out(&world, "http://a.test/", case),
                    (kind, Phase::Tunnel, expected, SECOND * 3),
                    "{scheme} {case}"
                );
                assert_eq!(world.net.open_connections(), 0, "{scheme} {case}");
            }
        }
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
    for scheme in KINDS {
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
