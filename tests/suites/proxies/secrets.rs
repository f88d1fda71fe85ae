//! Where the credentials for a proxy go, and where they never go.

use urlpool_host::{
    Credentials, Event, Grants, Headers, ManagerSettings, PoolManager, PoolSettings, Proxies,
    ProxySettings, Retries, Settings,
};
use urlpool_tests::{Authority, HttpProxy, Origin, Reply, Server};

use super::{FAR, NAMES, settings, through};
use crate::common::{failure_of, get, trusting};

const NAME: &str = "me";
const WORD: &str = "hunter2";
/// What Basic makes of them (RFC 7617).
const BASIC: &str = "bWU6aHVudGVyMg==";

fn guarded() -> HttpProxy {
    HttpProxy::new().credentials(NAME, WORD)
}

fn with_userinfo(proxy: &Server) -> ProxySettings {
    settings(proxy.url("").replace("://", &format!("://{NAME}:{WORD}@")))
}

#[tokio::test]
async fn credentials_are_shown_to_the_proxy_once_and_never_inside() {
    let authority = Authority::new();
    let origin = Origin::new()
        .reply(Reply::ok("secret"))
        .tls(authority.issue(&NAMES).tls())
        .start()
        .await;
    for is_in_url in [true, false] {
        let proxy = guarded().start().await;
        let credentials = Credentials {
            username: NAME.into(),
            password: WORD.into(),
        };
        let settings = match is_in_url {
            true => with_userinfo(&proxy),
            false => ProxySettings {
                credentials: Some(credentials),
                ..settings(proxy.url(""))
            },
        };
        let manager = through(settings, trusting(&authority)).await;
        for path in ["/1", "/2"] {
            assert_eq!(get(&manager, origin.url_as(FAR, path)).await, "secret");
        }
        let sent = proxy.request().field("Proxy-Authorization");
        assert_eq!(sent, Some(format!("Basic {BASIC}")));
        get(&manager, "http://far.test/").await;
        let forwarded = proxy.requests().pop().unwrap();
        assert_eq!(forwarded.target(), "http://far.test/");
        let sent = forwarded.field("Proxy-Authorization");
        assert_eq!(sent, Some(format!("Basic {BASIC}")));
        assert!(!manager.proxy().contains(NAME), "{}", manager.proxy());
    }
    for request in origin.requests() {
        assert_eq!(request.field("Proxy-Authorization"), None);
    }
}

#[tokio::test]
async fn the_callers_own_header_wins() {
    let proxy = HttpProxy::new().start().await;
    let own = Headers::parse([("Proxy-Authorization", "Bearer mine")]).unwrap();
    let settings = ProxySettings {
        headers: Some(own),
        ..with_userinfo(&proxy)
    };
    let manager = through(settings, PoolSettings::default()).await;
    get(&manager, "http://far.test/").await;
    let all: Vec<_> = proxy
        .request()
        .fields()
        .into_iter()
        .filter(|(name, _)| name == "Proxy-Authorization")
        .collect();
    assert_eq!(
        all,
        [("Proxy-Authorization".to_owned(), "Bearer mine".to_owned())]
    );
}

/// A manager whose requests go through a guarded proxy, but for those to the loopback.
async fn mixed(proxy: &Server, events: u32) -> PoolManager {
    let proxies = Proxies {
        no_proxy: vec!["127.0.0.1".into()],
        ..Proxies::all_through(with_userinfo(proxy))
    };
    let pool = PoolSettings {
        proxies: Some(proxies),
        retries: Retries::total(3),
        ..PoolSettings::default()
    };
    let settings = Settings {
        manager: ManagerSettings {
            pool,
            events: Some(events),
            ..ManagerSettings::default()
        },
        grants: Grants::all(),
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

#[tokio::test]
async fn a_redirect_past_the_proxy_leaves_its_credentials_behind() {
    let origin = Origin::new()
        .at(
            "/back",
            Reply::new(302, "").header("Location", "http://far.test/end"),
        )
        .reply(Reply::ok("near"))
        .start()
        .await;
    let to = |location: String| Reply::new(302, "").header("Location", location);
    let proxy = guarded()
        .at("http://far.test/near", to(origin.url("/near")))
        .at("http://far.test/back", to(origin.url("/back")))
        .at("http://far.test/end", Reply::ok("far"))
        .start()
        .await;
    let manager = mixed(&proxy, 0).await;
    assert_eq!(get(&manager, "http://far.test/near").await, "near");
    assert_eq!(get(&manager, "http://far.test/back").await, "far");
    assert_eq!(origin.requests().len(), 2);
    for request in origin.requests() {
        assert_eq!(request.field("Proxy-Authorization"), None);
        assert_eq!(request.field("Host"), Some(origin.authority()));
    }
    for request in proxy.requests() {
        assert_eq!(
            request.field("Proxy-Authorization"),
            Some(format!("Basic {BASIC}"))
        );
    }
}

#[tokio::test]
async fn no_error_and_no_event_shows_them() {
    let proxy = HttpProxy::new().credentials("you", "other").start().await;
    let manager = mixed(&proxy, 100).await;
    let once = |url: &str| manager.get(url).retries(Retries::off());
    let error = failure_of("refused", once("https://far.test/")).await;
    assert_eq!(error.kind(), "proxy");
    let mut refused = once("http://far.test/").send().await.unwrap();
    assert_eq!(refused.status(), 407);
    refused.drain().await.unwrap();
    let events = manager.take_events().await.unwrap();
    let sent = events
        .iter()
        .filter(|event| matches!(event, Event::Sent { .. }));
    assert_eq!(sent.count(), 2);
    for shown in [format!("{error:?} {error}"), format!("{events:?}")] {
        assert!(!shown.contains(WORD) && !shown.contains(BASIC), "{shown}");
    }
}
