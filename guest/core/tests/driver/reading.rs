//! The ways to read a body: by amount, by line, by chunk, all of it; what is told of it meanwhile, and what becomes of a read that is given up.

use std::time::Duration;

use urlpool_core::driver::Response;
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::Error;

use crate::common::{
    CHUNKED, FRAMINGS, Framing, SECOND, World, chunked, dripping, gzip, ok, read, text, within,
};

const URL: &str = "http://a.test/";

fn last_chunk() -> Script {
    Script::new().send("0\r\n\r\n")
}

/// A read of some kind.
type Read = fn(&World, &mut Response<SimNet>, usize) -> Result<Vec<u8>, Error>;

fn full(world: &World, response: &mut Response<SimNet>, amount: usize) -> Result<Vec<u8>, Error> {
    world.net.run(response.read_full(amount))
}

fn line(world: &World, response: &mut Response<SimNet>, max: usize) -> Result<Vec<u8>, Error> {
    world.net.run(response.read_line(max))
}

fn chunk(world: &World, response: &mut Response<SimNet>, max: usize) -> Result<Vec<u8>, Error> {
    world.net.run(response.read_chunk(max))
}

/// Reads up to the end, or to a failure.
fn until_end(
    world: &World,
    response: &mut Response<SimNet>,
    max: usize,
    read: Read,
) -> (Vec<String>, Option<Error>) {
    let mut pieces = Vec::new();
    loop {
        match read(world, response, max) {
            Ok(piece) if piece.is_empty() => {
                assert_eq!(read(world, response, max), Ok(Vec::new()), "again");
                return (pieces, None);
            }
            Ok(piece) => pieces.push(text(&piece)),
            Err(error) => return (pieces, Some(error)),
        }
    }
}

#[test]
fn an_amount_is_waited_for_up_to_the_end() {
    for (amount, expected) in [
        (1, "h,e,l,l,o,w,o,r,l,d"),
        (3, "hel,low,orl,d"),
        (5, "hello,world"),
        (9, "helloworl,d"),
        (10, "helloworld"),
        (usize::MAX, "helloworld"),
    ] {
        let world = dripping(CHUNKED, &[b"he", b"llowo", b"rld"], last_chunk());
        let mut opened = world.open(URL);
        assert_eq!(full(&world, &mut opened, 0), Ok(Vec::new()));
        let (pieces, error) = until_end(&world, &mut opened, amount, full);
        assert_eq!((pieces.join(",").as_str(), error), (expected, None));
        assert_eq!(world.net.open_connections(), 1);
    }
}

#[test]
fn an_amount_that_does_not_come_is_an_error_and_what_came_of_it_is_not_lost() {
    let world = dripping(
        "Content-Length: 9\r\n",
        &[b"hel", b"lo"],
        Script::new().close(),
    );
    let mut opened = world.open(URL);
    assert_eq!(full(&world, &mut opened, 2).unwrap(), b"he");
    let error = full(&world, &mut opened, 6).unwrap_err();
    assert_eq!(error.kind(), "incomplete-body");
    assert_eq!(full(&world, &mut opened, 6), Err(error.clone()));
    assert_eq!(opened.length_remaining(), Some(4));
    assert_eq!(world.read(&mut opened, 2).unwrap(), b"ll");
    assert_eq!(full(&world, &mut opened, 1).unwrap(), b"o");
    assert_eq!(world.read(&mut opened, 2), Err(error.clone()));
    assert_eq!(world.net.run(opened.read_all(9)), Err(error));
}

#[test]
fn lines_end_where_their_line_feed_is() {
    for (case, pieces, max, expected) in [
        ("whole", &[&b"a\nb\n"[..]][..], 99, &["a\n", "b\n"][..]),
        ("over pieces", &[b"a", b"b", b"\nc\n"], 99, &["ab\n", "c\n"]),
        (
            "the feed by itself",
            &[b"a", b"\n", b"b"],
            99,
            &["a\n", "b"],
        ),
        ("no feed at the end", &[b"a\nb"], 99, &["a\n", "b"]),
        (
            "CR LF, apart",
            &[b"a\r", b"\nb\r\n"],
            99,
            &["a\r\n", "b\r\n"],
        ),
        ("a bare CR is no end", &[b"a\rb\n"], 99, &["a\rb\n"]),
        (
            "empty lines",
            &[b"\n\n", b"\na"],
            99,
            &["\n", "\n", "\n", "a"],
        ),
        (
            "longer than asked for",
            &[b"abc", b"de\nf"],
            2,
            &["ab", "cd", "e\n", "f"],
        ),
        (
            "as long as asked for",
            &[b"ab\nc", b"d\n"],
            3,
            &["ab\n", "cd\n"],
        ),
        ("the feed behind it", &[b"ab\n"], 2, &["ab", "\n"]),
        ("by the byte", &[b"a\nb"], 1, &["a", "\n", "b"]),
        ("nothing", &[], 99, &[]),
    ] {
        for (head, end) in [(CHUNKED, last_chunk()), ("", Script::new().close())] {
            let world = dripping(head, pieces, end);
            let mut opened = world.open(URL);
            assert_eq!(line(&world, &mut opened, 0), Ok(Vec::new()), "{case}");
            let (lines, error) = until_end(&world, &mut opened, max, line);
            assert_eq!(
                (lines, error),
                (
                    expected.iter().map(|line| (*line).to_owned()).collect(),
                    None
                ),
                "{case}"
            );
        }
    }
}

#[test]
fn a_line_is_not_waited_for_once_it_is_there_and_is_cut_by_a_failure() {
    let world = dripping(CHUNKED, &[b"one\ntwo", b" and\nthr"], Script::new().close());
    let mut opened = world.open(URL);
    for (expected, took) in [("one\n", 1), ("two and\n", 1), ("thr", 0)] {
        let (found, time) = world.timed_by(|| line(&world, &mut opened, 99).unwrap());
        assert_eq!((text(&found).as_str(), time), (expected, SECOND * took));
    }
    let error = line(&world, &mut opened, 99).unwrap_err();
    assert_eq!(error.kind(), "incomplete-body");
    assert_eq!(line(&world, &mut opened, 99), Err(error));
}

#[test]
fn lines_of_encoded_content_are_those_of_the_content() {
    let content: String = (0..9000).map(|number| format!("line {number}\n")).collect();
    for framing in FRAMINGS {
        let script = Script::new().request();
        let script = script.send(framing.respond("gzip", &gzip(content.as_bytes())));
        let world = World::serving(vec![script.close()]);
        world.net.limit_reads(77);
        let (lines, error) = until_end(&world, &mut world.open(URL), usize::MAX, line);
        assert_eq!((lines.len(), error), (9000, None));
        assert!(lines.concat() == content);
    }
}

#[test]
fn chunks_come_one_by_one_as_they_were_sent() {
    for (case, chunks, max, expected) in [
        ("one", &["hello"][..], 99, "hello"),
        ("several", &["h", "el", "lo"], 99, "h|el|lo"),
        ("none", &[], 99, ""),
        (
            "larger than asked for",
            &["hello", "world"],
            3,
            "hel|lo|wor|ld",
        ),
        ("as large", &["hel", "lo"], 3, "hel|lo"),
        ("by the byte", &["he", "l"], 1, "h|e|l"),
        ("as large as can be", &["he", "l"], usize::MAX, "he|l"),
    ] {
        let response = chunked(chunks);
        for limit in [1, 2, 5, 7, 100, 9999] {
            let world = World::serving(vec![Script::always(response.clone())]);
            world.net.limit_reads(limit);
            let mut opened = world.open(URL);
            assert_eq!(chunk(&world, &mut opened, 0), Ok(Vec::new()), "{case}");
            let (pieces, error) = until_end(&world, &mut opened, max, chunk);
            assert_eq!(
                (pieces.join("|").as_str(), error),
                (expected, None),
                "{case} by {limit}"
            );
            assert_eq!(world.net.open_connections(), 1, "{case}");
        }
    }
}

#[test]
fn chunks_of_encoded_content_come_as_soon_as_they_can_be_decoded() {
    let body = gzip(b"hello hello hello");
    let (front, back) = body.split_at(body.len() / 2);
    let pieces = [&front[..1], &front[1..], back];
    let world = dripping(
        &format!("Content-Encoding: gzip\r\n{CHUNKED}"),
        &pieces,
        last_chunk(),
    );
    let (chunks, error) = until_end(&world, &mut world.open(URL), 99, chunk);
    assert_eq!(
        (chunks.concat().as_str(), error),
        ("hello hello hello", None)
    );
    assert!((1..=3).contains(&chunks.len()), "{chunks:?}");
}

#[test]
fn only_a_chunked_body_has_chunks() {
    for response in [ok("hello"), b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()] {
        let world = World::serving(vec![Script::new().request().send(response).close()]);
        let mut opened = world.open(URL);
        let error = chunk(&world, &mut opened, 9).unwrap_err();
        assert_eq!(error.kind(), "invalid-request");
        assert_eq!(
            error.message(),
            "Response is not chunked. Header 'transfer-encoding: chunked' is missing."
        );
        assert_eq!(world.read(&mut opened, 9).unwrap(), b"hello");
    }
}

#[test]
fn a_chunk_is_had_as_far_as_it_came_before_a_failure() {
    let broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n9\r\nllo";
    let world = World::serving(vec![Script::new().request().send(broken).close()]);
    let mut opened = world.open(URL);
    let (pieces, error) = until_end(&world, &mut opened, 99, chunk);
    assert_eq!(pieces, ["he", "llo"]);
    assert_eq!(error.unwrap().kind(), "incomplete-body");
}

#[test]
fn kinds_of_reads_take_turns() {
    let world = World::serving(vec![Script::always(chunked(&[
        "one\ntw", "o\nthr", "ee\n",
    ]))]);
    let mut opened = world.open(URL);
    assert_eq!(chunk(&world, &mut opened, 2).unwrap(), b"on");
    assert_eq!(line(&world, &mut opened, 99).unwrap(), b"e\n");
    assert_eq!(full(&world, &mut opened, 3).unwrap(), b"two");
    assert_eq!(world.read(&mut opened, 2).unwrap(), b"\nt");
    assert_eq!(world.net.run(opened.read_all(5)).unwrap(), b"hree\n");
    assert_eq!(line(&world, &mut opened, 99).unwrap(), b"");
}

#[test]
fn what_was_taken_and_what_remains_is_told_at_every_step() {
    for (framing, remaining) in [
        (Framing::Length, true),
        (Framing::Chunked, false),
        (Framing::UntilClose, false),
    ] {
        for limit in [1, 3, 9999] {
            let script = Script::new()
                .request()
                .send(framing.respond("identity", b"helloworld"));
            let world = World::serving(vec![script.close()]);
            world.net.limit_reads(limit);
            let mut opened = world.open(URL);
            let mut had = 0;
            loop {
                let left = remaining.then_some(10 - had);
                assert_eq!(
                    (opened.tell(), opened.length_remaining()),
                    (had, left),
                    "{framing:?}"
                );
                let piece = world.read(&mut opened, 4).unwrap();
                if piece.is_empty() {
                    break;
                }
                had += piece.len() as u64;
            }
            assert_eq!(had, 10);
        }
    }
}

#[test]
fn what_was_taken_of_encoded_content_is_counted_as_it_was_sent() {
    let body = gzip(&[b'x'; 1000]);
    for framing in FRAMINGS {
        let script = Script::new().request().send(framing.respond("gzip", &body));
        let world = World::serving(vec![script.close()]);
        let mut opened = world.open(URL);
        assert_eq!(world.net.run(opened.read_all(1000)).unwrap().len(), 1000);
        assert_eq!(opened.tell(), body.len() as u64, "{framing:?}");
        let left = (framing == Framing::Length).then_some(0);
        assert_eq!(opened.length_remaining(), left, "{framing:?}");
    }
}

#[test]
fn trailers_are_there_behind_the_last_byte() {
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nsum: 1\r\nSUM: 2\r\nX-Empty:\r\n\r\n";
    for limit in [1, 7, 9999] {
        let world = World::serving(vec![Script::always(response)]);
        world.net.limit_reads(limit);
        let mut opened = world.open(URL);
        for _ in 0..4 {
            assert!(opened.trailers().is_empty(), "{limit}");
            assert_eq!(world.read(&mut opened, 1).unwrap().len(), 1);
        }
        assert_eq!(world.net.run(opened.read_all(9)).unwrap(), b"o");
        let field = |name: &str| Vec::from_iter(opened.trailers().all(name).map(text));
        assert_eq!(field("Sum"), ["1", "2"], "{limit}");
        assert_eq!(field("x-empty"), [""], "{limit}");
        assert_eq!(opened.trailers().len(), 3);
        assert!(!opened.head().headers.has("sum"), "they are no headers");
        let mut drained = world.open(URL);
        world.net.run(drained.drain()).unwrap();
        assert_eq!(drained.trailers().len(), 3, "{limit}");
        assert_eq!(world.net.connections(), 1, "{limit}");
    }
}

#[test]
fn trailers_that_are_no_fields_are_an_error_behind_the_body() {
    for section in [
        "Sum\r\n",
        "Sum : 1\r\n",
        "Sum: 1\rX: 2\r\n",
        "Sum: \0\r\n",
        " Sum: 1\r\n",
    ] {
        let response = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{section}\r\n"
        );
        let world = World::serving(vec![Script::new().request().send(response)]);
        let mut opened = world.open(URL);
        let (pieces, error) = until_end(&world, &mut opened, 99, full);
        assert_eq!(pieces, Vec::<String>::new());
        assert_eq!(error.unwrap().kind(), "invalid-chunk", "{section:?}");
        assert_eq!(world.read(&mut opened, 9).unwrap(), b"hello", "{section:?}");
        assert!(opened.trailers().is_empty(), "{section:?}");
        assert_eq!(world.net.open_connections(), 0, "{section:?}");
    }
}

#[test]
fn a_body_that_is_ready_is_read_without_waiting() {
    for encoded in [false, true] {
        let content = b"hello world".to_vec();
        let (head, content) = match encoded {
            true => (
                format!("Content-Encoding: gzip\r\n{CHUNKED}"),
                gzip(&content),
            ),
            false => (CHUNKED.to_owned(), content),
        };
        let pieces: Vec<&[u8]> = content.chunks(5).collect();
        let world = dripping(&head, &pieces, last_chunk());
        let mut opened = world.open(URL);
        let mut body = Vec::new();
        loop {
            world.net.run(opened.ready());
            let (piece, took) = world.timed_by(|| world.net.run(opened.read(99)).unwrap());
            assert_eq!(took, Duration::ZERO, "{encoded}");
            body.extend_from_slice(&piece);
            if piece.is_empty() {
                break;
            }
        }
        assert_eq!(body, b"hello world", "{encoded}");
    }
}

#[test]
fn chunks_keep_their_ends_where_they_were_waited_for() {
    let body = chunked(&["hello", "wo", "rld"]);
    let world = World::serving(vec![Script::new().request().send(body)]);
    let mut opened = world.open(URL);
    let mut chunks = Vec::new();
    loop {
        world.net.run(opened.ready());
        let chunk = chunk(&world, &mut opened, 99).unwrap();
        if chunk.is_empty() {
            break;
        }
        chunks.push(text(&chunk));
    }
    assert_eq!(chunks, ["hello", "wo", "rld"]);
}

#[test]
fn the_time_of_a_wait_that_is_given_up_goes_on() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    for (case, pause, is_in_time) in [("in time", 4, true), ("too late", 6, false)] {
        let world = World::timed(read(5));
        let script = Script::new().request().send(head).pause(SECOND * pause);
        world.serve("a.test", vec![script.send("ok")]);
        let mut opened = world.open(URL);
        for _ in 0..7 {
            let wait = within(&world.net, SECOND, opened.ready());
            if world.net.run(wait).is_some() {
                break;
            }
        }
        let outcome = world.net.run(opened.read(99));
        match outcome {
            Ok(body) => assert_eq!((body, is_in_time), (b"ok".to_vec(), true), "{case}"),
            Err(error) => {
                assert_eq!(
                    (error.kind(), is_in_time),
                    ("read-timeout", false),
                    "{case}"
                );
            }
        }
    }
}

#[test]
fn what_came_while_nobody_looked_came_in_time() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let world = World::timed(read(5));
    let script = Script::new().request().send(head).pause(SECOND * 4);
    world.serve("a.test", vec![script.send("ok")]);
    let mut opened = world.open(URL);
    let wait = within(&world.net, SECOND, opened.ready());
    assert!(world.net.run(wait).is_none());
    let idle = within(&world.net, SECOND * 9, std::future::pending::<()>());
    assert!(world.net.run(idle).is_none());
    assert_eq!(world.net.run(opened.read(99)), Ok(b"ok".to_vec()));
}

#[test]
fn a_read_that_is_given_up_loses_nothing() {
    let reads: [(&str, Read); 3] = [
        ("full", full),
        ("line", line),
        ("all", |world, response, _| {
            world.net.run(response.read_all(99))
        }),
    ];
    for (case, read) in reads {
        for encoded in [false, true] {
            let content = b"hello world\n".to_vec();
            let (head, content) = match encoded {
                true => (
                    format!("Content-Encoding: gzip\r\n{CHUNKED}"),
                    gzip(&content),
                ),
                false => (CHUNKED.to_owned(), content),
            };
            let pieces: Vec<&[u8]> = content.chunks(5).collect();
            let world = dripping(&head, &pieces, last_chunk());
            let mut opened = world.open(URL);
            for _ in 0..4 {
                let span = Duration::from_millis(700);
                let given_up = match case {
                    "full" => world
                        .net
                        .run(within(&world.net, span, opened.read_full(99)))
                        .is_none(),
                    "line" => world
                        .net
                        .run(within(&world.net, span, opened.read_line(99)))
                        .is_none(),
                    _ => world
                        .net
                        .run(within(&world.net, span, opened.read_all(99)))
                        .is_none(),
                };
                if !given_up {
                    panic!("{case}: there is more to come");
                }
                if !encoded {
                    break;
                }
            }
            assert_eq!(
                read(&world, &mut opened, 99).unwrap(),
                b"hello world\n",
                "{case}"
            );
        }
    }
}

#[test]
fn text_is_utf_8_and_what_is_not_can_still_be_read() {
    let text = |body: &[u8], limit| {
        let response = Framing::Chunked.respond("identity", body);
        let world = World::serving(vec![Script::always(response)]);
        let mut opened = world.open(URL);
        let outcome = world.net.run(opened.text(limit));
        let rest = world.read(&mut opened, 99);
        (outcome.map_err(|error| error.kind()), rest.ok())
    };
    let none = Some(Vec::new());
    assert_eq!(
        text("gr\u{fc}n".as_bytes(), 5),
        (Ok("gr\u{fc}n".into()), none.clone())
    );
    assert_eq!(text(b"", 0), (Ok(String::new()), none));
    assert_eq!(
        text(b"gr\xfcn", 9),
        (Err("decode"), Some(b"gr\xfcn".to_vec()))
    );
    assert_eq!(text(b"green", 4), (Err("body-too-large"), None));
}
