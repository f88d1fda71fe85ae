//! Whom we believe, and what we say where we do not.

use urlpool_host::{ClientError, Phase, PoolManager, TlsReason, TlsVersion};
use urlpool_tests::{Authority, Identity, Origin, Peer, Reply, Server, Step, Tls, fail};

use crate::common::{assert_healthy, failure_of, get, manager, manager_with_pools, text, trusting};

const BOTH: [&str; 2] = ["localhost", "127.0.0.1"];

async fn origin(tls: Tls) -> Server {
    Origin::new()
        .reply(Reply::ok("secret"))
        .tls(tls)
        .start()
        .await
}

/// The request fails in the handshake for this reason, and nothing of it was sent.
async fn check(case: &str, manager: &PoolManager, url: &str, expected: TlsReason) {
    let error = failure_of(case, manager.get(url)).await;
    let ClientError::Tls(reason, failure) = &error else {
        fail(&format!("{case}: {error:?}"));
    };
    assert_eq!(
        (*reason, failure.phase),
        (expected, Phase::Handshake),
        "{case}: {error}"
    );
    assert!(
        !failure.may_have_been_acted_on && !failure.message.is_empty(),
        "{case}"
    );
    assert_healthy(case, manager).await;
}

#[tokio::test]
async fn a_root_of_the_callers_is_believed_by_name_and_by_address() {
    let authority = Authority::new();
    let origin = origin(authority.issue(&BOTH).tls()).await;
    let manager = manager_with_pools(trusting(&authority)).await;
    for host in BOTH {
        assert_eq!(
            get(&manager, origin.url_as(host, "/")).await,
            "secret",
            "{host}"
        );
    }
    assert_eq!(origin.accepted(), 2);
}

#[tokio::test]
async fn a_bundle_may_hold_several_roots_and_other_text() {
    let (first, second) = (Authority::new(), Authority::new());
    let bundle = [
        b"# two roots\n".as_slice(),
        &first.pem(),
        b"\r\nbetween\r\n",
        &second.pem(),
    ]
    .concat();
    let mut settings = trusting(&first);
    settings.tls.roots = Some(bundle);
    let manager = manager_with_pools(settings).await;
    for authority in [first, second] {
        let origin = origin(authority.issue(&BOTH).tls()).await;
        assert_eq!(get(&manager, origin.url("/")).await, "secret");
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_connections_are_kept() {
    let authority = Authority::new();
    let identity = authority.issue(&BOTH);
    for (tls, version) in [
        (identity.tls12(), TlsVersion::Tls12),
        (identity.tls13(), TlsVersion::Tls13),
    ] {
        let origin = origin(tls).await;
        let manager = manager_with_pools(trusting(&authority)).await;
        for is_reused in [false, true, true] {
            let response = manager.get(origin.url("/")).send().await.unwrap();
            let connection = response.head().connection.clone();
            assert_eq!(
                (connection.tls, connection.reused),
                (Some(version), is_reused)
            );
            assert_eq!(text(response).await, "secret");
        }
        assert_eq!(origin.accepted(), 1);
    }
}

#[tokio::test]
async fn certificates_that_prove_nothing_are_refused() {
    let authority = Authority::new();
    let trusting = manager_with_pools(trusting(&authority)).await;
    let default = manager().await;
    let rows = [
        (
            "a root that is not built in",
            &default,
            authority.issue(&BOTH),
            TlsReason::Certificate,
        ),
        (
            "another root",
            &trusting,
            Authority::new().issue(&BOTH),
            TlsReason::Certificate,
        ),
        (
            "self-signed",
            &trusting,
            Identity::self_signed(&BOTH),
            TlsReason::Certificate,
        ),
        (
            "expired",
            &trusting,
            authority.issue_expired(&BOTH),
            TlsReason::Certificate,
        ),
        (
            "another name",
            &trusting,
            authority.issue(&["example.test"]),
            TlsReason::Hostname,
        ),
        (
            "no address",
            &trusting,
            authority.issue(&["localhost"]),
            TlsReason::Hostname,
        ),
        (
            "another address",
            &trusting,
            authority.issue(&["127.0.0.2"]),
            TlsReason::Hostname,
        ),
        (
            "no name at all",
            &trusting,
            authority.issue(&[]),
            TlsReason::Hostname,
        ),
    ];
    for (case, manager, identity, expected) in rows {
        for tls in [identity.tls12(), identity.tls13()] {
            let origin = origin(tls).await;
            check(case, manager, &origin.url("/"), expected).await;
            origin.closed(1).await;
            assert!(origin.requests().is_empty(), "{case}");
        }
    }
}

#[tokio::test]
async fn the_name_is_checked_and_not_the_address_behind_it() {
    let authority = Authority::new();
    let manager = manager_with_pools(trusting(&authority)).await;
    let origin = origin(authority.issue(&["127.0.0.1"]).tls()).await;
    check(
        "address only",
        &manager,
        &origin.url_as("localhost", "/"),
        TlsReason::Hostname,
    )
    .await;
}

#[tokio::test]
async fn what_is_not_tls_is_told_from_what_refuses() {
    let manager = manager().await;
    // handshake_failure(40), fatal, in a record of TLS 1.2.
    let alert = [21, 3, 3, 0, 2, 2, 40];
    for (case, answer, expected) in [
        (
            "plain HTTP",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
            TlsReason::Protocol,
        ),
        (
            "a greeting",
            b"220 smtp.example.test ESMTP ready\r\n".to_vec(),
            TlsReason::Protocol,
        ),
        ("an alert", alert.to_vec(), TlsReason::Alert),
        ("nothing", Vec::new(), TlsReason::Protocol),
    ] {
        let peer = Peer::always([Step::Bytes, Step::Send(answer)])
            .start()
            .await;
        let url = peer.url("/").replace("http:", "https:");
        check(case, &manager, &url, expected).await;
    }
}

#[tokio::test]
async fn plain_and_secure_never_share_a_pool() {
    let authority = Authority::new();
    let origin = origin(authority.issue(&BOTH).tls()).await;
    let manager = manager_with_pools(trusting(&authority)).await;
    get(&manager, origin.url("/")).await;
    let plain = origin.url("/").replace("https:", "http:");
    // A TLS server answers the plain request with an alert, or closes.
    let error = failure_of("plain", manager.get(plain)).await;
    assert_eq!(error.kind(), "protocol");
    assert_eq!(manager.num_pools().await.unwrap(), 2);
}

#[tokio::test]
async fn a_body_until_close_ends_with_close_notify_and_with_nothing_less() {
    let authority = Authority::new();
    let manager = manager_with_pools(trusting(&authority)).await;
    let origin = Origin::new()
        .at("/whole", Reply::ok("all of it").until_close())
        .at("/cut", Reply::ok("all of it").until_close().cut_off())
        .tls(authority.issue(&BOTH).tls())
        .start()
        .await;
    assert_eq!(get(&manager, origin.url("/whole")).await, "all of it");
    let error = failure_of("cut", manager.get(origin.url("/cut"))).await;
    let phase = error.failure().map(|failure| failure.phase);
    assert_eq!(phase, Some(Phase::ReceiveBody), "{error:?}");
}

#[tokio::test]
async fn a_large_body_is_the_same_over_tls() {
    let authority = Authority::new();
    let body: Vec<u8> = (0..2_000_000_u32)
        .map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1])
        .collect();
    let origin = Origin::new()
        .reply(Reply::ok(body.clone()))
        .tls(authority.issue(&BOTH).tls())
        .start()
        .await;
    let manager = manager_with_pools(trusting(&authority)).await;
    let request = manager.request("PUT", origin.url("/")).body(body.clone());
    let received = request.send().await.unwrap().bytes().await.unwrap();
    assert!(received == body);
    assert!(origin.request().body == body);
}
