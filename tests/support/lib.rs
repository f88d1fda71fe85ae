//! What the suites need around the component: servers that remember, certificates, and ways to run commands.
//!
//! - [`Origin`] answers as a well-behaved HTTP/1.1 server does; [`Peer`] follows a script, however rude. Both listen on port 0 of the
//!   loopback, become a [`Server`], and record connections, bytes and who closed first.
//! - [`HttpProxy`] and [`SocksProxy`] open tunnels to the loopback, whatever name they are asked for, or do what a script says.
//! - [`nginx`] is a real server, for `make interop` and `make bench`.
//! - [`Authority`] makes certificates, good and bad.
//! - [`Program`] runs a native binary and [`Command`] a command component in this process; both give an [`Outcome`].
//!
//! Invariant: nothing sleeps to let something else happen. Every wait is for an event, and [`within`] bounds it.

mod authority;
mod command;
mod gate;
mod guard;
mod http_proxy;
mod ledger;
pub mod nginx;
mod origin;
mod outcome;
mod peer;
mod pipeline;
mod ports;
mod program;
mod reply;
mod request;
#[cfg(test)]
mod selftest;
#[cfg(test)]
mod selftest_proxies;
mod server;
mod socks;
mod socks_proxy;
mod tunnel;

pub use authority::{Authority, Identity, Tls};
pub use command::{Command, built, consumer, dist};
pub use gate::Gate;
pub use guard::{PATIENCE, fail, within, within_span};
pub use http_proxy::HttpProxy;
pub use ledger::{Connection, End};
pub use origin::Origin;
pub use outcome::Outcome;
pub use peer::{Peer, Step};
pub use pipeline::pipeline;
pub use ports::{DeafListener, RefusingPort, has_ipv6};
pub use program::Program;
pub use reply::Reply;
pub use request::Request;
pub use server::Server;
pub use socks::{SocksHost, SocksRequest};
pub use socks_proxy::SocksProxy;
pub use tunnel::Tunnel;
