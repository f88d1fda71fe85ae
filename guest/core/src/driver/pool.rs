//! One pool: its idle connections, how more are made, and its counts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::connection::{Connection, Lease};
use super::shared::Shared;
use super::transport::{Config, client_config};
use super::{Net, connect};
use crate::machine::pool::{Checkout, Idle, Key};
use crate::policy::Clocks;
use crate::types::{AttemptError, Error, Event, Origin, Scheme};

pub(super) struct Pool<N: Net> {
    pub(super) key: Key,
    pub(super) shared: Rc<Shared<N>>,
    /// `None` for plain HTTP.
    pub(super) tls: Option<Config>,
    idle: RefCell<Idle<Connection<N>>>,
    connections: Cell<u64>,
    requests: Cell<u64>,
}

impl<N: Net> Pool<N> {
    pub(super) fn new(key: Key, shared: Rc<Shared<N>>) -> Result<Self, Error> {
        let profile = key.profile.get();
        let tls = match key.origin.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(client_config(profile.roots.as_deref(), &shared.wall_clock)?),
        };
        let maxsize = usize::try_from(profile.maxsize).unwrap_or(usize::MAX);
        let idle = RefCell::new(Idle::new(maxsize, profile.idle_timeout));
        Ok(Self {
            tls,
            idle,
            key,
            shared,
            connections: Cell::new(0),
            requests: Cell::new(0),
        })
    }

    /// An idle connection that is still alive, or a new one. A replay asks for a new one at once: where one was dead, others may be.
    pub(super) async fn lease(
        self: &Rc<Self>,
        clocks: &Clocks,
        may_reuse: bool,
    ) -> Result<Lease<N>, AttemptError> {
        self.requests.set(self.requests.get() + 1);
        while may_reuse && let Some(mut connection) = self.checkout() {
            if connection.transport.is_quiet() {
                self.shared.tell(|| Event::CheckedOut {
                    number: connection.number,
                });
                return Ok(Lease::new(connection, Rc::clone(self)));
            }
            self.close_all([connection], "it was no longer alive");
        }
        let connection = connect::open(self, clocks).await?;
        Ok(Lease::new(connection, Rc::clone(self)))
    }

    fn checkout(&self) -> Option<Connection<N>> {
        if self.idle.borrow().is_empty() {
            return None;
        }
        let Checkout {
            connection,
            expired,
        } = self.idle.borrow_mut().checkout(self.shared.net.now());
        self.close_all(expired, "it was idle for too long");
        connection
    }

    pub(super) fn checkin(&self, connection: Connection<N>) {
        let number = connection.number;
        let closing = self
            .idle
            .borrow_mut()
            .checkin(connection, self.shared.net.now());
        if closing.iter().all(|closing| closing.number != number) {
            self.shared.tell(|| Event::CheckedIn { number });
        }
        self.close_all(closing, "its pool keeps no more connections");
    }

    /// Closes what is idle and keeps nothing from now on. Running exchanges finish.
    pub(super) fn close(&self, reason: &str) {
        let connections = self.idle.borrow_mut().close();
        self.close_all(connections, reason);
    }

    pub(super) fn count_connection(&self) {
        self.connections.set(self.connections.get() + 1);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.idle.borrow().is_closed()
    }

    fn close_all(&self, connections: impl IntoIterator<Item = Connection<N>>, reason: &str) {
        for connection in connections {
            self.shared.tell(|| Event::Closed {
                number: connection.number,
                reason: reason.to_owned(),
            });
        }
    }
}

impl<N: Net> Drop for Pool<N> {
    fn drop(&mut self) {
        self.close("its pool was let go");
    }
}

/// A caller's hold on a pool (urllib3: `HTTPConnectionPool`).
pub struct ConnectionPool<N: Net>(pub(super) Rc<Pool<N>>);

impl<N: Net> ConnectionPool<N> {
    /// What the pool is for.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.key.origin
    }

    /// How many connections it has opened so far.
    #[must_use]
    pub fn num_connections(&self) -> u64 {
        self.0.connections.get()
    }

    /// How many requests it has sent so far.
    #[must_use]
    pub fn num_requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// How many of its connections are idle.
    #[must_use]
    pub fn num_idle(&self) -> usize {
        self.0.idle.borrow().len()
    }

    /// Closes what is idle and accepts no connection back.
    pub fn close(&self) {
        self.0.close("its pool was closed");
    }
}
