//! By whose settings a proxy is trusted and by whose a server.

use rustls::version::{TLS12, TLS13};
use urlpool_core::driver::Manager;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{
    AssertHostname, ManagerSettings, ProxySettings, TlsSettings, TlsVersion,
};

use crate::common::{
    Authority, TestProxy, in_turn, ok, origin_of, proxy, through, trust, trusting, tunnelling,
    unverified,
};

const KEY: &str = include_str!("keys/ec.pem");

#[test]
fn cve_2026_97687_a_proxys_settings_stand_alone() {
    let (servers, proxys, other) = (Authority::new(), Authority::new(), Authority::new());
    let refused = Err("unable to get local issuer certificate");
    for (case, pools, own, is_plain_target, expected) in [
        (
            "its own authority",
            trust(&servers),
            trust(&proxys),
            false,
            Ok(()),
        ),
        (
            "no verification of servers is none of its business",
            unverified(),
            trust(&other),
            false,
            refused,
        ),
        (
            "nor where it forwards",
            unverified(),
            trust(&other),
            true,
            refused,
        ),
        (
            "nothing said means the built-in authorities",
            trust(&proxys),
            TlsSettings::default(),
            false,
            refused,
        ),
        (
            "whom servers are asked to be",
            TlsSettings {
                server_hostname: Some("a.test".into()),
                assert_hostname: Some(AssertHostname::Name("a.test".into())),
                assert_fingerprint: None,
                ..trust(&servers)
            },
            trust(&proxys),
            false,
            Ok(()),
        ),
        (
            "another name of its own",
            trust(&servers),
            TlsSettings {
                assert_hostname: Some(AssertHostname::Name("q.test".into())),
                ..trust(&proxys)
            },
            false,
            Err("Hostname mismatch"),
        ),
        (
            "a fingerprint of its own",
            trust(&servers),
            TlsSettings {
                assert_fingerprint: Some("00".repeat(32)),
                ..trust(&proxys)
            },
            true,
            Err("Fingerprints did not match"),
        ),
    ] {
        let world = trusting("https://p.test", pools, Some(own), false);
        let outer = proxys.server(&["p.test"], &[&TLS13]);
        let seen = outer.seen();
        let proxy = TestProxy::to(servers.server(&["a.test"], &[&TLS13])).behind(outer);
        let script = match is_plain_target {
            true => in_turn(&[ok("a")]),
            false => tunnelling(&[ok("a")]),
        };
        world.listen("p.test", 443, proxy.listener(vec![script]));
        let scheme = if is_plain_target { "http" } else { "https" };
        let outcome = world.get(&format!("{scheme}://a.test/"));
        match expected {
            Ok(()) => assert_eq!(outcome.expect(case).body, b"a", "{case}"),
            Err(why) => {
                let error = outcome.expect_err(case);
                assert_eq!(error.kind(), "proxy", "{case}");
                assert!(error.message().contains(why), "{case}: {error}");
            }
        }
        assert_eq!(seen()[0].name.as_deref(), Some("p.test"), "{case}");
    }
}

#[test]
fn cve_2026_97687_what_says_who_servers_are_does_not_say_who_the_proxy_is() {
    let authority = Authority::new();
    let certificate = authority.client(KEY).into_bytes();
    // A fingerprint of the server's, which no proxy could have.
    let server = authority.server_for_members(&["s.test"], &TLS12);
    let fingerprint = {
        use std::fmt::Write as _;
        let digest = ring::digest::digest(&ring::digest::SHA256, &server.certificate);
        digest
            .as_ref()
            .iter()
            .fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            })
    };
    let pools = TlsSettings {
        server_hostname: Some("s.test".into()),
        assert_fingerprint: Some(fingerprint),
        client_certificates: Some(certificate),
        client_key: Some(KEY.into()),
        ..trust(&authority)
    };
    let world = trusting("https://p.test", pools, None, false);
    let outer = authority.server(&["p.test"], &[&TLS13]);
    let (inner_seen, outer_seen) = (server.seen(), outer.seen());
    let proxy = TestProxy::to(server).behind(outer);
    world.listen("p.test", 443, proxy.listener(vec![tunnelling(&[ok("a")])]));
    let info = world.get("https://a.test/").unwrap().connection;
    assert_eq!((info.is_verified, info.proxy_is_verified), (true, true));
    let (inner, outer) = (inner_seen(), outer_seen());
    assert_eq!(outer[0].name.as_deref(), Some("p.test"));
    assert_eq!(outer[0].certificates, 0, "ours are for servers");
    assert_eq!(inner[0].name.as_deref(), Some("s.test"));
    assert_eq!(inner[0].certificates, 1);
}

#[test]
fn our_certificate_is_not_shown_to_a_proxy_that_asks_for_it() {
    let authority = Authority::new();
    let own = |tls: TlsSettings| TlsSettings {
        client_certificates: Some(authority.client(KEY).into_bytes()),
        client_key: Some(KEY.into()),
        ..tls
    };
    for (case, pools, proxys, shown) in [
        ("for servers", own(trust(&authority)), None, 0),
        (
            "for servers, beside settings of the proxy's",
            own(trust(&authority)),
            Some(trust(&authority)),
            0,
        ),
        (
            "for the proxy",
            trust(&authority),
            Some(own(trust(&authority))),
            1,
        ),
    ] {
        // In version 1.3 the refusal comes when we have sent the request.
        for version in [&TLS12, &TLS13] {
            let world = trusting("https://p.test", pools.clone(), proxys.clone(), false);
            let outer = authority.server_for_members(&["p.test"], version);
            let seen = outer.seen();
            let proxy = TestProxy::new().behind(outer);
            world.listen("p.test", 443, proxy.listener(origin_of("a")));
            let outcome = world.get("http://a.test/");
            let found = seen().first().map_or(0, |seen| seen.certificates);
            assert_eq!(found, shown, "{case}");
            let kind = outcome.map_or_else(|error| error.kind(), |_| "none");
            assert_eq!(kind, if shown == 1 { "none" } else { "proxy" }, "{case}");
        }
    }
}

#[test]
fn cve_2026_97687_trust_in_a_proxy_is_no_trust_in_servers() {
    let (servers, proxys) = (Authority::new(), Authority::new());
    for (case, own) in [
        ("its authority", trust(&proxys)),
        ("none at all", unverified()),
    ] {
        let world = trusting("https://p.test", TlsSettings::default(), Some(own), false);
        let inner = match case {
            "its authority" => proxys.server(&["a.test"], &[&TLS13]),
            _ => servers.server(&["a.test"], &[&TLS13]),
        };
        let proxy = TestProxy::to(inner).behind(proxys.server(&["p.test"], &[&TLS13]));
        let heard = proxy.heard();
        world.listen("p.test", 443, proxy.listener(vec![tunnelling(&[ok("a")])]));
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(error.kind(), "tls", "{case}: {error}");
        assert_eq!(heard()[0].inside(), "", "{case}");
    }
}

#[test]
fn a_proxys_settings_that_make_no_sense_are_refused_at_once() {
    for (case, tls) in [
        (
            "roots",
            TlsSettings {
                roots: Some(b"no certificate".to_vec()),
                ..TlsSettings::default()
            },
        ),
        (
            "a fingerprint",
            TlsSettings {
                assert_fingerprint: Some("12".into()),
                ..TlsSettings::default()
            },
        ),
        (
            "versions",
            TlsSettings {
                min_version: Some(TlsVersion::Tls13),
                max_version: Some(TlsVersion::Tls12),
                ..TlsSettings::default()
            },
        ),
    ] {
        let settings = ManagerSettings {
            pool: through(ProxySettings {
                tls: Some(tls),
                ..proxy("https://p.test")
            }),
            ..ManagerSettings::default()
        };
        let net = SimNet::new();
        let refused = Manager::new(net, settings).err();
        assert_eq!(refused.unwrap().kind(), "invalid-settings", "{case}");
    }
}
