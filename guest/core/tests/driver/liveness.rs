//! Idle connections that die, and requests that are sent again because of it.

use std::time::Duration;

use urlpool_core::sim::Script;
use urlpool_core::types::{Content, Error, Event, Phase, RequestOptions};

use crate::common::{SECOND, World, ok, within};

fn answer_once() -> Script {
    Script::new().request().send(ok("one"))
}

/// Answers one request, takes a second one and says nothing to it.
fn dies_on_the_second() -> Vec<Script> {
    vec![answer_once().request().close(), Script::always(ok("two"))]
}

#[test]
fn a_connection_that_died_while_idle_costs_another_one_and_no_error() {
    for (case, first, pause) in [
        ("closed at once", answer_once().close(), Duration::ZERO),
        ("closed later", answer_once().pause(SECOND).close(), SECOND),
        ("reset at once", answer_once().reset(), Duration::ZERO),
        ("reset later", answer_once().pause(SECOND).reset(), SECOND),
        (
            "talked unasked",
            answer_once()
                .pause(SECOND)
                .send("HTTP/1.1 408 Request Timeout\r\n\r\n"),
            SECOND,
        ),
        (
            "talked unasked and closed",
            answer_once().pause(SECOND).send("x").close(),
            SECOND,
        ),
    ] {
        let world = World::serving(vec![first, Script::always(ok("two"))]);
        assert_eq!(world.get("http://a.test/").unwrap().body, b"one", "{case}");
        world.net.pass(pause);
        for method in ["POST", "GET"] {
            let reply = world
                .send(method, "http://a.test/", Content::Empty)
                .unwrap();
            assert_eq!(world.finish(reply).unwrap().body, b"two", "{case}");
        }
        assert_eq!(world.net.connections(), 2, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}");
        let dead = (1, "it was no longer alive".to_owned());
        assert_eq!(world.closings(), [dead], "{case}");
    }
}

#[test]
fn an_idempotent_request_on_a_connection_that_dies_under_it_is_sent_again() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let world = World::serving(dies_on_the_second());
        let pool = world
            .manager
            .connection_from_url("http://a.test/", None)
            .unwrap();
        world.get("http://a.test/").unwrap();
        drop(world.manager.take_events());
        let reply = world
            .send(method, "http://a.test/", Content::Empty)
            .unwrap();
        assert!(!reply.head().connection.reused, "{method}");
        assert_eq!(reply.head().connection.number, 2, "{method}");
        let events = world.manager.take_events();
        assert!(events.contains(&Event::Replayed { number: 1 }), "{method}");
        assert_eq!(world.net.writes(0)[1], world.net.writes(1)[0], "{method}");
        assert_eq!(
            (pool.num_requests(), pool.num_connections()),
            (3, 2),
            "{method}"
        );
        drop(reply);
    }
}

#[test]
fn a_put_is_sent_again_with_its_whole_body() {
    let body = vec![b'x'; 200_000];
    let world = World::serving(dies_on_the_second());
    world.get("http://a.test/").unwrap();
    let reply = world
        .send("PUT", "http://a.test/", Content::Bytes(body.clone()))
        .unwrap();
    assert_eq!(reply.head().status, 200);
    let (first, second) = (
        world.net.writes(0)[1..].concat(),
        world.net.writes(1).concat(),
    );
    assert_eq!(first, second);
    assert!(second.ends_with(&body));
}

#[test]
fn a_request_that_may_have_been_acted_on_is_not_sent_again_unless_that_is_harmless() {
    for method in ["POST", "PATCH", "post", "PROPFIND"] {
        let world = World::serving(dies_on_the_second());
        world.get("http://a.test/").unwrap();
        let options = RequestOptions::default();
        let request = world
            .manager
            .urlopen(method, "http://a.test/", Content::Empty, options);
        let error = world.net.run(request).err().unwrap();
        let failure = error.failure().unwrap();
        assert_eq!(error.kind(), "protocol", "{method}");
        assert_eq!(failure.phase, Phase::AwaitHead, "{method}");
        assert!(failure.reused && failure.may_have_been_acted_on, "{method}");
        assert_eq!(failure.attempt, 1, "{method}");
        assert_eq!(world.net.connections(), 1, "{method}");
        assert_eq!(world.net.open_connections(), 0, "{method}");
    }
}

#[test]
fn a_request_of_which_not_a_byte_was_sent_is_sent_again_whatever_its_method() {
    let vanishes = answer_once().vanish();
    let world = World::serving(vec![vanishes, Script::always(ok("two"))]);
    world.get("http://a.test/").unwrap();
    let reply = world.post("http://a.test/", b"x").unwrap();
    assert_eq!(
        (reply.body.as_slice(), reply.connection.number),
        (&b"two"[..], 2)
    );
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn an_answer_that_has_begun_is_never_asked_for_again() {
    for (case, end) in [
        (
            "closed within the head",
            answer_once().request().send("HTTP/1.1 200").close(),
        ),
        (
            "reset within the head",
            answer_once().request().send("HTTP/1.1 200").reset(),
        ),
        (
            "closed after an interim response",
            answer_once()
                .request()
                .send("HTTP/1.1 102 Processing\r\n\r\n")
                .close(),
        ),
    ] {
        let world = World::serving(vec![end, Script::always(ok("two"))]);
        world.get("http://a.test/").unwrap();
        let error = world.get("http://a.test/").unwrap_err();
        assert_eq!(error.kind(), "protocol", "{case}");
        assert_eq!(world.net.connections(), 1, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_fresh_connection_that_dies_is_an_error_at_once() {
    for (case, script) in [
        ("closed", Script::new().request().close()),
        ("reset", Script::new().request().reset()),
        ("closed before it was asked", Script::new().close()),
    ] {
        let world = World::serving(vec![script, Script::always(ok("two"))]);
        let error = world.get("http://a.test/").unwrap_err();
        assert_eq!(error.kind(), "protocol", "{case}");
        assert!(!error.failure().unwrap().reused, "{case}");
        assert_eq!(world.net.connections(), 1, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_replay_is_made_once_and_takes_no_other_idle_connection() {
    let pool = urlpool_core::types::PoolSettings {
        maxsize: Some(2),
        ..Default::default()
    };
    let world = World::of_pools(pool);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
    let slow = || {
        Script::new()
            .request()
            .send(head)
            .pause(SECOND)
            .send("x")
            .request()
            .close()
    };
    world.serve(
        "a.test",
        vec![slow(), slow(), Script::new().request().close()],
    );
    let (first, second) = (world.open("http://a.test/"), world.open("http://a.test/"));
    world.finish(first).unwrap();
    world.finish(second).unwrap();
    let error = world.get("http://a.test/").unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.attempt, failure.reused), (2, false));
    assert_eq!(world.net.connections(), 3);
    assert_eq!(
        world.net.writes(0).len(),
        1,
        "the other idle connection was left alone"
    );
}

#[test]
fn a_connection_that_closes_at_the_moment_of_the_request_is_replaced() {
    let closes_in_a_second = answer_once().pause(SECOND).close();
    let world = World::serving(vec![closes_in_a_second, Script::always(ok("two"))]);
    world.get("http://a.test/").unwrap();
    world.net.pass(SECOND / 2);
    let (reply, took) = world.timed_by(|| world.get("http://a.test/"));
    assert_eq!(reply.unwrap().body, b"two");
    assert_eq!(took, SECOND / 2 + Duration::from_millis(2));
}

#[test]
fn a_request_that_is_given_up_closes_its_connection() {
    let silent = Script::new().request();
    let world = World::serving(vec![silent, Script::always(ok("two"))]);
    let options = RequestOptions::default();
    let request = world
        .manager
        .request("GET", "http://a.test/", Content::Empty, options);
    let outcome: Option<Result<_, Error>> = world.net.run(within(&world.net, SECOND, request));
    assert!(outcome.is_none());
    assert_eq!(
        (world.net.connections(), world.net.open_connections()),
        (1, 0)
    );
    assert_eq!(world.get("http://a.test/").unwrap().body, b"two");
}
