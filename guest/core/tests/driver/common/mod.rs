//! What the tests stand on.

mod clocks;
mod peers;
mod tls;
mod together;
mod world;

pub(crate) use clocks::{MILLI, SECOND, after, connect, deadline, read, times_out, total};
pub(crate) use peers::{chunked, ok, origin_of, text};
pub(crate) use tls::{Authority, BARE, GOODBYE, HALF, KEY_UPDATE, NOW, Seen, TlsServer};
pub(crate) use together::{both, within};
pub(crate) use world::{World, address};
