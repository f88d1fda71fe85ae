//! Servers that are slow: every wait ends by the clock that the caller set.

use std::time::{Duration, Instant};

use urlpool_host::{Limit, Phase, PoolSettings, Timeouts};
use urlpool_tests::{Gate, Origin, Peer, Reply, Server, Step};

use crate::common::{
    assert_healthy, failure_of, get, manager, manager_with_pools, millis, reading_at_most,
};

const LIMIT: u64 = 150;

fn all(kind: &str) -> Timeouts {
    let limit = |name| if name == kind { millis(LIMIT) } else { None };
    Timeouts {
        connect: limit("connect"),
        read: limit("read"),
        total: limit("total"),
        deadline: limit("deadline"),
        head: limit("head"),
    }
}

/// Takes a request and says nothing.
async fn silent() -> Server {
    Peer::always([Step::Hold]).start().await
}

/// Sends these bytes one by one for ever.
async fn dripping(first: &str, bytes: &str) -> Server {
    let drip = Step::Drip(bytes.into());
    Peer::always([Step::Request, Step::send(first), drip])
        .start()
        .await
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_as_long_as_allowed() {
    let manager = manager().await;
    for (clock, kind) in [
        ("read", "read-timeout"),
        ("head", "read-timeout"),
        ("total", "read-timeout"),
        ("deadline", "deadline-exceeded"),
    ] {
        let peer = silent().await;
        let started = Instant::now();
        let error = failure_of(clock, manager.get(peer.url("/")).timeouts(all(clock))).await;
        let failure = error.failure().expect(clock);
        assert_eq!(
            (error.kind(), failure.phase),
            (kind, Phase::AwaitHead),
            "{clock}: {error}"
        );
        assert!(failure.may_have_been_acted_on, "{clock}");
        assert!(started.elapsed() >= Duration::from_millis(LIMIT), "{clock}");
        peer.closed(1).await;
        assert_healthy(clock, &manager).await;
    }
}

#[tokio::test]
async fn a_head_that_drips_ends_by_total_and_deadline() {
    let manager = manager().await;
    for (clock, kind) in [("total", "read-timeout"), ("deadline", "deadline-exceeded")] {
        let peer = dripping("HTTP/1.1 200 OK\r\n", "X: y\r\n").await;
        let timeouts = Timeouts {
            read: millis(1000),
            ..all(clock)
        };
        let error = failure_of(clock, manager.get(peer.url("/")).timeouts(timeouts)).await;
        assert_eq!(error.kind(), kind, "{clock}: {error}");
        peer.closed(1).await;
    }
}

#[tokio::test]
async fn a_body_that_stalls_ends_by_read_and_deadline() {
    let manager = manager().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx";
    for (case, clock, peer, kind) in [
        (
            "stalled",
            "read",
            Peer::always([Step::Request, Step::send(head), Step::Hold])
                .start()
                .await,
            "read-timeout",
        ),
        (
            "stalled",
            "deadline",
            Peer::always([Step::Request, Step::send(head), Step::Hold])
                .start()
                .await,
            "deadline-exceeded",
        ),
        (
            "dripping",
            "deadline",
            dripping(head, "x").await,
            "deadline-exceeded",
        ),
    ] {
        let error = failure_of(case, manager.get(peer.url("/")).timeouts(all(clock))).await;
        let failure = error.failure().expect(case);
        assert_eq!(
            (error.kind(), failure.phase),
            (kind, Phase::ReceiveBody),
            "{case}, {clock}: {error}"
        );
        peer.closed(1).await;
        assert_healthy(case, &manager).await;
    }
}

#[tokio::test]
async fn a_body_that_drips_is_no_read_timeout() {
    let peer = dripping("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n", "drip").await;
    let manager = manager().await;
    let request = manager.get(peer.url("/")).timeouts(reading_at_most(300));
    let body = request.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body, b"drip".repeat(10));
}

#[tokio::test]
async fn a_handshake_that_stalls_ends_by_connect_and_deadline() {
    let manager = manager().await;
    for (clock, kind) in [
        ("connect", "connect-timeout"),
        ("total", "connect-timeout"),
        ("deadline", "deadline-exceeded"),
    ] {
        let peer = silent().await;
        let url = peer.url("/").replace("http:", "https:");
        let error = failure_of(clock, manager.get(url).timeouts(all(clock))).await;
        let failure = error.failure().expect(clock);
        assert_eq!(
            (error.kind(), failure.phase),
            (kind, Phase::Handshake),
            "{clock}: {error}"
        );
        assert!(!failure.may_have_been_acted_on, "{clock}");
        peer.closed(1).await;
    }
}

#[tokio::test]
async fn a_server_that_takes_no_body_ends_by_read_and_deadline() {
    // It never reads, so its buffers and ours fill up.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let manager = manager().await;
    for (clock, kind) in [("read", "read-timeout"), ("deadline", "deadline-exceeded")] {
        let request = manager.request("PUT", url.as_str()).body(vec![0; 32 << 20]);
        let error = failure_of(clock, request.timeouts(all(clock))).await;
        let failure = error.failure().expect(clock);
        assert_eq!(
            (error.kind(), failure.phase),
            (kind, Phase::Send),
            "{clock}: {error}"
        );
        assert!(failure.may_have_been_acted_on, "{clock}");
    }
}

/// Connections that cannot be closed without waiting for their peer are put aside, and only so many of them to one address.
#[tokio::test]
async fn a_server_that_takes_no_bodies_is_given_up_and_no_other_suffers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let origin = Origin::new().reply(Reply::ok("well")).start().await;
    let manager = manager().await;
    let mut refused = None;
    for attempt in 0..12 {
        let request = manager.request("PUT", url.as_str()).body(vec![0; 8 << 20]);
        let error = failure_of("stuck", request.timeouts(all("read"))).await;
        match error.kind() {
            "read-timeout" => assert!(refused.is_none(), "{attempt}"),
            _ => refused = refused.or(Some((attempt, error))),
        }
    }
    let (attempt, error) = refused.expect("connections without end");
    assert_eq!((attempt, error.kind()), (8, "connection-failed"));
    assert!(error.message().contains("take nothing"), "{error}");
    let response = manager.get(origin.url("/")).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), b"well");
}

#[tokio::test]
async fn a_request_inherits_the_timeouts_of_its_pool_and_may_lift_them() {
    let settings = PoolSettings {
        timeouts: reading_at_most(LIMIT),
        ..PoolSettings::default()
    };
    let manager = manager_with_pools(settings.clone()).await;
    let peer = silent().await;
    let error = failure_of("inherited", manager.get(peer.url("/"))).await;
    assert_eq!(error.kind(), "read-timeout");

    let gate = Gate::new();
    let origin = Origin::new()
        .reply(Reply::ok("late").after(&gate))
        .start()
        .await;
    let patient = Timeouts {
        read: Some(Limit::Unlimited),
        ..Timeouts::default()
    };
    let request = manager.get(origin.url("/")).timeouts(patient).send();
    // Another manager's timeout tells when this one's would have come.
    let other = manager_with_pools(settings).await;
    let later = async {
        origin.requested(1).await;
        failure_of("inherited", other.get(peer.url("/"))).await;
        gate.open();
    };
    let (response, ()) = tokio::join!(request, later);
    assert_eq!(response.unwrap().bytes().await.unwrap(), b"late");
}

#[tokio::test]
async fn zero_is_no_timeout() {
    let (manager, peer) = (manager().await, silent().await);
    let error = failure_of("0", manager.get(peer.url("/")).timeouts(reading_at_most(0))).await;
    assert_eq!(error.kind(), "invalid-settings");
    assert_eq!(peer.accepted(), 0);
}

#[tokio::test]
async fn a_timeout_that_is_not_reached_changes_nothing() {
    let origin = Origin::new().reply(Reply::ok("x")).start().await;
    let manager = manager().await;
    let generous = Timeouts {
        connect: millis(60_000),
        read: millis(60_000),
        total: millis(60_000),
        deadline: millis(60_000),
        head: millis(60_000),
    };
    for _ in 0..2 {
        let response = manager
            .get(origin.url("/"))
            .timeouts(generous)
            .send()
            .await
            .unwrap();
        assert_eq!(response.bytes().await.unwrap(), b"x");
    }
    get(&manager, origin.url("/")).await;
    assert_eq!(origin.accepted(), 1);
}
