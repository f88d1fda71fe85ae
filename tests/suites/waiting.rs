//! Requests that wait for a connection, and pools that are asked themselves.

use std::time::Duration;

use urlpool_host::{
    Limit, Phase, PoolManager, PoolSettings, Progress, Ready, RequestOptions, Streamed,
};
use urlpool_tests::{Gate, Origin, Reply, Server, within};

use crate::common::{failure_of, get, manager, manager_with_pools, patient, refusal, text};

const SHORT: Limit = Limit::After(Duration::from_millis(10));
const MOMENT: Option<Duration> = Some(Duration::from_millis(10));

/// A manager whose pools have one connection and no more.
async fn blocking() -> PoolManager {
    manager_with_pools(PoolSettings {
        maxsize: Some(1),
        block: Some(true),
        ..PoolSettings::default()
    })
    .await
}

/// A server whose bodies come when the gate opens.
async fn slow(gate: &Gate) -> Server {
    let reply = Reply::ok("body").body_after(gate);
    Origin::new().reply(reply).start().await
}

#[tokio::test]
async fn started_requests_share_the_only_connection() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let mut requests = Vec::new();
    for path in ["/1", "/2", "/3"] {
        requests.push(manager.get(origin.url(path)).start().await.unwrap());
    }
    assert_eq!(manager.wait(&requests, None).await.unwrap(), [0]);
    gate.open();
    for request in requests {
        assert_eq!(text(request.response().await.unwrap()).await, "body");
    }
    let targets: Vec<String> = origin.requests().iter().map(|sent| sent.target()).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn waiting_for_a_connection_ends_in_time() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let held = manager.get(origin.url("/held")).send().await.unwrap();
    for (case, limit) in [("short", SHORT), ("none", Limit::After(Duration::ZERO))] {
        let request = manager.get(origin.url("/")).pool_timeout(limit);
        let error = failure_of(case, request).await;
        assert_eq!(error.kind(), "pool-timeout", "{case}");
        let phase = error.failure().map(|failure| failure.phase);
        assert_eq!(phase, Some(Phase::Checkout), "{case}");
    }
    gate.open();
    assert_eq!(text(held).await, "body");
    assert_eq!(get(&manager, origin.url("/")).await, "body");
    assert_eq!((origin.accepted(), origin.requests().len()), (1, 2));
}

#[tokio::test]
async fn a_wait_that_only_its_caller_can_end_is_an_error() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let held = manager.get(origin.url("/held")).send().await.unwrap();
    let error = failure_of("sent", manager.get(origin.url("/"))).await;
    assert_eq!(error.kind(), "pool-timeout");
    assert!(error.message().contains("not read"), "{error}");
    let failure = error.failure().expect("the facts");
    assert_eq!((failure.method.as_str(), failure.attempt), ("GET", 1));
    assert_eq!(failure.url, origin.url("/"));

    // A request that was started may be answered later, when the response that is in its way has been read.
    let started = [manager.get(origin.url("/started")).start().await.unwrap()];
    assert_eq!(manager.wait(&started, None).await.unwrap(), [0]);
    assert!(manager.wait(&started, MOMENT).await.unwrap().is_empty());
    gate.open();
    assert_eq!(text(held).await, "body");
    assert_eq!(manager.wait(&started, None).await.unwrap(), [0]);
    for request in started {
        assert_eq!(text(request.response().await.unwrap()).await, "body");
    }
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_body_that_nobody_pushes_is_what_a_wait_without_end_is_for() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let upload = manager.request("PUT", origin.url("/upload"));
    let upload = upload.streamed(Streamed::default()).start().await.unwrap();
    let behind = manager.get(origin.url("/behind")).start().await.unwrap();
    let mut started = vec![behind, upload];
    assert!(manager.wait(&started, MOMENT).await.unwrap().is_empty());
    // A loop that takes what is ready comes to its end, and nothing is lost for those that waited behind.
    assert_eq!(manager.wait(&started, None).await.unwrap(), [1]);
    assert_eq!(manager.wait(&started[..1], None).await.unwrap(), [0]);
    let error = failure_of("sent", manager.get(origin.url("/sent"))).await;
    assert_eq!(error.kind(), "pool-timeout");
    let mut upload = started.remove(1);
    assert_eq!(upload.write(b"abc").await.unwrap(), Progress::Accepted);
    assert_eq!(manager.wait(&[upload], None).await.unwrap(), [0]);
    gate.open();
    assert_eq!(manager.wait(&started, None).await.unwrap(), [0]);
    let behind = started.remove(0);
    assert_eq!(text(behind.response().await.unwrap()).await, "body");
}

#[tokio::test]
async fn a_push_that_only_its_caller_can_make_room_for_does_not_hang() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let held = manager.get(origin.url("/held")).send().await.unwrap();
    let request = manager.request("PUT", origin.url("/"));
    let body = Streamed::default();
    let mut pending = request.streamed(body).start().await.unwrap();
    let piece = vec![0; 48 << 10];
    let mut pushed = 0;
    while pending.write(&piece).await.unwrap() == Progress::Accepted {
        pushed += 1;
        assert!(pushed < 10, "somebody takes what nobody can send");
    }
    let error = pending.response().await.unwrap_err();
    assert_eq!(refusal("pushed", &error).kind(), "pool-timeout");
    gate.open();
    assert_eq!(text(held).await, "body");
    assert_eq!(get(&manager, origin.url("/")).await, "body");
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_push_that_cannot_go_on_ends_its_request_and_does_not_cut_it_short() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let held = manager.get(origin.url("/held")).send().await.unwrap();
    let body = Streamed {
        length: Some(200_000),
        can_rewind: true,
    };
    let request = manager.request("PUT", origin.url("/up")).streamed(body);
    let mut pending = request.start().await.unwrap();
    for (count, expected) in [
        Progress::Accepted,
        Progress::Answered,
        Progress::Answered,
        Progress::Answered,
    ]
    .into_iter()
    .enumerate()
    {
        let progress = pending.write(&[b'x'; 50_000]).await.unwrap();
        assert_eq!(progress, expected, "{count}");
    }
    assert_eq!(pending.finish().await.unwrap(), Progress::Answered);
    gate.open();
    assert_eq!(text(held).await, "body");
    let error = pending.response().await.unwrap_err();
    assert_eq!(refusal("pushed", &error).kind(), "pool-timeout");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn a_body_that_was_not_ready_is_nothing_to_wait_for_later() {
    let (manager, gate) = (blocking().await, Gate::new());
    let origin = slow(&gate).await;
    let held = manager.get(origin.url("/held")).send().await.unwrap();
    let ready = manager.wait_any(&[], &[&held], MOMENT).await.unwrap();
    assert_eq!(ready, Ready::default());
    let error = within(
        "the refusal",
        failure_of("sent", manager.get(origin.url("/"))),
    );
    assert_eq!(error.await.kind(), "pool-timeout");
    gate.open();
    let ready = manager.wait_any(&[], &[&held], None).await.unwrap();
    assert_eq!(ready.responses, [0]);
    assert_eq!(text(held).await, "body");
    assert_eq!(get(&manager, origin.url("/")).await, "body");
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_pool_takes_paths_and_its_own_urls() {
    let (manager, origin) = (manager().await, quick().await);
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    for url in ["/a/../b?q".to_owned(), origin.url("/whole")] {
        let response = pool.request("GET", url).send().await.unwrap();
        assert_eq!(text(response).await, "body");
    }
    let targets: Vec<String> = origin.requests().iter().map(|sent| sent.target()).collect();
    assert_eq!(targets, ["/a/../b?q", "/whole"]);
    assert_eq!(pool.num_requests().await.unwrap(), 2);
    assert_eq!(pool.num_connections().await.unwrap(), 1);
}

async fn quick() -> Server {
    let open = Gate::new();
    open.open();
    slow(&open).await
}

#[tokio::test]
async fn a_pool_stays_with_its_host() {
    let (manager, other) = (patient(3).await, quick().await);
    let moved = Reply::new(302, "").header("Location", other.url("/there"));
    let origin = Origin::new()
        .at("/moved", moved)
        .reply(Reply::ok("here"))
        .start()
        .await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    for (case, url) in [
        ("URL", other.url("/")),
        ("redirect", "/moved".to_owned()),
        ("scheme", format!("https://{}/", origin.authority())),
    ] {
        let error = failure_of(case, pool.request("GET", url)).await;
        assert_eq!(error.kind(), "host-changed", "{case}");
    }
    assert_eq!((origin.requests().len(), other.accepted()), (1, 0));

    let anywhere = RequestOptions {
        may_leave_host: true,
        ..RequestOptions::default()
    };
    let request = pool.request("GET", other.url("/x")).options(anywhere);
    assert_eq!(text(request.send().await.unwrap()).await, "here");
    let sent = origin.requests().remove(1);
    assert_eq!(sent.target(), other.url("/x"));
    assert_eq!(sent.field("host"), Some(other.authority()));
    assert_eq!(other.accepted(), 0);
}

#[tokio::test]
async fn a_closed_pool_refuses_and_lets_what_runs_finish() {
    let (manager, gate) = (manager().await, Gate::new());
    let origin = slow(&gate).await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    let running = pool.request("GET", "/1").send().await.unwrap();
    pool.close().await.unwrap();
    let error = failure_of("closed", pool.request("GET", "/2")).await;
    assert_eq!(error.kind(), "pool-closed");
    gate.open();
    assert_eq!(text(running).await, "body");
    origin.closed(1).await;
    assert_eq!(get(&manager, origin.url("/3")).await, "body");
    assert_eq!(origin.accepted(), 2);
}
