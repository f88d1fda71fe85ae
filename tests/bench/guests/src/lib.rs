//! The least that a component can do to fetch something: what urlpool is measured against inside the same host.
//!
//! [`Wire`] is a TCP connection over WASI 0.2 sockets, `Session` in `bench-rustls` adds TLS, and [`run`] drives either of them through the
//! same loop. Nothing here pools, parses more of HTTP than the length of a body, or bounds a wait.

mod exchange;
mod wire;

pub use exchange::{Connections, Task, run, run_anew};
pub use wire::Wire;

/// Why a loop ended early.
pub type Error = Box<dyn std::error::Error>;

/// A connection that bytes go through.
pub trait Channel {
    /// Sends all of it, in one write where the connection takes it.
    ///
    /// # Errors
    /// Where the connection broke.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Hands over what has arrived, and waits for something where nothing has.
    ///
    /// # Errors
    /// Where the connection broke or ended.
    fn receive(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Error>;
}
