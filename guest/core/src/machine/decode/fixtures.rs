//! Bodies to decode. gzip, deflate and the chains are encoded here; what br and zstd have was written by their reference encoders, once.

use std::io::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// [`text`], brotli, quality 11.
const TEXT_BR: &str = "G2AEoJwJdqyTibRs+GFuOPtKeogCiFrLK+2tzOYKhA76Z5P1G69gTveNbVGlQQwSmlutQp1s9/ZFkSE5B//Ul/r0r/N+9cLgN/SEDQtOA/LeZ8Fut6aNayReTASmcJrYAmjFebTmbZxYGx/4jgBepBltVKhC7OM4aPckxGTEeJ1i7VswXAE3dJYnYwE20nBzFSJnFyJcSBFdXKeIU2PEmB2z3gk4NyeariowIfDcOKDtBG2uIuxBir5X/vtQNgqY2yi79im3666uBA==";
/// [`text`], brotli, flushed after its first [`FLUSHED`] bytes, which are [`FLUSHED_BR_AT`] bytes of this.
const FLUSHED_BR: &str = "ixcBGJwJdqyTibRs+GEmnfoLFTC3MlRaaW9lNlcgdNA/3vz6z+E+4rCabQgBlnKIG2PIs/lGR/+pL/Xp37nenuh3MwsObDgF5L17YccVYlyR9mKhMY27xDZAFefRnvcM1sYHnhPAj46ZoEYVYh/nIc6kaZMR43WKtW/DuAYGASOAXsAdeL40Cng/z3LuIq9MaZSrsuHsDzbGEJu7026hyvge6pz2Sg+FJQbf2NYMoNEefl1yum5UUuvR5cWt/1+9hOod6JoH1Rng8wNT07Adb/weSDVwVQc/fQE=";
/// [`text`], brotli with the extension of large windows (28 bits).
const LARGE_BR: &str = "EVyAEQAQ1bb8GTUhr+1eKSAhISAASp3IrYSDGFLrA/Y1mQrJAo9VxXRgmkPFwMJTdekrwznln/t6Dtv2nrbt+ux5f/vZ6/vB7jN53fArmLAGQmvP1RW+ho+IAHQORq6NG7miEs+haMJHAWPWUlf20vJUIwwxh9aJupMMJTQWyHUjo6EGxnbPfrmBoJOSA+ydqoLWvYdbJD47ZS1A8x6vqQdKueZrAo4UXPTze0qAeSfZSmkWyblimnpopCun6QcSDdnklVFmUf+7tV96KN4KxbQgNCuo5QfKes9RgEuXA0vQoXWqHijlvSk7pDdDKS1OCAtI55qxxSu7rIIx/uUC";
/// [`ZEROS`] zero bytes, brotli with the largest window.
const ZEROS_BR: &str = "n///n/gnAOKxQCD3/hM=";
/// [`text`], zstd level 19, with a checksum.
const TEXT_ZSTD: &str = "KLUv/QRoPQYAIksaErCpA7wChJLkI6WUMqV0vBMcCOVurGamIukkT2HdZ/p7V2yxeDrHMvu0qhCVubF9ornU4WlUpTzvvFu5lVuimrneW+wZKs2bC8t1hTTTi0ijHmc+tzOz2rNEIEgOI0CIoATDEZRAMIgidqgRoPr+G3AvpDUQWEKYWw/k4Yn6WX0lB1kqkrccl78KYMeU//pbvkpUrYZsj3T6yjstQB3c9bW36qWPokDMfXnj8qmdNW4Y59v43/66NQrGfr/vepci1hrdVXP4As4=";
/// [`text`], zstd level 3, with a checksum, flushed after its first [`FLUSHED`] bytes, which are [`FLUSHED_ZSTD_AT`] bytes of this.
const FLUSHED_ZSTD: &str = "KLUv/QRYxAUAcgYSFKAlOQYPao+YraouipAiicUatloBZASEt7e1TSca817aF/WH9Fpn5YrXGi3xFWm/szNdrZPIJpyhzMIMChnBGDFDGTEAMgIBOSAwI6EFHhx2uOwgkshR8MzukIOX/zL7Qw6XDQKHGy8ziA415LKxTHiIIZeFZeJQYJSJlgSMitt/Fvg4tKDL9EE4HNggCAJjj7XXKAhtwA8HdhCHGJgP4iEFpg3i4cAOQhAZ+2HN2a38sjYMO20EADOECAKJXaXSwqoTp1WVGdXmlYui21SyI0qBdEtVpFhEZKSYNIA4IFAzo9ADhwQGSNiHlxnEHOaQG76lgI2EDhPnWyLmymXMFQ4FZploAViMMIsRxuLHtVhOhIcu8CWzJQpmEA4vOwgOP3Z5nLA59OCyeMJ62MHl8IQ9HBhkogmQoQBuyJUn2EFw2OPaQ3P4As4=";

/// Bytes of [`text`] before the flush.
pub(super) const FLUSHED: usize = 560;
/// Bytes of the br fixture before the flush.
pub(super) const FLUSHED_BR_AT: usize = 126;
/// Bytes of the zstd fixture before the flush.
pub(super) const FLUSHED_ZSTD_AT: usize = 193;
/// Bytes that a bomb decodes to.
pub(super) const ZEROS: usize = 10 * 1024 * 1024;

/// What most fixtures decode to.
pub(super) fn text() -> Vec<u8> {
    (0..40_u32)
        .flat_map(|line| {
            let (total, not) = (line * 7919 % 97, line * 31 % 17);
            format!("line {line} of {total} is not line {not}\n").into_bytes()
        })
        .collect()
}

/// Bytes without an end in sight, that repeat themselves from far back and are not worth storing.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let back = usize::try_from(state >> 14).unwrap();
        match bytes.len().checked_sub(back) {
            Some(from) if state & 0x100 == 0 => bytes.extend_from_within(from..from + back.min(40)),
            _ => bytes.extend(state.to_be_bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}

pub(super) fn text_br() -> Vec<u8> {
    BASE64_STANDARD.decode(TEXT_BR).unwrap()
}

pub(super) fn flushed_br() -> Vec<u8> {
    BASE64_STANDARD.decode(FLUSHED_BR).unwrap()
}

pub(super) fn large_br() -> Vec<u8> {
    BASE64_STANDARD.decode(LARGE_BR).unwrap()
}

pub(super) fn zeros_br() -> Vec<u8> {
    BASE64_STANDARD.decode(ZEROS_BR).unwrap()
}

pub(super) fn text_zstd() -> Vec<u8> {
    BASE64_STANDARD.decode(TEXT_ZSTD).unwrap()
}

pub(super) fn flushed_zstd() -> Vec<u8> {
    BASE64_STANDARD.decode(FLUSHED_ZSTD).unwrap()
}

/// A frame with a window of 128 KiB and blocks that repeat a zero byte.
pub(super) fn zeros_zstd() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    let blocks = ZEROS / (128 * 1024);
    for number in 1..=blocks {
        let is_last = u8::from(number == blocks);
        frame.extend([2 | is_last, 0, 0x10, 0]);
    }
    frame
}

pub(super) fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}
