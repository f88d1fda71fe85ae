//! What the host allows: addresses, memory and time.

use std::time::Duration;

use urlpool_host::{Error, Grants, Limits, Phase, PoolManager, Settings};
use urlpool_tests::{Origin, Peer, Reply, Server, Step};

use crate::common::{failure_of, get};

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("x")).start().await
}

async fn granted(grants: Grants) -> PoolManager {
    let settings = Settings {
        grants,
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

async fn limited(limits: Limits) -> PoolManager {
    let settings = Settings {
        grants: Grants::all(),
        limits,
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

async fn assert_denied(case: &str, manager: &PoolManager, url: String, phase: Phase) {
    let error = failure_of(case, manager.get(url)).await;
    let failure = error.failure().expect(case);
    assert_eq!(
        (error.kind(), failure.phase),
        ("denied", phase),
        "{case}: {error}"
    );
    assert!(!failure.may_have_been_acted_on, "{case}");
}

#[tokio::test]
async fn nothing_is_granted_unless_it_is_said() {
    let origin = origin().await;
    let by_default = PoolManager::new(Settings::default()).await.unwrap();
    for (case, manager) in [
        ("default", by_default),
        ("none", granted(Grants::none()).await),
    ] {
        assert_denied(case, &manager, origin.url("/"), Phase::Connect).await;
        assert_denied(
            case,
            &manager,
            origin.url_as("localhost", "/"),
            Phase::Resolve,
        )
        .await;
    }
    assert_eq!(origin.accepted(), 0);
}

#[tokio::test]
async fn a_grant_is_for_a_host_and_a_port() {
    let (allowed, other) = (origin().await, origin().await);
    let manager = granted(Grants::none().allow("127.0.0.1", allowed.port())).await;
    assert_eq!(get(&manager, allowed.url("/")).await, "x");
    assert_denied("port", &manager, other.url("/"), Phase::Connect).await;
    assert_denied(
        "name",
        &manager,
        allowed.url_as("localhost", "/"),
        Phase::Resolve,
    )
    .await;
    assert_eq!(get(&manager, allowed.url("/")).await, "x");
    assert_eq!((allowed.accepted(), other.accepted()), (1, 0));

    let manager = granted(Grants::none().allow("127.0.0.1", None)).await;
    for origin in [&allowed, &other] {
        assert_eq!(get(&manager, origin.url("/")).await, "x");
    }
}

#[tokio::test]
async fn a_granted_name_grants_the_addresses_it_resolved_to() {
    let (allowed, other) = (origin().await, origin().await);
    let manager = granted(Grants::none().allow("LocalHost", allowed.port())).await;
    assert_denied(
        "address before the name",
        &manager,
        allowed.url("/"),
        Phase::Connect,
    )
    .await;
    assert_eq!(get(&manager, allowed.url_as("localhost", "/")).await, "x");
    assert_denied(
        "port",
        &manager,
        other.url_as("localhost", "/"),
        Phase::Connect,
    )
    .await;
    assert_denied(
        "another name",
        &manager,
        allowed.url_as("example.test", "/"),
        Phase::Resolve,
    )
    .await;
    assert_eq!((allowed.accepted(), other.accepted()), (1, 0));
}

#[tokio::test]
async fn memory_is_bounded_and_only_that_manager_suffers() {
    let origin = origin().await;
    let small = limited(Limits {
        memory: 16 << 20,
        ..Limits::default()
    })
    .await;
    let other = limited(Limits::default()).await;
    assert_eq!(get(&small, origin.url("/")).await, "x");
    let request = small
        .request("PUT", origin.url("/"))
        .body(vec![0; 32 << 20]);
    let error = request.send().await.expect_err("a body above the memory");
    assert!(!matches!(error, Error::Client(_)), "{error:?}");
    assert!(!error.to_string().is_empty());
    assert_eq!(get(&other, origin.url("/")).await, "x");
    let request = other
        .request("PUT", origin.url("/"))
        .body(vec![0; 32 << 20]);
    assert_eq!(request.send().await.unwrap().bytes().await.unwrap(), b"x");
}

#[tokio::test]
async fn a_call_is_bounded_where_the_request_is_not() {
    let peer = Peer::always([Step::Hold]).start().await;
    let call = Duration::from_millis(200);
    let manager = limited(Limits {
        call: Some(call),
        ..Limits::default()
    })
    .await;
    let error = manager
        .get(peer.url("/"))
        .send()
        .await
        .expect_err("a bound");
    assert!(
        matches!(error, Error::Deadline(bound) if bound == call),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_call_that_computes_for_ever_is_stopped() {
    // Blocks of deflate that are stored, not the last, and empty: never a byte comes out, so one call reads on and on.
    let nothing = [0, 0, 0, 0xff, 0xff].repeat(20_000);
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c";
    let endless = [Step::Request, Step::send(*head), Step::Flood(nothing)];
    let (peer, origin) = (Peer::always(endless).start().await, origin().await);
    let call = Duration::from_millis(500);
    let manager = limited(Limits {
        call: Some(call),
        ..Limits::default()
    })
    .await;
    let response = manager.get(peer.url("/")).send().await.expect("a head");
    let error = response.bytes().await.expect_err("a body without end");
    assert!(
        matches!(error, Error::Deadline(bound) if bound == call),
        "{error:?}"
    );
    // The manager goes on in another instance.
    assert_eq!(get(&manager, origin.url("/")).await, "x");
}
