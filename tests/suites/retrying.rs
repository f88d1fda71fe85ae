//! Requests that are tried again, what is remembered of that, and what is left when they are not.

use std::time::Duration;

use urlpool_host::{
    Budget, ClientError, Event, HistoryEntry, LastOutcome, ManagerSettings, PoolManager,
    PoolSettings, Reading, RequestOptions, Retries,
};
use urlpool_tests::{Origin, Peer, RefusingPort, Reply, Step, fail};

use crate::common::{entry, failure_of, get, manager_with, patient, text};

const PAUSE: Duration = Duration::from_millis(10);

async fn pausing(retries: Retries) -> PoolManager {
    manager_with(ManagerSettings {
        pool: PoolSettings {
            retries: Retries {
                backoff_factor: Some(PAUSE),
                ..retries
            },
            ..PoolSettings::default()
        },
        events: Some(100),
        ..ManagerSettings::default()
    })
    .await
}

fn on(statuses: &[u16]) -> Retries {
    Retries {
        statuses: Some(statuses.to_vec()),
        ..Retries::total(2)
    }
}

#[tokio::test]
async fn a_server_that_asks_for_another_attempt_gets_it() {
    let manager = pausing(Retries::total(3)).await;
    let busy = || Reply::new(503, "busy");
    let origin = Origin::new()
        .reply(busy().header("Retry-After", "0"))
        .reply(Reply::ok("fine"))
        .start()
        .await;
    let response = manager.get(origin.url("/")).send().await.unwrap();
    assert_eq!(
        response.history().await.unwrap(),
        [entry("GET", &origin.url("/"), 503, None)]
    );
    let left = response.retries().await.unwrap();
    assert_eq!(left.total, Some(Budget::AtMost(2)));
    assert_eq!(text(response).await, "fine");
    // The refusal's body was read, so its connection is good for the next attempt.
    assert_eq!((origin.accepted(), origin.requests().len()), (1, 2));

    let silent = Origin::new().reply(busy()).start().await;
    assert_eq!(get(&manager, silent.url("/")).await, "busy");
    assert_eq!(silent.requests().len(), 1);
}

#[tokio::test]
async fn pauses_between_attempts_double() {
    let manager = pausing(Retries {
        total: Some(Budget::AtMost(3)),
        ..on(&[500])
    })
    .await;
    let failing = || Reply::new(500, "");
    let origin = Origin::new()
        .reply(failing())
        .reply(failing())
        .reply(failing())
        .reply(Reply::ok("fine"))
        .start()
        .await;
    assert_eq!(get(&manager, origin.url("/")).await, "fine");
    let events = manager.take_events().await.unwrap();
    let pauses: Vec<Duration> = events
        .iter()
        .filter_map(|event| match event {
            Event::Retried { delay } => Some(*delay),
            _ => None,
        })
        .collect();
    assert_eq!(pauses, [Duration::ZERO, 2 * PAUSE, 4 * PAUSE]);
}

/// The kinds of a history's errors, each empty where there was a response.
fn kinds(history: &[HistoryEntry]) -> Vec<&str> {
    let kind = |entry: &HistoryEntry| entry.error.as_ref().map_or("", |error| error.kind());
    history.iter().map(kind).collect()
}

#[tokio::test]
async fn a_connection_that_breaks_is_followed_by_another() {
    let answer = Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (case, first) in [
        ("closed", vec![Step::Request]),
        ("reset", vec![Step::Request, Step::Reset]),
        (
            "not HTTP",
            vec![Step::Request, Step::send("nonsense\r\n\r\n")],
        ),
    ] {
        let manager = patient(3).await;
        let peer = Peer::new()
            .connection(first)
            .connection([Step::Request, answer.clone(), Step::Hold])
            .start()
            .await;
        let response = manager.get(peer.url("/")).send().await.unwrap();
        let history = response.history().await.unwrap();
        assert_eq!(kinds(&history), ["protocol"], "{case}");
        assert_eq!(history[0].url, peer.url("/"), "{case}");
        assert_eq!(text(response).await, "ok", "{case}");
        assert_eq!(peer.accepted(), 2, "{case}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_read_again_where_it_is_part_of_the_request() {
    for (case, is_preloaded, connections) in [("part", true, 2), ("apart", false, 1)] {
        let manager = patient(3).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
        let peer = Peer::new()
            .connection([Step::Request, Step::send(format!("{head}bo"))])
            .connection([Step::Request, Step::send(format!("{head}body")), Step::Hold])
            .start()
            .await;
        let request = manager.get(peer.url("/")).options(RequestOptions {
            reading: Reading {
                is_preloaded,
                ..Reading::default()
            },
            ..RequestOptions::default()
        });
        let response = request.send().await.unwrap();
        let entries = response.history().await.unwrap().len();
        assert_eq!(entries, connections - 1, "{case}");
        let body = response.bytes().await;
        assert_eq!(body.is_ok(), is_preloaded, "{case}: {body:?}");
        assert_eq!(peer.accepted(), connections, "{case}");
    }
}

#[tokio::test]
async fn a_post_that_may_have_been_acted_on_is_not_tried_again() {
    let peer = Peer::always([Step::Request]).start().await;
    let post = patient(3).await.request("POST", peer.url("/")).body("x");
    let error = failure_of("POST", post).await;
    assert_eq!((error.kind(), peer.accepted()), ("protocol", 1));
}

fn exhausted(error: ClientError) -> urlpool_host::Exhausted {
    match error {
        ClientError::RetriesExhausted(exhausted) => *exhausted,
        other => fail(&format!("another error: {other:?}")),
    }
}

#[tokio::test]
async fn attempts_that_are_used_up_are_all_remembered() {
    let manager = patient(2).await;
    let refusing = RefusingPort::new();
    // Nothing was sent, so a POST is tried again too.
    let post = manager.request("POST", refusing.url("/")).body("x");
    let refused = exhausted(failure_of("refused", post).await);
    assert_eq!(refused.attempts, 3);
    assert_eq!(kinds(&refused.history), ["connection-failed"; 3]);
    let LastOutcome::Failed(last) = &refused.last else {
        fail(&format!("another outcome: {:?}", refused.last));
    };
    assert_eq!(last.kind(), "connection-failed");

    let origin = Origin::new().reply(Reply::new(500, "no")).start().await;
    let url = origin.url("/");
    let request = manager.get(&url).retries(on(&[500]));
    let failing = exhausted(failure_of("failing", request).await);
    assert_eq!(failing.last, LastOutcome::Status(500));
    let entries = [(); 3].map(|()| entry("GET", &url, 500, None));
    assert_eq!(failing.history, entries);
    assert_eq!(origin.requests().len(), 3);

    let lenient = Retries {
        raise_on_status: Some(false),
        ..on(&[500])
    };
    let response = manager.get(&url).retries(lenient).send().await.unwrap();
    assert_eq!(response.history().await.unwrap().len(), 2);
    assert_eq!(
        (response.status(), text(response).await),
        (500, "no".into())
    );
}
