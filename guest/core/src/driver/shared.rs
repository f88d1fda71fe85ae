//! What everything under one manager shares: the network, the count of connections, the record of events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::Net;
use super::transport::WallClock;
use crate::types::Event;

pub(super) struct Shared<N> {
    pub(super) net: N,
    pub(super) wall_clock: WallClock,
    opened: Cell<u64>,
    events: RefCell<VecDeque<Event>>,
    capacity: usize,
}

impl<N: Net> Shared<N> {
    pub(super) fn new(net: N, capacity: usize) -> Self {
        Self {
            net,
            wall_clock: WallClock::default(),
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

    pub(super) fn take_events(&self) -> Vec<Event> {
        self.events.take().into()
    }
}
