//! A few bytes that decode to many: what is decoded and taken off the wire is what was asked for and little more.

use urlpool_core::sim::Script;
use urlpool_core::types::Reading;

use crate::common::{FRAMINGS, Framing, World, ZEROS, bombs, gzip};

const URL: &str = "http://a.test/";
/// What a read of the network comes to in these tests.
const READ: u64 = 100;

fn serving(framing: Framing, coding: &str, bomb: &[u8]) -> World {
    let script = Script::new().request().send(framing.respond(coding, bomb));
    let world = World::serving(vec![match framing {
        Framing::UntilClose => script.close(),
        _ => script.again(),
    }]);
    world.net.limit_reads(usize::try_from(READ).unwrap());
    world
}

#[test]
fn cve_2025_66471_a_small_read_decodes_and_takes_little() {
    for (coding, bomb) in bombs() {
        for framing in FRAMINGS {
            let world = serving(framing, coding, &bomb);
            let mut opened = world.open(URL);
            for read in 1..=20 {
                assert_eq!(world.read(&mut opened, 1).unwrap(), [0], "{coding}");
                // A block begins with what describes it, which must be had whole.
                assert!(
                    opened.tell() <= READ * 4,
                    "{coding} read {read}: {}",
                    opened.tell()
                );
            }
            let piece = world.net.run(opened.read_full(1000)).unwrap();
            assert_eq!(piece.len(), 1000, "{coding}");
            assert!(opened.tell() <= READ * 4, "{coding}: {}", opened.tell());
        }
    }
}

#[test]
fn a_read_of_any_size_decodes_no_more_than_64_kib() {
    for (coding, bomb) in bombs() {
        let world = serving(Framing::Length, coding, &bomb);
        world.net.limit_reads(100_000);
        let mut opened = world.open(URL);
        let (pieces, error) = world.pieces(&mut opened, usize::MAX);
        assert_eq!(error, None, "{coding}");
        let longest = pieces.iter().map(Vec::len).max();
        assert_eq!(longest, Some(64 * 1024), "{coding}");
        assert_eq!(
            pieces.iter().map(Vec::len).sum::<usize>(),
            ZEROS,
            "{coding}"
        );
    }
}

#[test]
fn cve_2026_44432_draining_after_a_small_read_decodes_nothing() {
    for (coding, mut bomb) in bombs() {
        // What comes last would be found not to fit its coding.
        let length = bomb.len();
        bomb.extend(vec![0xff; 1000]);
        if length > 300 {
            bomb[length - 1] ^= 0x55;
        }
        for framing in FRAMINGS {
            let world = serving(framing, coding, &bomb);
            let mut opened = world.open(URL);
            for _ in 0..2 {
                assert_eq!(world.read(&mut opened, 1).unwrap(), [0], "{coding}");
            }
            assert_eq!(world.net.run(opened.drain()), Ok(()), "{coding}");
            assert_eq!(opened.tell(), bomb.len() as u64, "{coding}");
            assert_eq!(world.read(&mut opened, 9), Ok(Vec::new()), "{coding}");
            assert_eq!(world.net.open_connections(), framing.kept(), "{coding}");
        }
    }
}

#[test]
fn a_limit_ends_a_bomb_where_it_goes_off() {
    for (coding, bomb) in bombs() {
        for (max_body, is_had) in [(100_000, false), (ZEROS - 1, false), (ZEROS, true)] {
            for is_preloaded in [false, true] {
                let world = serving(Framing::Chunked, coding, &bomb);
                let reading = Reading {
                    max_body: Some(max_body as u64),
                    is_preloaded,
                    ..Reading::default()
                };
                let outcome = world.open_reading(URL, reading).and_then(|mut opened| {
                    let (pieces, error) = world.pieces(&mut opened, 50_000);
                    let had: usize = pieces.iter().map(Vec::len).sum();
                    assert_eq!(had, max_body, "{coding}");
                    error.map_or(Ok(()), Err)
                });
                assert_eq!(outcome.is_ok(), is_had, "{coding} {max_body}");
                if let Err(error) = outcome {
                    assert_eq!(error.kind(), "body-too-large", "{coding}");
                }
            }
        }
        let world = serving(Framing::Chunked, coding, &bomb);
        let error = world
            .net
            .run(world.open(URL).read_all(100_000))
            .unwrap_err();
        assert_eq!(error.kind(), "body-too-large", "{coding}");
    }
}

/// Megabytes of empty blocks in a few bytes: nothing to hand out, and nothing to wait for either.
#[test]
fn work_that_comes_to_nothing_ends() {
    let twice = gzip(&gzip(&[0, 0, 0, 0xff, 0xff].repeat(ZEROS / 5)));
    let bomb = gzip(&twice.repeat(600));
    let response = Framing::Length.respond("deflate, gzip, gzip, gzip", &bomb);
    let world = World::serving(vec![Script::new().request().send(response)]);
    let error = world.get(URL).unwrap_err();
    assert_eq!(error.kind(), "decode");
    assert!(error.message().contains("nothing in it"), "{error:?}");
}
