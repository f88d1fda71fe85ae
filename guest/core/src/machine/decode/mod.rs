//! Content decoding: compressed bytes in, as many decoded bytes out as were asked for.
//!
//! Nothing is inflated ahead. What is held is the input that was handed in, 16 KiB between two codings, and each coding's own state: 48 KiB
//! for gzip and deflate, twice the window for br (16 MiB at most, RFC 7932) and up to three times the window for zstd (8 MiB at most,
//! RFC 9659). Windows grow with what was decoded, whatever a header claims.
//!
//! Invariant: whatever the input, each call ends after a bounded amount of work, and either moves on or says what it waits for. Data that
//! ends early is an error, even where urllib3 hands out what there was.

mod brotli;
mod chain;
mod deflate;
#[cfg(test)]
mod fixtures;
mod gzip;
mod gzip_header;
#[cfg(test)]
mod tests;
mod undo;
mod zstd;
mod zstd_frame;

pub use chain::{DecodeError, Decoder, Pulled};
