//! TLS over any stream of bytes: rustls driven without I/O of its own.

mod config;
mod error;
mod record;
mod session;

pub(in crate::driver) use config::{Config, WallClock, check_roots, client_config};
pub(in crate::driver) use session::Tls;
