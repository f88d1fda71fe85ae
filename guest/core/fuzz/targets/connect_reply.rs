//! The answer to a CONNECT is the same however it arrives, and no byte behind the head that opens a tunnel is let through.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::connect::{ConnectReply, Outcome};
use urlpool_core::types::Limits;
use urlpool_fuzz::{first_line, pieces};

/// What became of an answer, and how much of it was looked at.
fn answer<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Result<Outcome, String>, usize) {
    let (mut reply, mut fed) = (ConnectReply::new(Limits::default()), 0);
    for piece in pieces {
        fed += piece.len();
        match reply.feed(piece) {
            Ok(Outcome::More) => {}
            settled => return (settled, fed),
        }
    }
    let refusal = reply.into_refusal().map(Outcome::Refused);
    (Ok(refusal.unwrap_or(Outcome::More)), fed)
}

fuzz_target!(|input: &[u8]| {
    let (sizes, bytes) = first_line(input);
    // The reader looks only where a line has ended, so only then must its answers agree.
    let bytes = [bytes, b"\n"].concat();
    let (whole, _) = answer(std::iter::once(&bytes[..]));
    let (bytewise, fed) = answer(bytes.chunks(1));
    let (pieced, _) = answer(pieces(sizes, &bytes));
    for outcome in [&whole, &bytewise, &pieced] {
        if let Ok(Outcome::Refused(refusal)) = outcome {
            assert!(!(100..300).contains(&refusal.status) && refusal.body.len() <= 4096);
        }
    }
    if bytewise == Ok(Outcome::Open) {
        let is_all = fed == bytes.len();
        assert_eq!(whole.is_ok(), is_all, "{} bytes behind", bytes.len() - fed);
        assert!(pieced.is_err() || pieced == bytewise);
    } else {
        // What is quoted in an error is as much as was there.
        assert_eq!(whole.as_ref().ok(), bytewise.as_ref().ok());
        assert_eq!(pieced.as_ref().ok(), bytewise.as_ref().ok());
    }
});
