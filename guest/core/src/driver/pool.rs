//! One pool: how its connections are made and shared out, and its counts.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::bounded::bounded;
use super::connection::{Connection, Lease, Slot};
use super::shared::Shared;
use super::transport::Config;
use super::{Net, connect};
use crate::machine::pool::{Dues, Grant, IfClosed, Key, Place, Ticket, Want};
use crate::policy::{Clocks, route};
use crate::types::{AttemptError, Cause, Error, Event, Expiry, Phase, Sent, TlsSettings};

pub(super) struct Pool<N: Net> {
    pub(super) key: Key,
    pub(super) shared: Rc<Shared<N>>,
    /// For TLS with the origin; `None` where it is spoken to without.
    pub(super) tls: Option<Config>,
    /// For TLS with the proxy.
    pub(super) proxy_tls: Option<Config>,
    pub(super) place: Place,
    pub(super) connections: Cell<u64>,
    pub(super) requests: Cell<u64>,
}

impl<N: Net> Pool<N> {
    pub(super) fn new(key: Key, shared: Rc<Shared<N>>) -> Result<Self, Error> {
        let profile = key.profile.get();
        let with = |settings: Option<Rc<TlsSettings>>| {
            let config = |settings| shared.outfit.config(&settings);
            settings.map(config).transpose()
        };
        let (tls, proxy_tls) = (
            with(route::tls_with_target(
                &key.route,
                &key.origin,
                &profile.tls,
            ))?,
            with(route::tls_with_proxy(&key.route, &profile.tls))?,
        );
        let place = shared.ledger.borrow_mut().add(profile);
        Ok(Self {
            tls,
            proxy_tls,
            place,
            key,
            shared,
            connections: Cell::new(0),
            requests: Cell::new(0),
        })
    }

    /// An idle connection that is still alive, or a new one. A replay asks for a new one at once: where one was dead, others may be.
    ///
    /// Where the request had to wait for its turn, the attempt's clock starts again after that.
    pub(super) async fn lease(
        self: &Rc<Self>,
        clocks: &mut Clocks,
        may_reuse: bool,
        if_closed: IfClosed,
    ) -> Result<Lease<N>, AttemptError> {
        let want = if may_reuse { Want::Any } else { Want::New };
        let (slot, mut idle) = self.turn(clocks, want, if_closed).await?;
        self.requests.set(self.requests.get() + 1);
        while let Some(mut connection) = idle {
            if !may_reuse {
                self.discard(connection, "its request needs a new one");
                break;
            }
            if connection.transport.is_quiet() {
                self.shared.tell(|| Event::CheckedOut {
                    number: connection.number,
                });
                return Ok(Lease::new(connection, slot));
            }
            self.discard(connection, "it was no longer alive");
            idle = self.exchange();
        }
        // Boxed because every request would otherwise hold room for this, and most find an idle connection.
        let connection = Box::pin(connect::open(slot.pool(), clocks)).await?;
        Ok(Lease::new(connection, slot))
    }

    /// Waits until this request may have a connection.
    async fn turn(
        self: &Rc<Self>,
        clocks: &mut Clocks,
        want: Want,
        if_closed: IfClosed,
    ) -> Result<(Slot<N>, Option<Connection<N>>), AttemptError> {
        let now = || self.shared.net.now();
        let checkout = self
            .shared
            .ledger
            .borrow_mut()
            .checkout(&self.place, want, if_closed, now);
        let (outcome, dues) = checkout;
        self.settle(dues);
        let grant = match outcome {
            Ok(grant) => grant,
            Err(ticket) => {
                let grant = self.wait(ticket, clocks).await?;
                *clocks = clocks.next_attempt(now());
                grant
            }
        };
        match grant {
            Grant::Connection(connection) => Ok((Slot::new(Rc::clone(self)), Some(connection))),
            Grant::Slot => Ok((Slot::new(Rc::clone(self)), None)),
            Grant::Closed => Err(without_connection(Cause::PoolClosed)),
        }
    }

    async fn wait(
        &self,
        ticket: Ticket,
        clocks: &Clocks,
    ) -> Result<Grant<Connection<N>>, AttemptError> {
        let waiting = Waiting { pool: self, ticket };
        let net = &self.shared.net;
        let bound = clocks.bound(Phase::Checkout, || net.now());
        let turn = poll_fn(|context| waiting.poll(context));
        let cause = match bounded(net, bound, turn).await {
            Ok(Some(grant)) => return Ok(grant),
            Ok(None) => Cause::NoSlotEver,
            Err(Expiry::Pool) => Cause::NoSlot,
            Err(expiry) => Cause::TimedOut(expiry),
        };
        Err(without_connection(cause))
    }

    /// Another idle connection for one that is closed.
    fn exchange(&self) -> Option<Connection<N>> {
        let now = self.shared.net.now();
        let exchange = self.shared.ledger.borrow_mut().exchange(&self.place, now);
        let (connection, dues) = exchange;
        self.settle(dues);
        connection
    }

    pub(super) fn checkin(&self, connection: Connection<N>) {
        let number = connection.number;
        let now = self.shared.net.now();
        let dues = self
            .shared
            .ledger
            .borrow_mut()
            .checkin(&self.place, connection, now);
        let is_kept = dues
            .closing
            .iter()
            .all(|(closing, _)| closing.number != number);
        if is_kept {
            self.shared.tell(|| Event::CheckedIn { number });
        }
        self.settle(dues);
    }

    /// Lets somebody else have a slot whose connection is closed or was never opened.
    pub(super) fn free(&self) {
        let dues = self.shared.ledger.borrow_mut().free(&self.place);
        self.settle(dues);
    }

    /// Closes a connection whose slot somebody still holds.
    pub(super) fn discard(&self, connection: Connection<N>, reason: &str) {
        self.shared.tell(|| Event::Closed {
            number: connection.number,
            reason: reason.to_owned(),
        });
    }

    /// Closes what is idle and keeps nothing from now on. Running exchanges and requests that wait go on.
    pub(super) fn retire(&self, reason: &'static str) {
        let dues = self.shared.ledger.borrow_mut().retire(&self.place, reason);
        self.settle(dues);
    }

    /// The same, and refuses requests that were or will be sent through the pool itself.
    pub(super) fn close(&self, reason: &'static str) {
        let dues = self.shared.ledger.borrow_mut().close(&self.place, reason);
        self.settle(dues);
    }

    pub(super) fn count_connection(&self) {
        self.connections.set(self.connections.get() + 1);
    }

    /// Whether it keeps connections.
    pub(super) fn is_open(&self) -> bool {
        self.shared.ledger.borrow().is_open(&self.place)
    }

    /// Does what a change of the ledger demands, after its cell is free again: closing and waking may call anything.
    fn settle(&self, dues: Dues<Connection<N>, Waker>) {
        let Dues { closing, waking } = dues;
        for (connection, reason) in closing {
            self.discard(connection, reason);
        }
        waking.into_iter().for_each(Waker::wake);
    }
}

impl<N: Net> Drop for Pool<N> {
    fn drop(&mut self) {
        let dues = self
            .shared
            .ledger
            .borrow_mut()
            .remove(&self.place, "its pool was let go");
        self.settle(dues);
    }
}

const fn without_connection(cause: Cause) -> AttemptError {
    AttemptError {
        phase: Phase::Checkout,
        sent: Sent::Nothing,
        reused: false,
        cause,
    }
}

/// A request that waits for its turn. Dropping it makes way for the next, also where its turn has come and it does not know yet.
struct Waiting<'a, N: Net> {
    pool: &'a Pool<N>,
    ticket: Ticket,
}

impl<N: Net> Waiting<'_, N> {
    /// What it is given; nothing where that can never be.
    fn poll(&self, context: &Context<'_>) -> Poll<Option<Grant<Connection<N>>>> {
        let Pool { shared, place, .. } = self.pool;
        let waker = context.waker().clone();
        let grant = shared.ledger.borrow_mut().fetch(place, self.ticket, waker);
        if grant.is_none() && !shared.net.stands_still() {
            return Poll::Pending;
        }
        Poll::Ready(grant)
    }
}

impl<N: Net> Drop for Waiting<'_, N> {
    fn drop(&mut self) {
        let Pool { shared, place, .. } = self.pool;
        let now = shared.net.now();
        let dues = shared.ledger.borrow_mut().cancel(place, self.ticket, now);
        self.pool.settle(dues);
    }
}
