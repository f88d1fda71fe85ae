//! Clocks: every wait ends exactly when the smallest of its bounds says.

use std::time::Duration;

use urlpool_core::sim::Script;
use urlpool_core::types::{
    Content, Error, Limit, Phase, PoolSettings, RequestOptions, Timeouts, TlsSettings,
};

use crate::common::{
    Authority, MILLI, SECOND, World, after, both, deadline, ok, origin_of, read, times_out, total,
};

const URL: &str = "http://a.test/";

#[test]
fn a_request_that_is_never_taken_is_bounded() {
    for (case, timeouts, kind, clock, took) in [
        (
            "read",
            read(3),
            "read-timeout",
            "read timeout",
            SECOND * 3 + MILLI * 2,
        ),
        (
            "total",
            total(3),
            "read-timeout",
            "total timeout",
            SECOND * 3,
        ),
        (
            "deadline",
            deadline(3),
            "deadline-exceeded",
            "deadline",
            SECOND * 3,
        ),
    ] {
        let world = World::timed(timeouts);
        world.serve("a.test", origin_of("a"));
        world.net.limit_writes(0);
        let expected = (
            kind,
            Phase::Send,
            format!("Write timed out. ({clock})"),
            took,
        );
        assert_eq!(times_out(&world, URL, case), expected, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        let error = world.get(URL).unwrap_err();
        assert!(
            !error.failure().unwrap().may_have_been_acted_on,
            "{case}: not a byte was sent"
        );
    }
}

#[test]
fn a_request_over_tls_that_is_never_taken_is_bounded() {
    // What fits into the TLS session waits there for the network, and more than that waits before it.
    for (case, timeouts, size, kind) in [
        ("read", read(3), 1, "read-timeout"),
        ("read, large", read(3), 1_000_000, "read-timeout"),
        ("total", total(3), 1, "read-timeout"),
        ("total, large", total(3), 1_000_000, "read-timeout"),
        ("deadline", deadline(3), 1, "deadline-exceeded"),
        (
            "deadline, large",
            deadline(3),
            1_000_000,
            "deadline-exceeded",
        ),
    ] {
        let authority = Authority::new();
        let tls = TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        };
        let world = World::of_pools(PoolSettings {
            timeouts,
            tls,
            ..PoolSettings::default()
        });
        let server = authority.server(&["a.test"], &[&rustls::version::TLS13]);
        world.listen("a.test", 443, server.listener(origin_of("a")));
        world.get("https://a.test/").unwrap();
        world.net.limit_writes(0);
        let (outcome, took) = world.timed_by(|| world.post("https://a.test/", &vec![b'x'; size]));
        let error = outcome.expect_err(case);
        assert_eq!((error.kind(), took), (kind, SECOND * 3), "{case}");
        assert_eq!(error.failure().unwrap().phase, Phase::Send, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_head_that_never_comes_is_bounded() {
    for (case, timeouts, kind, clock, took) in [
        (
            "read",
            read(3),
            "read-timeout",
            "read timeout",
            SECOND * 3 + MILLI * 2,
        ),
        (
            "total",
            total(3),
            "read-timeout",
            "total timeout",
            SECOND * 3,
        ),
        (
            "deadline",
            deadline(3),
            "deadline-exceeded",
            "deadline",
            SECOND * 3,
        ),
    ] {
        let world = World::timed(timeouts);
        world.serve("a.test", vec![Script::new().request()]);
        let expected = (
            kind,
            Phase::AwaitHead,
            format!("Read timed out. ({clock})"),
            took,
        );
        assert_eq!(times_out(&world, URL, case), expected, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        let error = world.get(URL).unwrap_err();
        assert!(error.failure().unwrap().may_have_been_acted_on, "{case}");
    }
}

#[test]
fn a_body_that_stops_is_bounded_by_read_timeout_and_deadline() {
    let script = || {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe";
        vec![Script::new().request().send(head).pause(SECOND).send("l")]
    };
    for (case, timeouts, kind, took) in [
        ("read", read(3), "read-timeout", MILLI * 2 + SECOND * 4),
        ("deadline", deadline(3), "deadline-exceeded", SECOND * 3),
    ] {
        let world = World::timed(timeouts);
        world.serve("a.test", script());
        let (found, phase, _, elapsed) = times_out(&world, URL, case);
        assert_eq!(
            (found, phase, elapsed),
            (kind, Phase::ReceiveBody, took),
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_read_timeout_bounds_each_read_and_not_their_sum() {
    let response = ok("a slow answer");
    let length = u32::try_from(response.len()).unwrap();
    for (case, pause, is_in_time) in [
        ("in time", SECOND - MILLI, true),
        ("too late", SECOND + MILLI, false),
    ] {
        let world = World::timed(read(1));
        world.serve(
            "a.test",
            vec![Script::new().request().drip(&response, pause)],
        );
        let (outcome, took) = world.timed_by(|| world.get(URL));
        assert_eq!(outcome.is_ok(), is_in_time, "{case}");
        let slow = if is_in_time { pause * length } else { SECOND };
        assert_eq!(took, slow + MILLI * 2, "{case}");
    }
}

#[test]
fn a_total_bounds_the_head_however_it_comes_but_not_the_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let world = World::timed(total(3));
    world.serve("a.test", vec![Script::new().request().drip(head, SECOND)]);
    let (kind, phase, _, took) = times_out(&world, URL, "a dripping head");
    assert_eq!(
        (kind, phase, took),
        ("read-timeout", Phase::AwaitHead, SECOND * 3)
    );

    let world = World::timed(total(3));
    let slow = Script::new()
        .request()
        .pause(SECOND * 2)
        .send(head.as_slice())
        .drip(b"hi", SECOND * 60);
    world.serve("a.test", vec![slow]);
    let (reply, took) = world.timed_by(|| world.get(URL).unwrap());
    assert_eq!(
        (reply.body.as_slice(), took),
        (&b"hi"[..], SECOND * 122 + MILLI * 2)
    );
}

#[test]
fn a_deadline_bounds_a_body_that_never_stops_for_long() {
    let drip = Script::new()
        .request()
        .send("HTTP/1.1 200 OK\r\n\r\n")
        .drip(&[b'x'; 100], SECOND);
    let world = World::timed(Timeouts {
        deadline: after(10),
        ..read(2)
    });
    world.serve("a.test", vec![drip]);
    let (kind, phase, _, took) = times_out(&world, URL, "drip");
    assert_eq!(
        (kind, phase, took),
        ("deadline-exceeded", Phase::ReceiveBody, SECOND * 10)
    );
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn a_deadline_runs_while_the_caller_does_something_else() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe";
    let world = World::timed(deadline(3));
    world.serve("a.test", vec![Script::new().request().send(head)]);
    let mut response = world.open(URL);
    world.net.pass(SECOND * 5);
    assert_eq!(
        world.read(&mut response, 9).unwrap(),
        b"he",
        "what is there can be had"
    );
    let (outcome, took) = world.timed_by(|| world.read(&mut response, 9));
    assert_eq!(
        (outcome.unwrap_err().kind(), took),
        ("deadline-exceeded", Duration::ZERO)
    );
}

#[test]
fn interim_responses_do_not_extend_a_total() {
    let script = (0..9).fold(Script::new().request(), |script, _| {
        script.pause(SECOND).send("HTTP/1.1 102 Processing\r\n\r\n")
    });
    let world = World::timed(Timeouts {
        total: after(5),
        ..read(2)
    });
    world.serve("a.test", vec![script]);
    let (kind, phase, _, took) = times_out(&world, URL, "interim");
    assert_eq!(
        (kind, phase, took),
        ("read-timeout", Phase::AwaitHead, SECOND * 5)
    );
}

#[test]
fn a_replay_has_a_total_of_its_own_but_the_requests_deadline() {
    let dies = || {
        Script::new()
            .request()
            .send(ok("one"))
            .request()
            .pause(SECOND * 2)
            .close()
    };
    for (case, timeouts, took) in [
        ("total", total(3), SECOND * 5),
        ("deadline", deadline(3), SECOND * 3),
    ] {
        let world = World::timed(timeouts);
        world.serve("a.test", vec![dies(), Script::new().request()]);
        world.get(URL).unwrap();
        assert_eq!(times_out(&world, URL, case).3, took, "{case}");
    }
}

#[test]
fn a_request_overrides_the_timeouts_of_its_pool() {
    let unlimited = Timeouts {
        read: Some(Limit::Unlimited),
        ..Timeouts::default()
    };
    for (case, own, is_in_time, took) in [
        ("inherited", Timeouts::default(), false, SECOND * 2),
        ("shorter", read(1), false, SECOND),
        ("longer", read(9), true, SECOND * 5),
        ("unlimited", unlimited, true, SECOND * 5),
        ("another clock", deadline(1), false, SECOND - MILLI * 2),
    ] {
        let world = World::timed(read(2));
        let slow = Script::new().request().pause(SECOND * 5).send(ok("slow"));
        world.serve("a.test", vec![slow]);
        let options = RequestOptions {
            timeouts: own,
            ..RequestOptions::default()
        };
        let request = world.manager.request("GET", URL, Content::Empty, options);
        let (outcome, elapsed) = world.timed_by(|| world.net.run(request));
        assert_eq!(outcome.is_ok(), is_in_time, "{case}");
        assert_eq!(elapsed, took + MILLI * 2, "{case}");
        assert_eq!(world.manager.num_pools(), 1, "{case}");
    }
}

#[test]
fn a_timeout_of_nothing_is_refused() {
    let world = World::new();
    world.serve("a.test", origin_of("a"));
    let zero = Some(Limit::After(Duration::ZERO));
    for timeouts in [
        Timeouts {
            connect: zero,
            ..Timeouts::default()
        },
        Timeouts {
            read: zero,
            ..Timeouts::default()
        },
        Timeouts {
            total: zero,
            ..Timeouts::default()
        },
        Timeouts {
            deadline: zero,
            ..Timeouts::default()
        },
    ] {
        let options = RequestOptions {
            timeouts,
            ..RequestOptions::default()
        };
        let request = world.manager.request("GET", URL, Content::Empty, options);
        let error = world.net.run(request).err().unwrap();
        assert!(matches!(error, Error::InvalidSettings(_)), "{timeouts:?}");
    }
    assert_eq!(world.net.connections(), 0);
}

#[test]
fn a_request_that_runs_out_of_time_leaves_the_others_alone() {
    let world = World::timed(read(2));
    world.serve("a.test", vec![Script::new().request()]);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    world.serve(
        "b.test",
        vec![
            Script::new()
                .request()
                .send(head)
                .drip(b"unhurried", SECOND),
        ],
    );
    let fetch = async |url| {
        let (content, options) = (Content::Empty, RequestOptions::default());
        let mut response = world.manager.request("GET", url, content, options).await?;
        response.read_all(9).await
    };
    let (failed, unhurried) = world.net.run(both(fetch(URL), fetch("http://b.test/")));
    assert_eq!(failed.unwrap_err().kind(), "read-timeout");
    assert_eq!(unhurried.unwrap(), b"unhurried");
}

#[test]
#[should_panic(expected = "nothing will ever end this wait")]
fn without_any_limit_a_silent_server_is_waited_for_without_end() {
    let world = World::serving(vec![Script::new().request()]);
    drop(world.get(URL));
}
