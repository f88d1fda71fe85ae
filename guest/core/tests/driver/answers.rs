//! Answers that come before their request is sent whole, and bodies that wait to be asked for.

use std::time::Duration;

use urlpool_core::sim::Script;
use urlpool_core::types::{Content, Limit, RequestOptions, Retries};

use crate::common::{
    Act, DIAL, END, IN_CHUNKS, MILLI, POST, SECOND, World, answer, bytes, chunk, expecting, head,
    ok, origin_of, plain_options, streamed, whole, writes,
};

#[test]
fn a_body_waits_until_the_server_asks_for_it() {
    let early = |status: &str| answer(status, &[], "no");
    let interim = |status: &str| format!("HTTP/1.1 {status}\r\n\r\n").into_bytes();
    let go = interim("100 Continue");
    let wait = interim("102 Processing");
    let half = SECOND / 2;
    let rows = [
        (
            "100 at once",
            Script::new().head().send(go.clone()).rest().send(ok("a")),
            (200, DIAL, true),
        ),
        (
            "100 after a while",
            Script::new()
                .head()
                .pause(half)
                .send(go.clone())
                .rest()
                .send(ok("a")),
            (200, DIAL + half, true),
        ),
        (
            "nothing",
            Script::new().head().rest().send(ok("a")),
            (200, DIAL + SECOND, true),
        ),
        (
            "102, then 100",
            Script::new()
                .head()
                .send(wait.clone())
                .pause(half)
                .send(go.clone())
                .rest()
                .send(ok("a")),
            (200, DIAL + half, true),
        ),
        (
            "102 and no more",
            Script::new()
                .head()
                .pause(half)
                .send(wait.clone())
                .rest()
                .send(ok("a")),
            (200, DIAL + SECOND, true),
        ),
        (
            "102 and 100 byte by byte",
            Script::new()
                .head()
                .drip(&[wait.clone(), go.clone()].concat(), MILLI)
                .rest()
                .send(ok("a")),
            (200, DIAL + MILLI * 52, true),
        ),
        (
            "a refusal",
            Script::new()
                .head()
                .pause(half)
                .send(early("417 Expectation Failed")),
            (417, DIAL + half, false),
        ),
        (
            "an answer that needs no body",
            Script::new().head().send(early("200 OK")),
            (200, DIAL, false),
        ),
        (
            "a refusal behind interim responses",
            Script::new()
                .head()
                .send([wait, go, early("401 Unauthorized")].concat()),
            (401, DIAL, false),
        ),
        (
            "a refusal that closes",
            Script::new().head().send(early("413 Too Large")).close(),
            (413, DIAL, false),
        ),
    ];
    for (case, script, (status, took, is_sent)) in rows {
        for (kind, content, framing, body) in [
            (
                "bytes",
                Content::Bytes(b"abc".to_vec()),
                "Content-Length: 3",
                vec!["abc".to_owned()],
            ),
            (
                "a stream",
                streamed(None),
                IN_CHUNKS,
                vec![chunk("abc"), "0\r\n\r\n".into()],
            ),
        ] {
            let script = script.clone().request().send(ok("b"));
            let world = World::serving(vec![script, Script::always(ok("b"))]);
            let (source, tally) = world.feed(&[bytes("abc"), END]);
            let sending = world
                .manager
                .send("POST", POST.1, content, Some(source), expecting());
            let response = world.net.run(sending).unwrap();
            assert_eq!(response.head().status, status, "{case}, {kind}");
            assert_eq!(world.net.elapsed(), took, "{case}, {kind}");
            let mut expected = vec![head("POST", framing, "Expect: 100-continue\r\n")];
            if is_sent {
                expected.extend(body);
            } else {
                assert_eq!(tally.taken.get(), 0, "{case}, {kind}: nothing was taken");
            }
            assert_eq!(writes(&world, 0), expected, "{case}, {kind}");
            world.finish(response).unwrap();
            let reply = world.get(POST.1).unwrap();
            assert_eq!(reply.connection.reused, is_sent, "{case}, {kind}");
        }
    }
}

#[test]
fn waiting_to_be_asked_for_a_body_is_bounded() {
    for (case, options, script, kind, took) in [
        (
            "by the deadline",
            deadline_of(MILLI * 300),
            Script::new(),
            "deadline-exceeded",
            MILLI * 300,
        ),
        (
            "by the end of the connection",
            expecting(),
            Script::new().head().pause(MILLI * 98).close(),
            "protocol",
            MILLI * 100,
        ),
    ] {
        let world = World::serving(vec![script]);
        let acts = [bytes("abc"), END];
        let error = world
            .upload(POST, streamed(None), &acts, options)
            .err()
            .unwrap();
        assert_eq!((error.kind(), world.net.elapsed()), (kind, took), "{case}");
        assert_eq!(writes(&world, 0).len(), 1, "{case}: the head alone");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

fn deadline_of(span: Duration) -> RequestOptions {
    let mut options = expecting();
    options.timeouts.deadline = Some(Limit::After(span));
    options
}

#[test]
fn nobody_is_asked_whether_a_body_of_nothing_may_come() {
    for content in [
        Content::Empty,
        Content::Bytes(Vec::new()),
        streamed(Some(0)),
    ] {
        let world = World::serving(origin_of("a"));
        world.upload(POST, content, &[END], expecting()).unwrap();
        assert_eq!(writes(&world, 0), [head("POST", "Content-Length: 0", "")]);
    }
}

#[test]
fn an_answer_that_comes_first_ends_the_sending() {
    let refusal = answer("413 Content Too Large", &[], "too long");
    let slow = |count: usize| {
        let pieces = std::iter::repeat_n([bytes("0123456789"), Act::Wait(SECOND)], count);
        pieces.flatten().chain([END]).collect::<Vec<_>>()
    };
    for (case, content, acts, script, sent) in [
        (
            "a large body",
            Content::Bytes(vec![b'x'; 1_000_000]),
            vec![],
            Script::new().head().send(refusal.clone()),
            64 * 1024,
        ),
        (
            "a stream",
            streamed(None),
            slow(9),
            Script::new()
                .head()
                .pause(SECOND * 3 / 2)
                .send(refusal.clone()),
            head("POST", IN_CHUNKS, "").len() + 2 * chunk("0123456789").len(),
        ),
        (
            "a stream that has stopped",
            streamed(Some(20)),
            vec![bytes("0123456789"), Act::Stall],
            Script::new()
                .head()
                .pause(SECOND * 100)
                .send(refusal.clone()),
            head("POST", "Content-Length: 20", "").len() + 10,
        ),
        (
            "behind interim responses, in one piece with them",
            streamed(None),
            vec![bytes("0123456789"), Act::Stall],
            Script::new()
                .head()
                .send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Con")
                .pause(SECOND)
                .send([b"tinue\r\n\r\n", &*refusal].concat()),
            head("POST", IN_CHUNKS, "").len() + chunk("0123456789").len(),
        ),
        (
            "and the connection ends",
            streamed(None),
            slow(9),
            Script::new().head().send(refusal.clone()).close(),
            head("POST", IN_CHUNKS, "").len() + chunk("0123456789").len(),
        ),
    ] {
        let world = World::serving(vec![script, Script::always(ok("good"))]);
        let response = world.upload(POST, content, &acts, plain_options()).unwrap();
        let reply = world.finish(response).unwrap();
        assert_eq!(
            (reply.status, &*reply.body),
            (413, &b"too long"[..]),
            "{case}"
        );
        assert_eq!(world.net.writes(0).concat().len(), sent, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        let reason = "the request was not taken whole".to_owned();
        assert_eq!(world.closings(), [(1, reason)], "{case}");
        assert_eq!(world.get(POST.1).unwrap().body, b"good", "{case}");
    }
}

#[test]
fn an_answer_to_all_that_was_announced_leaves_a_connection_in_order() {
    // The caller has yet to say that this was all, but the server knows.
    let world = World::serving(vec![Script::always(ok("a"))]);
    let acts = [bytes("abc"), Act::Wait(SECOND), END];
    let response = world
        .upload(POST, streamed(Some(3)), &acts, plain_options())
        .unwrap();
    assert_eq!(world.net.elapsed(), DIAL);
    world.finish(response).unwrap();
    assert!(world.get(POST.1).unwrap().connection.reused);
    assert_eq!(world.net.connections(), 1);
}

#[test]
fn interim_responses_during_an_upload_are_passed_over() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let script = Script::new()
        .head()
        .send(hints)
        .pause(SECOND)
        .send(format!("{hints}HTTP/1.1 10"))
        .rest()
        .send("2 Processing\r\n\r\n")
        .send(ok("a"));
    let world = World::serving(vec![script]);
    let acts = [bytes("a"), Act::Wait(SECOND * 2), bytes("b"), END];
    let response = world
        .upload(POST, streamed(None), &acts, plain_options())
        .unwrap();
    assert_eq!(world.finish(response).unwrap().body, b"a");
    assert_eq!(writes(&world, 0).len(), 3);
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn interim_responses_without_end_do_not_outlast_an_upload() {
    let world = World::serving(vec![
        Script::new()
            .head()
            .send("HTTP/1.1 102 Processing\r\n\r\n".repeat(65)),
    ]);
    let acts = [bytes("a"), Act::Stall];
    let error = world
        .upload(POST, streamed(None), &acts, plain_options())
        .err()
        .unwrap();
    assert_eq!(error.kind(), "protocol");
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn what_comes_before_anything_was_sent_is_no_answer() {
    let acts = [Act::Wait(SECOND * 2), bytes("abc"), END];
    for (case, unasked) in [
        ("an answer", Script::new().pause(SECOND).send(ok("wrong"))),
        (
            "half of one",
            Script::new().pause(SECOND).send("HTTP/1.1 200"),
        ),
        (
            "408 and the end",
            Script::new()
                .send(answer("408 Request Timeout", &[], "wrong"))
                .close(),
        ),
        ("the end", Script::new().pause(SECOND).close()),
        ("a reset", Script::new().pause(SECOND).reset()),
    ] {
        // On a new connection that is a failed attempt.
        let world = World::serving(vec![unasked.clone(), Script::always(ok("a"))]);
        let error = world
            .upload(POST, streamed(None), &acts, plain_options())
            .err()
            .expect(case);
        assert_eq!(error.kind(), "protocol", "{case}");
        assert!(!error.failure().unwrap().may_have_been_acted_on, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");

        // Another attempt needs nothing from the caller again.
        let world = World::retrying(Retries::total(1));
        world.serve("a.test", vec![unasked.clone(), Script::always(ok("a"))]);
        let response = world
            .upload(POST, streamed(None), &acts, plain_options())
            .unwrap();
        assert_eq!(world.finish(response).unwrap().body, b"a", "{case}");
        assert!(writes(&world, 0).is_empty(), "{case}");
        assert_eq!(
            writes(&world, 1).concat(),
            whole("POST", &["abc"]),
            "{case}"
        );

        // On an idle one it is no failure at all.
        let once = unasked.clone();
        let world = World::serving(vec![
            Script::new().request().send(ok("first")).followed_by(once),
            Script::always(ok("a")),
        ]);
        assert_eq!(world.get(POST.1).unwrap().body, b"first", "{case}");
        let response = world.upload(POST, streamed(None), &acts, plain_options());
        if case == "408 and the end" {
            // That one was there already, so the connection was not even tried.
            assert_eq!(writes(&world, 0).len(), 1, "{case}");
        }
        assert_eq!(
            world.finish(response.unwrap()).unwrap().body,
            b"a",
            "{case}"
        );
        assert_eq!(writes(&world, 0).len(), 1, "{case}: the first request");
        assert_eq!(
            writes(&world, 1).concat(),
            whole("POST", &["abc"]),
            "{case}"
        );
    }
}
