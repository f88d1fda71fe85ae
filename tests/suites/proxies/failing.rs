//! Whose fault it is.

use urlpool_host::{
    ClientError, Failure, Phase, PoolSettings, ProxyManager, ProxySettings, Timeouts, TlsReason,
    TlsSettings,
};
use urlpool_tests::{
    Authority, HttpProxy, Origin, Peer, RefusingPort, Reply, Server, Step, Tunnel, fail, within,
};

use super::{FAR, NAMES, settings, through};
use crate::common::{NO_SUCH_NAME, failure_of, get, millis, text, trusting};

const TARGET: &str = "https://far.test/";

/// The facts of a failure between us and the proxy.
async fn blamed(case: &str, manager: &ProxyManager, url: &str) -> Box<Failure> {
    match failure_of(case, manager.get(url)).await {
        ClientError::Proxy(failure) => {
            let message = &failure.message;
            assert!(
                message.starts_with("Unable to connect to proxy: "),
                "{case}: {message}"
            );
            assert!(!failure.may_have_been_acted_on, "{case}");
            failure
        }
        other => fail(&format!("{case}: {other:?}")),
    }
}

#[tokio::test]
async fn a_refusal_is_told_whole() {
    let proxy = HttpProxy::new().credentials("me", "word").start().await;
    let manager = through(settings(proxy.url("")), PoolSettings::default()).await;
    let failure = blamed("a tunnel", &manager, TARGET).await;
    assert_eq!(failure.phase, Phase::Tunnel);
    let expected =
        "Unable to connect to proxy: Tunnel connection failed: 407 Proxy Authentication Required";
    assert_eq!(failure.message, expected);
    let refusal = failure.refusal.expect("what the proxy said");
    assert_eq!(
        (refusal.status, refusal.reason.as_str()),
        (407, "Proxy Authentication Required")
    );
    let asked_for = refusal.headers.joined("proxy-authenticate");
    assert_eq!(asked_for.as_deref(), Some(&b"Basic realm=\"test\""[..]));
    assert_eq!(refusal.body, b"refused");

    // What is forwarded is answered, by whoever answers.
    let response = manager.get("http://far.test/").send().await.unwrap();
    assert_eq!(
        (response.status(), text(response).await.as_str()),
        (407, "refused")
    );
}

#[tokio::test]
async fn every_2xx_opens_a_tunnel_and_nothing_may_follow_it_at_once() {
    let authority = Authority::new();
    let origin = Origin::new()
        .reply(Reply::ok("secret"))
        .tls(authority.issue(&NAMES).tls())
        .start()
        .await;
    let proxy = HttpProxy::new()
        .tunnel(
            Tunnel::opening_with("HTTP/1.1 299 Yes\r\nContent-Length: 9\r\n\r\n").byte_by_byte(),
        )
        .tunnel(Tunnel::opening_with(
            "HTTP/1.1 102 Soon\r\n\r\nHTTP/1.0 204 \r\n\r\n",
        ))
        .tunnel(Tunnel::open().extra("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake"))
        .tunnel(Tunnel::refusing_with("SSH-2.0-OpenSSH\r\n"))
        .tunnel(Tunnel::closing())
        .start()
        .await;
    let manager = through(settings(proxy.url("")), trusting(&authority)).await;
    let url = origin.url_as(FAR, "/");
    for case in ["299", "204 behind 102"] {
        let response = manager.get(&*url).send().await.expect(case);
        assert_eq!(text(response).await, "secret", "{case}");
        manager.clear().await.unwrap();
    }
    for case in ["early bytes", "no HTTP", "no answer"] {
        let failure = blamed(case, &manager, &url).await;
        assert_eq!(
            (failure.phase, failure.refusal),
            (Phase::Tunnel, None),
            "{case}"
        );
    }
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_to_blame() {
    let nobody = RefusingPort::new();
    for (case, url, phase) in [
        ("refused", nobody.url(""), Phase::Connect),
        (
            "SOCKS, refused",
            nobody.url("").replace("http:", "socks5h:"),
            Phase::Connect,
        ),
        ("no such name", NO_SUCH_NAME.to_owned(), Phase::Resolve),
    ] {
        let manager = through(settings(url), PoolSettings::default()).await;
        for target in [TARGET, "http://far.test/"] {
            let failure = blamed(case, &manager, target).await;
            assert_eq!(failure.phase, phase, "{case}");
        }
    }
}

#[tokio::test]
async fn a_proxy_must_prove_who_it_is() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let secure = |authority: &Authority, names: &[&str]| {
        let proxy = HttpProxy::new().reply(Reply::ok("from the proxy"));
        proxy.tls(authority.issue(names).tls())
    };
    for (case, proxy, targets) in [
        (
            "another root",
            secure(&theirs, &NAMES),
            [TARGET, "http://far.test/"],
        ),
        (
            "the target's name",
            secure(&ours, &[FAR]),
            [TARGET, "http://far.test/"],
        ),
    ] {
        let proxy = proxy.start().await;
        let manager = through(settings(proxy.url("")), trusting(&ours)).await;
        for target in targets {
            let failure = blamed(case, &manager, target).await;
            assert_eq!(failure.phase, Phase::Handshake, "{case}");
        }
        proxy.closed(2).await;
        assert!(proxy.requests().is_empty(), "{case}");
    }
}

#[tokio::test]
async fn a_proxys_tls_is_its_own_and_the_origins_failure_is_the_origins() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let origin = Origin::new()
        .reply(Reply::ok("secret"))
        .tls(theirs.issue(&NAMES).tls())
        .start()
        .await;
    let proxy = HttpProxy::new().tls(ours.issue(&NAMES).tls()).start().await;
    let own = ProxySettings {
        tls: Some(TlsSettings {
            roots: Some(ours.pem()),
            ..TlsSettings::default()
        }),
        ..settings(proxy.url(""))
    };
    let url = origin.url_as(FAR, "/");
    let manager = through(own.clone(), trusting(&theirs)).await;
    assert_eq!(get(&manager, &*url).await, "secret");

    let manager = through(own, trusting(&ours)).await;
    let error = failure_of("the origin's root", manager.get(url)).await;
    let ClientError::Tls(TlsReason::Certificate, failure) = &error else {
        fail(&format!("{error:?}"));
    };
    assert_eq!(failure.phase, Phase::Handshake);
    assert!(!failure.message.contains("proxy"), "{}", failure.message);
}

#[tokio::test]
async fn a_proxy_is_shown_the_certificate_of_its_own_settings() {
    let authority = Authority::new();
    let members = authority.issue(&NAMES).tls_for_members(&authority);
    let proxy = HttpProxy::new().reply(Reply::ok("fine")).tls(members);
    let proxy = proxy.start().await;
    let stranger = through(settings(proxy.url("")), trusting(&authority)).await;
    let error = failure_of("a stranger", stranger.get("http://far.test/")).await;
    assert_eq!(error.kind(), "proxy", "{error:?}");
    let member = ProxySettings {
        tls: Some(TlsSettings {
            roots: Some(authority.pem()),
            client_certificates: Some(authority.issue(&["member.test"]).pem().into()),
            ..TlsSettings::default()
        }),
        ..settings(proxy.url(""))
    };
    let manager = through(member, PoolSettings::default()).await;
    assert_eq!(get(&manager, "http://far.test/").await, "fine");
}

#[tokio::test]
async fn tls_to_a_plain_proxy_is_told_as_such() {
    let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let proxy = Peer::always([Step::Bytes, Step::Send(answer)])
        .start()
        .await;
    let url = proxy.url("").replace("http:", "https:");
    let manager = through(settings(url), PoolSettings::default()).await;
    let failure = blamed("plain", &manager, TARGET).await;
    let hint =
        "Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP";
    assert!(failure.message.contains(hint), "{}", failure.message);
}

fn patient(connect: u64) -> PoolSettings {
    PoolSettings {
        timeouts: Timeouts {
            connect: millis(connect),
            ..Timeouts::default()
        },
        ..PoolSettings::default()
    }
}

async fn silent() -> Server {
    HttpProxy::new().tunnel(Tunnel::holding()).start().await
}

#[tokio::test]
async fn a_silent_proxy_is_waited_for_as_long_as_connecting_may_take() {
    let proxy = silent().await;
    for url in [proxy.url(""), proxy.url("").replace("http:", "socks5h:")] {
        let manager = through(settings(url), patient(50)).await;
        let error = failure_of("silent", manager.get(TARGET)).await;
        assert_eq!(error.kind(), "connect-timeout", "{error:?}");
        let failure = error.failure().unwrap();
        assert_eq!(failure.phase, Phase::Tunnel);
        assert!(failure.message.contains("127.0.0.1"), "{}", failure.message);
    }
    proxy.closed(2).await;
}

#[tokio::test]
async fn giving_up_while_a_proxy_is_asked_closes_the_connection() {
    let proxy = silent().await;
    let manager = through(settings(proxy.url("")), PoolSettings::default()).await;
    let waiting = [manager.get(TARGET).start().await.unwrap()];
    within("the CONNECT", async {
        while proxy.requests().is_empty() {
            let moment = std::time::Duration::from_millis(10);
            assert!(
                manager
                    .wait(&waiting, Some(moment))
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    })
    .await;
    drop(waiting);
    proxy.closed(1).await;
}
