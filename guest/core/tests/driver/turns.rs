//! Bodies that always have something ready: whoever moves them lets others have their turn.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use urlpool_core::driver::{Response, Sink};
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::{Content, Error, Reading, RequestOptions};

use crate::common::{Boxed, END, World, ZEROS, bombs, bytes, ok, plain_options, streamed};

const URL: &str = "http://a.test/";
const MIB: usize = 1 << 20;

/// What becomes of it, and in how many turns beside those in which it waited for anything.
fn in_turns<T>(world: &World, future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut turns = 0;
    let mut before = world.net.elapsed();
    let counted = poll_fn(|context| {
        if world.net.elapsed() == before {
            turns += 1;
        }
        before = world.net.elapsed();
        future.as_mut().poll(context)
    });
    (world.net.run(counted), turns)
}

/// Takes everything at once.
struct Hole;

impl Sink for Hole {
    fn poll_write(
        &mut self,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, String>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

type Reads = for<'a> fn(&'a mut Response<SimNet>) -> Boxed<'a, Result<(), Error>>;

const WAYS: [(&str, Reads); 4] = [
    ("drain", |response| Box::pin(response.drain())),
    ("all", |response| {
        Box::pin(async { response.read_all(u64::MAX).await.map(drop) })
    }),
    ("copy", |response| {
        Box::pin(async { response.copy_to(&mut Hole).await.map(drop) })
    }),
    ("pieces", |response| {
        Box::pin(async {
            while !response.read(64 << 10).await?.is_empty() {}
            Ok(())
        })
    }),
];

#[test]
fn a_body_that_is_always_ready_lets_others_have_their_turn() {
    for mib in [0, 1, 8] {
        let body = "x".repeat(mib * MIB);
        for (case, read) in WAYS {
            let world = World::serving(vec![Script::always(ok(&body))]);
            let mut response = world.open(URL);
            let (outcome, turns) = in_turns(&world, read(&mut response));
            outcome.expect(case);
            let expected = mib.max(1)..=mib + 2;
            assert!(expected.contains(&turns), "{case}, {mib} MiB: {turns}");
        }
    }
}

#[test]
fn what_decodes_to_much_lets_others_have_their_turn() {
    for (coding, body) in bombs() {
        // Nobody decodes what is drained.
        for (case, read) in &WAYS[1..] {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let script = Script::new()
                .request()
                .send([head.as_bytes(), &body].concat());
            let world = World::serving(vec![script]);
            let mut response = world.open(URL);
            let (outcome, turns) = in_turns(&world, read(&mut response));
            outcome.expect(case);
            let least = ZEROS / MIB;
            assert!(
                (least..least * 3).contains(&turns),
                "{coding}, {case}: {turns}"
            );
        }
    }
}

#[test]
fn a_body_that_is_always_taken_lets_others_have_their_turn() {
    let large = vec![b'x'; 8 * MIB];
    let world = World::serving(vec![Script::always(ok("a"))]);
    world.net.limit_writes(64 << 10);
    let content = Content::Bytes(large.clone());
    let request = world.manager.request("PUT", URL, content, plain_options());
    let (outcome, turns) = in_turns(&world, request);
    outcome.unwrap();
    assert!((8..12).contains(&turns), "{turns}");

    let world = World::serving(vec![Script::always(ok("a"))]);
    let mut acts: Vec<_> = large.chunks(64 << 10).map(bytes).collect();
    acts.push(END);
    let (source, _) = world.feed(&acts);
    let content = streamed(None);
    let request = world
        .manager
        .send("PUT", URL, content, Some(source), plain_options());
    let (outcome, turns) = in_turns(&world, request);
    outcome.unwrap();
    assert!((8..12).contains(&turns), "{turns}");
}

#[test]
fn a_body_that_is_preloaded_lets_others_have_their_turn() {
    let body = "x".repeat(8 * MIB);
    let world = World::serving(vec![Script::always(ok(&body))]);
    let options = RequestOptions {
        reading: Reading {
            is_preloaded: true,
            ..Reading::default()
        },
        ..RequestOptions::default()
    };
    let request = world.manager.request("GET", URL, Content::Empty, options);
    let (outcome, turns) = in_turns(&world, request);
    outcome.unwrap();
    assert!((8..12).contains(&turns), "{turns}");
}
