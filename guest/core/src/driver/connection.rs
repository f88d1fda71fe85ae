//! A connection, and the lease under which one request has it.

use std::future::poll_fn;
use std::rc::Rc;

use super::pool::Pool;
use super::transport::Transport;
use super::{IoError, Net};
use crate::types::{ConnectionInfo, Event};

/// An open connection to a first hop.
pub(super) struct Connection<N: Net> {
    pub(super) transport: Transport<N>,
    pub(super) number: u64,
    pub(super) remote: String,
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
            tls: self.transport.tls_version(),
        }
    }
}

/// A connection on loan from its pool. Dropping the lease closes it; only [`Lease::checkin`] gives it back.
pub(super) struct Lease<N: Net> {
    connection: Option<Connection<N>>,
    pool: Rc<Pool<N>>,
}

impl<N: Net> Lease<N> {
    pub(super) const fn new(connection: Connection<N>, pool: Rc<Pool<N>>) -> Self {
        Self {
            connection: Some(connection),
            pool,
        }
    }

    pub(super) const fn connection(&mut self) -> &mut Connection<N> {
        self.connection
            .as_mut()
            .expect("only what ends the lease takes it, and that takes the lease too")
    }

    /// Ends the lease with a connection that can serve another exchange.
    pub(super) fn checkin(mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.reused = true;
            self.pool.checkin(connection);
        }
    }

    /// Ends the lease with one that cannot.
    pub(super) fn close(mut self, reason: &str) {
        self.end(reason);
    }

    fn end(&mut self, reason: &str) {
        if let Some(connection) = self.connection.take() {
            self.pool.shared.tell(|| Event::Closed {
                number: connection.number,
                reason: reason.to_owned(),
            });
        }
    }
}

impl<N: Net> Drop for Lease<N> {
    fn drop(&mut self) {
        self.end("its exchange was given up");
    }
}
