//! A connection, and the lease under which one request has it.

use std::future::poll_fn;
use std::rc::Rc;

use super::pool::Pool;
use super::transport::Transport;
use super::{ByteStream as _, IoError, Net};
use crate::machine::pool::Opened;
use crate::policy::route::Route;
use crate::types::{ConnectionInfo, Instant, TlsInfo};

/// An open connection to a first hop.
pub(super) struct Connection<N: Net> {
    pub(super) transport: Transport<N>,
    /// What TLS with the origin agreed on; `None` without TLS.
    pub(super) tls: Option<Rc<TlsInfo>>,
    /// The same for the proxy.
    pub(super) proxy_tls: Option<Rc<TlsInfo>>,
    pub(super) number: u64,
    pub(super) remote: String,
    pub(super) opened: Instant,
    /// What has arrived and nobody has taken yet.
    pub(super) inbox: Vec<u8>,
    /// Whether it has served an exchange already.
    pub(super) reused: bool,
}

impl<N: Net> Connection<N> {
    /// Adds what arrives next to the inbox; 0 means that the peer has finished.
    pub(super) async fn receive(&mut self, max: usize) -> Result<usize, IoError> {
        poll_fn(|context| self.transport.poll_read(context, max, &mut self.inbox)).await
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        ConnectionInfo {
            number: self.number,
            reused: self.reused,
            remote: self.remote.clone(),
            tls: self.tls.as_ref().map(|tls| tls.version),
            is_verified: self.tls.as_ref().is_some_and(|tls| tls.is_verified),
            proxy_is_verified: self.proxy_tls.as_ref().is_some_and(|tls| tls.is_verified),
        }
    }
}

impl<N: Net> Opened for Connection<N> {
    fn opened(&self) -> Instant {
        self.opened
    }
}

/// Leave to have one connection of a pool. Dropping it lets the next request have one instead.
pub(super) struct Slot<N: Net> {
    pool: Rc<Pool<N>>,
    is_given_up: bool,
}

impl<N: Net> Slot<N> {
    /// What the ledger has granted.
    pub(super) const fn new(pool: Rc<Pool<N>>) -> Self {
        Self {
            pool,
            is_given_up: false,
        }
    }

    pub(super) fn pool(&self) -> &Pool<N> {
        &self.pool
    }
}

impl<N: Net> Drop for Slot<N> {
    fn drop(&mut self) {
        if !self.is_given_up {
            self.pool.free();
        }
    }
}

/// A connection on loan from its pool. Dropping the lease closes it; only [`Lease::checkin`] gives it back.
pub(super) struct Lease<N: Net> {
    connection: Option<Connection<N>>,
    /// Dropped last: the slot is free once the connection is closed.
    slot: Slot<N>,
}

impl<N: Net> Lease<N> {
    pub(super) const fn new(connection: Connection<N>, slot: Slot<N>) -> Self {
        Self {
            connection: Some(connection),
            slot,
        }
    }

    pub(super) const fn connection(&mut self) -> &mut Connection<N> {
        self.connection
            .as_mut()
            .expect("only what ends the lease takes it, and that takes the lease too")
    }

    /// The way that the connection takes.
    pub(super) fn route(&self) -> &Route {
        &self.slot.pool().key.route
    }

    /// Ends the lease with a connection that can serve another exchange.
    pub(super) fn checkin(mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.reused = true;
            self.slot.is_given_up = true;
            self.slot.pool.checkin(connection);
        }
    }

    /// Ends the lease with one that cannot.
    pub(super) fn close(mut self, reason: &str) {
        self.end(reason);
    }

    fn end(&mut self, reason: &str) {
        if let Some(connection) = self.connection.take() {
            self.slot.pool.discard(connection, reason);
        }
    }
}

impl<N: Net> Drop for Lease<N> {
    fn drop(&mut self) {
        self.end("its exchange was given up");
    }
}
