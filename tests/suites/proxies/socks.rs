//! SOCKS in all four spellings.

use std::net::{IpAddr, Ipv4Addr};

use urlpool_host::{
    ClientError, Credentials, Grants, HostEntry, ManagerSettings, Phase, PoolSettings,
    ProxyManager, ProxySettings, Retries, Settings,
};
use urlpool_tests::{Authority, Origin, Reply, Server, SocksHost, SocksProxy, Tunnel, fail};

use super::{FAR, NAMES, settings, through};
use crate::common::{failure_of, get, trusting};

const WORD: &str = "pass word";

/// A manager that knows where the far server is, where it is asked.
async fn knowing(proxy: ProxySettings, pool: PoolSettings) -> ProxyManager {
    let known = HostEntry {
        name: FAR.into(),
        addresses: vec![Ipv4Addr::LOCALHOST.into()],
    };
    let manager = ManagerSettings {
        pool: PoolSettings {
            retries: Retries::off(),
            ..pool
        },
        hosts: vec![known],
        ..ManagerSettings::default()
    };
    let settings = Settings {
        manager,
        grants: Grants::all(),
        ..Settings::default()
    };
    let manager = ProxyManager::new(proxy, settings).await;
    manager.expect("settings that fit")
}

fn url(scheme: &str, userinfo: &str, proxy: &Server) -> String {
    format!("{scheme}://{userinfo}127.0.0.1:{}", proxy.port())
}

#[tokio::test]
async fn the_scheme_says_what_is_spoken_and_who_looks_up_the_name() {
    let authority = Authority::new();
    let answers = || Origin::new().reply(Reply::ok("far"));
    let secure = answers().tls(authority.issue(&NAMES).tls()).start().await;
    let plain = answers().start().await;
    let near = SocksHost::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let far = SocksHost::Name(FAR.into());
    for (scheme, version, has_password, host) in [
        ("socks4", 4, false, &near),
        ("socks4a", 4, false, &far),
        ("socks5", 5, true, &near),
        ("socks5h", 5, true, &far),
    ] {
        for has_login in [false, true] {
            let case = format!("{scheme}, login {has_login}");
            let proxy = match has_login {
                true => SocksProxy::new().credentials("me", WORD).start().await,
                false => SocksProxy::new().start().await,
            };
            let userinfo = if has_login { "me:pass%20word@" } else { "" };
            let settings = settings(url(scheme, userinfo, &proxy));
            let manager = knowing(settings, trusting(&authority)).await;
            for origin in [&plain, &secure] {
                let target = origin.url_as(FAR, "/");
                assert_eq!(get(&manager, &*target).await, "far", "{case}");
                assert_eq!(get(&manager, &*target).await, "far", "{case}");
                let asked = proxy.connections().pop().unwrap().socks.unwrap();
                assert_eq!(
                    (asked.version, asked.port),
                    (version, origin.port()),
                    "{case}"
                );
                assert_eq!(&asked.host, host, "{case}");
                let user = has_login.then_some("me");
                assert_eq!(asked.user.as_deref(), user, "{case}");
                let password = (has_login && has_password).then_some(WORD);
                assert_eq!(asked.password.as_deref(), password, "{case}");
                assert_eq!(
                    asked.methods.contains(&2),
                    has_login && has_password,
                    "{case}"
                );
            }
            assert_eq!(proxy.accepted(), 2, "a tunnel for each server: {case}");
            assert_eq!(manager.num_pools().await.unwrap(), 2, "{case}");
        }
    }
    for request in plain.requests().iter().chain(&secure.requests()) {
        assert_eq!(request.target(), "/");
        assert_eq!(request.field("Proxy-Authorization"), None);
    }
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let greeting = || SocksProxy::new().credentials("me", WORD);
    let wrong = || {
        Some(Credentials {
            username: "me".into(),
            password: "other".into(),
        })
    };
    let answering = |tunnel| SocksProxy::new().tunnel(tunnel);
    let refusing = |code| answering(Tunnel::code(code));
    let web = "HTTP/1.1 400 \r\n\r\n";
    let (none, empty) = (None, Some(Credentials::default()));
    for (case, scheme, proxy, credentials, expected) in [
        (
            "policy",
            "socks5h",
            refusing(2),
            none.clone(),
            "0x02: Connection not allowed by ruleset",
        ),
        (
            "unreachable",
            "socks5h",
            refusing(4),
            none.clone(),
            "0x04: Host unreachable",
        ),
        (
            "refused",
            "socks5h",
            refusing(5),
            none.clone(),
            "0x05: Connection refused",
        ),
        (
            "refused by 4",
            "socks4a",
            refusing(91),
            none.clone(),
            "0x5b: Request rejected or failed",
        ),
        (
            "no login",
            "socks5h",
            greeting(),
            none.clone(),
            "all offered SOCKS5 authentication methods were rejected",
        ),
        (
            "wrong login",
            "socks5h",
            greeting(),
            wrong(),
            "SOCKS5 authentication failed",
        ),
        (
            "wrong user of 4",
            "socks4a",
            greeting(),
            empty,
            "0x5d: Request rejected because",
        ),
        (
            "no SOCKS",
            "socks5h",
            answering(Tunnel::refusing_with(web)),
            none.clone(),
            "does not speak SOCKS5",
        ),
        (
            "early bytes",
            "socks5h",
            answering(Tunnel::open().extra(web)),
            none.clone(),
            "the proxy sent 17 bytes behind its reply",
        ),
        (
            "no answer",
            "socks5h",
            answering(Tunnel::closing()),
            none,
            "closed the connection before it had answered",
        ),
    ] {
        let origin = Origin::new().reply(Reply::ok("far")).start().await;
        let proxy = proxy.start().await;
        let settings = ProxySettings {
            credentials,
            ..settings(url(scheme, "", &proxy))
        };
        let manager = through(settings, PoolSettings::default()).await;
        let error = failure_of(case, manager.get(origin.url_as(FAR, "/"))).await;
        let ClientError::Proxy(failure) = &error else {
            fail(&format!("{case}: {error:?}"));
        };
        assert_eq!(failure.phase, Phase::Tunnel, "{case}");
        assert!(
            failure.message.contains(expected),
            "{case}: {}",
            failure.message
        );
        assert!(!format!("{error:?}").contains("other"), "{case}: {error:?}");
        assert!(origin.requests().is_empty(), "{case}");
    }
}
