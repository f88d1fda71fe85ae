//! Bodies that are larger than memory, or slower than the reader, and origins with several addresses.

use std::pin::Pin;

use futures_core::Stream;
use urlpool_host::{Event, Grants, Limits, ManagerSettings, PoolManager, Settings};
use urlpool_tests::{Gate, Origin, Peer, Reply, Step, fail, has_ipv6};

use crate::common::{get, manager, manager_with, refusal, text};

const LARGE: usize = 64 << 20;

/// Bytes in which a piece that is missing or in the wrong place shows: a prime number of them, over and over.
fn pattern(length: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..65_521_usize)
        .map(|place| place.to_le_bytes()[0] ^ place.to_le_bytes()[1])
        .collect();
    let mut bytes = block.repeat(length / block.len() + 1);
    bytes.truncate(length);
    bytes
}

#[tokio::test]
async fn a_body_twice_as_large_as_the_memory_flows_through() {
    let body = pattern(LARGE);
    let origin = Origin::new()
        .at("/length", Reply::ok(body.clone()))
        .at("/chunked", Reply::ok(body.clone()).chunked(100_000))
        .start()
        .await;
    let manager = PoolManager::new(Settings {
        grants: Grants::all(),
        limits: Limits {
            memory: 32 << 20,
            ..Limits::default()
        },
        ..Settings::default()
    })
    .await
    .unwrap();
    for path in ["/length", "/chunked"] {
        let mut response = manager.get(origin.url(path)).send().await.unwrap();
        let mut received = 0;
        while let Some(chunk) = response.chunk().await.unwrap() {
            assert!(!chunk.is_empty());
            assert!(
                body[received..].starts_with(&chunk),
                "{path}: at byte {received}"
            );
            received += chunk.len();
        }
        assert_eq!(received, LARGE, "{path}");
        // All at once it is put together outside the instance, which has no room for it.
        let whole = manager
            .get(origin.url(path))
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert!(whole == body, "{path}");
    }
    assert_eq!(origin.accepted(), 1);
}

#[tokio::test]
async fn a_stream_yields_the_body() {
    let origin = Origin::new()
        .reply(Reply::ok(pattern(300_000)))
        .start()
        .await;
    let manager = manager().await;
    let mut stream = manager
        .get(origin.url("/"))
        .send()
        .await
        .unwrap()
        .bytes_stream();
    let mut received = Vec::new();
    while let Some(chunk) =
        std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await
    {
        received.extend(chunk.unwrap());
    }
    assert!(received == pattern(300_000));
    let again = manager.get(origin.url("/again")).send().await.unwrap();
    assert!(again.head().connection.reused);
}

#[tokio::test]
async fn what_has_arrived_can_be_read_before_the_rest() {
    let gate = Gate::new();
    let peer = Peer::always([
        Step::Request,
        Step::send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst"),
        Step::Wait(gate.clone()),
        Step::send("second"),
        Step::Hold,
    ])
    .start()
    .await;
    let manager = manager().await;
    let mut response = manager.get(peer.url("/")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), b"first");
    gate.open();
    assert_eq!(text(response).await, "second");
}

#[tokio::test]
async fn two_bodies_can_be_read_in_turns() {
    let origin = Origin::new()
        .reply(Reply::ok(pattern(1_000_000)))
        .start()
        .await;
    let manager = manager().await;
    let mut first = manager.get(origin.url("/1")).send().await.unwrap();
    let mut second = manager.get(origin.url("/2")).send().await.unwrap();
    let (mut one, mut two) = (Vec::new(), Vec::new());
    loop {
        let chunks = (first.chunk().await.unwrap(), second.chunk().await.unwrap());
        if chunks == (None, None) {
            break;
        }
        one.extend(chunks.0.unwrap_or_default());
        two.extend(chunks.1.unwrap_or_default());
    }
    assert!(one == pattern(1_000_000) && two == one);
    assert_eq!(origin.accepted(), 2);
}

#[tokio::test]
async fn a_body_above_the_callers_limit_is_an_error_and_closes() {
    let manager = manager().await;
    for (case, reply) in [
        ("length", Reply::ok(pattern(100_000))),
        ("chunked", Reply::ok(pattern(100_000)).chunked(1000)),
    ] {
        let origin = Origin::new().reply(reply).start().await;
        let get = || async { manager.get(origin.url("/")).send().await.unwrap() };
        let whole = get().await.bytes_within(100_000).await.unwrap();
        assert_eq!(whole.len(), 100_000, "{case}");
        for limit in [99_999, 10_000, 0] {
            let error = get().await.bytes_within(limit).await.unwrap_err();
            let error = refusal(case, &error);
            assert_eq!(error.kind(), "body-too-large", "{case}, {limit}");
        }
        // Where most of the body is still to come, nobody reads it.
        origin.closed(2).await;
    }
}

#[tokio::test]
async fn a_name_with_several_addresses_is_tried_until_one_answers() {
    // Where `localhost` is `::1` too, nothing listens there.
    let origin = Origin::new().reply(Reply::ok("here")).start().await;
    let manager = manager_with(ManagerSettings {
        events: Some(10),
        ..ManagerSettings::default()
    })
    .await;
    assert_eq!(get(&manager, origin.url_as("localhost", "/")).await, "here");
    let events = manager.take_events().await.unwrap();
    let Some(Event::Resolved { host, addresses }) = events.first() else {
        fail(&format!("no lookup came first: {events:?}"));
    };
    assert_eq!(host, "localhost");
    assert!(
        addresses
            .iter()
            .any(|address| address.starts_with("127.0.0.1")),
        "{addresses:?}"
    );
    assert_eq!(
        origin.request().field("host"),
        Some(format!("localhost:{}", origin.port()))
    );
}

#[tokio::test]
async fn an_ipv6_address_is_an_origin() {
    if !has_ipv6() {
        eprintln!("this machine has no ::1");
        return;
    }
    let origin = Origin::new()
        .on_ipv6()
        .reply(Reply::ok("six"))
        .start()
        .await;
    let manager = manager().await;
    assert_eq!(get(&manager, origin.url("/")).await, "six");
    assert_eq!(origin.request().field("host"), Some(origin.authority()));
    assert!(origin.authority().starts_with("[::1]:"));
}
