//! A chunked body is the same however it arrives, and no more is taken than there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::h1::{Body, Step};
use urlpool_core::policy::framing::BodyFraming;
use urlpool_core::types::Limits;
use urlpool_fuzz::{first_line, pieces};

/// What became of a body: its data, what came after its end, whether it ended, and what was wrong.
type Outcome = (Vec<u8>, Vec<u8>, bool, Option<String>);

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut body = Body::new(BodyFraming::Chunked, Limits::default());
    let (mut data, mut after, mut wrong) = (Vec::new(), Vec::new(), None);
    for piece in pieces {
        let mut buffer = piece.to_vec();
        match body.unframe(&mut buffer) {
            Ok(rest) => {
                assert!(buffer.len() + rest.len() <= piece.len());
                assert!(rest.is_empty() || body.has_ended());
                after.extend(rest);
            }
            Err(error) => wrong = Some(format!("{error:?}")),
        }
        data.extend(buffer);
        if wrong.is_some() {
            break;
        }
    }
    (data, after, body.has_ended(), wrong)
}

/// Reads step by step, as nothing but `unframe` does.
fn stepped(mut input: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Body::new(BodyFraming::Chunked, Limits::default());
    let mut data = Vec::new();
    loop {
        let step = body.take(input).ok()?;
        if step
            == (Step {
                framing: 0,
                data: 0,
            })
        {
            assert!(input.is_empty() || body.has_ended());
            return Some((data, body.has_ended()));
        }
        data.extend_from_slice(&input[step.framing..][..step.data]);
        input = &input[step.framing + step.data..];
    }
}

fuzz_target!(|input: &[u8]| {
    let (sizes, bytes) = first_line(input);
    let whole = read(std::iter::once(bytes));
    assert_eq!(whole, read(pieces(sizes, bytes)));
    let (data, _, has_ended, wrong) = whole;
    assert_eq!(stepped(bytes), wrong.is_none().then_some((data, has_ended)));
});
