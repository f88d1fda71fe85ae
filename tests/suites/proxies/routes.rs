//! What a proxy and a scheme come to: the rows of the table in README.md, and pools.

use urlpool_host::{PoolManager, ProxySettings, Response};
use urlpool_tests::{Authority, HttpProxy, Origin, Reply, Server, Tls};

use super::{FAR, NAMES, heads, settings, through};
use crate::common::{get, manager, manager_with_pools, text, trusting};

/// What every request says for itself, in the order in which it is sent.
const OURS: &str = "Host, Accept-Encoding, User-Agent";
const FORWARDED: &str = "Accept-Encoding, User-Agent, Accept, Host";

async fn origin(tls: Option<Tls>) -> Server {
    let origin = Origin::new().reply(Reply::ok("from the origin"));
    match tls {
        Some(tls) => origin.tls(tls).start().await,
        None => origin.start().await,
    }
}

/// Whether server and proxy have proved who they are, over a connection whose TLS ends at the server.
fn verified(response: &Response) -> (bool, bool) {
    let connection = &response.head().connection;
    (connection.is_verified, connection.proxy_is_verified)
}

/// Asks twice; says who was verified, and what was answered.
async fn ask(manager: &PoolManager, url: &str) -> ((bool, bool), String) {
    let first = manager.get(url).send().await.expect("a response");
    let who = verified(&first);
    let body = text(first).await;
    let second = manager.get(url).send().await.expect("a response");
    assert!(second.head().connection.reused);
    assert_eq!((verified(&second), text(second).await), (who, body.clone()));
    assert_eq!(manager.num_pools().await.expect("a count"), 1);
    (who, body)
}

#[tokio::test]
async fn an_http_target_without_a_proxy_is_asked_itself() {
    let (manager, origin) = (manager().await, origin(None).await);
    let answer = ask(&manager, &origin.url("/x")).await;
    assert_eq!(answer, ((false, false), "from the origin".into()));
    assert_eq!(heads(&origin), vec![format!("GET /x: {OURS}"); 2]);
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn an_https_target_without_a_proxy_is_asked_itself() {
    let authority = Authority::new();
    let manager = manager_with_pools(trusting(&authority)).await;
    let origin = origin(Some(authority.issue(&NAMES).tls())).await;
    let answer = ask(&manager, &origin.url("/x")).await;
    assert_eq!(answer, ((true, false), "from the origin".into()));
    assert_eq!(heads(&origin), vec![format!("GET /x: {OURS}"); 2]);
    assert_eq!(origin.accepted(), 1);
}

/// A proxy, a manager that sends everything through it, and an authority that vouches for all.
struct Scene {
    authority: Authority,
    proxy: Server,
    manager: urlpool_host::ProxyManager,
}

impl Scene {
    async fn with(is_secure: bool, forwards_https: bool) -> Self {
        let authority = Authority::new();
        let answers = HttpProxy::new().reply(Reply::ok("from the proxy"));
        let proxy = if is_secure {
            answers.tls(authority.issue(&NAMES).tls()).start().await
        } else {
            answers.start().await
        };
        let settings = ProxySettings {
            use_forwarding_for_https: Some(forwards_https),
            ..settings(proxy.url(""))
        };
        let manager = through(settings, trusting(&authority)).await;
        Self {
            authority,
            proxy,
            manager,
        }
    }

    async fn secure_origin(&self) -> Server {
        origin(Some(self.authority.issue(&NAMES).tls())).await
    }

    /// Asks for an `http` URL.
    async fn forwards(&self, url: &str, who: (bool, bool)) {
        let answer = ask(&self.manager, url).await;
        assert_eq!(answer, (who, "from the proxy".into()));
        assert_eq!(
            heads(&self.proxy),
            vec![format!("GET {url}: {FORWARDED}"); 2]
        );
        assert_eq!(self.proxy.accepted(), 1);
        for request in self.proxy.requests() {
            let host = request.field("Host").unwrap_or_default();
            assert!(host.starts_with(FAR), "{host}");
        }
    }

    /// Asks for an `https` URL.
    async fn tunnels(&self, who: (bool, bool)) {
        let origin = self.secure_origin().await;
        let url = origin.url_as(FAR, "/x");
        let answer = ask(&self.manager, &url).await;
        assert_eq!(answer, (who, "from the origin".into()));
        let port = origin.port();
        let expected = format!("CONNECT {FAR}:{port} HTTP/1.1\r\nHost: {FAR}:{port}\r\n\r\n");
        assert_eq!(self.proxy.request().head_text(), expected);
        assert_eq!(heads(&origin), vec![format!("GET /x: {OURS}"); 2]);
        assert_eq!((self.proxy.accepted(), origin.accepted()), (1, 1));
        for connection in self.proxy.connections() {
            let inside = connection.tunnelled();
            assert_eq!(inside.first(), Some(&22), "a handshake record of TLS");
            assert!(!inside.windows(4).any(|four| four == b"GET "));
        }
    }
}

#[tokio::test]
async fn an_http_target_is_forwarded_by_an_http_proxy() {
    let scene = Scene::with(false, false).await;
    scene.forwards("http://far.test/x", (false, false)).await;
}

#[tokio::test]
async fn an_http_target_is_forwarded_by_an_https_proxy() {
    let scene = Scene::with(true, false).await;
    scene.forwards("http://far.test:81/x", (false, true)).await;
}

#[tokio::test]
async fn an_https_target_is_tunnelled_to_through_an_http_proxy() {
    // Only an https proxy is trusted with what is inside.
    for forwards_https in [false, true] {
        let scene = Scene::with(false, forwards_https).await;
        scene.tunnels((true, false)).await;
    }
}

#[tokio::test]
async fn an_https_target_is_tunnelled_to_through_an_https_proxy() {
    Scene::with(true, false).await.tunnels((true, true)).await;
}

#[tokio::test]
async fn an_https_target_is_forwarded_by_an_https_proxy_where_that_is_asked_for() {
    let scene = Scene::with(true, true).await;
    scene.forwards("https://far.test/x", (false, true)).await;
}

#[tokio::test]
async fn plain_targets_share_a_pool_and_secure_ones_have_their_own() {
    let scene = Scene::with(false, false).await;
    let manager = &scene.manager;
    for host in [FAR, "other.test"] {
        let body = get(manager, format!("http://{host}/")).await;
        assert_eq!(body, "from the proxy");
    }
    assert_eq!(
        (manager.num_pools().await.unwrap(), scene.proxy.accepted()),
        (1, 1)
    );
    let origin = scene.secure_origin().await;
    for host in [FAR, "other.test"] {
        assert_eq!(
            get(manager, origin.url_as(host, "/")).await,
            "from the origin"
        );
    }
    assert_eq!(
        (manager.num_pools().await.unwrap(), scene.proxy.accepted()),
        (3, 3)
    );
}

#[tokio::test]
async fn a_pool_resolves_paths_against_its_target() {
    let scene = Scene::with(false, false).await;
    let pool = scene.manager.connection_from_host(FAR, None, None, None);
    let pool = pool.await.unwrap();
    let response = pool.get("/x?y").send().await.unwrap();
    assert_eq!(response.url(), "http://far.test/x?y");
    assert_eq!(text(response).await, "from the proxy");
    assert_eq!(scene.proxy.request().target(), "http://far.test/x?y");
}

#[tokio::test]
async fn proxy_headers_are_the_proxys_and_win() {
    let authority = Authority::new();
    let origin = origin(Some(authority.issue(&NAMES).tls())).await;
    let proxy = HttpProxy::new().start().await;
    let headers = urlpool_host::Headers::parse([("X-Via", "proxy"), ("X-Both", "proxy")]);
    let settings = ProxySettings {
        headers: Some(headers.unwrap()),
        ..settings(proxy.url(""))
    };
    let manager = through(settings, trusting(&authority)).await;
    for url in ["http://far.test/".to_owned(), origin.url_as(FAR, "/")] {
        let request = manager.get(url).header("X-Both", "request");
        request.send().await.unwrap().drain().await.unwrap();
    }
    let [forwarded, connect] = proxy.requests().try_into().unwrap();
    for request in [&forwarded, &connect] {
        assert_eq!(request.field("X-Via").as_deref(), Some("proxy"));
        assert_eq!(request.field("X-Both").as_deref(), Some("proxy"));
    }
    let inside = origin.request();
    assert_eq!(inside.field("X-Via"), None);
    assert_eq!(inside.field("X-Both").as_deref(), Some("request"));
}
