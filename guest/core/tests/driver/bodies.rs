//! Bodies of responses: where they end, how they are read, and what becomes of their connection.

use std::time::Duration;

use urlpool_core::sim::Script;
use urlpool_core::types::Content;

use crate::common::{SECOND, World, chunked, ok};

/// Whether the connection of a response is kept, given who asks and what comes.
struct Case {
    name: &'static str,
    method: &'static str,
    response: Vec<u8>,
    body: &'static [u8],
    kept: bool,
}

fn case(
    name: &'static str,
    method: &'static str,
    response: impl Into<Vec<u8>>,
    body: &'static str,
    kept: bool,
) -> Case {
    let (response, body) = (response.into(), body.as_bytes());
    Case {
        name,
        method,
        response,
        body,
        kept,
    }
}

/// Every way in which a body ends of itself.
fn framed() -> Vec<Case> {
    let with = |fields: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
    vec![
        case("length", "GET", ok("hello"), "hello", true),
        case("length 0", "GET", ok(""), "", true),
        case(
            "length twice the same",
            "GET",
            with("Content-Length: 2, 2\r\nContent-Length: 2\r\n", "hi"),
            "hi",
            true,
        ),
        case("chunked", "GET", chunked(&["he", "llo"]), "hello", true),
        case("chunked and empty", "GET", chunked(&[]), "", true),
        case(
            "chunked with extension and trailer",
            "GET",
            with(
                "transfer-encoding: CHUNKED\r\n",
                "5;a=\"b\"\r\nhello\r\n000\r\nX-Sum: 1\r\n\r\n",
            ),
            "hello",
            true,
        ),
        case(
            "chunked beside a length",
            "GET",
            with(
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "2\r\nhi\r\n0\r\n\r\n",
            ),
            "hi",
            false,
        ),
        case(
            "HEAD with a length",
            "HEAD",
            with("Content-Length: 5\r\n", ""),
            "",
            true,
        ),
        case(
            "HEAD chunked",
            "HEAD",
            with("Transfer-Encoding: chunked\r\n", ""),
            "",
            true,
        ),
        case("HEAD with neither", "HEAD", with("", ""), "", true),
        case("204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true),
        case(
            "304 with a length",
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            "",
            true,
        ),
        case(
            "404",
            "GET",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
            "no",
            true,
        ),
        case(
            "no reason phrase",
            "GET",
            "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
            "hi",
            true,
        ),
        case(
            "bare line feeds",
            "GET",
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
            "hi",
            true,
        ),
        case(
            "after interim responses",
            "GET",
            [
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                    .as_slice(),
                &ok("hi"),
            ]
            .concat(),
            "hi",
            true,
        ),
        case(
            "the server closes",
            "GET",
            with("Connection: Close\r\nContent-Length: 2\r\n", "hi"),
            "hi",
            false,
        ),
        case(
            "1.0",
            "GET",
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "hi",
            false,
        ),
        case(
            "1.0 kept alive",
            "GET",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
            "hi",
            true,
        ),
        case(
            "excess",
            "GET",
            [ok("hi"), b"!".to_vec()].concat(),
            "hi",
            false,
        ),
        case(
            "excess after chunks",
            "GET",
            [chunked(&["hi"]), b"!".to_vec()].concat(),
            "hi",
            false,
        ),
        case("excess after HEAD", "HEAD", ok("hello"), "", false),
        case(
            "a second response unasked",
            "GET",
            [ok("hi"), ok("ho")].concat(),
            "hi",
            false,
        ),
    ]
}

#[test]
fn a_body_ends_where_its_framing_says_and_its_connection_is_kept_if_it_can_be() {
    for Case {
        name,
        method,
        response,
        body,
        kept,
    } in framed()
    {
        let world = World::serving(vec![Script::always(response)]);
        let opened = world
            .send(method, "http://a.test/", Content::Empty)
            .unwrap();
        assert_eq!(world.finish(opened).unwrap().body, body, "{name}");
        assert_eq!(world.net.open_connections(), usize::from(kept), "{name}");
        let again = world
            .send(method, "http://a.test/", Content::Empty)
            .unwrap();
        assert_eq!(again.head().connection.reused, kept, "{name}");
    }
}

#[test]
fn a_body_without_framing_ends_with_its_connection() {
    for (case, head) in [
        ("no length", "HTTP/1.1 200 OK\r\n\r\n"),
        ("1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
        (
            "identity",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        ),
    ] {
        let script = Script::new()
            .request()
            .send(head)
            .send("he")
            .pause(SECOND)
            .send("llo")
            .close();
        let world = World::serving(vec![script]);
        assert_eq!(
            world.get("http://a.test/").unwrap().body,
            b"hello",
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
        let reason = "the end of the body is the end of the connection".to_owned();
        assert_eq!(world.closings(), [(1, reason)], "{case}");
    }
}

#[test]
fn a_response_is_the_same_byte_by_byte_and_in_two_pieces_at_any_place() {
    for Case {
        name,
        method,
        response,
        body,
        ..
    } in framed()
    {
        let whole = Script::new().request().send(response.clone());
        let drip = Script::new().request().drip(&response, SECOND);
        let split = |at| {
            let (front, back) = response.split_at(at);
            Script::new().request().send(front).pause(SECOND).send(back)
        };
        let splits = (1..response.len()).map(split);
        let mut expected = None;
        for script in [whole, drip].into_iter().chain(splits) {
            let world = World::serving(vec![script]);
            let opened = world
                .send(method, "http://a.test/", Content::Empty)
                .unwrap();
            let head = opened.head().clone();
            assert_eq!(world.finish(opened).unwrap().body, body, "{name}");
            assert_eq!(
                &head,
                expected.get_or_insert_with(|| head.clone()),
                "{name}"
            );
        }
    }
}

#[test]
fn the_connection_is_in_its_pool_before_the_caller_sees_the_end() {
    for (case, response, max) in [
        ("length, byte by byte", ok("hello"), 1),
        ("length, in one piece", ok("hello"), 5),
        ("chunked, byte by byte", chunked(&["he", "llo"]), 1),
        ("chunked, in one piece", chunked(&["he", "llo"]), 64),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        let mut first = world.open("http://a.test/");
        let mut body = Vec::new();
        while body.len() < 5 {
            body.append(&mut world.read(&mut first, max).unwrap());
        }
        assert_eq!(body, b"hello", "{case}");
        assert!(
            world.open("http://a.test/").head().connection.reused,
            "{case}"
        );
        assert!(world.read(&mut first, max).unwrap().is_empty(), "{case}");
    }
}

#[test]
fn a_body_that_came_with_its_head_needs_not_be_read() {
    let world = World::serving(vec![Script::always(ok("hello"))]);
    let mut unread = world.open("http://a.test/");
    let mut other = world.open("http://a.test/");
    assert!(other.head().connection.reused);
    assert_eq!(world.net.run(unread.read_all(5)).unwrap(), b"hello");
    other.release();
    assert_eq!(world.net.connections(), 1);
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn an_unread_body_costs_its_connection_unless_it_is_drained() {
    let slow = || {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
        vec![
            Script::new()
                .request()
                .send(head)
                .pause(SECOND)
                .send("def")
                .again(),
        ]
    };
    let world = World::serving(slow());
    drop(world.open("http://a.test/"));
    assert_eq!(world.net.open_connections(), 0, "dropped");
    let reason = "its exchange was given up".to_owned();
    assert_eq!(world.closings(), [(1, reason)]);

    let world = World::serving(slow());
    let mut response = world.open("http://a.test/");
    response.release();
    assert_eq!(world.net.open_connections(), 0, "released");
    let reason = "its response was not read to the end".to_owned();
    assert_eq!(world.closings(), [(1, reason)]);

    let world = World::serving(slow());
    let mut response = world.open("http://a.test/");
    let (outcome, took) = world.timed_by(|| world.net.run(response.drain()));
    assert_eq!((outcome, took), (Ok(()), SECOND));
    assert_eq!(world.net.open_connections(), 1, "drained");
    assert!(world.open("http://a.test/").head().connection.reused);
}

#[test]
fn a_reader_gets_at_most_what_it_asks_for_and_nothing_for_nothing() {
    for (response, sizes) in [
        (ok("hello"), vec![2, 2, 1, 0, 0]),
        (chunked(&["hello"]), vec![2, 2, 1, 0, 0]),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        let mut response = world.open("http://a.test/");
        assert!(world.read(&mut response, 0).unwrap().is_empty());
        let read = sizes
            .iter()
            .map(|_| world.read(&mut response, 2).unwrap().len());
        assert_eq!(Vec::from_iter(read), sizes);
    }
}

#[test]
fn a_reader_does_not_wait_for_more_than_is_there() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
    let world = World::serving(vec![
        Script::new().request().send(head).pause(SECOND).send("def"),
    ]);
    let mut response = world.open("http://a.test/");
    for (expected, pause) in [
        ("abc", Duration::ZERO),
        ("def", SECOND),
        ("", Duration::ZERO),
    ] {
        let (piece, took) = world.timed_by(|| world.read(&mut response, 100).unwrap());
        assert_eq!((piece.as_slice(), took), (expected.as_bytes(), pause));
    }
}

#[test]
fn a_large_body_arrives_whole_whatever_its_pieces() {
    let body: String = (0..100_000_u32)
        .map(|number| char::from(b'a' + (number % 23) as u8))
        .collect();
    let pieces: Vec<&str> = [1, 7, 65_536, 99_999]
        .iter()
        .map(|end| &body[..*end])
        .collect();
    for (case, response, expected) in [
        ("length", ok(&body), body.clone()),
        ("chunked", chunked(&pieces), pieces.concat()),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        assert!(
            world.get("http://a.test/").unwrap().body == expected.as_bytes(),
            "{case}"
        );
        assert!(
            world.get("http://a.test/").unwrap().connection.reused,
            "{case}"
        );
    }
}

#[test]
fn a_body_larger_than_allowed_is_refused_and_its_connection_closed() {
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc";
    let endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let until_close = "HTTP/1.1 200 OK\r\n\r\n";
    let drip = |head: &str, piece: &str| {
        let script = Script::new().request().send(head);
        (0..50).fold(script, |script, _| script.pause(SECOND).send(piece))
    };
    for (case, script, limit, waits) in [
        (
            "announced",
            Script::new().request().send(announced),
            1_000,
            0,
        ),
        (
            "announced, by a byte",
            Script::new()
                .request()
                .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
            4,
            0,
        ),
        ("chunked", drip(endless, "2\r\nhi\r\n"), 10, 6),
        ("until close", drip(until_close, "hi"), 11, 6),
        ("nothing is allowed", drip(until_close, "hi"), 0, 1),
    ] {
        let world = World::serving(vec![script]);
        let mut response = world.open("http://a.test/");
        let (outcome, took) = world.timed_by(|| world.net.run(response.read_all(limit)));
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), "body-too-large", "{case}");
        assert_eq!(
            error.message(),
            format!("The body is larger than the {limit} bytes allowed"),
            "{case}"
        );
        assert_eq!(took, SECOND * waits, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(world.read(&mut response, 9), Err(error), "{case}");
    }
}

#[test]
fn a_body_as_large_as_allowed_is_had() {
    for (case, response, limit) in [
        ("length", ok("hello"), 5),
        ("chunked", chunked(&["he", "llo"]), 5),
        ("empty", ok(""), 0),
        ("empty chunks", chunked(&[]), 0),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        let mut response = world.open("http://a.test/");
        assert!(world.net.run(response.read_all(limit)).is_ok(), "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn what_was_read_before_does_not_count_towards_the_limit() {
    let world = World::serving(vec![Script::always(ok("hello world"))]);
    let mut response = world.open("http://a.test/");
    assert_eq!(world.read(&mut response, 6).unwrap(), b"hello ");
    assert_eq!(world.net.run(response.read_all(5)).unwrap(), b"world");
}
