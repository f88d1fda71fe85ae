//! Large bodies through tunnels.

use urlpool_host::ProxyManager;
use urlpool_tests::{Authority, HttpProxy, Origin, Reply, Server};

use super::{FAR, NAMES, settings, through};
use crate::common::{text, trusting};

const LARGE: u32 = 5 << 20;

fn bytes() -> Vec<u8> {
    let byte = |number: u32| number.to_le_bytes()[0] ^ number.to_le_bytes()[1];
    (0..LARGE).map(byte).collect()
}

/// An https proxy, a server behind it, and a manager that believes both: TLS within TLS.
async fn doubly_secure(reply: Reply) -> (Server, Server, ProxyManager) {
    let authority = Authority::new();
    let identity = authority.issue(&NAMES);
    let origin = Origin::new().reply(reply).tls(identity.tls()).start().await;
    let proxy = HttpProxy::new().tls(identity.tls()).start().await;
    let manager = through(settings(proxy.url("")), trusting(&authority)).await;
    (origin, proxy, manager)
}

#[tokio::test]
async fn a_large_body_comes_through_tls_in_tls() {
    let (origin, proxy, manager) = doubly_secure(Reply::ok(bytes())).await;
    for _ in 0..2 {
        let response = manager.get(origin.url_as(FAR, "/")).send().await.unwrap();
        assert!(response.bytes().await.unwrap() == bytes());
    }
    assert_eq!((proxy.accepted(), origin.accepted()), (1, 1));
}

#[tokio::test]
async fn a_streamed_body_goes_through_tls_in_tls() {
    let (origin, proxy, manager) = doubly_secure(Reply::ok("stored")).await;
    for length in [Some(u64::from(LARGE)), None] {
        let request = manager.request("PUT", origin.url_as(FAR, "/"));
        let sent = request.send_from(&mut &bytes()[..], length).await.unwrap();
        assert_eq!(text(sent).await, "stored");
    }
    for request in origin.requests() {
        assert!(request.content() == bytes());
    }
    assert_eq!((proxy.accepted(), origin.requests().len()), (1, 2));
}
