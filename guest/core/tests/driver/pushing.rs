//! Bodies that are pushed: what becomes of each piece, and of whoever stops pushing, taking or waiting.

use std::future::poll_fn;

use rustls::version::TLS13;
use urlpool_core::driver::{Net, Piece, Progress, Pusher, pushed};
use urlpool_core::sim::Script;
use urlpool_core::types::{Event, Headers, PoolSettings, Reading, RequestOptions, TlsSettings};

use crate::common::{
    Act, Authority, Boxed, DIAL, END, IN_CHUNKS, SECOND, World, all, answer, both, bytes, chunk,
    deadline, head, origin_of, piece, plain_options, poll_once, push, push_all, push_through, read,
    rewindable, streamed, text, total, whole, within,
};

const URL: &str = "http://a.test/";
const KIB: usize = 1024;

#[test]
fn what_is_pushed_is_sent() {
    let world = World::serving(origin_of("a"));
    let pieces = [piece("abc"), piece(""), piece("de"), Piece::End];
    let (response, heard) = push_through(
        &world,
        ("POST", URL),
        streamed(None),
        &pieces,
        plain_options(),
    );
    assert_eq!(world.finish(response.unwrap()).unwrap().body, b"a");
    assert_eq!(heard, [Progress::Answered]);
    assert_eq!(world.sent(0), whole("POST", &["abc", "de"]));
    assert!(world.get(URL).unwrap().connection.reused);
}

#[test]
fn trailers_stand_behind_a_chunked_body() {
    let trailers = || Headers::parse([("Checksum", "1"), ("checksum", "2")]).unwrap();
    for (case, length, sent) in [
        (
            "chunked",
            None,
            "3\r\nabc\r\n0\r\nChecksum: 1\r\nchecksum: 2\r\n\r\n",
        ),
        ("of a known length", Some(3), "\r\n\r\nabc"),
    ] {
        let world = World::serving(origin_of("a"));
        let pieces = [piece("abc"), Piece::EndWith(trailers())];
        let (response, _) = push_through(
            &world,
            ("POST", URL),
            streamed(length),
            &pieces,
            plain_options(),
        );
        assert_eq!(world.finish(response.unwrap()).unwrap().body, b"a");
        let all = world.sent(0);
        assert!(all.ends_with(sent), "{case}: {all}");
        assert!(world.get(URL).unwrap().connection.reused, "{case}");
    }
}

#[test]
fn a_trailer_that_would_frame_the_message_is_refused() {
    let world = World::serving(origin_of("a"));
    let trailers = Headers::parse([("Content-Length", "3")]).unwrap();
    let pieces = [piece("abc"), Piece::EndWith(trailers)];
    let (response, _) = push_through(
        &world,
        ("POST", URL),
        streamed(None),
        &pieces,
        plain_options(),
    );
    let error = response.err().unwrap();
    assert_eq!(error.kind(), "invalid-request");
    assert!(
        error
            .message()
            .contains("Content-Length cannot be a trailer")
    );
}

#[test]
fn no_more_than_64_kib_wait_for_a_peer_that_takes_nothing() {
    let world = World::timed(deadline(9));
    world.serve("a.test", vec![Script::new()]);
    world.net.limit_writes(0);
    let (pusher, sending) = world.pushing(("POST", URL), streamed(None));
    let pushing = async {
        let mut accepted = 0;
        while push(&pusher, Piece::Bytes(vec![b'x'; KIB])).await == Progress::Accepted {
            accepted += 1;
        }
        (accepted, world.net.elapsed())
    };
    let (response, (accepted, until)) = world.net.run(both(sending, pushing));
    assert_eq!(response.err().unwrap().kind(), "deadline-exceeded");
    assert_eq!(accepted, 65, "one is being sent, the others wait");
    assert_eq!(until, SECOND * 9, "the caller hears of the end at once");
}

#[test]
fn a_peer_that_stops_reading_is_bounded() {
    for (case, timeouts, kind, took) in [
        ("read timeout", read(3), "read-timeout", SECOND * 13),
        (
            "deadline",
            deadline(40),
            "deadline-exceeded",
            SECOND * 40 - DIAL,
        ),
        ("total", total(50), "read-timeout", SECOND * 50 - DIAL),
    ] {
        let world = World::timed(timeouts);
        world.serve("a.test", vec![Script::new()]);
        let (pusher, sending) = world.pushing(("POST", URL), streamed(None));
        let pushing = async {
            world.net.sleep_until(world.net.now().after(DIAL)).await;
            push(&pusher, piece("abc")).await;
            world
                .net
                .sleep_until(world.net.now().after(SECOND * 10))
                .await;
            world.net.limit_writes(0);
            push(&pusher, piece("def")).await;
            poll_fn(|context| pusher.poll_interruption(context)).await
        };
        let (response, heard) = world.net.run(both(sending, pushing));
        let error = response.err().unwrap();
        assert_eq!((error.kind(), heard), (kind, Progress::Answered), "{case}");
        assert!(error.failure().unwrap().may_have_been_acted_on, "{case}");
        assert_eq!(world.net.elapsed(), took + DIAL, "{case}");
        assert_eq!(
            world.sent(0),
            head("POST", IN_CHUNKS, "") + &chunk("abc"),
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

/// A world whose server speaks TLS and follows these scripts.
fn secured(scripts: Vec<Script>) -> World {
    let authority = Authority::new();
    let world = World::of_pools(PoolSettings {
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    });
    let server = authority.server(&["a.test"], &[&TLS13]);
    world.listen("a.test", 443, server.listener(scripts));
    world
}

#[test]
fn a_streamed_body_over_tls_leaves_piece_by_piece() {
    let world = secured(origin_of("a"));
    let url = "https://a.test/";
    for (is_reused, flights) in [(false, 4), (true, 3)] {
        let before = match is_reused {
            true => world.net.writes(0).len(),
            false => 0,
        };
        let acts = [bytes("abc"), bytes(""), bytes("de"), END];
        let target = ("POST", url);
        let response = world
            .upload(target, streamed(None), &acts, plain_options())
            .unwrap();
        assert_eq!(response.head().connection.reused, is_reused);
        assert_eq!(world.finish(response).unwrap().body, b"a");
        // The hello; then the end of the handshake, the head and the first piece in one.
        assert_eq!(world.net.writes(0).len() - before, flights, "{is_reused}");
    }
}

#[test]
fn a_caller_that_is_slow_gets_its_body_through_tls() {
    let wait = || Act::Wait(SECOND * 100);
    let world = secured(origin_of("a"));
    let acts = [wait(), bytes("abc"), wait(), bytes("de"), wait(), END];
    for _ in 0..2 {
        let response = world.upload(
            ("POST", "https://a.test/"),
            streamed(None),
            &acts,
            plain_options(),
        );
        assert_eq!(world.finish(response.unwrap()).unwrap().body, b"a");
    }
    assert_eq!(world.net.connections(), 1);
}

#[test]
fn an_answer_is_heard_though_the_network_takes_no_more() {
    let script = || {
        let refusal = answer("413 Content Too Large", &[], "too long");
        vec![Script::new().head().pause(SECOND * 5).send(refusal)]
    };
    for (case, size, room) in [
        ("a body of one flight", KIB, 500),
        ("a body of many", 1000 * KIB, 100 * KIB),
        (
            "a body of many, of which one is taken",
            1000 * KIB,
            60 * KIB,
        ),
    ] {
        for is_tls in [false, true] {
            let world = if is_tls {
                secured(script())
            } else {
                World::serving(script())
            };
            // Of a record that is cut nothing can be read.
            let size = if is_tls { size + 20 * KIB } else { size };
            let room = if is_tls { room + 20 * KIB } else { room };
            world.net.limit_room(room);
            let url = if is_tls { "https://a.test/" } else { URL };
            let reply = world.post(url, &vec![b'x'; size]).expect(case);
            assert_eq!(reply.status, 413, "{case}");
            assert!(world.net.elapsed() < SECOND * 6, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn an_answer_is_heard_though_the_last_of_the_body_is_stuck() {
    // What TLS has encrypted counts as written before the network has taken it, so nothing but the flush is left to wait for.
    for (case, length, last, is_taken, kept) in [
        ("the end", None, Piece::End, false, 0),
        ("the end, for a while", None, Piece::End, true, 1),
        ("all that was announced", Some(6), piece("def"), false, 0),
        (
            "all that was announced, for a while",
            Some(6),
            piece("def"),
            true,
            1,
        ),
    ] {
        let refusal = answer("413 Content Too Large", &[], "too long");
        let script = Script::new().head().pause(SECOND * 5).send(refusal);
        let world = secured(vec![script]);
        let (pusher, sending) = world.pushing(("POST", "https://a.test/"), streamed(length));
        let pushing = async {
            push(&pusher, piece("abc")).await;
            let net = &world.net;
            net.sleep_until(net.now().after(SECOND)).await;
            net.limit_writes(0);
            push(&pusher, last).await;
            net.sleep_until(net.now().after(SECOND)).await;
            if is_taken {
                net.limit_writes(usize::MAX);
            }
        };
        let response = world.net.run(both(sending, pushing)).0.expect(case);
        assert_eq!(world.finish(response).unwrap().status, 413, "{case}");
        assert_eq!(world.net.open_connections(), kept, "{case}");
    }
}

#[test]
fn a_request_that_waits_for_its_caller_can_be_given_up() {
    for pushes in 0..2 {
        let world = World::serving(vec![Script::new()]);
        let (pusher, sending) = world.pushing(("POST", URL), streamed(None));
        let pushing = async {
            for _ in 0..pushes {
                push(&pusher, piece("abc")).await;
            }
        };
        let waiting = within(&world.net, SECOND * 1_000_000, both(sending, pushing));
        assert!(world.net.run(waiting).is_none());
        assert_eq!(world.net.open_connections(), 0);
        let reason = "its exchange was given up".to_owned();
        assert_eq!(world.closings(), [(1, reason)]);
        let heard = world.net.run(push(&pusher, piece("abc")));
        assert_eq!(heard, Progress::Answered);
    }
}

#[test]
fn a_body_whose_pusher_is_dropped_is_an_error_and_not_a_wait() {
    for (case, pieces, is_whole) in [
        ("before anything", vec![], false),
        ("midway", vec![piece("abc")], false),
        ("after the end", vec![piece("abc"), Piece::End], true),
    ] {
        let world = World::serving(origin_of("a"));
        let (pusher, sending) = world.pushing(("POST", URL), rewindable(None));
        let pushing = async {
            for piece in pieces {
                assert_eq!(push(&pusher, piece).await, Progress::Accepted);
            }
            world.net.sleep_until(world.net.now().after(SECOND)).await;
            drop(pusher);
        };
        let response = world.net.run(both(sending, pushing)).0;
        assert_eq!(response.is_ok(), is_whole, "{case}");
        if let Err(error) = response {
            assert_eq!(error.kind(), "invalid-request", "{case}");
            assert_eq!(world.net.elapsed(), SECOND, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn a_pushed_body_needs_no_more_polls_than_wakes() {
    // Each side is polled only when it was woken.
    let world = World::serving(origin_of("a"));
    let (pusher, sending) = world.pushing(("POST", URL), streamed(None));
    let pieces: Vec<Piece> = std::iter::repeat_n(Piece::Bytes(vec![b'x'; 50 * KIB]), 9)
        .chain([Piece::End])
        .collect();
    let request: Boxed<'_, bool> = Box::pin(async { sending.await.is_ok() });
    let caller: Boxed<'_, bool> =
        Box::pin(async { push_all(&pusher, &pieces).await == [Progress::Answered] });
    let outcomes = world.net.run(all(vec![request, caller]));
    assert_eq!(outcomes, [true, true]);
}

#[test]
fn a_piece_goes_out_as_soon_as_it_is_pushed() {
    let world = World::serving(vec![Script::new()]);
    let (pusher, mut sending) = world.pushing(("POST", URL), streamed(None));
    let waiting = within(&world.net, SECOND, sending.as_mut());
    assert!(world.net.run(waiting).is_none());
    for (count, data) in ["abc", "de", "f"].into_iter().enumerate() {
        assert_eq!(world.net.writes(0).len(), count);
        assert!(pusher.is_waited_for());
        assert!(accepts(&world, &pusher, data));
        assert!(!pusher.is_waited_for());
        assert!(poll_once(&world.net, &mut sending).is_none());
        assert!(text(world.net.writes(0).last().unwrap()).ends_with(&chunk(data)));
    }
    assert!(matches!(
        world.manager.take_events().last(),
        Some(Event::Sent { number: 1, .. })
    ));
}

#[test]
fn a_request_that_was_answered_early_waits_for_its_peer() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe";
    let world = World::new();
    world.serve("a.test", vec![Script::new().head().send(answer)]);
    let (pusher, source) = pushed();
    let options = RequestOptions {
        reading: Reading {
            is_preloaded: true,
            ..Reading::default()
        },
        ..plain_options()
    };
    let source = Some(Box::new(source) as Box<_>);
    let content = streamed(None);
    let mut sending = Box::pin(world.manager.send("POST", URL, content, source, options));
    assert!(accepts(&world, &pusher, "abc"));
    let waiting = within(&world.net, SECOND, sending.as_mut());
    assert!(world.net.run(waiting).is_none());
    assert!(!pusher.is_waited_for());
}

fn accepts(world: &World, pusher: &Pusher, data: &str) -> bool {
    world.net.run(push(pusher, piece(data))) == Progress::Accepted
}
