//! urlpool without a network: HTTP/1.1, pools, TLS and the policy that joins them, over one trait for the world outside.
//!
//! Four layers, a folder each; a module uses its own layer and those before it, never the reverse:
//!
//! - [`types`]: values that parse or do not exist.
//! - [`policy`]: pure decisions. Whether a connection is reused, what a redirect would do, how a body is framed.
//! - [`machine`]: state without I/O. The ledger of pools, the HTTP/1.1 codec.
//! - [`driver`]: asynchronous code over [`driver::Net`], the only seam to sockets, clocks and randomness.
//!
//! Invariant: no clock, socket, environment variable or global is touched here; whoever implements `Net` owns them.

pub mod driver;
pub mod machine;
pub mod policy;
#[cfg(feature = "sim")]
pub mod sim;
pub mod types;
