//! What waits for a request that may be cancelled, or waits with a timeout, can be dropped at the cost of that request alone.

use std::time::Duration;

use tokio::time::timeout;
use urlpool_host::{Error, Grants, Limits, PoolManager, Settings};
use urlpool_tests::{Gate, Origin, Reply, Server, within};

use crate::common::{get, manager, text};

async fn origin(gate: &Gate) -> Server {
    Origin::new()
        .at("/slow", Reply::ok("slow").after(gate))
        .at("/body", Reply::ok("slow").body_after(gate))
        .reply(Reply::ok("fine"))
        .start()
        .await
}

/// Drops a future once its request has arrived.
async fn given_up(origin: &Server, count: usize, waiting: impl Future) {
    let asked = async {
        tokio::select! {
            _ = waiting => panic!("it came to an end"),
            () = origin.requested(count) => {}
        }
    };
    within("the request", asked).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_costs_its_own_connection() {
    let gate = Gate::new();
    let origin = origin(&gate).await;
    let manager = manager().await;
    let mut beside = manager
        .get(origin.url("/body"))
        .cancellable()
        .send()
        .await
        .unwrap();
    let started = [manager.get(origin.url("/other")).start().await.unwrap()];
    let url = origin.url("/slow");
    given_up(&origin, 3, manager.get(&url).cancellable().send()).await;
    let waiting = [manager.get(&url).start().await.unwrap()];
    given_up(
        &origin,
        4,
        manager.wait(&waiting, Some(Duration::from_secs(60))),
    )
    .await;
    drop(waiting);
    assert!(
        timeout(Duration::from_millis(1), beside.chunk())
            .await
            .is_err()
    );
    let [started] = started;
    assert_eq!(text(started.response().await.unwrap()).await, "fine");
    within(
        "the connections of those that were given up",
        origin.closed(2),
    )
    .await;
    gate.open();
    assert_eq!(text(beside).await, "slow");
    assert_eq!(get(&manager, origin.url("/")).await, "fine");
}

#[tokio::test]
async fn those_who_wait_by_turns_let_each_other_go_on() {
    let gate = Gate::new();
    let origin = origin(&gate).await;
    let manager = manager().await;
    let slow = manager.get(origin.url("/slow")).cancellable().send();
    let beside = async {
        origin.requested(1).await;
        let beside = manager.get(origin.url("/")).cancellable().send();
        assert_eq!(text(beside.await.unwrap()).await, "fine");
        gate.open();
    };
    let both = async { tokio::join!(slow, beside).0 };
    let slow = within("both", both).await.unwrap();
    assert_eq!(text(slow).await, "slow");
}

#[tokio::test]
async fn waiting_by_turns_is_no_call_that_takes_too_long() {
    let gate = Gate::new();
    let origin = origin(&gate).await;
    let settings = Settings {
        grants: Grants::all(),
        limits: Limits {
            call: Some(Duration::from_millis(30)),
            ..Limits::default()
        },
        ..Settings::default()
    };
    let manager = PoolManager::new(settings).await.unwrap();
    let slow = manager.get(origin.url("/slow"));
    let mut slow = Box::pin(slow.cancellable().send());
    assert!(
        timeout(Duration::from_millis(200), &mut slow)
            .await
            .is_err()
    );
    gate.open();
    assert_eq!(text(slow.await.unwrap()).await, "slow");
}

#[tokio::test]
async fn only_a_manager_has_requests_that_can_be_cancelled() {
    let origin = origin(&Gate::new()).await;
    let request = urlpool_host::request(Grants::all(), "GET", origin.url("/"))
        .await
        .unwrap();
    let error = request.cancellable().send().await.unwrap_err();
    assert!(
        matches!(&error, Error::Client(error) if error.kind() == "invalid-request"),
        "{error}"
    );
}
