//! Whether a server and its proxy are verified, and the warning of each that is not.

use rustls::version::TLS13;
use urlpool_core::types::{CertReqs, Event, PoolSettings, TlsSettings, TlsVersion};

use crate::common::{
    Authority, TestProxy, World, answer, answering, in_turn, ok, origin_of, trust, trusting,
    tunnelling, unverified,
};

fn warnings(world: &World) -> Vec<String> {
    let events = world.manager.take_events().into_iter();
    let warnings = events.filter_map(|event| match event {
        Event::Warned(text) => Some(text),
        _ => None,
    });
    warnings.collect()
}

fn warning(host: &str) -> String {
    format!(
        "Unverified HTTPS request is being made to host '{host}'. Adding certificate verification is strongly advised."
    )
}

#[test]
fn who_is_verified_in_each_of_seven_combinations() {
    for (case, url, proxy_url, forwards, target, proxys) in [
        ("http", "http://a.test/", "", false, false, false),
        ("https", "https://a.test/", "", false, true, false),
        (
            "http, forwarded",
            "http://a.test/",
            "http://p.test",
            false,
            false,
            false,
        ),
        (
            "https in a tunnel",
            "https://a.test/",
            "http://p.test",
            false,
            true,
            false,
        ),
        (
            "http, forwarded over TLS",
            "http://a.test/",
            "https://p.test",
            false,
            false,
            true,
        ),
        (
            "https in a tunnel over TLS",
            "https://a.test/",
            "https://p.test",
            false,
            true,
            true,
        ),
        (
            "https, forwarded over TLS",
            "https://a.test/",
            "https://p.test",
            true,
            false,
            true,
        ),
    ] {
        for is_trusting in [true, false] {
            let authority = Authority::new();
            let tls = TlsSettings {
                cert_reqs: (!is_trusting).then_some(CertReqs::None),
                ..trust(&authority)
            };
            let world = match proxy_url {
                "" => World::of_pools(PoolSettings {
                    tls,
                    ..PoolSettings::default()
                }),
                proxy_url => trusting(proxy_url, tls, None, forwards),
            };
            let server = || authority.server(&["a.test"], &[&TLS13]);
            world.serve("a.test", origin_of("a"));
            world.listen("a.test", 443, server().listener(origin_of("a")));
            let is_tunnel = url.starts_with("https") && !forwards;
            let script = || match is_tunnel {
                true => tunnelling(&[ok("a")]),
                false => in_turn(&[ok("a")]),
            };
            let plain = TestProxy::to(server());
            world.listen("p.test", 80, plain.listener(vec![script()]));
            let secure = TestProxy::to(server()).behind(authority.server(&["p.test"], &[&TLS13]));
            world.listen("p.test", 443, secure.listener(vec![script()]));
            for _ in 0..2 {
                let info = world.get(url).unwrap().connection;
                let found = (info.is_verified, info.proxy_is_verified);
                let expected = (target && is_trusting, proxys && is_trusting);
                assert_eq!(found, expected, "{case}, {is_trusting}");
                let expected_tls = target.then_some(TlsVersion::Tls13);
                assert_eq!(info.tls, expected_tls, "{case}, {is_trusting}");
                // With each request, as in urllib3.
                let mut expected = Vec::new();
                if proxys && !is_trusting {
                    expected.push(warning("p.test"));
                }
                if target && !is_trusting {
                    expected.push(warning("a.test"));
                }
                assert_eq!(warnings(&world), expected, "{case}, {is_trusting}");
            }
        }
    }
}

#[test]
fn only_who_is_not_verified_is_warned_of() {
    let (servers, proxys) = (Authority::new(), Authority::new());
    let fingerprinted = |certificate: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
        let hex: Vec<_> = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        TlsSettings {
            assert_fingerprint: Some(hex.join(":")),
            ..unverified()
        }
    };
    for (case, pools, own, is_pinned, target, proxy_is) in [
        ("both", trust(&servers), trust(&proxys), false, true, true),
        (
            "the proxy",
            unverified(),
            trust(&proxys),
            false,
            false,
            true,
        ),
        (
            "the server",
            trust(&servers),
            unverified(),
            false,
            true,
            false,
        ),
        ("neither", unverified(), unverified(), false, false, false),
        (
            "a pinned proxy",
            unverified(),
            unverified(),
            true,
            false,
            true,
        ),
    ] {
        let outer = proxys.server(&["p.test"], &[&TLS13]);
        let own = match is_pinned {
            true => fingerprinted(&outer.certificate),
            false => own,
        };
        let world = trusting("https://p.test", pools, Some(own), false);
        let proxy = TestProxy::to(servers.server(&["a.test"], &[&TLS13])).behind(outer);
        world.listen("p.test", 443, proxy.listener(vec![tunnelling(&[ok("a")])]));
        let info = world.get("https://a.test/").unwrap().connection;
        let found = (info.is_verified, info.proxy_is_verified);
        assert_eq!(found, (target, proxy_is), "{case}");
        let warned = warnings(&world);
        let is_warned = |host: &str| warned.contains(&warning(host));
        assert_eq!(is_warned("a.test"), !target, "{case}");
        assert_eq!(is_warned("p.test"), !proxy_is, "{case}");
    }
}

#[test]
fn a_proxy_is_warned_of_before_it_is_told_who_we_are() {
    let authority = Authority::new();
    let world = trusting("https://user:secret@p.test", unverified(), None, false);
    let refusing = answering(answer("407 No", &[], ""));
    let proxy = TestProxy::new().behind(authority.server(&["p.test"], &[&TLS13]));
    world.listen("p.test", 443, proxy.listener(vec![refusing]));
    assert_eq!(world.get("https://a.test/").unwrap_err().kind(), "proxy");
    let events = world.manager.take_events();
    let places = |is: fn(&Event) -> bool| -> Vec<usize> {
        let places = events.iter().enumerate().filter(|(_, event)| is(event));
        places.map(|(place, _)| place).collect()
    };
    let warned = places(|event| *event == Event::Warned(warning("p.test")));
    let sent = places(|event| matches!(event, Event::Sent { .. }));
    assert_eq!((warned.len(), sent.len()), (1, 1), "{events:?}");
    assert!(warned < sent, "{events:?}");
}
