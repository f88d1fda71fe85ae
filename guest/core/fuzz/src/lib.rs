//! How the bytes that the fuzzer makes up become arguments: written so that people can write and read them too.
//!
//! The first line says how, the rest is what: `31\nHTTP/1.1 200 OK` comes in pieces of 3, 1, 3, 1... bytes. Where there are several texts,
//! which may have line breaks, 0x1f stands between them.
//!
//! Uses: nothing. Invariant: every input means something, so none is wasted.

/// Between the texts of [`texts`].
const SEPARATOR: u8 = 0x1f;

/// The first line without its end, and what follows it.
#[must_use]
pub fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    end.and_then(|end| Some((input.get(..end)?, input.get(end + 1..)?)))
        .unwrap_or((&[], input))
}

/// The texts that the separator stands between; at least one.
pub fn texts(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == SEPARATOR)
}

/// The size that a byte stands for, which is never 0: a digit other than `0` is its own, other bytes have all others up to 255.
#[must_use]
pub fn size(byte: u8) -> usize {
    usize::from(byte.wrapping_sub(b'0').max(1))
}

/// `bytes` in pieces of these sizes, over and over; in one piece where there are none.
pub fn pieces<'a>(sizes: &[u8], bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied().map(size).cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = sizes.next().unwrap_or(rest.len()).min(rest.len());
        let (piece, tail) = rest.split_at(length);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}
