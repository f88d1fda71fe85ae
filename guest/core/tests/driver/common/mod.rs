//! What the tests stand on.

mod clocks;
mod codings;
mod peers;
mod proxies;
mod tls;
mod together;
mod travel;
mod trust;
mod upload;
mod world;

pub(crate) use clocks::{MILLI, SECOND, after, connect, deadline, read, times_out, total};
pub(crate) use codings::{
    FRAMINGS, Framing, ZEROS, bombs, brotli, encoded, gzip, raw_deflate, zlib, zstd,
};
pub(crate) use peers::{CHUNKED, answer, chunked, dripping, ok, origin_of, slow, text};
pub(crate) use proxies::{
    GRANTED4, GRANTED5, METHOD, OPEN, PASSWORD, SOCKS, TestProxy, answering, granting, proxied,
    proxy, resolved, saying, target, through, trust, trusting, tunnelling, unverified,
};
pub(crate) use tls::{
    Authority, BARE, GOODBYE, HALF, KEY_UPDATE, NOW, Seen, TlsServer, self_signed,
};
pub(crate) use together::{Boxed, all, both, poll_once, within};
pub(crate) use travel::{
    DIAL, ask, delays, exhausted, found, get, growing, has_field, in_turn, leading, lines, listing,
    plain, retrying, to, too_many, with_headers, with_retries,
};
pub(crate) use trust::{reason, serving, warnings};
pub(crate) use upload::{
    Act, END, FORM, IN_CHUNKS, PART_END, POST, bytes, chunk, expecting, form, head, in_chunks,
    piece, plain_options, push, push_all, push_through, rewindable, streamed, whole, writes,
};
pub(crate) use world::{World, address};
