//! Proxies that open no connection through SOCKS: what they say instead, and how long that may take.

use std::time::Duration;

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{Phase, PoolSettings, Timeouts};

use crate::common::{
    METHOD, MILLI, PASSWORD, SECOND, SOCKS, World, connect, deadline, granting, proxy, saying,
    through, times_out, total,
};

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
    for scheme in SOCKS {
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
