//! Which connections are kept, shared and closed.

use std::time::Duration;

use urlpool_host::{Limit, ManagerSettings, PoolSettings};
use urlpool_tests::{Gate, Origin, Peer, Reply, Server, Step};

use crate::common::{failure_of, get, manager, manager_with, manager_with_pools, text};

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("body")).start().await
}

/// Headers at once, the body when the gate opens.
async fn slow_origin(gate: &Gate) -> Server {
    let reply = Reply::ok("body").body_after(gate);
    Origin::new().reply(reply).start().await
}

fn pools_of(maxsize: u32) -> PoolSettings {
    PoolSettings {
        maxsize: Some(maxsize),
        ..PoolSettings::default()
    }
}

#[tokio::test]
async fn two_pools_hold_two_origins_and_the_third_evicts_the_oldest() {
    let manager = manager_with(ManagerSettings {
        num_pools: Some(2),
        ..ManagerSettings::default()
    })
    .await;
    let (first, second, third) = (origin().await, origin().await, origin().await);

    get(&manager, first.url("/1")).await;
    get(&manager, first.url("/2")).await;
    get(&manager, second.url("/")).await;
    assert_eq!(manager.num_pools().await.unwrap(), 2);
    assert_eq!(first.accepted() + second.accepted(), 2);
    assert_eq!(first.requests().len(), 2);

    get(&manager, third.url("/")).await;
    first.closed(1).await;
    assert_eq!(manager.num_pools().await.unwrap(), 2);
    assert_eq!(second.closed_by_client() + third.closed_by_client(), 0);

    get(&manager, second.url("/again")).await;
    assert_eq!(second.accepted(), 1);
}

#[tokio::test]
async fn an_evicted_pool_lets_its_running_exchange_finish() {
    let manager = manager_with(ManagerSettings {
        num_pools: Some(1),
        ..ManagerSettings::default()
    })
    .await;
    let gate = Gate::new();
    let (slow, other) = (slow_origin(&gate).await, origin().await);

    let running = manager.get(slow.url("/")).send().await.unwrap();
    get(&manager, other.url("/")).await;
    gate.open();
    assert_eq!(text(running).await, "body");
    slow.closed(1).await;
}

#[tokio::test]
async fn a_thousand_requests_take_one_connection() {
    let (manager, origin) = (manager().await, origin().await);
    for _ in 0..1000 {
        get(&manager, origin.url("/")).await;
    }
    assert_eq!((origin.accepted(), origin.requests().len()), (1, 1000));
}

#[tokio::test]
async fn a_server_that_closes_idle_connections_costs_a_reconnect_and_no_error() {
    let manager = manager().await;
    let origin = Origin::new()
        .reply(Reply::ok("body").hang_up())
        .start()
        .await;
    for connections in 1..=3 {
        assert_eq!(get(&manager, origin.url("/")).await, "body");
        origin.hung_up(connections).await;
        assert_eq!(origin.accepted(), connections);
    }
}

/// Answers one request on its first connection and swallows the next.
async fn dies_on_the_second_request(last: Step) -> Server {
    let answer = || Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    Peer::new()
        .connection([Step::Request, answer(), Step::Request, last])
        .connection([Step::Request, answer(), Step::Hold])
        .start()
        .await
}

#[tokio::test]
async fn a_request_that_met_a_dead_connection_is_replayed() {
    for (case, last) in [("closed", Step::send("")), ("reset", Step::Reset)] {
        let (manager, peer) = (manager().await, dies_on_the_second_request(last).await);
        get(&manager, peer.url("/1")).await;
        let response = manager.get(peer.url("/2")).send().await.unwrap();
        let connection = response.head().connection.clone();
        assert_eq!((connection.number, connection.reused), (2, false), "{case}");
        assert_eq!(text(response).await, "ok", "{case}");
        assert_eq!(peer.accepted(), 2, "{case}");
    }
}

#[tokio::test]
async fn what_may_have_been_acted_on_is_not_replayed() {
    let peer = dies_on_the_second_request(Step::send("")).await;
    let manager = manager().await;
    get(&manager, peer.url("/1")).await;
    let post = manager.request("POST", peer.url("/2")).body("x");
    let error = failure_of("POST", post).await;
    let failure = error.failure().unwrap();
    assert_eq!(error.kind(), "protocol");
    assert!(failure.reused && failure.may_have_been_acted_on);
    assert_eq!((failure.attempt, peer.accepted()), (1, 1));
}

#[tokio::test]
async fn a_body_read_to_its_end_frees_its_connection() {
    let gate = Gate::new();
    let (manager, slow) = (manager().await, slow_origin(&gate).await);
    let pool = manager
        .connection_from_url(&slow.url("/"), None)
        .await
        .unwrap();
    let mut response = manager.get(slow.url("/")).send().await.unwrap();
    let first = response.head().connection.clone();
    assert_eq!((first.number, first.reused), (1, false));
    assert_eq!(first.remote, slow.authority());
    assert_eq!(pool.num_idle().await.unwrap(), 0);
    gate.open();
    // The last byte frees it, and not the news that there is none left.
    assert_eq!(response.chunk().await.unwrap().unwrap(), b"body");
    assert_eq!(pool.num_idle().await.unwrap(), 1);
    assert_eq!(response.chunk().await.unwrap(), None);

    let again = manager.get(slow.url("/")).send().await.unwrap();
    let second = again.head().connection.clone();
    assert_eq!((second.number, second.reused), (1, true));
}

#[tokio::test]
async fn an_unread_response_that_is_dropped_closes_its_connection() {
    let gate = Gate::new();
    let (manager, slow) = (manager().await, slow_origin(&gate).await);
    drop(manager.get(slow.url("/")).send().await.unwrap());
    // The next call may be what carries the news into the instance.
    assert_eq!(manager.num_pools().await.unwrap(), 1);
    slow.closed(1).await;
    gate.open();
    assert_eq!(get(&manager, slow.url("/")).await, "body");
    assert_eq!(slow.accepted(), 2);
}

#[tokio::test]
async fn a_drained_response_frees_its_connection() {
    let gate = Gate::new();
    let (manager, slow) = (manager().await, slow_origin(&gate).await);
    let mut response = manager.get(slow.url("/")).send().await.unwrap();
    gate.open();
    response.drain().await.unwrap();
    assert_eq!(response.chunk().await.unwrap(), None);
    get(&manager, slow.url("/")).await;
    assert_eq!(slow.accepted(), 1);
}

#[tokio::test]
async fn a_released_response_keeps_its_connection_only_where_its_body_has_arrived() {
    let manager = manager().await;
    let arrived = origin().await;
    let mut response = manager.get(arrived.url("/")).send().await.unwrap();
    response.release().await.unwrap();
    assert_eq!(response.chunk().await.unwrap(), None);
    get(&manager, arrived.url("/")).await;
    assert_eq!(arrived.accepted(), 1);

    let slow = slow_origin(&Gate::new()).await;
    let mut response = manager.get(slow.url("/")).send().await.unwrap();
    response.release().await.unwrap();
    assert_eq!(response.chunk().await.unwrap(), None);
    slow.closed(1).await;
}

#[tokio::test]
async fn maxsize_says_how_many_idle_connections_are_kept() {
    for maxsize in 0..=2 {
        let gate = Gate::new();
        let slow = slow_origin(&gate).await;
        let manager = manager_with_pools(pools_of(maxsize)).await;
        let first = manager.get(slow.url("/1")).send().await.unwrap();
        let second = manager.get(slow.url("/2")).send().await.unwrap();
        gate.open();
        assert_eq!(
            (text(first).await, text(second).await),
            ("body".into(), "body".into())
        );
        let pool = manager
            .connection_from_url(&slow.url("/"), None)
            .await
            .unwrap();
        assert_eq!(pool.num_idle().await.unwrap(), maxsize, "maxsize {maxsize}");
        slow.closed(2 - usize::try_from(maxsize).unwrap()).await;
    }
}

#[tokio::test]
async fn an_idle_connection_that_is_too_old_is_not_used() {
    let origin = origin().await;
    let manager = manager_with_pools(PoolSettings {
        idle_timeout: Some(Limit::After(Duration::from_nanos(1))),
        ..PoolSettings::default()
    })
    .await;
    get(&manager, origin.url("/1")).await;
    get(&manager, origin.url("/2")).await;
    assert_eq!(origin.accepted(), 2);
    origin.closed(1).await;
}

#[tokio::test]
async fn clear_closes_what_is_idle_and_forgets_the_pools() {
    let (manager, origin) = (manager().await, origin().await);
    get(&manager, origin.url("/")).await;
    manager.clear().await.unwrap();
    origin.closed(1).await;
    assert_eq!(manager.num_pools().await.unwrap(), 0);
    get(&manager, origin.url("/")).await;
    assert_eq!(origin.accepted(), 2);
}

#[tokio::test]
async fn dropping_the_manager_closes_what_is_idle_and_lets_a_body_be_read() {
    let gate = Gate::new();
    let (idle, slow) = (origin().await, slow_origin(&gate).await);
    let manager = manager().await;
    get(&manager, idle.url("/")).await;
    let response = manager.get(slow.url("/")).send().await.unwrap();
    drop(manager);
    gate.open();
    assert_eq!(text(response).await, "body");
    idle.closed(1).await;
    slow.closed(1).await;
}

#[tokio::test]
async fn a_closed_pool_closes_what_is_idle_and_its_manager_makes_another() {
    let (manager, origin) = (manager().await, origin().await);
    get(&manager, origin.url("/")).await;
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    pool.close().await.unwrap();
    origin.closed(1).await;
    get(&manager, origin.url("/")).await;
    assert_eq!(origin.accepted(), 2);
    assert_eq!(pool.num_connections().await.unwrap(), 1);
}

#[tokio::test]
async fn one_manager_serves_several_tasks() {
    let (manager, origin) = (manager().await, origin().await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (manager, url) = (manager.clone(), origin.url("/"));
        tasks.spawn(async move {
            for _ in 0..5 {
                assert_eq!(get(&manager, url.as_str()).await, "body");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(origin.requests().len(), 40);
}
