//! Peers that want more than to fail: to outrun a clock, to be read without end, to have a request sent twice, to slip in an answer.
//!
//! Their floods are finite, only much longer than what must end them, so a client that falls for one fails its test and does not hang.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use urlpool_core::sim::Script;
use urlpool_core::types::{Error, Phase, PoolSettings, Timeouts, TlsReason, TlsSettings};

use crate::common::{
    Authority, BARE, HALF, MILLI, SECOND, TlsServer, World, deadline, ok, read, text, times_out,
    total,
};

const PLAIN: &str = "http://a.test/";
const SECURE: &str = "https://a.test/";
const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
/// What no key opens.
const UNDECRYPTABLE: [u8; 45] = {
    let mut record = [7; 45];
    [record[0], record[1], record[2], record[3], record[4]] = [23, 3, 3, 0, 40];
    record
};
/// As many session tickets as no server sends. More than 64 KiB of them in a row rustls refuses by itself.
const MANY_TICKETS: usize = 400;

/// A world in which `a.test` is a TLS server that its clients trust.
fn serving(
    versions: &[&'static SupportedProtocolVersion],
    timeouts: Timeouts,
    change: impl FnOnce(&mut TlsServer),
    scripts: Vec<Script>,
) -> World {
    let authority = Authority::new();
    let world = World::of_pools(PoolSettings {
        timeouts,
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    });
    let mut server = authority.server(&["a.test"], versions);
    change(&mut server);
    world.listen("a.test", 443, server.listener(scripts));
    world
}

fn secured(version: &'static SupportedProtocolVersion, scripts: Vec<Script>) -> World {
    serving(&[version], Timeouts::default(), |_| {}, scripts)
}

/// Floods with session tickets once the handshake has ended, and says its first words before that.
fn flooding_with_tickets(server: &mut TlsServer) {
    server.config.send_tls13_tickets = MANY_TICKETS;
    server.config.send_half_rtt_data = true;
}

#[track_caller]
fn ends_in_time(world: &World, url: &str, case: &str, expected: (&str, Phase)) {
    let (kind, phase, _, took) = times_out(world, url, case);
    assert_eq!((kind, phase), expected, "{case}");
    let is_in_time = (SECOND * 3..SECOND * 7 / 2).contains(&took);
    assert!(is_in_time, "{case}: {took:?}");
    assert_eq!(world.net.open_connections(), 0, "{case}");
}

#[test]
fn a_deadline_ends_a_body_of_which_there_is_always_more() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".as_bytes();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_bytes();
    let long_extension = [b"1;", "e".repeat(4000).as_bytes(), b"\r\nx\r\n"].concat();
    for (case, body) in [
        ("until close", [head, &[b'x'; 1_000_000]].concat()),
        (
            "chunked",
            [chunked, &b"5\r\nhello\r\n".repeat(100_000)].concat(),
        ),
        (
            "extensions",
            [chunked, &long_extension.repeat(250)].concat(),
        ),
    ] {
        let world = World::timed(deadline(3));
        world.serve("a.test", vec![Script::new().request().send(body)]);
        world.net.limit_reads(1000);
        world.net.take_time(MILLI * 10);
        let expected = ("deadline-exceeded", Phase::ReceiveBody);
        ends_in_time(&world, PLAIN, case, expected);

        let mut response = world.open(PLAIN);
        let (outcome, took) = world.timed_by(|| world.net.run(response.drain()));
        assert_eq!(outcome.unwrap_err().kind(), expected.0, "{case}, drained");
        assert!(took < SECOND * 7 / 2, "{case}, drained: {took:?}");
    }
}

#[test]
fn a_clock_ends_a_head_of_which_there_is_always_more() {
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n";
    let long = [b"HTTP/1.1 200 OK\r\nX: ", "y".repeat(1500).as_bytes()].concat();
    for (case, piece, bytes) in [
        ("interim responses", interim.len(), interim.repeat(60)),
        ("a long head", 26, long),
    ] {
        for (timeouts, kind) in [
            (total(3), "read-timeout"),
            (deadline(3), "deadline-exceeded"),
        ] {
            let world = World::timed(timeouts);
            world.serve("a.test", vec![Script::new().request().send(bytes.clone())]);
            world.net.limit_reads(piece);
            world.net.take_time(SECOND / 4);
            ends_in_time(&world, PLAIN, case, (kind, Phase::AwaitHead));
        }
    }
}

#[test]
fn a_clock_ends_tls_records_without_plaintext_of_which_there_are_always_more() {
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe";
    for (phase, script, timeouts, kind) in [
        (Phase::AwaitHead, Script::new(), read(3), "read-timeout"),
        (Phase::AwaitHead, Script::new(), total(3), "read-timeout"),
        (
            Phase::AwaitHead,
            Script::new(),
            deadline(3),
            "deadline-exceeded",
        ),
        (
            Phase::ReceiveBody,
            Script::new().send(begun),
            read(3),
            "read-timeout",
        ),
        (
            Phase::ReceiveBody,
            Script::new().send(begun),
            deadline(3),
            "deadline-exceeded",
        ),
    ] {
        let case = format!("{phase:?} {timeouts:?}");
        let world = serving(&[&TLS13], timeouts, flooding_with_tickets, vec![script]);
        world.net.limit_reads(100);
        world.net.take_time(MILLI * 20);
        ends_in_time(&world, SECURE, &case, (kind, phase));
    }
}

#[test]
fn an_idle_connection_that_is_flooded_is_left_after_a_few_reads() {
    let answer = || Script::new().request().send(ok("one")).pause(SECOND);
    let small = (0..2000).fold(answer(), |script, _| script.send("x"));
    for (case, script) in [
        ("large records", answer().send(vec![b'x'; 1_000_000])),
        ("small records", small),
        ("an answer", answer().send(ok(&"x".repeat(1_000_000)))),
    ] {
        for version in BOTH {
            let world = secured(version, vec![script.clone(), Script::always(ok("two"))]);
            world.get(SECURE).unwrap();
            world.net.pass(SECOND * 2);
            world.net.limit_reads(500);
            world.net.take_time(MILLI);
            let writes = world.net.writes(0).len();
            // A POST is not replayed, so the connection must be found dead before it is used.
            let (reply, took) = world.timed_by(|| world.post(SECURE, b"x").unwrap());
            assert_eq!(text(&reply.body), "two", "{case}");
            assert!(took < MILLI * 50, "{case}: {took:?}");
            assert_eq!(world.net.writes(0).len(), writes, "{case}");
            assert_eq!(world.net.open_connections(), 1, "{case}");
        }
    }
}

#[test]
fn an_idle_connection_with_more_tickets_than_any_server_sends_is_left() {
    let script = Script::new().send(ok("one")).request().request();
    let scripts = vec![script, Script::always(ok("two"))];
    let world = serving(
        &[&TLS13],
        Timeouts::default(),
        flooding_with_tickets,
        scripts,
    );
    world.get(SECURE).unwrap();
    world.net.limit_reads(500);
    assert_eq!(text(&world.get(SECURE).unwrap().body), "two");
    let dead = (1, "it was no longer alive".to_owned());
    assert_eq!(world.closings(), [dead]);
}

#[test]
fn a_tls_write_that_breaks_half_way_counts_as_sent() {
    for version in BOTH {
        for size in [20_000, 40_000, 300_000] {
            let dies = Script::new().request().send(ok("one")).head().reset();
            let world = secured(version, vec![dies, Script::always(ok("two"))]);
            world.post(SECURE, b"x").unwrap();
            world.net.limit_writes(6000);
            let error = world
                .post(SECURE, &vec![b'x'; size])
                .expect_err("no replay");
            let failure = error.failure().unwrap();
            assert_eq!((error.kind(), failure.attempt), ("protocol", 1), "{size}");
            assert!(failure.reused && failure.may_have_been_acted_on, "{size}");
            assert_eq!(world.net.connections(), 1, "{size}");
            assert_eq!(world.net.open_connections(), 0, "{size}");
        }
    }
}

#[test]
fn a_tls_write_of_which_not_a_byte_was_taken_counts_as_not_sent() {
    for version in BOTH {
        let vanishes = Script::new().request().send(ok("one")).vanish();
        let world = secured(version, vec![vanishes, Script::always(ok("two"))]);
        world.post(SECURE, b"x").unwrap();
        let reply = world.post(SECURE, &vec![b'x'; 40_000]).unwrap();
        assert_eq!(
            (text(&reply.body).as_str(), reply.connection.number),
            ("two", 2)
        );
    }
}

#[test]
fn an_early_answer_over_tls_counts_although_the_upload_breaks() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
    for version in BOTH {
        for size in [40_000, 300_000] {
            for is_reused in [false, true] {
                let case = format!("{version:?} {size} {is_reused}");
                let first = if is_reused {
                    Script::new().request().send(ok("one"))
                } else {
                    Script::new()
                };
                let script = first.head().send(refusal).close();
                let world = secured(version, vec![script, Script::always(ok("two"))]);
                if is_reused {
                    world.post(SECURE, b"x").unwrap();
                }
                world.net.limit_writes(6000);
                let reply = world.post(SECURE, &vec![b'x'; size]).expect(&case);
                assert_eq!(
                    (reply.status, text(&reply.body).as_str()),
                    (413, "too large")
                );
                assert_eq!(reply.connection.reused, is_reused, "{case}");
                let closed = (1, "the request was not taken whole".to_owned());
                assert_eq!(world.closings(), [closed], "{case}");
            }
        }
    }
}

#[test]
fn half_a_record_on_an_idle_connection_is_no_answer_to_the_next_request() {
    let half = [HALF, &ok("smuggled")].concat();
    let one = ok("one");
    for (case, script) in [
        (
            "with the answer",
            Script::new()
                .request()
                .send([one.as_slice(), &half].concat()),
        ),
        (
            "later",
            Script::new()
                .request()
                .send(one.as_slice())
                .pause(SECOND)
                .send(half.as_slice()),
        ),
    ] {
        for version in BOTH {
            let script = script.clone().anything().send(ok("two"));
            let world = secured(version, vec![script, Script::always(ok("fresh"))]);
            assert_eq!(text(&world.get(SECURE).unwrap().body), "one", "{case}");
            world.net.pass(SECOND * 2);
            let reply = world.get(SECURE).unwrap();
            assert_eq!(text(&reply.body), "fresh", "{case}");
            assert_eq!(reply.connection.number, 2, "{case}");
            assert_eq!(world.net.open_connections(), 1, "{case}");
        }
    }
}

#[test]
fn what_came_before_a_record_that_cannot_be_decrypted_counts() {
    for version in BOTH {
        let bytes = [&ok("whole"), BARE, &UNDECRYPTABLE].concat();
        let script = Script::new().request().send(bytes);
        let world = secured(version, vec![script, Script::always(ok("two"))]);
        assert_eq!(text(&world.get(SECURE).unwrap().body), "whole");
        let reply = world.post(SECURE, b"x").unwrap();
        assert_eq!(
            (text(&reply.body).as_str(), reply.connection.number),
            ("two", 2)
        );

        for (case, head) in [
            ("until close", "HTTP/1.1 200 OK\r\n\r\n"),
            (
                "of a length",
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            ),
            (
                "chunked",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n",
            ),
        ] {
            let bytes = [head.as_bytes(), b"data", BARE, &UNDECRYPTABLE].concat();
            let world = secured(version, vec![Script::new().request().send(bytes)]);
            let mut response = world.open(SECURE);
            assert_eq!(world.read(&mut response, 99).unwrap(), b"data", "{case}");
            let error = world.read(&mut response, 99).unwrap_err();
            assert!(
                matches!(error, Error::Tls(TlsReason::Protocol, _)),
                "{case}: {error:?}"
            );
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn a_response_whose_end_two_recipients_may_see_in_two_places_costs_its_connection() {
    for (case, response, body) in [
        (
            "HTTP/1.0 with chunks",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "abc",
        ),
        (
            "204 with a length",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            "",
        ),
        (
            "204 in chunks",
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
            "",
        ),
    ] {
        // What the other recipient takes for the body comes once the next request is there.
        let script = Script::new()
            .request()
            .send(response)
            .request()
            .send(ok("smuggled"));
        let world = World::serving(vec![script, Script::always(ok("fresh"))]);
        assert_eq!(text(&world.get(PLAIN).unwrap().body), body, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(text(&world.get(PLAIN).unwrap().body), "fresh", "{case}");
    }
}
