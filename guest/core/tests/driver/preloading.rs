//! Bodies that are read before the response is handed out: what breaks while that happens is tried again.

use std::time::Duration;

use urlpool_core::driver::Response;
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::{
    Budget, Content, Error, PoolSettings, Reading, Redirects, RequestOptions, Retries, Timeouts,
};

use crate::common::{SECOND, World, chunked, deadline, exhausted, found, gzip, ok, read};

const URL: &str = "http://a.test/";
const PRELOADED: Reading = Reading {
    is_raw: false,
    may_be_short: false,
    max_body: None,
    is_preloaded: true,
};

fn preloading(retries: Retries, timeouts: Timeouts, scripts: Vec<Script>) -> World {
    let world = World::of_pools(PoolSettings {
        retries,
        timeouts,
        ..PoolSettings::default()
    });
    world.serve("a.test", scripts);
    world
}

fn ask(world: &World, method: &str, reading: Reading) -> Result<Response<SimNet>, Error> {
    let options = RequestOptions {
        reading,
        ..RequestOptions::default()
    };
    let request = world.manager.request(method, URL, Content::Empty, options);
    world.net.run(request)
}

/// Answers with this and no more.
fn says(bytes: &str) -> Script {
    Script::new().request().send(bytes)
}

/// Bodies that break, and what that is called.
fn broken() -> Vec<(&'static str, Script, &'static str)> {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    vec![
        ("closed", says(length).close(), "incomplete-body"),
        (
            "reset",
            says(length).pause(SECOND).reset(),
            "incomplete-body",
        ),
        ("cut chunks", says(chunks).close(), "incomplete-body"),
        (
            "bad chunks",
            says(chunks).pause(SECOND).send("zz\r\n"),
            "invalid-chunk",
        ),
        (
            "until close",
            says("HTTP/1.1 200 OK\r\n\r\nhello").reset(),
            "protocol",
        ),
        ("stalled", says(length), "read-timeout"),
    ]
}

#[test]
fn what_breaks_while_it_is_preloaded_is_tried_again() {
    for (case, script, _) in broken() {
        let scripts = vec![script, Script::always(ok("whole"))];
        let world = preloading(Retries::total(1), read(3), scripts);
        let mut opened = ask(&world, "GET", PRELOADED).expect(case);
        assert_eq!(world.read(&mut opened, 99).unwrap(), b"whole", "{case}");
        assert_eq!(world.net.connections(), 2, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
        assert_eq!(opened.history().len(), 1, "{case}");
        assert!(opened.history()[0].error.is_some(), "{case}");
        assert_eq!(opened.retries().total, Some(Budget::AtMost(0)), "{case}");
    }
}

#[test]
fn what_breaks_later_is_not_tried_again() {
    for (case, script, kind) in broken() {
        let scripts = vec![script, Script::always(ok("whole"))];
        let world = preloading(Retries::total(3), read(3), scripts);
        let mut opened = ask(&world, "GET", Reading::default()).expect(case);
        let (pieces, error) = world.pieces(&mut opened, 99);
        assert_eq!(
            (pieces.concat().as_slice(), error.unwrap().kind()),
            (&b"hello"[..], kind)
        );
        assert_eq!(world.net.connections(), 1, "{case}");
    }
}

#[test]
fn a_method_that_must_not_be_repeated_is_not() {
    for (case, script, kind) in broken() {
        let world = preloading(Retries::total(3), read(3), vec![script]);
        let error = ask(&world, "POST", PRELOADED).err().expect(case);
        assert_eq!(error.kind(), kind, "{case}");
        assert!(error.failure().unwrap().may_have_been_acted_on, "{case}");
        assert_eq!(world.net.connections(), 1, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_body_that_breaks_costs_a_read() {
    let budget = |read, total| Retries {
        read: Some(read),
        total: Some(total),
        connect: Some(Budget::AtMost(0)),
        status: Some(Budget::AtMost(0)),
        redirect: Some(Budget::AtMost(0)),
        other: Some(Budget::AtMost(0)),
        ..Retries::default()
    };
    for (read_budget, total, connections) in [
        (Budget::AtMost(2), Budget::AtMost(9), 3),
        (Budget::AtMost(9), Budget::AtMost(1), 2),
        (Budget::AtMost(0), Budget::AtMost(9), 1),
    ] {
        for (case, script, kind) in broken() {
            let world = preloading(budget(read_budget, total), read(3), vec![script]);
            let error = ask(&world, "GET", PRELOADED).err().expect(case);
            let exhausted = exhausted(error);
            assert_eq!(exhausted.attempts as usize, connections, "{case}");
            assert_eq!(world.net.connections(), connections, "{case}");
            assert_eq!(exhausted.history.len(), connections, "{case}");
            let last = exhausted
                .history
                .last()
                .and_then(|entry| entry.error.as_ref());
            assert_eq!(last.unwrap().kind(), kind, "{case}");
        }
    }
    let off = budget(Budget::Off, Budget::AtMost(9));
    for (case, script, kind) in broken() {
        let world = preloading(off.clone(), read(3), vec![script]);
        let error = ask(&world, "GET", PRELOADED).err().expect(case);
        assert_eq!(error.kind(), kind, "{case}: off means the error itself");
    }
}

#[test]
fn what_another_attempt_would_not_mend_is_told_at_once() {
    let bomb = gzip(&[0; 1000]);
    let encoded = |coding: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Script::always([head.as_bytes(), body].concat())
    };
    let at_most = Reading {
        max_body: Some(999),
        ..PRELOADED
    };
    for (case, script, reading, kind) in [
        ("content", encoded("gzip", b"no gzip"), PRELOADED, "decode"),
        (
            "cut content",
            encoded("gzip", &bomb[..9]),
            PRELOADED,
            "decode",
        ),
        (
            "codings",
            encoded("br,br,br,br,br,br", b""),
            PRELOADED,
            "decode",
        ),
        ("size", encoded("gzip", &bomb), at_most, "body-too-large"),
    ] {
        let script = match case {
            // A response without a body has no codings.
            "codings" => encoded("br,br,br,br,br,br", b"x"),
            _ => script,
        };
        let world = preloading(Retries::total(3), Timeouts::default(), vec![script]);
        let error = ask(&world, "GET", reading).err().expect(case);
        assert_eq!(error.kind(), kind, "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}");
    }
}

#[test]
fn the_deadline_covers_all_attempts_and_their_bodies() {
    let stalling = says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
        .pause(SECOND)
        .reset();
    let world = preloading(Retries::total(9), deadline(3), vec![stalling]);
    let (outcome, took) = world.timed_by(|| ask(&world, "GET", PRELOADED).err().unwrap());
    assert_eq!((outcome.kind(), took), ("deadline-exceeded", SECOND * 3));
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn a_preloaded_body_is_read_like_any_other_without_waiting() {
    let slow = || {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let script = says(head)
            .pause(SECOND)
            .send("4\r\none\n\r\n")
            .pause(SECOND);
        vec![script.send("5\r\ntwo\n3\r\n0\r\nSum: 9\r\n\r\n").again()]
    };
    let open = || {
        let world = preloading(Retries::off(), Timeouts::default(), slow());
        let opened = ask(&world, "GET", PRELOADED).unwrap();
        assert_eq!(world.net.open_connections(), 1);
        assert_eq!(opened.trailers().len(), 1);
        assert_eq!(opened.tell(), 9);
        (world, opened)
    };
    let (world, mut opened) = open();
    let now = world.net.elapsed();
    assert_eq!(world.net.run(opened.read_line(99)).unwrap(), b"one\n");
    assert_eq!(world.net.run(opened.read_full(2)).unwrap(), b"tw");
    assert_eq!(world.read(&mut opened, 1).unwrap(), b"o");
    assert_eq!(world.net.run(opened.read_all(2)).unwrap(), b"\n3");
    assert_eq!(world.read(&mut opened, 1).unwrap(), b"");
    assert_eq!(world.net.elapsed(), now);

    let (world, mut opened) = open();
    let error = world.net.run(opened.read_all(8)).unwrap_err();
    assert_eq!(error.kind(), "body-too-large");
    assert_eq!(world.net.open_connections(), 1);

    let (world, mut opened) = open();
    world.net.run(opened.drain()).unwrap();
    assert_eq!(world.read(&mut opened, 9).unwrap(), b"");
    opened.release();
    drop(opened);
    assert!(world.open(URL).head().connection.reused);
}

#[test]
fn a_preloaded_body_has_64_mib_unless_more_is_asked_for() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let limit = 64 << 20;
    let announcing = |length: u64| says(&head(&format!("Content-Length: {length}\r\n")));
    let bomb = gzip(&vec![0; limit + 1]);
    let coded = |bytes: &[u8]| {
        let fields = format!(
            "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
            bytes.len()
        );
        says(&head(&fields)).send(bytes.to_vec())
    };
    let limit = limit as u64;
    let asked = Some(limit + 1);
    for (case, script, max_body, kind) in [
        ("announced", announcing(limit + 1), None, "body-too-large"),
        (
            "as much as it may have",
            announcing(limit).close(),
            None,
            "incomplete-body",
        ),
        (
            "more is asked for",
            announcing(limit + 1).close(),
            asked,
            "incomplete-body",
        ),
        ("decoded", coded(&bomb), None, "body-too-large"),
        (
            "decoded, asked for",
            coded(&bomb[..bomb.len() - 1]).close(),
            asked,
            "decode",
        ),
    ] {
        let world = preloading(Retries::off(), Timeouts::default(), vec![script]);
        let reading = Reading {
            max_body,
            ..PRELOADED
        };
        let error = ask(&world, "GET", reading).err().expect(case);
        assert_eq!(error.kind(), kind, "{case}");
        let is_told = error.message().contains("67108864 bytes allowed");
        assert_eq!(is_told, kind == "body-too-large", "{case}: {error}");
    }
    // What is read when it is asked for needs no bound.
    let world = World::serving(vec![announcing(u64::MAX)]);
    assert!(world.open(URL).length_remaining() == Some(u64::MAX));
}

#[test]
fn a_response_without_a_body_is_preloaded_at_once() {
    for (method, response) in [
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let world = preloading(
            Retries::off(),
            Timeouts::default(),
            vec![Script::always(response)],
        );
        let mut opened = ask(&world, method, PRELOADED).unwrap();
        assert_eq!(world.read(&mut opened, 9).unwrap(), b"", "{response}");
        assert_eq!(world.net.open_connections(), 1, "{response}");
    }
}

#[test]
fn only_the_body_that_is_handed_out_is_preloaded() {
    let stalled = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 9\r\n\r\n";
    let scripts = vec![says(stalled), Script::always(ok("whole"))];
    let world = preloading(Retries::total(3), read(3), scripts);
    let (outcome, took) = world.timed_by(|| ask(&world, "GET", PRELOADED));
    let mut opened = outcome.unwrap();
    assert_eq!(world.net.run(opened.read_all(9)).unwrap(), b"whole");
    assert!(took < SECOND + Duration::from_millis(9), "{took:?}");

    let world = preloading(
        Retries::total(3),
        read(3),
        vec![Script::always(found("/y"))],
    );
    let options = RequestOptions {
        reading: PRELOADED,
        redirects: Redirects::HandOver,
        ..RequestOptions::default()
    };
    let request = world.manager.request("GET", URL, Content::Empty, options);
    let mut opened = world.net.run(request).unwrap();
    assert_eq!(opened.head().status, 302);
    assert_eq!(world.net.run(opened.read_all(9)).unwrap(), b"moved");
}

#[test]
fn a_redirect_in_too_many_codings_is_followed_by_a_preloading_request_too() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Encoding: br,br,br,br,br,br\r\nContent-Length: 5\r\n\r\nnobr!";
    let script = says(redirect).request().send(chunked(&["whole"]));
    let world = preloading(Retries::total(3), read(3), vec![script]);
    let mut opened = ask(&world, "GET", PRELOADED).unwrap();
    assert_eq!(world.net.run(opened.read_all(9)).unwrap(), b"whole");
    assert_eq!(world.net.connections(), 1);
}
