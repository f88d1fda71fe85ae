//! Every coding, whole, cut anywhere, hostile and explosive.

use proptest::prelude::*;

use super::fixtures::*;
use super::{DecodeError, Decoder, Pulled};
use crate::policy::codings::Coding::{self, Brotli, Deflate, Gzip, Zstd};

const ALL: [Coding; 4] = [Gzip, Deflate, Brotli, Zstd];

/// Feeds `input` in pieces and pulls at most `max` bytes at a time, checking every promise of the decoder on the way.
fn drive(
    codings: &[Coding],
    input: &[u8],
    piece: usize,
    max: usize,
) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new(codings).unwrap();
    let (mut pieces, mut output) = (input.chunks(piece), Vec::new());
    let (mut is_finished, mut idle) = (false, 0);
    loop {
        let before = output.len();
        match decoder.pull(max, &mut output) {
            Ok(Pulled::Output) => {
                assert!((before + 1..=before + max).contains(&output.len()));
                idle = 0;
                continue;
            }
            Ok(Pulled::Busy) => assert!(!decoder.wants_input()),
            Ok(Pulled::NeedsInput) => {
                assert!(!is_finished && decoder.wants_input());
                match pieces.next() {
                    Some(piece) => decoder.push(piece.to_vec()),
                    None => {
                        decoder.finish();
                        is_finished = true;
                    }
                }
            }
            Ok(Pulled::End) => {
                assert!(!decoder.wants_input());
                assert_eq!(decoder.pull(max, &mut output), Ok(Pulled::End));
                return (output, Ok(()));
            }
            Err(error) => {
                assert!(!decoder.wants_input());
                assert_eq!(decoder.pull(max, &mut output), Err(error.clone()));
                return (output, Err(error));
            }
        }
        assert_eq!(output.len(), before);
        idle += 1;
        assert!(idle < input.len() + 100, "no end in sight");
    }
}

fn decoded(codings: &[Coding], input: &[u8]) -> Result<Vec<u8>, String> {
    let (output, end) = drive(codings, input, input.len().max(1), 1000);
    end.map(|()| output).map_err(|error| error.to_string())
}

/// Every kind of body that decodes to [`text`].
fn bodies() -> Vec<(&'static str, Vec<Coding>, Vec<u8>)> {
    let text = text();
    let (start, rest) = text.split_at(400);
    let full_header = {
        // All optional fields: extra, name, comment and the header's own checksum.
        let mut header = vec![0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 4, 0];
        header.extend(*b"abcdname\0comment\0");
        let mut crc = flate2::Crc::new();
        crc.update(&header);
        header.extend(&crc.sum().to_le_bytes()[..2]);
        [&header, &gzip(&text)[10..]].concat()
    };
    let skippable = [0x55, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let empty_skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    vec![
        ("gzip", vec![Gzip], gzip(&text)),
        ("gzip, every header field", vec![Gzip], full_header),
        (
            "gzip, members",
            vec![Gzip],
            [gzip(start), gzip(&[]), gzip(rest)].concat(),
        ),
        ("zlib", vec![Deflate], zlib(&text)),
        ("raw deflate", vec![Deflate], raw_deflate(&text)),
        ("br", vec![Brotli], text_br()),
        ("br, flushed", vec![Brotli], flushed_br()),
        ("zstd", vec![Zstd], text_zstd()),
        ("zstd, flushed", vec![Zstd], flushed_zstd()),
        (
            "zstd, frames",
            vec![Zstd],
            [
                &skippable[..],
                &zstd(start),
                &empty_skippable,
                &zstd(rest),
                &skippable,
                &empty_skippable,
            ]
            .concat(),
        ),
        (
            "gzip in zstd in deflate",
            vec![Deflate, Zstd, Gzip],
            zlib(&zstd(&gzip(&text))),
        ),
        (
            "br five deep",
            vec![Gzip, Deflate, Zstd, Gzip, Brotli],
            gzip(&raw_deflate(&zstd(&gzip(&text_br())))),
        ),
    ]
}

#[test]
fn bodies_decode_however_they_are_cut() {
    for (case, codings, body) in bodies() {
        for (piece, max) in [
            (body.len(), 1 << 20),
            (body.len(), 1),
            (1, 1),
            (1, 1000),
            (7, 100),
        ] {
            let (output, end) = drive(&codings, &body, piece, max);
            assert_eq!(end, Ok(()), "{case}, {piece} in, {max} out");
            assert_eq!(output, text(), "{case}, {piece} in, {max} out");
        }
    }
}

#[test]
fn bodies_decode_split_at_every_boundary() {
    for (case, codings, body) in bodies() {
        for at in 0..=body.len() {
            let mut decoder = Decoder::new(&codings).unwrap();
            let mut output = Vec::new();
            for part in [&body[..at], &body[at..]] {
                decoder.push(part.to_vec());
                while decoder.pull(4096, &mut output) == Ok(Pulled::Output) {}
            }
            decoder.finish();
            while decoder.pull(4096, &mut output) == Ok(Pulled::Output) {}
            assert_eq!(
                decoder.pull(1, &mut output),
                Ok(Pulled::End),
                "{case} at {at}"
            );
            assert_eq!(output, text(), "{case} at {at}");
        }
    }
}

/// Data that ends early is an error after what could be decoded; urllib3 keeps silent about it but for zstd.
#[test]
fn truncation_is_told_at_every_byte() {
    for (case, codings, body) in bodies() {
        for length in 1..body.len() {
            let (output, end) = drive(&codings, &body[..length], length, 4096);
            assert!(text().starts_with(&output), "{case} cut at {length}");
            let is_whole = output == text()
                || case.starts_with("gzip, m") && output == text()[..400]
                || case.starts_with("zstd, f");
            let Err(error) = end else {
                // A member, a frame or an inner coding ended just there.
                assert!(is_whole, "{case} cut at {length} says nothing");
                continue;
            };
            let detail = error.to_string();
            assert!(
                detail.ends_with("data is incomplete"),
                "{case} cut at {length}: {detail}"
            );
        }
    }
    assert_eq!(
        decoded(&[Zstd], &text_zstd()[..100]),
        Err("Zstandard data is incomplete".into())
    );
}

#[test]
fn no_content_is_no_error() {
    for coding in ALL {
        assert_eq!(decoded(&[coding], &[]), Ok(vec![]), "{coding:?}");
        assert_eq!(decoded(&[coding; 5], &[]), Ok(vec![]), "{coding:?}");
    }
    assert_eq!(decoded(&[Gzip, Zstd], &gzip(&[])), Ok(vec![]));
    assert!(Decoder::new(&[]).is_none());
}

#[test]
fn empty_content_decodes() {
    for (case, coding, body) in [
        ("gzip", Gzip, gzip(&[])),
        ("zlib", Deflate, zlib(&[])),
        ("raw deflate", Deflate, raw_deflate(&[])),
        ("br", Brotli, vec![0x3b]),
        ("zstd", Zstd, zstd(&[])),
        (
            "zstd, skippable only",
            Zstd,
            vec![0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0],
        ),
    ] {
        assert_eq!(drive(&[coding], &body, 1, 1), (vec![], Ok(())), "{case}");
    }
}

#[test]
fn trailing_garbage_is_ignored_where_urllib3_does() {
    let garbage: [&[u8]; 4] = [b"\0", b"garbage", b"\x1f\x8bgarbage", &[0; 3000]];
    for (case, codings, body) in bodies() {
        if codings[0] == Zstd {
            continue;
        }
        for garbage in garbage {
            let body = [&body, garbage].concat();
            for piece in [1, body.len()] {
                let (output, end) = drive(&codings, &body, piece, 100);
                assert_eq!(end, Ok(()), "{case}");
                assert_eq!(output, text(), "{case}");
            }
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let text = text();
    let gzip_with = |at: usize, byte: u8| {
        let mut body = gzip(&text);
        let at = if at < 10 { at } else { body.len() - 18 + at };
        body[at] ^= byte;
        body
    };
    let zlib_with_bad_checksum = {
        let mut body = zlib(&text);
        *body.last_mut().unwrap() ^= 1;
        body
    };
    let zstd_with_bad_checksum = {
        let mut body = text_zstd();
        *body.last_mut().unwrap() ^= 1;
        body
    };
    let long_header = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'a'; 200_000]].concat();
    let bad_header_checksum = [
        &[0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3, 1, 1][..],
        &gzip(&text)[10..],
    ]
    .concat();
    let not_gzip = "this is not gzip data";
    let frame = |rest: &[u8]| [&[0x28, 0xb5, 0x2f, 0xfd], rest].concat();
    let rows: Vec<(&str, Coding, Vec<u8>, &str)> = vec![
        ("plain text", Gzip, text.clone(), not_gzip),
        ("another method", Gzip, gzip_with(2, 1), not_gzip),
        (
            "reserved flags",
            Gzip,
            gzip_with(3, 0x80),
            "a gzip header has reserved flags",
        ),
        (
            "endless name",
            Gzip,
            long_header,
            "a gzip header has more than 131072 bytes",
        ),
        (
            "header checksum",
            Gzip,
            bad_header_checksum,
            "the checksum of a gzip header does not match",
        ),
        (
            "checksum",
            Gzip,
            gzip_with(10, 1),
            "the checksum of gzip data does not match",
        ),
        (
            "length",
            Gzip,
            gzip_with(14, 1),
            "the length of gzip data does not match",
        ),
        (
            "a bad second member",
            Gzip,
            [gzip(&text), gzip_with(10, 1)].concat(),
            "the checksum of gzip data does not match",
        ),
        (
            "neither zlib nor raw",
            Deflate,
            b"\xff\xff\xff".to_vec(),
            "invalid deflate data",
        ),
        (
            "checksum of zlib",
            Deflate,
            zlib_with_bad_checksum,
            "invalid deflate data",
        ),
        (
            "a preset dictionary",
            Deflate,
            vec![0x78, 0xbb, 0, 0, 0, 1, 0, 0],
            "invalid deflate data",
        ),
        (
            "not br",
            Brotli,
            b"\xff\xff\xff\xff\xff".to_vec(),
            "invalid brotli data",
        ),
        ("a large window", Brotli, large_br(), "invalid brotli data"),
        ("not zstd", Zstd, text.clone(), "this is not Zstandard data"),
        (
            "garbage after a frame",
            Zstd,
            [text_zstd(), vec![0; 9]].concat(),
            "this is not Zstandard data",
        ),
        (
            "checksum of zstd",
            Zstd,
            zstd_with_bad_checksum,
            "the checksum of a Zstandard frame does not match",
        ),
        (
            "a dictionary",
            Zstd,
            frame(&[1, 0, 7, 1, 0, 0]),
            "a Zstandard frame needs a dictionary",
        ),
        (
            "a window of 16 MiB",
            Zstd,
            frame(&[0, 14 << 3, 1, 0, 0]),
            "a Zstandard frame has a window of 16777216 bytes, more than 8388608",
        ),
        (
            "more than was announced",
            Zstd,
            frame(&[0x40, 0, 0, 0, 2, 9, 0, 0, 2, 9, 0, 0]),
            "the length of a Zstandard frame does not match",
        ),
        (
            "less than was announced",
            Zstd,
            frame(&[0x20, 2, 0x09, 0, 0, b'a']),
            "the length of a Zstandard frame does not match",
        ),
    ];
    for (case, coding, body, expected) in rows {
        for piece in [1, body.len()] {
            let (_, end) = drive(&[coding], &body, piece, 5000);
            let error = end.expect_err(case);
            assert_eq!(
                (error.coding, error.to_string()),
                (coding, expected.to_owned()),
                "{case}"
            );
        }
    }
}

#[test]
fn an_error_names_the_coding_that_did_not_fit() {
    let (_, end) = drive(&[Gzip, Zstd], &gzip(b"not zstd"), 100, 100);
    assert_eq!(end.unwrap_err().coding, Zstd);
}

#[test]
fn what_is_wrong_behind_the_content_is_told_however_it_arrives() {
    // The deflate stream ends before what the gzip around it holds, whose checksum is wrong.
    let mut content = zlib(b"hello");
    content.extend_from_slice(b"garbage");
    let mut body = gzip(&content);
    let checksum = body.len() - 8;
    body[checksum] ^= 1;
    for (piece, max) in [
        (1, 1),
        (1, 1000),
        (5, 7),
        (body.len(), 1),
        (body.len(), 1000),
    ] {
        let (output, end) = drive(&[Gzip, Deflate], &body, piece, max);
        assert!(
            end.is_err(),
            "pieces of {piece}, reads of {max}: {output:?}"
        );
    }
}

#[test]
fn flushed_data_comes_at_once() {
    let deflated = |raw: bool| {
        use flate2::{Compress, Compression, FlushCompress};
        let (mut encoder, mut body) = (Compress::new(Compression::default(), !raw), Vec::new());
        body.reserve(4096);
        encoder
            .compress_vec(&text()[..FLUSHED], &mut body, FlushCompress::Sync)
            .unwrap();
        body
    };
    for (case, coding, body) in [
        ("zlib", Deflate, deflated(false)),
        ("raw deflate", Deflate, deflated(true)),
        ("br", Brotli, flushed_br()[..FLUSHED_BR_AT].to_vec()),
        ("zstd", Zstd, flushed_zstd()[..FLUSHED_ZSTD_AT].to_vec()),
    ] {
        let mut decoder = Decoder::new(&[coding]).unwrap();
        decoder.push(body);
        let mut output = Vec::new();
        assert_eq!(
            decoder.pull(10_000, &mut output),
            Ok(Pulled::Output),
            "{case}"
        );
        assert_eq!(output, text()[..FLUSHED], "{case}");
        assert_eq!(
            decoder.pull(1, &mut output),
            Ok(Pulled::NeedsInput),
            "{case}"
        );
    }
}

/// More than the history that is kept, so that it is thrown away many times.
#[test]
fn long_zstd_frames_keep_their_window() {
    let data = noise(6 * 1024 * 1024);
    let body = zstd(&data);
    for (piece, max) in [(body.len(), 100_000), (1000, 1 << 20), (65_536, 3)] {
        let (output, end) = drive(&[Zstd], &body, piece, max);
        assert_eq!(end, Ok(()));
        assert!(output == data, "{piece} in, {max} out");
    }
}

fn bombs() -> [(&'static str, Coding, Vec<u8>); 5] {
    let zeros = vec![0; ZEROS];
    [
        ("gzip", Gzip, gzip(&zeros)),
        ("zlib", Deflate, zlib(&zeros)),
        ("raw deflate", Deflate, raw_deflate(&zeros)),
        ("br", Brotli, zeros_br()),
        ("zstd", Zstd, zeros_zstd()),
    ]
}

#[test]
fn cve_2025_66471_a_bomb_goes_off_as_slowly_as_it_is_read() {
    for (case, coding, bomb) in bombs() {
        let mut decoder = Decoder::new(&[coding]).unwrap();
        let (mut pieces, mut output) = (bomb.chunks(64), Vec::new());
        let mut pushed = 0;
        while output.len() < 1000 {
            match decoder.pull(1, &mut output).unwrap() {
                Pulled::Output => {}
                pulled => {
                    assert_eq!(pulled, Pulled::NeedsInput, "{case}");
                    decoder.push(pieces.next().unwrap().to_vec());
                    pushed += 1;
                }
            }
        }
        // What 64 bytes can come to is all that may have been inflated.
        assert!(pushed <= 2, "{case} took {pushed} pieces for 1000 bytes");
        assert!(output.capacity() <= 4096, "{case}");
        let (output, end) = drive(&[coding], &bomb, 1000, 1 << 20);
        assert_eq!((output.len(), end), (ZEROS, Ok(())), "{case}");
    }
}

/// A bomb in a bomb, whose outer shell comes to 10 MiB of nothing: every call ends soon all the same.
#[test]
fn cve_2025_66471_work_that_comes_to_nothing_is_bounded() {
    let empty_blocks = [0, 0, 0, 0xff, 0xff].repeat(ZEROS / 5);
    let bomb = gzip(&gzip(&empty_blocks));
    let mut decoder = Decoder::new(&[Gzip, Gzip, Deflate]).unwrap();
    decoder.push(bomb);
    let (mut output, mut calls) = (Vec::new(), 0);
    while decoder.pull(1, &mut output) == Ok(Pulled::Busy) {
        calls += 1;
    }
    assert_eq!(output, []);
    assert!((5..100).contains(&calls), "{calls} calls");
}

/// A bomb in a bomb in a bomb: without an end to it, a few bytes keep a processor busy for hours.
#[test]
fn cve_2025_66471_work_that_comes_to_nothing_ends() {
    let empty_blocks = [0, 0, 0, 0xff, 0xff].repeat(ZEROS / 5);
    let twice = gzip(&gzip(&empty_blocks));
    // Members of gzip follow each other, and so do their bombs.
    let many = twice.repeat(600);
    let bomb = gzip(&many);
    assert!(bomb.len() < 64 * 1024, "{} bytes", bomb.len());
    let mut decoder = Decoder::new(&[Gzip, Gzip, Gzip, Deflate]).unwrap();
    decoder.push(bomb);
    let (mut output, mut calls) = (Vec::new(), 0);
    let error = loop {
        match decoder.pull(1, &mut output) {
            Ok(pulled) => assert_eq!(pulled, Pulled::Busy),
            Err(error) => break error,
        }
        calls += 1;
        assert!(calls <= 256, "no end in sight");
    };
    assert_eq!((calls, error.coding), (256, Deflate));
    assert_eq!(decoder.pull(1, &mut output), Err(error));
}

#[test]
fn cve_2026_44432_a_second_read_inflates_no_more_than_the_first() {
    for (case, coding, bomb) in bombs() {
        let mut decoder = Decoder::new(&[coding]).unwrap();
        let mut pieces = bomb.chunks(64);
        decoder.push(pieces.next().unwrap().to_vec());
        let mut output = Vec::new();
        for reads in 1..=10 {
            assert_eq!(decoder.pull(1, &mut output), Ok(Pulled::Output), "{case}");
            assert_eq!(output.len(), reads, "{case}");
            if decoder.wants_input() {
                decoder.push(pieces.next().unwrap_or_default().to_vec());
            }
        }
    }
}

#[test]
fn cve_2026_97688_deflate_with_trailing_bytes_ends() {
    for body in [zlib(&text()), raw_deflate(&text())] {
        let body = [body, vec![0x58; 70_000]].concat();
        for (piece, max) in [
            (1, 1),
            (10, 1 << 20),
            (body.len(), 1),
            (body.len(), 1 << 20),
        ] {
            assert_eq!(drive(&[Deflate], &body, piece, max), (text(), Ok(())));
        }
    }
}

#[test]
fn asking_for_nothing_gives_nothing() {
    let mut decoder = Decoder::new(&[Gzip]).unwrap();
    decoder.push(gzip(b"a"));
    let mut output = Vec::new();
    assert_eq!(decoder.pull(0, &mut output), Ok(Pulled::Busy));
    assert_eq!(decoder.pull(9, &mut output), Ok(Pulled::Output));
    assert_eq!(output, b"a");
}

fn coding() -> impl Strategy<Value = Coding> {
    prop::sample::select(&ALL[..])
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(
        data in prop::collection::vec(0_u8..4, 0..5000),
        piece in 1_usize..600,
        max in 1_usize..600,
    ) {
        for (coding, body) in [
            (Gzip, gzip(&data)),
            (Deflate, zlib(&data)),
            (Deflate, raw_deflate(&data)),
            (Zstd, zstd(&data)),
        ] {
            prop_assert_eq!(drive(&[coding], &body, piece, max), (data.clone(), Ok(())));
        }
    }

    #[test]
    fn hostile_bytes_end(
        codings in prop::collection::vec(coding(), 1..=5),
        body in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1_usize..300,
    ) {
        let _ = drive(&codings, &body, piece, 1 << 16);
    }

    /// Bodies that are right but for a few bytes get further into the decoders than noise does.
    #[test]
    fn damaged_bodies_end(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        piece in 1_usize..300,
    ) {
        let bodies = bodies();
        let (_, codings, body) = which.get(&bodies);
        let mut body = body.clone();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let _ = drive(codings, &body, piece, 1 << 16);
    }
}
