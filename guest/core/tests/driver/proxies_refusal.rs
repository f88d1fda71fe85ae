//! Proxies that open no tunnel: what they say instead, how much of it is kept, and how long that may take.

use std::time::Duration;

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Content, Failure, Limit, Phase, PoolSettings, Refusal, RequestOptions, Retries, Timeouts,
};

use crate::common::{
    MILLI, OPEN, SECOND, World, answer, answering, chunked, connect, deadline, proxy, read,
    through, times_out, total, within,
};

const DENIED: &str = "HTTP/1.1 403 Forbidden\r\nX-Why: policy\r\nx-why: night\r\n";

fn facing(script: Script, timeouts: Timeouts) -> World {
    let world = World::of_pools(PoolSettings {
        timeouts,
        ..through(proxy("http://p.test:8080"))
    });
    world.listen("p.test", 8080, Listener::Accept(vec![script]));
    world
}

/// The facts of a request that gets no tunnel.
#[track_caller]
fn refused(world: &World, case: &str) -> Failure {
    let error = world.get("https://a.test/x").expect_err(case);
    assert_eq!(error.kind(), "proxy", "{case}: {error:?}");
    assert_eq!(world.net.open_connections(), 0, "{case}");
    let failure = error.failure().expect(case).clone();
    assert_eq!(failure.phase, Phase::Tunnel, "{case}");
    assert!(!failure.may_have_been_acted_on, "{case}");
    assert_eq!(failure.url, "https://a.test/x", "{case}");
    failure
}

#[track_caller]
fn refusal(world: &World, case: &str) -> Refusal {
    let failure = refused(world, case);
    let refusal = *failure.refusal.expect(case);
    let expected = format!("Unable to connect to proxy: {refusal}");
    assert_eq!(failure.message, expected, "{case}");
    refusal
}

#[test]
fn what_the_proxy_says_is_in_the_error() {
    let status = "407 Proxy Authentication Required";
    let script = answering(answer(
        status,
        &["Proxy-Authenticate: Basic realm=\"p\""],
        "who are you?",
    ));
    let world = facing(script, Timeouts::default());
    let refusal = refusal(&world, "a refusal");
    assert_eq!(
        refusal.to_string(),
        "Tunnel connection failed: 407 Proxy Authentication Required"
    );
    assert_eq!(refusal.status, 407);
    assert_eq!(
        refusal.headers.first("proxy-authenticate"),
        Some(&b"Basic realm=\"p\""[..])
    );
    assert_eq!(refusal.body, b"who are you?");
    assert_eq!(world.net.writes(0).len(), 1, "nothing more is said to it");
}

#[test]
fn as_much_of_a_body_is_kept_as_comes_and_as_fits() {
    let head = |framing: &str| format!("{DENIED}{framing}\r\n");
    let endless = Script::new().request().send(head(""));
    let endless = (0..100).fold(endless, |script, _| script.send("0123456789".repeat(20)));
    let chunks = answering(head("Transfer-Encoding: chunked\r\n"));
    let chunks = (0..10).fold(chunks, |script, _| {
        script.pause(MILLI * 400).send("1\r\nx\r\n")
    });
    let silence = Duration::ZERO;
    for (case, script, kept, took) in [
        (
            "whole",
            answering(head("Content-Length: 4\r\n") + "body"),
            4,
            silence,
        ),
        ("none", answering(head("Content-Length: 0\r\n")), 0, silence),
        (
            "more than announced",
            answering(head("Content-Length: 4\r\n") + "body and more"),
            4,
            silence,
        ),
        (
            "until it closes",
            answering(head("") + "body").close(),
            4,
            silence,
        ),
        (
            "chunked",
            answering(head("Transfer-Encoding: chunked\r\n") + "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"),
            4,
            silence,
        ),
        (
            "broken chunks",
            answering(head("Transfer-Encoding: chunked\r\n") + "2\r\nbo\r\nx\r\n"),
            2,
            silence,
        ),
        (
            "cut",
            answering(head("Content-Length: 9\r\n") + "body").close(),
            4,
            silence,
        ),
        (
            "reset",
            answering(head("Content-Length: 9\r\n") + "body").reset(),
            4,
            silence,
        ),
        (
            "stalled",
            answering(head("Content-Length: 9\r\n") + "body"),
            4,
            SECOND,
        ),
        (
            "stalled before its body",
            answering(head("Content-Length: 9\r\n")),
            0,
            SECOND,
        ),
        (
            "dripping",
            answering(head("")).drip(&[b'x'; 10], MILLI * 400),
            2,
            SECOND,
        ),
        (
            "kept open without a length",
            answering(head("") + "body"),
            4,
            SECOND,
        ),
        (
            "a close that never comes",
            answering(head("Connection: close\r\n") + "body"),
            4,
            SECOND,
        ),
        ("dripping chunks", chunks, 2, SECOND),
        ("endless", endless.again(), 4096, silence),
        (
            "as much as fits",
            answering(head("Content-Length: 4096\r\n") + &"x".repeat(4096)),
            4096,
            silence,
        ),
        (
            "too long",
            answering(head("Content-Length: 999999999\r\n") + &"x".repeat(5000)),
            4096,
            silence,
        ),
        (
            "a length that is none",
            answering(head("Content-Length: x\r\n") + "body"),
            0,
            silence,
        ),
    ] {
        // No clock of the caller's runs.
        let world = facing(script, Timeouts::default());
        let (refusal, elapsed) = world.timed_by(|| refusal(&world, case));
        assert_eq!(refusal.status, 403, "{case}");
        let whys: Vec<_> = refusal.headers.all("X-Why").collect();
        assert_eq!(whys, [&b"policy"[..], b"night"], "{case}");
        assert_eq!(refusal.body.len(), kept, "{case}");
        // The head takes as long as a body that comes with it.
        assert_eq!(elapsed, MILLI * 2 + took, "{case}");
    }
}

#[test]
fn a_status_that_opens_no_tunnel_is_a_refusal_whatever_it_is() {
    for status in [
        "300 Multiple Choices",
        "302 Found",
        "304 Not Modified",
        "400 Bad Request",
        "407 Proxy Authentication Required",
        "429 Too Many Requests",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "599 Whatever",
    ] {
        // Neither a redirect nor a delay of the proxy's counts: they are not the server's.
        let fields = ["Location: http://evil.test/", "Retry-After: 1"];
        let world = facing(answering(answer(status, &fields, "")), Timeouts::default());
        let text = refusal(&world, status).to_string();
        assert_eq!(text, format!("Tunnel connection failed: {status}"));
        assert_eq!(world.net.connections(), 1, "{status}");
    }
}

#[test]
fn a_refusal_may_come_in_any_pieces() {
    let head = answer("407 No", &["Proxy-Authenticate: Basic"], "who are you?");
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    for reply in [
        head.clone(),
        [&interim[..], &head].concat(),
        String::from_utf8(chunked(&["who ", "are you?"]))
            .unwrap()
            .replace("200 OK", "407 No")
            .into_bytes(),
    ] {
        for at in 1..reply.len() {
            let (first, second) = reply.split_at(at);
            let script = answering(first).pause(MILLI).send(second);
            let world = facing(script, Timeouts::default());
            let refusal = refusal(&world, &format!("{at}"));
            assert_eq!(refusal.status, 407, "{at}");
            assert_eq!(refusal.body, b"who are you?", "{at}");
        }
    }
}

#[test]
fn what_is_no_answer_is_the_proxys_failure() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101));
    let closed = "it closed the connection before it had answered";
    for (case, script, expected) in [
        (
            "TLS",
            answering(&b"\x15\x03\x01\0\x02\x02\x46"[..]),
            "BadStatusLine",
        ),
        ("SSH", answering("SSH-2.0-OpenSSH_9.2\r\n"), "BadStatusLine"),
        (
            "HTTP/0.9",
            answering("<html>what?</html>\r\n"),
            "BadStatusLine",
        ),
        (
            "HTTP/2",
            answering("HTTP/2.0 200 OK\r\n\r\n"),
            "UnknownProtocol",
        ),
        (
            "101",
            answering("HTTP/1.1 101 Switching\r\n\r\n"),
            "101 Switching",
        ),
        (
            "a head too large",
            answering(format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(64 * 1024))),
            "more than 65536 bytes",
        ),
        ("too many fields", answering(many), "more than 100 headers"),
        (
            "no end of interim ones",
            answering("HTTP/1.1 100 Continue\r\n\r\n".repeat(65)),
            "no end of interim",
        ),
        ("closed", Script::new().request().close(), closed),
        ("closed unasked", Script::new().close(), "Broken pipe"),
        ("cut", answering(&OPEN[..20]).close(), closed),
        (
            "closed behind an interim one",
            answering("HTTP/1.1 100 Continue\r\n\r\n").close(),
            closed,
        ),
        (
            "reset",
            Script::new().request().reset(),
            "Connection reset by peer",
        ),
        ("gone", Script::new().vanish(), "Broken pipe"),
    ] {
        let world = facing(script, Timeouts::default());
        let failure = refused(&world, case);
        assert!(
            failure
                .message
                .starts_with("Unable to connect to proxy: Connection aborted. "),
            "{case}: {}",
            failure.message
        );
        assert!(
            failure.message.contains(expected),
            "{case}: {}",
            failure.message
        );
        assert_eq!(failure.refusal, None, "{case}");
    }
}

#[test]
fn a_proxy_that_never_answers_takes_no_longer_than_it_may() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let dripping = || Script::new().request().drip(OPEN.as_bytes(), SECOND);
    let between = (0..60).fold(Script::new().request(), |script, _| {
        script.send(interim).pause(SECOND)
    });
    for (case, script) in [
        ("silent", Script::new().request()),
        ("dripping", dripping()),
        ("interim ones", between),
    ] {
        for (timeouts, kind, clock) in [
            (connect(3), "connect-timeout", "connect timeout"),
            (total(3), "connect-timeout", "total timeout"),
            (deadline(3), "deadline-exceeded", "deadline"),
            (
                Timeouts {
                    read: read(1).read,
                    ..connect(3)
                },
                "connect-timeout",
                "connect timeout",
            ),
        ] {
            let world = facing(script.clone(), timeouts);
            let expected = format!(
                "Unable to connect to proxy: Asking p.test for a connection timed out. ({clock})"
            );
            assert_eq!(
                times_out(&world, "https://a.test/", case),
                (kind, Phase::Tunnel, expected, SECOND * 3),
                "{case}"
            );
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn a_proxy_that_takes_nothing_takes_no_longer_than_it_may() {
    let world = facing(Script::new(), connect(3));
    world.net.limit_writes(0);
    let (kind, phase, _, took) = times_out(&world, "https://a.test/", "a full pipe");
    assert_eq!(
        (kind, phase, took),
        ("connect-timeout", Phase::Tunnel, SECOND * 3)
    );
}

#[test]
fn one_clock_runs_for_all_of_opening_a_connection() {
    let world = World::of_pools(PoolSettings {
        timeouts: connect(3),
        ..through(proxy("http://p.test:8080"))
    });
    let late = Script::new().request().pause(SECOND * 2).send(OPEN);
    let listener = Listener::Late(SECOND * 2, Box::new(Listener::Accept(vec![late])));
    world.listen("p.test", 8080, listener);
    let (kind, phase, _, took) = times_out(&world, "https://a.test/", "late twice");
    assert_eq!(
        (kind, phase, took),
        ("connect-timeout", Phase::Tunnel, SECOND * 3)
    );
}

#[test]
fn a_refusal_is_not_lost_where_a_clock_ends_it() {
    let stalled = || answering("HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\nwho?");
    let soon = Some(Limit::After(MILLI * 500));
    for (clock, retries, kind) in [
        ("deadline", Retries::off(), "proxy"),
        ("deadline", Retries::total(3), "deadline-exceeded"),
        ("connect", Retries::off(), "proxy"),
        ("total", Retries::off(), "proxy"),
    ] {
        let timeouts = match clock {
            "deadline" => Timeouts {
                deadline: soon,
                ..Timeouts::default()
            },
            "connect" => Timeouts {
                connect: soon,
                ..Timeouts::default()
            },
            _ => Timeouts {
                total: soon,
                ..Timeouts::default()
            },
        };
        let world = World::of_pools(PoolSettings {
            timeouts,
            retries,
            ..through(proxy("http://p.test:8080"))
        });
        world.listen("p.test", 8080, Listener::Accept(vec![stalled()]));
        let (outcome, took) = world.timed_by(|| world.get("https://a.test/"));
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), took), (kind, MILLI * 500), "{clock}");
        let first = error.history().first();
        let first = first.map_or(&error, |entry| entry.error.as_deref().unwrap());
        let refusal = first.failure().unwrap().refusal.as_ref();
        assert_eq!(refusal.unwrap().body, b"who?");
        assert_eq!(world.net.connections(), 1, "there is no time for another");
    }
}

#[test]
fn a_caller_that_gives_up_leaves_no_half_open_tunnel() {
    let world = World::of_pools(PoolSettings {
        maxsize: Some(1),
        block: Some(true),
        ..through(proxy("http://p.test:8080"))
    });
    let scripts = vec![Script::new(), answering(answer("403 No", &[], ""))];
    world.listen("p.test", 8080, Listener::Accept(scripts));
    let options = RequestOptions::default();
    let request = world
        .manager
        .request("GET", "https://a.test/", Content::Empty, options);
    let outcome = world.net.run(within(&world.net, SECOND, request));
    assert!(outcome.is_none());
    assert_eq!(world.net.open_connections(), 0);
    assert_eq!(
        world.closings(),
        [(1, "its proxy opened no connection".to_owned())]
    );
    let error = world.get("https://a.test/").unwrap_err();
    assert_eq!(error.kind(), "proxy", "its place in the pool is free again");
}
