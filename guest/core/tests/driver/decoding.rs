//! Bodies in content codings: undone, left alone, damaged, and followed by what does not belong to them.

use std::time::Duration;

use urlpool_core::sim::Script;
use urlpool_core::types::{Content, Reading};

use crate::common::{
    FRAMINGS, Framing, MILLI, SECOND, World, brotli, chunked, encoded, gzip, ok, raw_deflate, zlib,
    zstd,
};

const URL: &str = "http://a.test/";
const TEXT: &[u8] = b"one line\nand one line more\nand one line more\n";
const RAW: Reading = Reading {
    is_raw: true,
    may_be_short: false,
    max_body: None,
    is_preloaded: false,
};

/// A server that answers once, in two pieces where `split` is within the answer, and again where it can.
fn serving(framing: Framing, response: &[u8], split: usize) -> World {
    let (front, back) = response.split_at(split);
    let script = Script::new().request().send(front).pause(MILLI).send(back);
    World::serving(vec![match framing {
        Framing::UntilClose => script.close(),
        _ => script.again(),
    }])
}

#[test]
fn content_is_decoded_in_any_framing_and_split_anywhere() {
    for (coding, body, _) in encoded(TEXT) {
        for framing in FRAMINGS {
            let response = framing.respond(coding, &body);
            for split in 0..=response.len() {
                let case = format!("{coding} {framing:?} split at {split}");
                let world = serving(framing, &response, split);
                let mut opened = world.open(URL);
                let (pieces, error) = world.pieces(&mut opened, 16);
                assert_eq!((pieces.concat().as_slice(), error), (TEXT, None), "{case}");
                assert_eq!(opened.tell(), body.len() as u64, "{case}");
                assert_eq!(world.net.open_connections(), framing.kept(), "{case}");
            }
        }
    }
}

#[test]
fn content_is_handed_out_as_it_was_sent_where_that_is_asked_for_or_all_that_can_be_done() {
    for framing in FRAMINGS {
        let rows = encoded(TEXT).into_iter().map(|row| (row.0, row.1, RAW));
        let unknown = ["foo", "gzip, foo", "foo, gzip", "gzip;q=1", "identity", ""];
        let unknown = unknown.map(|coding| (coding, gzip(TEXT), Reading::default()));
        let six = ("gzip, gzip, gzip, gzip, gzip, gzip", TEXT.to_vec(), RAW);
        for (coding, body, reading) in rows.chain(unknown).chain([six]) {
            let world = serving(framing, &framing.respond(coding, &body), 20);
            let opened = world.open_reading(URL, reading).unwrap();
            let case = format!("{coding} {framing:?}");
            assert_eq!(world.finish(opened).unwrap().body, body, "{case}");
            assert_eq!(world.net.open_connections(), framing.kept(), "{case}");
        }
    }
}

#[test]
fn whether_content_is_decoded_can_be_said_until_some_of_it_was_taken() {
    for framing in FRAMINGS {
        for (coding, body, _) in encoded(TEXT) {
            let case = format!("{coding} {framing:?}");
            let response = framing.respond(coding, &body);
            let world = serving(framing, &response, 0);
            let mut decoded = world.open_reading(URL, RAW).unwrap();
            decoded.decode_content(true).unwrap();
            let first = world.net.run(decoded.read(1)).unwrap();
            assert_eq!(first, TEXT[..1], "{case}");
            decoded.decode_content(true).unwrap();
            let error = decoded.decode_content(false).unwrap_err();
            assert_eq!(error.kind(), "invalid-request", "{case}");
            let rest = world.net.run(decoded.read_all(1000)).unwrap();
            assert_eq!(rest, TEXT[1..], "{case}");

            let world = serving(framing, &response, 0);
            let mut raw = world.open(URL);
            raw.decode_content(false).unwrap();
            let first = world.net.run(raw.read(1)).unwrap();
            assert_eq!(first, body[..1], "{case}");
            let error = raw.decode_content(true).unwrap_err();
            assert_eq!(error.kind(), "invalid-request", "{case}");
            let rest = world.net.run(raw.read_all(1000)).unwrap();
            assert_eq!(rest, body[1..], "{case}");
        }

        let world = serving(framing, &framing.respond("foo", TEXT), 0);
        let mut unknown = world.open(URL);
        world.net.run(unknown.read(1)).unwrap();
        for is_wanted in [false, true] {
            unknown.decode_content(is_wanted).unwrap();
        }
        assert_eq!(world.net.run(unknown.read_all(1000)).unwrap(), TEXT[1..]);

        let six = framing.respond("gzip, gzip, gzip, gzip, gzip, gzip", TEXT);
        let world = serving(framing, &six, 0);
        let mut refused = world.open_reading(URL, RAW).unwrap();
        let error = refused.decode_content(true).unwrap_err();
        assert_eq!(error.kind(), "decode");
        assert_eq!(world.net.run(refused.read(1)), Err(error));
    }
}

#[test]
fn cve_2025_66418_more_codings_than_allowed_are_refused() {
    for framing in FRAMINGS {
        let six = "gzip, deflate, br, zstd, gzip, identity";
        let world = serving(framing, &framing.respond(six, TEXT), 0);
        let error = world.open_reading(URL, Reading::default()).err().unwrap();
        assert_eq!(error.kind(), "decode");
        assert_eq!(
            error.message(),
            "Too many content encodings in the chain: 6 > 5"
        );
        assert_eq!(error.failure().unwrap().attempt, 1);
        // All of it is there; what is not would cost the connection.
        assert_eq!(world.net.open_connections(), framing.kept());

        let five = (0..5).fold(TEXT.to_vec(), |body, _| gzip(&body));
        let response = framing.respond("gzip, gzip,gzip,gzip , x-gzip", &five);
        let world = serving(framing, &response, 0);
        assert_eq!(world.get(URL).unwrap().body, TEXT);
    }
}

#[test]
fn a_response_without_a_body_may_name_any_codings() {
    let six = "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n";
    for (method, status, length) in [
        ("HEAD", "200 OK", "Content-Length: 99\r\n"),
        ("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n"),
        ("HEAD", "200 OK", ""),
        ("GET", "204 No Content", ""),
        ("GET", "304 Not Modified", "Content-Length: 99\r\n"),
        ("GET", "200 OK", "Content-Length: 0\r\n"),
    ] {
        for codings in [six, "Content-Encoding: gzip\r\n"] {
            let response = format!("HTTP/1.1 {status}\r\n{codings}{length}\r\n");
            let world = World::serving(vec![Script::always(response)]);
            let opened = world.send(method, URL, Content::Empty).unwrap();
            assert_eq!(world.finish(opened).unwrap().body, b"", "{status} {length}");
            assert_eq!(world.net.open_connections(), 1, "{status} {length}");
        }
    }
}

#[test]
fn no_content_at_all_fits_every_coding() {
    for (coding, _, _) in encoded(TEXT) {
        for framing in FRAMINGS {
            let world = serving(framing, &framing.respond(coding, b""), 20);
            assert_eq!(world.get(URL).unwrap().body, b"", "{coding} {framing:?}");
            assert_eq!(world.net.open_connections(), framing.kept(), "{coding}");
        }
    }
}

#[test]
fn content_that_ends_early_in_a_whole_body_cannot_be_decoded() {
    for (coding, body, _) in encoded(TEXT) {
        for framing in FRAMINGS {
            for end in 1..body.len() {
                let world = serving(framing, &framing.respond(coding, &body[..end]), 0);
                let mut opened = world.open(URL);
                let (pieces, error) = world.pieces(&mut opened, 16);
                let case = format!("{coding} {framing:?} of {end} bytes");
                assert!(TEXT.starts_with(&pieces.concat()), "{case}");
                let error = error.expect(&case);
                assert_eq!(error.kind(), "decode", "{case}");
                assert!(error.message().contains("incomplete"), "{case}: {error:?}");
                let again = world.net.run(opened.read_all(u64::MAX));
                assert_eq!(again, Err(error), "{case}");
                // All of the body was had, so there is nothing wrong with its connection.
                assert_eq!(world.net.open_connections(), framing.kept(), "{case}");
            }
        }
    }
}

#[test]
fn content_that_does_not_fit_its_coding_says_so() {
    for (coding, name) in [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("br, gzip", "gzip"),
    ] {
        let body = [b"this was never compressed".as_slice(), &[0xff; 70_000]].concat();
        let world = serving(Framing::Length, &Framing::Length.respond(coding, &body), 0);
        let error = world.get(URL).unwrap_err();
        let expected =
            format!("Received response with content-encoding: {name}, but failed to decode it. (");
        assert_eq!(error.kind(), "decode", "{coding}");
        assert!(error.message().starts_with(&expected), "{error:?}");
        assert_eq!(world.net.open_connections(), 0, "{coding}");
    }
}

#[test]
fn a_body_that_breaks_fails_as_its_framing_does_after_all_that_was_decoded() {
    let head =
        |fields: &str| format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{fields}\r\n\r\n");
    // Stored blocks come out byte by byte, so how much must be there is known exactly.
    let stored = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 45, 0, !45, 0xff][..],
        TEXT,
    ]
    .concat();
    let chunk = format!("{:x}\r\n", stored.len());
    let chunk = [chunk.as_bytes(), &stored, b"\r\n"].concat();
    for (case, head, body, end, kind) in [
        (
            "closed",
            head("Content-Length: 99"),
            stored.clone(),
            Script::new().close(),
            "incomplete-body",
        ),
        (
            "reset",
            head("Content-Length: 99"),
            stored.clone(),
            Script::new().reset(),
            "incomplete-body",
        ),
        (
            "reset until close",
            head("X: y"),
            stored.clone(),
            Script::new().reset(),
            "protocol",
        ),
        (
            "cut chunks",
            head("Transfer-Encoding: chunked"),
            chunk.clone(),
            Script::new().close(),
            "incomplete-body",
        ),
        (
            "bad chunks",
            head("Transfer-Encoding: chunked"),
            [chunk.as_slice(), b"zz\r\n"].concat(),
            Script::new(),
            "invalid-chunk",
        ),
    ] {
        for pause in [Duration::ZERO, SECOND] {
            let bytes = [head.as_bytes(), &body].concat();
            let script = Script::new().request().send(bytes).pause(pause);
            let world = World::serving(vec![script.followed_by(end.clone())]);
            let mut opened = world.open(URL);
            let (pieces, error) = world.pieces(&mut opened, 7);
            assert_eq!(pieces.concat(), TEXT, "{case}");
            assert_eq!(error.unwrap().kind(), kind, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn what_follows_the_content_is_read_off_and_the_connection_serves_on() {
    for (coding, body, is_told) in encoded(TEXT) {
        for framing in FRAMINGS {
            for garbage in [1, 100, 60_000] {
                let body = [body.clone(), vec![0x58; garbage]].concat();
                for split in [20, framing.respond(coding, &body).len() - garbage / 2 - 8] {
                    let world = serving(framing, &framing.respond(coding, &body), split);
                    let mut opened = world.open(URL);
                    let (pieces, error) = world.pieces(&mut opened, 16);
                    let case = format!("{coding} {framing:?} {garbage} split at {split}");
                    assert_eq!(pieces.concat(), TEXT, "{case}");
                    assert_eq!(error.is_none(), is_told, "{case}: {error:?}");
                    if is_told {
                        assert_eq!(world.net.open_connections(), framing.kept(), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_follows_the_content_is_not_waited_for_without_end() {
    let tail = vec![0x58; 1_000_000];
    for (case, framing, most) in [
        ("announced", Framing::Length, 0),
        ("chunks", Framing::Chunked, 200),
        ("until close", Framing::UntilClose, 0),
    ] {
        for body in [gzip(TEXT), gzip(&zlib(TEXT))] {
            let coding = if body == gzip(TEXT) {
                "gzip"
            } else {
                "deflate, gzip"
            };
            let response = framing.respond(coding, &[body, tail.clone()].concat());
            let world = serving(framing, &response, response.len());
            world.net.limit_reads(1000);
            let mut opened = world.open(URL);
            world.net.take_time(MILLI);
            let ((pieces, error), took) = world.timed_by(|| world.pieces(&mut opened, 100));
            assert_eq!((pieces.concat().as_slice(), error), (TEXT, None), "{case}");
            assert!(took <= MILLI * most, "{case}: {took:?}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn the_end_of_the_framing_behind_the_content_is_waited_for() {
    let whole = Framing::Chunked.respond("br", &brotli(TEXT));
    let (front, _) = whole.split_at(whole.len() - 5);
    for (case, end, kind) in [
        ("whole", "0\r\nSum: 1\r\n\r\n", None),
        ("malformed", "zz\r\n", Some("invalid-chunk")),
    ] {
        let script = Script::new().request().send(front).pause(SECOND).send(end);
        let world = World::serving(vec![script]);
        let mut opened = world.open(URL);
        let ((pieces, error), took) = world.timed_by(|| world.pieces(&mut opened, 100));
        assert_eq!((pieces.concat().as_slice(), took), (TEXT, SECOND), "{case}");
        assert_eq!(error.map(|error| error.kind()), kind, "{case}");
        assert_eq!(
            opened.trailers().len(),
            usize::from(kind.is_none()),
            "{case}"
        );
        assert_eq!(
            world.net.open_connections(),
            usize::from(kind.is_none()),
            "{case}"
        );
    }
}

#[test]
fn cve_2026_97688_chunks_of_deflate_with_trailing_bytes_end() {
    for body in [zlib(TEXT), raw_deflate(TEXT)] {
        let body = [body.as_slice(), b"XXXX and more than that"].concat();
        let response = Framing::Chunked.respond("deflate", &body);
        for max in [1, 7, 1000] {
            let world = serving(Framing::Chunked, &response, 20);
            let mut opened = world.open(URL);
            let mut whole = Vec::new();
            loop {
                let chunk = world.net.run(opened.read_chunk(max)).unwrap();
                if chunk.is_empty() {
                    break;
                }
                whole.extend(chunk);
            }
            assert_eq!(whole, TEXT, "{max}");
            assert_eq!(world.net.open_connections(), 1, "{max}");
        }
    }
}

#[test]
fn several_members_and_frames_are_one_content() {
    for (coding, body) in [
        ("gzip", [gzip(TEXT), gzip(b""), gzip(TEXT)].concat()),
        ("zstd", [zstd(TEXT), zstd(TEXT)].concat()),
    ] {
        for framing in FRAMINGS {
            let world = serving(framing, &framing.respond(coding, &body), 0);
            let expected = [TEXT, TEXT].concat();
            assert_eq!(world.get(URL).unwrap().body, expected, "{coding}");
        }
    }
}

#[test]
fn what_is_not_encoded_is_not_touched() {
    for response in [ok("hello"), chunked(&["he", "llo"])] {
        let world = World::serving(vec![Script::always(response)]);
        assert_eq!(world.get(URL).unwrap().body, b"hello");
    }
}
