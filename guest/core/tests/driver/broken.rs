//! Responses that are cut short at every byte there is, and framing that makes no sense.

use urlpool_core::sim::Script;
use urlpool_core::types::{Error, Phase};

use crate::common::{SECOND, World, chunked, ok};

/// How a cut response comes out: what was had of the body, and the error that followed.
fn outcome(world: &World) -> (Vec<u8>, Option<Error>) {
    let mut body = Vec::new();
    let mut response = match world.net.run(world.manager.request(
        "GET",
        "http://a.test/",
        Default::default(),
        Default::default(),
    )) {
        Ok(response) => response,
        Err(error) => return (body, Some(error)),
    };
    loop {
        match world.read(&mut response, 3) {
            Ok(piece) if piece.is_empty() => return (body, None),
            Ok(mut piece) => body.append(&mut piece),
            Err(error) => {
                assert_eq!(world.read(&mut response, 3).as_ref(), Err(&error), "again");
                assert_eq!(
                    world.net.run(response.drain()).as_ref(),
                    Err(&error),
                    "again"
                );
                return (body, Some(error));
            }
        }
    }
}

fn cut(response: &[u8], at: usize) -> World {
    let world = World::serving(vec![Script::always(response)]);
    world.net.cut_after(Some(at));
    world
}

fn end_of_head(response: &[u8]) -> usize {
    response
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4
}

#[test]
fn a_head_that_is_cut_anywhere_is_an_error_of_protocol() {
    for response in [ok("hello"), chunked(&["hello"])] {
        for at in 0..end_of_head(&response) {
            let world = cut(&response, at);
            let (body, error) = outcome(&world);
            let error = error.unwrap();
            let failure = error.failure().unwrap();
            assert!(body.is_empty(), "{at}");
            assert_eq!(
                (error.kind(), failure.phase),
                ("protocol", Phase::AwaitHead),
                "{at}"
            );
            let message = match at {
                0 => "Connection aborted. Remote end closed connection without response",
                _ => {
                    "Connection aborted. Remote end closed connection within the head of its response"
                }
            };
            assert_eq!(error.message(), message, "{at}");
            assert_eq!(world.net.open_connections(), 0, "{at}");
        }
    }
}

#[test]
fn a_body_of_known_length_that_is_cut_anywhere_says_what_is_missing() {
    let response = ok("hello world");
    let head = end_of_head(&response);
    for at in head..response.len() {
        let world = cut(&response, at);
        let (body, error) = outcome(&world);
        assert_eq!(body, &response[head..at], "{at}");
        let error = error.unwrap();
        let (had, lacking) = ((at - head) as u64, (response.len() - at) as u64);
        assert!(
            matches!(error, Error::IncompleteBody { received, missing, .. } if (received, missing) == (had, Some(lacking))),
            "{at}: {error:?}"
        );
        let text =
            format!("Connection broken: IncompleteRead({had} bytes read, {lacking} more expected)");
        assert_eq!(error.message(), text, "{at}");
        assert_eq!(error.failure().unwrap().phase, Phase::ReceiveBody, "{at}");
        assert_eq!(world.net.open_connections(), 0, "{at}");
    }
    assert_eq!(
        outcome(&cut(&response, response.len())),
        (b"hello world".to_vec(), None)
    );
}

#[test]
fn a_chunked_body_that_is_cut_anywhere_is_incomplete() {
    let response = chunked(&["hel", "lo world"]);
    let head = end_of_head(&response);
    let mut longest = 0;
    for at in head..response.len() {
        let world = cut(&response, at);
        let (body, error) = outcome(&world);
        assert!(b"hello world".starts_with(&body), "{at}");
        assert!(body.len() >= longest, "{at}: no byte that came is lost");
        longest = body.len();
        assert_eq!(world.net.open_connections(), 0, "{at}");
        if at + 2 == response.len() {
            // The chunk of size 0 has come, and only the line behind it is missing.
            assert_eq!((body.as_slice(), error), (&b"hello world"[..], None));
            continue;
        }
        let error = error.unwrap();
        assert!(
            matches!(error, Error::IncompleteBody { received, missing: None, .. } if received == longest as u64),
            "{at}: {error:?}"
        );
    }
    assert_eq!(longest, 11);
    assert_eq!(
        outcome(&cut(&response, response.len())),
        (b"hello world".to_vec(), None)
    );
}

#[test]
fn a_body_that_ends_with_its_connection_ends_wherever_that_is() {
    let response = b"HTTP/1.1 200 OK\r\n\r\nhello";
    let head = end_of_head(response);
    for at in head..=response.len() {
        assert_eq!(
            outcome(&cut(response, at)),
            (response[head..at].to_vec(), None),
            "{at}"
        );
    }
}

#[test]
fn a_connection_that_is_reset_breaks_every_body() {
    for (case, head, kind) in [
        (
            "length",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            "incomplete-body",
        ),
        (
            "chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n",
            "incomplete-body",
        ),
        ("until close", "HTTP/1.1 200 OK\r\n\r\n", "protocol"),
    ] {
        let script = Script::new()
            .request()
            .send(head)
            .send("some")
            .pause(SECOND)
            .reset();
        let world = World::serving(vec![script]);
        let (body, error) = outcome(&world);
        let error = error.unwrap();
        assert_eq!(
            (body.as_slice(), error.kind()),
            (&b"some"[..], kind),
            "{case}"
        );
        assert_eq!(error.failure().unwrap().phase, Phase::ReceiveBody, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn chunks_that_make_no_sense_are_an_error_after_what_was_good() {
    for (case, chunks, good) in [
        ("no size", "\r\nhello\r\n", ""),
        ("no digit", "x\r\n", ""),
        ("a sign", "+5\r\nhello\r\n0\r\n\r\n", ""),
        ("a prefix", "0x5\r\nhello\r\n0\r\n\r\n", ""),
        ("a size past 64 bits", "10000000000000000\r\n", ""),
        ("a bare line feed", "5\nhello\r\n0\r\n\r\n", ""),
        (
            "data longer than its size",
            "5\r\nhello!\r\n0\r\n\r\n",
            "hello",
        ),
        (
            "data shorter than its size",
            "5\r\nhel\r\n0\r\n\r\n",
            "hel\r\n",
        ),
        ("a second size without digits", "2\r\nhi\r\nz\r\n", "hi"),
        (
            "an endless size line",
            &format!("2\r\nhi\r\n5;{}", "x".repeat(9_000)),
            "hi",
        ),
        (
            "endless trailers",
            &format!("2\r\nhi\r\n0\r\n{}", "X: y\r\n".repeat(101)),
            "hi",
        ),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        for script in [
            Script::new().request().send(response.clone()),
            Script::new().request().drip(response.as_bytes(), SECOND),
        ] {
            let world = World::serving(vec![script]);
            let (body, error) = outcome(&world);
            let error = error.unwrap();
            assert_eq!(
                (body.as_slice(), error.kind()),
                (good.as_bytes(), "invalid-chunk"),
                "{case}"
            );
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn read_all_never_returns_part_of_a_body() {
    for response in [ok("hello"), chunked(&["he", "llo"])] {
        let head = end_of_head(&response);
        for at in head..response.len() {
            let world = cut(&response, at);
            match world.get("http://a.test/") {
                Ok(reply) => assert_eq!(reply.body, b"hello", "{at}"),
                Err(error) => assert_eq!(error.kind(), "incomplete-body", "{at}"),
            }
        }
    }
}
