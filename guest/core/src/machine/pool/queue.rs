//! Who waits for a connection of one pool, in the order in which they came.

use std::collections::VecDeque;

/// A place in the order in which all requests of a manager began to wait.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub(super) u64);

/// What becomes of a request whose pool is closed by its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IfClosed {
    /// It is served all the same: it came through the manager, which has another pool for the next one.
    Serve,
    /// It is refused: it came through the pool itself.
    Refuse,
}

struct Waiter<W> {
    ticket: Ticket,
    if_closed: IfClosed,
    waker: Option<W>,
}

/// Those who wait, the first at the front. Tickets ascend.
pub(super) struct Queue<W>(VecDeque<Waiter<W>>);

impl<W> Queue<W> {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Adds the last one.
    pub(super) fn push(&mut self, ticket: Ticket, if_closed: IfClosed) {
        self.0.push_back(Waiter {
            ticket,
            if_closed,
            waker: None,
        });
    }

    /// Whose turn it is.
    pub(super) fn first(&self) -> Option<Ticket> {
        self.0.front().map(|waiter| waiter.ticket)
    }

    /// Takes out whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Ticket, Option<W>)> {
        self.0
            .pop_front()
            .map(|waiter| (waiter.ticket, waiter.waker))
    }

    /// How to wake somebody from now on.
    pub(super) fn set_waker(&mut self, ticket: Ticket, waker: W) {
        if let Some(waiter) = self.find(ticket).and_then(|at| self.0.get_mut(at)) {
            waiter.waker = Some(waker);
        }
    }

    /// Lets somebody go who no longer waits, and says whether it was there.
    pub(super) fn remove(&mut self, ticket: Ticket) -> bool {
        self.find(ticket).and_then(|at| self.0.remove(at)).is_some()
    }

    /// Takes out everybody whom a closed pool refuses.
    pub(super) fn take_refused(&mut self) -> Vec<(Ticket, Option<W>)> {
        let mut refused = Vec::new();
        for waiter in std::mem::take(&mut self.0) {
            match waiter.if_closed {
                IfClosed::Serve => self.0.push_back(waiter),
                IfClosed::Refuse => refused.push((waiter.ticket, waiter.waker)),
            }
        }
        refused
    }

    fn find(&self, ticket: Ticket) -> Option<usize> {
        self.0
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()
    }
}
