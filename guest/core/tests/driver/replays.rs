//! Streamed bodies that must be sent a second time, and those that cannot be.

use std::future::poll_fn;

use urlpool_core::driver::{Net, Piece, Progress};
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{Event, Retries};

use crate::common::{
    DIAL, END, PART_END, SECOND, World, answer, both, bytes, expecting, form, in_chunks, in_turn,
    ok, origin_of, piece, plain_options, push, push_all, push_through, rewindable, streamed, text,
    to, whole,
};

const URL: &str = "http://a.test/";
const PUT: (&str, &str) = ("PUT", URL);

#[test]
fn a_body_that_must_be_sent_again_after_its_pusher_was_dropped_is_an_error() {
    let world = World::retrying(Retries::total(3));
    world.serve(
        "a.test",
        vec![in_turn(&[to("307 Temporary Redirect", "/x"), ok("a")])],
    );
    let (pusher, sending) = world.pushing(("POST", URL), rewindable(None));
    let pushing = async {
        push(&pusher, piece("abc")).await;
        push(&pusher, Piece::End).await;
        drop(pusher);
    };
    let error = world.net.run(both(sending, pushing)).0.err().unwrap();
    assert_eq!(error.kind(), "invalid-request");
    assert_eq!(world.net.open_connections(), 0);
}

/// What makes a body be sent again: servers for `a.test`, and where the second request is seen (connection and target).
fn occasions() -> Vec<(&'static str, Vec<Script>, usize, &'static str)> {
    let moved = |status: &str| {
        let script = Script::new().request().send(to(status, "/x"));
        vec![script.request().send(ok("a"))]
    };
    let early = to("307 Temporary Redirect", "/x");
    let busy = answer("503 Service Unavailable", &["Retry-After: 5"], "");
    let well = || Script::always(ok("a"));
    vec![
        ("301", moved("301 Moved Permanently"), 0, "/x"),
        ("302", moved("302 Found"), 0, "/x"),
        ("307", moved("307 Temporary Redirect"), 0, "/x"),
        ("308", moved("308 Permanent Redirect"), 0, "/x"),
        (
            "307 that comes early",
            vec![Script::new().head().send(early), well()],
            1,
            "/x",
        ),
        (
            "503",
            vec![Script::new().request().send(busy).request().send(ok("a"))],
            0,
            "/",
        ),
        (
            "the end instead of an answer",
            vec![Script::new().request().close(), well()],
            1,
            "/",
        ),
        (
            "a reset midway",
            vec![Script::new().head().reset(), well()],
            1,
            "/",
        ),
        (
            "an answer that is none",
            vec![Script::new().request().send("nonsense\r\n\r\n"), well()],
            1,
            "/",
        ),
    ]
}

#[test]
fn a_body_is_sent_again_whole() {
    let body = ["abc", "defgh"];
    let pieces = [piece("abc"), piece("defgh"), Piece::End];
    let acts = [bytes("abc"), bytes("defgh"), END];
    for (case, scripts, connection, target) in occasions() {
        let second = whole("PUT", &body).replacen(" / ", &format!(" {target} "), 1);
        let is_second = |world: &World| {
            let sent = world.sent(connection);
            assert!(sent.ends_with(&second), "{case}: {sent}");
            assert!(
                sent.len() == second.len() || connection == 0,
                "{case}: {sent}"
            );
        };

        let world = World::retrying(Retries::total(3));
        world.serve("a.test", scripts.clone());
        let (response, heard) =
            push_through(&world, PUT, rewindable(None), &pieces, plain_options());
        assert_eq!(
            world.finish(response.unwrap()).unwrap().body,
            b"a",
            "{case}"
        );
        assert_eq!(heard, [Progress::Rewind, Progress::Answered], "{case}");
        is_second(&world);

        let world = World::retrying(Retries::total(3));
        world.serve("a.test", scripts);
        let (source, tally) = world.feed(&acts);
        let sending =
            world
                .manager
                .send(PUT.0, URL, rewindable(None), Some(source), plain_options());
        let response = world.net.run(sending).unwrap();
        assert_eq!(world.finish(response).unwrap().body, b"a", "{case}");
        assert_eq!(tally.rewound.get(), 1, "{case}");
        is_second(&world);
    }
}

#[test]
fn a_body_that_cannot_be_replayed_is_never_sent_empty() {
    // urllib3 resends what is left of a generator, which is nothing.
    for (case, scripts, ..) in occasions() {
        let world = World::retrying(Retries::total(3));
        world.serve("a.test", scripts);
        let acts = [bytes("abc"), bytes("defgh"), END];
        let error = world
            .upload(PUT, streamed(None), &acts, plain_options())
            .err()
            .expect(case);
        assert_eq!(error.kind(), "body-not-replayable", "{case}");
        assert_eq!(error.failure().unwrap().attempt, 1, "{case}");
        assert_eq!(world.net.connections(), 1, "{case}: nobody else was asked");
        let sent = world.sent(0);
        assert_eq!(sent.matches("HTTP/1.1").count(), 1, "{case}: {sent}");
        assert!(
            world.net.elapsed() < SECOND,
            "{case}: nor was it waited for"
        );
    }
}

#[test]
fn a_body_that_cannot_be_replayed_says_what_it_would_be_sent_again_for() {
    let dead = Script::new().request().send(ok("first")).head().close();
    let silent =
        "ProtocolError(\"Connection aborted. Remote end closed connection without response\")";
    let mut cases: Vec<_> = occasions()
        .into_iter()
        .map(|(case, scripts, ..)| {
            let (reason, status) = match case {
                "301" => ("a response with status 301", Some(301)),
                "302" => ("a response with status 302", Some(302)),
                "308" => ("a response with status 308", Some(308)),
                "503" => ("a response with status 503", Some(503)),
                "the end instead of an answer" => (silent, None),
                case if case.starts_with("307") => ("a response with status 307", Some(307)),
                _ => ("ProtocolError(\"Connection aborted. ", None),
            };
            (case, scripts, reason, Some(status))
        })
        .collect();
    cases.push(("a dead idle connection", vec![dead], silent, None));
    for (case, scripts, reason, last) in cases {
        let world = World::retrying(Retries::total(3));
        world.serve("a.test", scripts);
        if last.is_none() {
            world.get(URL).unwrap();
        }
        let acts = [bytes("abc"), END];
        let outcome = world.upload(PUT, streamed(None), &acts, plain_options());
        let error = outcome.err().expect(case);
        assert!(
            error.message().contains(&format!("(Caused by {reason}")),
            "{case}: {error}"
        );
        let history = error.history();
        assert_eq!(history.len(), usize::from(last.is_some()), "{case}");
        if let Some(status) = last {
            assert_eq!(history[0].status, status, "{case}");
            assert_eq!(history[0].error.is_some(), status.is_none(), "{case}");
        }
        let is_announced = |event: &Event| {
            matches!(
                event,
                Event::Retried { .. } | Event::Redirected { .. } | Event::Replayed { .. }
            )
        };
        let events = world.manager.take_events();
        assert!(!events.iter().any(is_announced), "{case}: {events:?}");
    }
}

#[test]
fn what_leads_to_no_other_attempt_is_not_drained() {
    let head = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 4\r\n\r\n";
    let slow = Script::new().request().send(head).pause(SECOND / 2);
    for (case, content, kind, took) in [
        (
            "once only",
            streamed(None),
            Some("body-not-replayable"),
            DIAL,
        ),
        ("rewindable", rewindable(None), None, DIAL + SECOND / 2),
    ] {
        let world = World::retrying(Retries::total(3));
        let script = slow.clone().send("gone").request().send(ok("a"));
        world.serve("a.test", vec![script]);
        let acts = [bytes("abc"), END];
        let outcome = world.upload(PUT, content, &acts, plain_options());
        assert_eq!(outcome.err().map(|error| error.kind()), kind, "{case}");
        assert_eq!(world.net.elapsed(), took, "{case}");
        assert_eq!(world.net.connections(), 1, "{case}");
    }
}

#[test]
fn a_body_that_cannot_be_replayed_goes_to_no_other_origin() {
    for is_tls in [false, true] {
        let world = World::retrying(Retries::total(3));
        let target = if is_tls {
            "https://b.test/"
        } else {
            "http://b.test/"
        };
        world.serve(
            "a.test",
            vec![in_turn(&[to("307 Temporary Redirect", target)])],
        );
        world.listen("b.test", 80, Listener::Accept(origin_of("b")));
        let acts = [bytes("abc"), END];
        let error = world
            .upload(PUT, streamed(None), &acts, plain_options())
            .err()
            .unwrap();
        assert_eq!(error.kind(), "body-not-replayable");
        assert_eq!(error.failure().unwrap().url, target);
        assert!(error.failure().unwrap().may_have_been_acted_on);
        assert_eq!(
            (world.net.connections(), world.net.attempts().len()),
            (1, 1)
        );
    }
}

#[test]
fn a_form_is_sent_again_from_its_start() {
    let world = World::retrying(Retries::total(3));
    let moved = to("308 Permanent Redirect", "/");
    world.serve("a.test", vec![in_turn(&[moved, ok("a")])]);
    let acts = [bytes("ab"), PART_END, bytes("c"), PART_END, END];
    let response = world
        .upload(("POST", URL), form(None, None), &acts, plain_options())
        .unwrap();
    assert_eq!(world.finish(response).unwrap().body, b"a");
    let sent = world.sent(0);
    let (first, second) = sent.split_at(sent.len() / 2);
    assert_eq!(
        first, second,
        "the same request twice, and the same boundary"
    );
}

#[test]
fn what_was_not_taken_yet_needs_no_rewinding() {
    let acts = [bytes("abc"), END];
    for (case, listener, at) in [
        ("refused", Listener::Refuse, 0),
        (
            "redirected before the body was asked for",
            Listener::Accept(vec![
                Script::new()
                    .head()
                    .send(to("307 Temporary Redirect", "http://b.test/")),
            ]),
            1,
        ),
    ] {
        let world = World::retrying(Retries::total(3));
        world.listen("a.test", 80, listener);
        world.serve("b.test", vec![Script::always(ok("b"))]);
        let (source, tally) = world.feed(&acts);
        let content = streamed(None);
        let sending = world
            .manager
            .send("POST", URL, content, Some(source), expecting());
        let later = async {
            world
                .net
                .sleep_until(world.net.now().after(DIAL + SECOND / 1000))
                .await;
            if at == 0 {
                world.serve("a.test", vec![Script::always(ok("b"))]);
            }
        };
        let (response, ()) = world.net.run(both(sending, later));
        let response = response.expect(case);
        assert_eq!(world.finish(response).unwrap().body, b"b", "{case}");
        assert_eq!(tally.rewound.get(), 0, "{case}");
        assert!(world.sent(at).ends_with("3\r\nabc\r\n0\r\n\r\n"), "{case}");
    }
}

#[test]
fn a_refused_connection_takes_nothing_of_what_was_pushed() {
    let world = World::retrying(Retries::total(3));
    world.listen("a.test", 80, Listener::Refuse);
    let (pusher, sending) = world.pushing(("POST", URL), streamed(None));
    let pieces = [piece("abc"), Piece::End];
    let pushing = async {
        let all = push_all(&pusher, &pieces);
        let listening = async {
            world
                .net
                .sleep_until(world.net.now().after(DIAL + SECOND / 2000))
                .await;
            world.serve("a.test", origin_of("a"));
        };
        both(all, listening).await.0
    };
    let (response, heard) = world.net.run(both(sending, pushing));
    assert_eq!(world.finish(response.unwrap()).unwrap().body, b"a");
    assert_eq!(heard, [Progress::Answered], "and no rewind");
    assert!(world.net.attempts().len() > 1);
    assert_eq!(world.sent(0), whole("POST", &["abc"]));
}

#[test]
fn an_idle_connection_that_died_costs_only_those_who_cannot_rewind() {
    let first = || Script::new().request().send(ok("first"));
    let acts = [bytes("abc"), bytes("de"), END];
    for (case, method, dead, can_rewind, expected) in [
        (
            "found out by writing",
            "POST",
            first().vanish(),
            true,
            Ok(()),
        ),
        (
            "found out by writing, once only",
            "POST",
            first().vanish(),
            false,
            Err("body-not-replayable"),
        ),
        (
            "after the first piece",
            "PUT",
            first().head().close(),
            true,
            Ok(()),
        ),
        (
            "after the first piece, once only",
            "PUT",
            first().head().close(),
            false,
            Err("body-not-replayable"),
        ),
        (
            "after the first piece of what is not idempotent",
            "POST",
            first().head().close(),
            true,
            Err("protocol"),
        ),
    ] {
        let world = World::serving(vec![dead, Script::always(ok("a"))]);
        assert_eq!(world.get(URL).unwrap().body, b"first", "{case}");
        let content = if can_rewind {
            rewindable(None)
        } else {
            streamed(None)
        };
        let response = world.upload((method, URL), content, &acts, plain_options());
        match (response, expected) {
            (Ok(response), Ok(())) => {
                assert_eq!(world.finish(response).unwrap().body, b"a", "{case}");
                assert_eq!(world.sent(1), whole(method, &["abc", "de"]), "{case}");
            }
            (outcome, expected) => {
                let kind = outcome.map(|_| ()).map_err(|error| error.kind());
                assert_eq!(kind, expected, "{case}");
                assert_eq!(world.net.connections(), 1, "{case}");
                assert_eq!(world.net.open_connections(), 0, "{case}");
            }
        }
    }
}

#[test]
fn see_other_drops_the_body() {
    for (case, script) in [
        (
            "after all of it",
            in_turn(&[to("303 See Other", "/x"), ok("a")]),
        ),
        (
            "after the first piece",
            Script::new().head().send(to("303 See Other", "/x")),
        ),
    ] {
        let world = World::retrying(Retries::total(3));
        world.serve("a.test", vec![script, Script::always(ok("a"))]);
        let pieces = [piece("abc"), Piece::End];
        let (response, heard) = push_through(
            &world,
            ("POST", URL),
            streamed(Some(3)),
            &pieces,
            in_chunks(),
        );
        let response = response.unwrap();
        assert_eq!(response.head().url, "http://a.test/x", "{case}");
        assert_eq!(heard, [Progress::Answered], "{case}");
        let last = world.net.connections() - 1;
        let sent = text(world.net.writes(last).last().unwrap());
        assert!(sent.starts_with("GET /x HTTP/1.1\r\n"), "{case}: {sent}");
        assert!(sent.ends_with("\r\n\r\n"), "{case}: {sent}");
        for name in ["Transfer-Encoding", "Content-", "Expect"] {
            assert!(!sent.contains(name), "{case}: {sent}");
        }
    }
}

#[test]
fn a_rewind_is_heard_before_the_next_attempt_is_due() {
    let busy = answer("503 Service Unavailable", &["Retry-After: 60"], "");
    let world = World::retrying(Retries::total(3));
    world.serve("a.test", vec![in_turn(&[busy, ok("a")])]);
    let (pusher, sending) = world.pushing(("PUT", URL), rewindable(None));
    let pushing = async {
        push(&pusher, piece("abc")).await;
        push(&pusher, Piece::End).await;
        let heard = poll_fn(|context| pusher.poll_interruption(context)).await;
        let at = world.net.elapsed();
        push(&pusher, piece("abc")).await;
        push(&pusher, Piece::End).await;
        (heard, at)
    };
    let (response, heard) = world.net.run(both(sending, pushing));
    assert_eq!(heard, (Progress::Rewind, DIAL));
    assert_eq!(world.finish(response.unwrap()).unwrap().body, b"a");
    assert_eq!(world.net.elapsed(), DIAL + SECOND * 60);
    assert_eq!(world.sent(0), whole("PUT", &["abc"]).repeat(2));
}
