//! What everything under one manager shares: the network, the table of hosts, the ledger and the count of connections, the record of events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

use super::Net;
use super::connection::Connection;
use super::transport::Outfit;
use crate::machine::pool::Ledger;
use crate::types::{Event, Hosts};

pub(super) struct Shared<N: Net> {
    pub(super) net: N,
    pub(super) hosts: Hosts,
    pub(super) outfit: Outfit,
    pub(super) ledger: RefCell<Ledger<Connection<N>, Waker>>,
    opened: Cell<u64>,
    events: RefCell<VecDeque<Event>>,
    capacity: usize,
}

impl<N: Net> Shared<N> {
    /// Keeps up to `capacity` events, and up to `cap` connections open at once.
    pub(super) fn new(net: N, hosts: Hosts, capacity: usize, cap: Option<usize>) -> Self {
        Self {
            net,
            hosts,
            outfit: Outfit::new(),
            ledger: RefCell::new(Ledger::new(cap)),
            opened: Cell::new(0),
            events: RefCell::default(),
            capacity,
        }
    }

    /// The number of a connection that is being opened.
    pub(super) fn next_number(&self) -> u64 {
        self.opened.set(self.opened.get() + 1);
        self.opened.get()
    }

    /// Records what happened, if anyone will ask. The oldest event makes room.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.capacity == 0 {
            return;
        }
        let mut events = self.events.borrow_mut();
        if events.len() >= self.capacity {
            events.pop_front();
        }
        events.push_back(event());
    }

    /// Bytes that nobody can foretell.
    pub(super) fn random<const COUNT: usize>(&self) -> [u8; COUNT] {
        let mut bytes = [0; COUNT];
        self.net.random(&mut bytes);
        bytes
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        self.events.take().into()
    }
}
