//! Compressed content is decoded to the same bytes however it arrives and however little is asked for, never more of it than that, and comes to
//! an end.
//!
//! The first line names the codings: `g` for gzip, `d` for deflate, `b` for br, `z` for zstd, the one to undo first first; then the sizes of the
//! pieces behind a space.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::decode::{Decoder, Pulled};
use urlpool_core::policy::codings::Coding;
use urlpool_fuzz::{first_line, pieces};

/// As much output as is looked at.
const ENOUGH: usize = 1 << 20;

fn codings(names: &[u8]) -> Vec<Coding> {
    let coding = |name: &u8| match name {
        b'd' => Coding::Deflate,
        b'b' => Coding::Brotli,
        b'z' => Coding::Zstd,
        _ => Coding::Gzip,
    };
    names.iter().take(5).map(coding).collect()
}

/// What came out, and what was wrong; nothing where there was more than enough.
fn decode<'a>(
    codings: &[Coding],
    mut input: impl Iterator<Item = &'a [u8]>,
    max: usize,
) -> Option<(Vec<u8>, Option<String>)> {
    let mut decoder = Decoder::new(codings)?;
    let mut output = Vec::new();
    let mut is_finished = false;
    loop {
        let before = output.len();
        let pulled = decoder.pull(max, &mut output);
        assert!(output.len() - before <= max);
        match pulled {
            Ok(Pulled::Output) => assert!(output.len() > before),
            Ok(Pulled::Busy) => return None,
            Ok(Pulled::NeedsInput) => match input.next() {
                Some(piece) => decoder.push(piece.to_vec()),
                None => {
                    assert!(!is_finished, "it asks for more after the end");
                    is_finished = true;
                    decoder.finish();
                }
            },
            Ok(Pulled::End) => return Some((output, None)),
            Err(error) => return Some((output, Some(error.to_string()))),
        }
        if output.len() > ENOUGH {
            return None;
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let (how, bytes) = first_line(input);
    let mut how = how.splitn(2, |byte| *byte == b' ');
    let codings = codings(how.next().unwrap_or_default());
    let sizes = how.next().unwrap_or_default();
    let whole = decode(&codings, std::iter::once(bytes), 64 * 1024);
    let little = decode(&codings, pieces(sizes, bytes), 7);
    let (Some((all, wrong)), Some((some, also_wrong))) = (whole, little) else {
        return;
    };
    // Of two codings that are both broken, either may be found out first.
    assert_eq!(wrong.is_some(), also_wrong.is_some());
    if wrong.is_none() {
        assert_eq!(all, some);
    } else {
        assert!(all.starts_with(&some) || some.starts_with(&all));
    }
});
