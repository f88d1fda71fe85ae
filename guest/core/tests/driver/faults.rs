//! Servers that answer nonsense, too much or too early. Each failure closes its connection and leaves the manager in working order.

use std::net::SocketAddr;
use std::time::Duration;

use urlpool_core::driver::ResolveError;
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::Phase;

use crate::common::{SECOND, World, address, ok, origin_of};

const URL: &str = "http://a.test/";

fn interim(count: usize) -> Vec<u8> {
    [
        b"HTTP/1.1 102 Processing\r\n\r\n".repeat(count),
        ok("at last"),
    ]
    .concat()
}

/// Heads that are none, with a word that the message must have.
fn hostile_heads() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let fields = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nhello").into_bytes();
    vec![
        (
            "garbage",
            b"\x00\x01\x02\xff garbage".to_vec(),
            "BadStatusLine",
        ),
        ("one wrong byte", b"X".to_vec(), "BadStatusLine"),
        (
            "an empty line first",
            [b"\r\n".to_vec(), ok("")].concat(),
            "BadStatusLine",
        ),
        (
            "another protocol",
            b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
            "SSH-2.0-OpenSSH_9.6",
        ),
        ("HTTP/0.9", b"<html>hello</html>".to_vec(), "BadStatusLine"),
        ("HTTP/2", b"HTTP/2 200\r\n\r\n".to_vec(), "UnknownProtocol"),
        (
            "HTTP/1.2",
            b"HTTP/1.2 200 OK\r\n\r\n".to_vec(),
            "UnknownProtocol",
        ),
        (
            "no status",
            b"HTTP/1.1\r\n\r\n".to_vec(),
            "Connection aborted.",
        ),
        (
            "a status of letters",
            b"HTTP/1.1 abc OK\r\n\r\n".to_vec(),
            "BadStatusLine",
        ),
        (
            "a status of four digits",
            b"HTTP/1.1 2000 OK\r\n\r\n".to_vec(),
            "Connection aborted.",
        ),
        (
            "status 0",
            b"HTTP/1.1 000 OK\r\n\r\n".to_vec(),
            "BadStatusLine",
        ),
        ("no colon", fields("Content-Length 5"), "malformed"),
        (
            "a space before the colon",
            fields("Content-Length : 5"),
            "malformed",
        ),
        ("a folded line", fields("X: y\r\n z"), "malformed"),
        ("a null", fields("X: \0"), "malformed"),
        ("no name", fields(": x"), "malformed"),
        (
            "two lengths",
            fields("Content-Length: 5\r\nContent-Length: 6"),
            "unmatching",
        ),
        (
            "two lengths in one field",
            fields("Content-Length: 5, 6"),
            "unmatching",
        ),
        (
            "a negative length",
            fields("Content-Length: -1"),
            "not a number",
        ),
        (
            "a length with a sign",
            fields("Content-Length: +5"),
            "not a number",
        ),
        (
            "a length past 64 bits",
            fields("Content-Length: 18446744073709551616"),
            "not a number",
        ),
        (
            "an unknown coding",
            fields("Transfer-Encoding: gzip, chunked"),
            "Transfer-Encoding",
        ),
        (
            "chunked twice",
            fields("Transfer-Encoding: chunked, chunked"),
            "Transfer-Encoding",
        ),
        (
            "101 fields",
            fields(&vec!["X: y"; 101].join("\r\n")),
            "more than 100 headers",
        ),
        (
            "a head without end",
            [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(20_000)].concat(),
            "more than 100 headers",
        ),
        (
            "a line without end",
            [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'y'; 100_000]].concat(),
            "more than 65536 bytes",
        ),
        (
            "101 unasked",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_vec(),
            "101",
        ),
        ("65 interim responses", interim(65), "interim"),
    ]
}

#[test]
fn a_head_that_is_none_is_an_error_and_not_a_wait() {
    for (case, bytes, word) in hostile_heads() {
        // Nothing follows, so whoever waits for more waits for ever.
        let bad = Script::new().request().send(bytes);
        let world = World::serving(vec![bad, Script::always(ok("good"))]);
        let error = world.get(URL).expect_err(case);
        let failure = error.failure().unwrap();
        assert_eq!(
            (error.kind(), failure.phase),
            ("protocol", Phase::AwaitHead),
            "{case}"
        );
        assert!(
            failure.message.contains(word),
            "{case}: {}",
            failure.message
        );
        assert!(
            failure.message.len() < 300,
            "{case}: {}",
            failure.message.len()
        );
        assert!(failure.may_have_been_acted_on && !failure.reused, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(world.closings().len(), 1, "{case}");
        assert_eq!(world.get(URL).unwrap().body, b"good", "{case}");
    }
}

#[test]
fn a_head_that_is_none_is_one_on_a_reused_connection_too() {
    for (case, bytes, _) in hostile_heads() {
        let bad = Script::new()
            .request()
            .send(ok("good"))
            .request()
            .send(bytes);
        let world = World::serving(vec![bad, Script::always(ok("good"))]);
        world.get(URL).unwrap();
        let error = world.get(URL).expect_err(case);
        assert!(error.failure().unwrap().reused, "{case}");
        assert_eq!(
            world.net.connections(),
            1,
            "{case}: it answered, so it is not asked again"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(world.get(URL).unwrap().body, b"good", "{case}");
    }
}

#[test]
fn interim_responses_are_passed_over() {
    for (case, response) in [
        (
            "100",
            [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), ok("at last")].concat(),
        ),
        ("102", interim(1)),
        (
            "103",
            [
                b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 7\r\n\r\n".to_vec(),
                ok("at last"),
            ]
            .concat(),
        ),
        (
            "199",
            [b"HTTP/1.1 199 What\r\n\r\n".to_vec(), ok("at last")].concat(),
        ),
        ("64 of them", interim(64)),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        for _ in 0..2 {
            let reply = world.get(URL).unwrap();
            assert_eq!(
                (reply.status, reply.body.as_slice()),
                (200, &b"at last"[..]),
                "{case}"
            );
        }
        assert_eq!(world.net.connections(), 1, "{case}");
    }
}

#[test]
fn interim_responses_and_then_nothing_are_an_error() {
    let script = Script::new()
        .request()
        .send("HTTP/1.1 103 Early Hints\r\n\r\n")
        .pause(SECOND)
        .close();
    let world = World::serving(vec![script]);
    assert_eq!(world.get(URL).unwrap_err().kind(), "protocol");
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn nobody_there_is_told_apart() {
    let denied = || ResolveError::Denied("names are not looked up here".into());
    let failed = || ResolveError::Failed("Temporary failure in name resolution".into());
    type Row<'a> = (&'a str, &'a dyn Fn(&World), &'a str, &'a str);
    let cases: [Row<'_>; 7] = [
        (
            "no such name",
            &|_| {},
            "name-resolution",
            "Failed to resolve 'a.test' (Name or service not known)",
        ),
        (
            "no address",
            &|world| world.net.name("a.test", &[]),
            "name-resolution",
            "Failed to resolve 'a.test' (the name has no address)",
        ),
        (
            "no answer",
            &|world| world.net.unname("a.test", failed()),
            "name-resolution",
            "Failed to resolve 'a.test' (Temporary failure in name resolution)",
        ),
        (
            "lookup denied",
            &|world| world.net.unname("a.test", denied()),
            "denied",
            "The host of this component does not allow it: names are not looked up here",
        ),
        (
            "nobody listens",
            &|world| world.net.name("a.test", &[address("a.test")]),
            "connection-failed",
            "Failed to establish a new connection: 192.0.2.97:80: Connection refused",
        ),
        (
            "refused",
            &|world| world.listen("a.test", 80, Listener::Refuse),
            "connection-failed",
            "Failed to establish a new connection: 192.0.2.97:80: Connection refused",
        ),
        (
            "connection denied",
            &|world| world.listen("a.test", 80, Listener::Deny),
            "denied",
            "The host of this component does not allow it: 192.0.2.97:80: not allowed here",
        ),
    ];
    for (case, arrange, kind, message) in cases {
        let world = World::new();
        arrange(&world);
        let error = world.get(URL).expect_err(case);
        assert_eq!((error.kind(), error.message()), (kind, message), "{case}");
        let failure = error.failure().unwrap();
        assert!(
            failure.phase <= Phase::Connect && !failure.may_have_been_acted_on,
            "{case}"
        );
        assert_eq!(
            (
                failure.url.as_str(),
                failure.method.as_str(),
                failure.attempt
            ),
            (URL, "GET", 1)
        );
        world.serve("a.test", origin_of("there"));
        assert_eq!(world.get(URL).unwrap().body, b"there", "{case}");
    }
}

#[test]
fn an_error_names_the_url_without_its_userinfo() {
    let world = World::new();
    let error = world.get("http://user:hunter2@a.test/x?y#z").unwrap_err();
    assert_eq!(error.failure().unwrap().url, "http://a.test/x?y");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn every_address_is_tried_and_the_last_one_told_of() {
    let world = World::new();
    world.net.name("a.test", &["x", "y", "z"].map(address));
    world
        .net
        .listen(SocketAddr::new(address("y"), 80), Listener::Refuse);
    let error = world.get(URL).unwrap_err();
    assert!(error.message().contains("192.0.2.122:80"), "{error}");
    assert_eq!(
        world.net.elapsed(),
        Duration::from_millis(4),
        "a lookup and three attempts"
    );
}

#[test]
fn an_answer_before_the_request_was_taken_whole_counts() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo long";
    for (case, script) in [
        ("closed", Script::new().head().send(refusal).close()),
        ("reset", Script::new().head().send(refusal).reset()),
        (
            "before a byte was read",
            Script::new().send(refusal).close(),
        ),
    ] {
        let world = World::serving(vec![script, Script::always(ok("good"))]);
        let reply = world.post(URL, &vec![b'x'; 1_000_000]).unwrap();
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (413, &b"too long"[..]),
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
        let reason = "the request was not taken whole".to_owned();
        assert_eq!(world.closings(), [(1, reason)], "{case}");
        assert_eq!(world.get(URL).unwrap().body, b"good", "{case}");
    }
}

#[test]
fn a_request_that_is_not_taken_whole_and_not_answered_is_an_error() {
    for (case, script) in [
        ("closed", Script::new().head().close()),
        ("reset", Script::new().head().reset()),
    ] {
        let world = World::serving(vec![script, Script::always(ok("good"))]);
        let error = world.post(URL, &vec![b'x'; 1_000_000]).unwrap_err();
        assert_eq!(error.kind(), "protocol", "{case}");
        assert!(error.failure().unwrap().may_have_been_acted_on, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(world.get(URL).unwrap().body, b"good", "{case}");
    }
}

#[test]
fn an_answer_that_comes_while_the_request_is_still_sent_ends_the_sending() {
    // The server answers after the head and would take the rest all the same.
    let world = World::serving(vec![Script::new().head().send(ok("early"))]);
    let reply = world.post(URL, &vec![b'x'; 1_000_000]).unwrap();
    assert_eq!(reply.body, b"early");
    let sent = world.net.writes(0).concat();
    assert!(sent.iter().filter(|byte| **byte == b'x').count() < 1_000_000);
    assert_eq!(world.net.open_connections(), 0);
    let reason = "the request was not taken whole".to_owned();
    assert_eq!(world.closings(), [(1, reason)]);
}
