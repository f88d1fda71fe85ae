//! TLS over any stream of bytes: rustls driven without I/O of its own.

mod config;
mod decrypt;
mod der;
mod error;
mod fingerprint;
mod hex;
mod key;
mod pem;
mod record;
mod roots;
mod session;
mod verify;

pub(in crate::driver) use config::{Config, Outfit};
pub(in crate::driver) use session::Tls;
