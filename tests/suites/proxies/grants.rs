//! What the host lets a component do through a proxy.

use urlpool_host::{Grants, ManagerSettings, Phase, PoolSettings, ProxyManager, Retries, Settings};
use urlpool_tests::{Authority, HttpProxy, Origin, Reply, Server, SocksProxy};

use super::{FAR, NAMES, settings};
use crate::common::{failure_of, get, trusting};

async fn granted(proxy: String, grants: Grants, pool: PoolSettings) -> ProxyManager {
    let pool = PoolSettings {
        retries: Retries::off(),
        ..pool
    };
    let settings_of_manager = Settings {
        manager: ManagerSettings {
            pool,
            ..ManagerSettings::default()
        },
        grants,
        ..Settings::default()
    };
    ProxyManager::new(settings(proxy), settings_of_manager)
        .await
        .expect("settings that fit")
}

async fn origin(authority: &Authority) -> Server {
    let origin = Origin::new().reply(Reply::ok("secret"));
    origin.tls(authority.issue(&NAMES).tls()).start().await
}

#[tokio::test]
async fn a_granted_proxy_is_enough() {
    let authority = Authority::new();
    let origin = origin(&authority).await;
    for (proxy, scheme) in [
        (HttpProxy::new().start().await, "http"),
        (SocksProxy::new().start().await, "socks5h"),
    ] {
        let url = format!("{scheme}://localhost:{}", proxy.port());
        let grants = Grants::none().allow("localhost", proxy.port());
        let manager = granted(url, grants, trusting(&authority)).await;
        assert_eq!(get(&manager, origin.url_as(FAR, "/")).await, "secret");
    }
    assert_eq!(origin.accepted(), 2);
}

#[tokio::test]
async fn a_proxy_that_is_not_granted_is_denied() {
    let authority = Authority::new();
    let (origin, proxy) = (origin(&authority).await, HttpProxy::new().start().await);
    let port = proxy.port();
    // What is granted is the server: that is not who would be connected to.
    let grants = || {
        Grants::none()
            .allow(FAR, None)
            .allow("127.0.0.1", origin.port())
    };
    for (host, phase) in [("127.0.0.1", Phase::Connect), ("localhost", Phase::Resolve)] {
        let url = format!("http://{host}:{port}");
        let manager = granted(url, grants(), trusting(&authority)).await;
        for target in [origin.url_as(FAR, "/"), "http://far.test/".into()] {
            let error = failure_of(host, manager.get(target)).await;
            assert_eq!(error.kind(), "denied", "{error:?}");
            assert_eq!(error.failure().unwrap().phase, phase);
        }
    }
    assert_eq!((proxy.accepted(), origin.accepted()), (0, 0));
}
