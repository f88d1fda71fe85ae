//! Streamed bodies: the bytes of them, in how many writes they leave, and when they are not sent at all.

use std::task::{Context, Poll};

use proptest::prelude::*;
use urlpool_core::driver::{BodySource, Piece};
use urlpool_core::machine::h1::Body;
use urlpool_core::policy::framing::BodyFraming;
use urlpool_core::sim::Script;
use urlpool_core::types::{Content, Limits, Streamed};

use crate::common::{
    Act, DIAL, END, FORM, IN_CHUNKS, PART_END, POST, SECOND, World, bytes, chunk, deadline, form,
    head, in_chunks, ok, origin_of, plain_options, read, streamed, total, writes,
};

const FORM_TYPE: &str = "Content-Type: multipart/form-data; boundary=b\r\n";

/// A source whose request does not wait for it.
struct Late<S>(S);

impl<S: BodySource> BodySource for Late<S> {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        self.0.poll_piece(context)
    }

    fn may_come_late(&self) -> bool {
        true
    }

    fn rewind(&mut self) {
        self.0.rewind();
    }
}

#[test]
fn a_body_that_may_come_late_does_not_hold_the_head_back() {
    for (case, acts, expected) in [
        (
            "there at once",
            [bytes("abc"), Act::Wait(SECOND), END],
            vec![
                head("POST", IN_CHUNKS, "") + &chunk("abc"),
                "0\r\n\r\n".into(),
            ],
        ),
        (
            "late",
            [Act::Wait(SECOND), bytes("abc"), END],
            vec![
                head("POST", IN_CHUNKS, ""),
                chunk("abc"),
                "0\r\n\r\n".into(),
            ],
        ),
    ] {
        let world = World::serving(origin_of("a"));
        let source = Box::new(Late(*world.feed(&acts).0));
        let sending = world.manager.send(
            "POST",
            "http://a.test/",
            streamed(None),
            Some(source),
            plain_options(),
        );
        let response = world.net.run(sending).unwrap();
        assert_eq!(world.finish(response).unwrap().body, b"a", "{case}");
        assert_eq!(writes(&world, 0), expected, "{case}");
    }
}

#[test]
fn every_piece_leaves_in_one_write_with_its_framing_and_the_head_with_the_first() {
    let chunked = |last: &str| head("POST", IN_CHUNKS, last);
    let length =
        |length: usize, last: &str| head("POST", &format!("Content-Length: {length}"), last);
    let [before, between, behind] = FORM;
    let framing = before.len() + between.len() + behind.len();
    let large = "x".repeat(100_000);
    let last = "0\r\n\r\n";
    for (case, content, options, acts, expected) in [
        (
            "of unknown length",
            streamed(None),
            plain_options(),
            vec![bytes("abc"), bytes("0123456789abcdef"), END],
            vec![
                chunked("") + &chunk("abc"),
                "10\r\n0123456789abcdef\r\n".into(),
                last.into(),
            ],
        ),
        (
            "empty pieces are skipped, for they would end the body",
            streamed(None),
            plain_options(),
            vec![bytes(""), bytes("a"), bytes(""), bytes(""), bytes("b"), END],
            vec![chunked("") + &chunk("a"), chunk("b"), last.into()],
        ),
        (
            "nothing at all",
            streamed(None),
            plain_options(),
            vec![bytes(""), END],
            vec![chunked("") + last],
        ),
        (
            "a large piece",
            streamed(None),
            plain_options(),
            vec![bytes(large.as_str()), END],
            vec![chunked("") + &chunk(&large), last.into()],
        ),
        (
            "of known length",
            streamed(Some(5)),
            plain_options(),
            vec![bytes("ab"), bytes(""), bytes("cde"), END],
            vec![length(5, "") + "ab", "cde".into()],
        ),
        (
            "of no length",
            streamed(Some(0)),
            plain_options(),
            vec![END],
            vec![length(0, "")],
        ),
        (
            "of known length, chunked",
            streamed(Some(3)),
            in_chunks(),
            vec![bytes("ab"), bytes("c"), END],
            vec![chunked("") + &chunk("ab"), chunk("c"), last.into()],
        ),
        (
            "a form of unknown length",
            form(None, Some(1)),
            plain_options(),
            vec![bytes("ab"), bytes("c"), PART_END, bytes("d"), PART_END, END],
            vec![
                chunked(FORM_TYPE) + &chunk(&format!("{before}ab")),
                chunk("c"),
                chunk(between),
                chunk("d"),
                chunk(behind),
                last.into(),
            ],
        ),
        (
            "a form of known length, whose parts are empty",
            form(Some(0), Some(0)),
            plain_options(),
            vec![PART_END, PART_END, END],
            vec![length(framing, FORM_TYPE) + before + between, behind.into()],
        ),
        (
            "a form of known length",
            form(Some(2), Some(1)),
            plain_options(),
            vec![bytes("ab"), PART_END, bytes("c"), PART_END, END],
            vec![
                length(framing + 3, FORM_TYPE) + before + "ab",
                between.into(),
                "c".into(),
                behind.into(),
            ],
        ),
        (
            "bytes in chunks",
            Content::Bytes(b"abc".to_vec()),
            in_chunks(),
            vec![],
            vec![chunked("") + &chunk("abc") + last],
        ),
        (
            "no bytes in chunks",
            Content::Bytes(Vec::new()),
            in_chunks(),
            vec![],
            vec![chunked("") + last],
        ),
    ] {
        let world = World::serving(origin_of("a"));
        let response = world.upload(POST, content, &acts, options).unwrap();
        assert_eq!(world.finish(response).unwrap().body, b"a", "{case}");
        assert_eq!(writes(&world, 0), expected, "{case}");
        assert!(world.get(POST.1).unwrap().connection.reused, "{case}");
    }
}

#[test]
fn what_is_sent_is_what_was_announced_or_there_is_an_error() {
    let [before, between, _] = FORM;
    let length = |length: usize| head("POST", &format!("Content-Length: {length}"), "");
    let of_form = head("POST", IN_CHUNKS, FORM_TYPE);
    for (case, content, options, acts, sent, message) in [
        (
            "a piece that is too long",
            streamed(Some(3)),
            plain_options(),
            vec![bytes("abcGET / HTTP/1.1\r\n\r\n")],
            vec![],
            "The body is longer than the 3 bytes that were announced",
        ),
        (
            "a piece too many",
            streamed(Some(3)),
            plain_options(),
            vec![bytes("abc"), bytes("GET / HTTP/1.1\r\n\r\n")],
            vec![length(3) + "abc"],
            "The body is longer than the 3 bytes that were announced",
        ),
        (
            "something where nothing was announced",
            streamed(Some(0)),
            plain_options(),
            vec![bytes("a")],
            vec![],
            "The body is longer than the 0 bytes that were announced",
        ),
        (
            "too short",
            streamed(Some(3)),
            plain_options(),
            vec![bytes("ab"), END],
            vec![length(3) + "ab"],
            "The body has 2 of the 3 bytes that were announced",
        ),
        (
            "nothing",
            streamed(Some(3)),
            plain_options(),
            vec![END],
            vec![],
            "The body has 0 of the 3 bytes that were announced",
        ),
        (
            "too long in chunks",
            streamed(Some(3)),
            in_chunks(),
            vec![bytes("ab"), bytes("cd")],
            vec![head("POST", IN_CHUNKS, "") + &chunk("ab")],
            "The body is longer than the 3 bytes that were announced",
        ),
        (
            "too short in chunks",
            streamed(Some(3)),
            in_chunks(),
            vec![bytes("ab"), END],
            vec![head("POST", IN_CHUNKS, "") + &chunk("ab")],
            "The body has 2 of the 3 bytes that were announced",
        ),
        (
            "a part that is too long",
            form(Some(1), None),
            plain_options(),
            vec![bytes("a"), bytes("b")],
            vec![of_form.clone() + &chunk(&format!("{before}a"))],
            "streamed part 1 of the body is longer than the 1 bytes that were announced",
        ),
        (
            "a part that is too short",
            form(None, Some(2)),
            plain_options(),
            vec![PART_END, bytes("b"), PART_END],
            vec![
                of_form.clone() + &chunk(&format!("{before}{between}")),
                chunk("b"),
            ],
            "streamed part 2 of the body has 1 of the 2 bytes that were announced",
        ),
        (
            "a part that does not end",
            form(None, Some(2)),
            plain_options(),
            vec![bytes("a"), END],
            vec![of_form.clone() + &chunk(&format!("{before}a"))],
            "streamed part 1 of the body has not been ended",
        ),
        (
            "a source that fails",
            streamed(None),
            plain_options(),
            vec![bytes("a"), Act::Fail("the disk is gone")],
            vec![head("POST", IN_CHUNKS, "") + &chunk("a")],
            "the disk is gone",
        ),
        (
            "a source that fails at once",
            streamed(None),
            plain_options(),
            vec![Act::Fail("the disk is gone")],
            vec![],
            "the disk is gone",
        ),
    ] {
        let world = World::serving(vec![Script::new(), Script::always(ok("a"))]);
        let error = world
            .upload(POST, content, &acts, options)
            .err()
            .expect(case);
        assert_eq!(error.kind(), "invalid-request", "{case}");
        assert_eq!(error.message(), message, "{case}");
        assert_eq!(writes(&world, 0), sent, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert!(!world.get(POST.1).unwrap().connection.reused, "{case}");
    }
}

#[test]
fn a_streamed_body_needs_a_source() {
    let world = World::serving(origin_of("a"));
    let error = world.send("POST", POST.1, streamed(None)).err().unwrap();
    assert_eq!(error.kind(), "invalid-request");
    assert_eq!(world.net.connections(), 0);
}

#[test]
fn a_caller_that_never_hands_anything_over_is_bounded_by_deadline_and_total() {
    let acts = |pieces: usize| {
        let mut acts = vec![bytes("a"); pieces];
        acts.push(Act::Stall);
        acts
    };
    for (case, timeouts, kind) in [
        ("deadline", deadline(3), "deadline-exceeded"),
        ("total", total(3), "read-timeout"),
    ] {
        for pieces in 0..3 {
            let world = World::timed(timeouts);
            world.serve("a.test", vec![Script::new()]);
            let error = world
                .upload(POST, streamed(None), &acts(pieces), plain_options())
                .err()
                .unwrap();
            assert_eq!(error.kind(), kind, "{case}, {pieces}");
            let failure = error.failure().unwrap();
            assert_eq!(
                failure.may_have_been_acted_on,
                pieces > 0,
                "{case}, {pieces}"
            );
            assert_eq!(world.net.elapsed(), SECOND * 3, "{case}, {pieces}");
            assert_eq!(writes(&world, 0).len(), pieces, "{case}, {pieces}");
            assert_eq!(world.net.open_connections(), 0, "{case}, {pieces}");
        }
    }
}

#[test]
fn the_read_timeout_is_for_the_peer_and_not_for_the_caller() {
    let world = World::timed(read(3));
    world.serve("a.test", origin_of("a"));
    let wait = Act::Wait(SECOND * 1000);
    let acts = [
        wait.clone(),
        bytes("a"),
        wait.clone(),
        bytes("b"),
        wait,
        END,
    ];
    let response = world
        .upload(POST, streamed(None), &acts, plain_options())
        .unwrap();
    assert_eq!(world.finish(response).unwrap().body, b"a");
    assert_eq!(world.net.elapsed(), DIAL + SECOND * 3000);
}

#[test]
fn a_source_that_is_not_needed_is_left_alone() {
    let world = World::serving(origin_of("a"));
    let (source, tally) = world.feed(&[bytes("abc"), END]);
    let content = Content::Bytes(b"x".to_vec());
    let sending = world
        .manager
        .send("POST", POST.1, content, Some(source), plain_options());
    world.net.run(sending).unwrap();
    assert_eq!(tally.taken.get(), 0);
    assert_eq!(
        writes(&world, 0),
        [head("POST", "Content-Length: 1", "") + "x"]
    );
}

proptest! {
    /// Whatever pieces a body comes in and however the network takes them, a strict reader reads it back.
    #[test]
    fn a_chunked_body_is_read_back_whole(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        limit in 1_usize..100,
        length in any::<bool>(),
        expects in any::<bool>(),
    ) {
        let world = World::serving(vec![Script::always(ok("a"))]);
        world.net.limit_writes(limit);
        let whole = pieces.concat();
        let content = Content::Streamed(Streamed {
            length: length.then_some(whole.len() as u64),
            can_rewind: false,
        });
        let acts: Vec<Act> = pieces
            .into_iter()
            .map(|piece| Act::Hand(Piece::Bytes(piece)))
            .chain([END])
            .collect();
        let mut options = in_chunks();
        options.writing.expects_continue = expects;
        let response = world.upload(POST, content, &acts, options).unwrap();
        prop_assert_eq!(response.head().status, 200);
        let sent = world.net.writes(0).concat();
        let head = sent.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let mut body = sent[head..].to_vec();
        let mut reader = Body::new(BodyFraming::Chunked, Limits::default());
        let rest = reader.unframe(&mut body).unwrap();
        prop_assert!(reader.has_ended() && rest.is_empty());
        prop_assert_eq!(body, whole);
    }
}
