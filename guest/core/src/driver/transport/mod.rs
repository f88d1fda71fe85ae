//! What a connection's bytes travel through: TCP, or TLS over it.

mod either;
mod tls;

pub(super) use either::Transport;
pub(super) use tls::{Config, Outfit, Tls};
