//! Asynchronous code over one trait for the world outside: opening connections, exchanging messages, managing pools.
//!
//! One thread, no tasks of its own: a connection is driven by the request that uses it, and nothing runs between calls. No cell is borrowed
//! across an `await`.

mod bounded;
mod connect;
mod connection;
mod exchange;
mod manager;
mod net;
mod pool;
mod response;
mod shared;
mod transport;

pub use manager::Manager;
pub use net::{ByteStream, ConnectError, IoError, IoKind, Net, ResolveError, Sink};
pub use pool::ConnectionPool;
pub use response::Response;
