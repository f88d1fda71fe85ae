//! Asynchronous code over one trait for the world outside: opening connections, exchanging messages, managing pools.
//!
//! One thread, no tasks of its own: a connection is driven by the request that uses it, and nothing runs between calls. No cell is borrowed
//! across an `await`.

mod bounded;
mod buffer;
mod connect;
mod connection;
mod connection_pool;
mod effort;
mod exchange;
mod incoming;
mod manager;
mod net;
mod pool;
mod push;
mod race;
mod reader;
mod request;
mod response;
mod shared;
mod transport;
mod trip;
mod tunnel;
mod upload;

pub use connection_pool::ConnectionPool;
pub use manager::Manager;
pub use net::{ByteStream, ConnectError, IoError, IoKind, Net, ResolveError, Sink};
pub use push::{Progress, Pushed, Pusher, pushed};
pub use response::Response;
pub use upload::{BodySource, Piece};
