//! The idle connections of one pool, the newest first.
//!
//! Last in, first out: the connection that was used last is the least likely to have been closed by its server (urllib3: `LifoQueue`).

use std::time::Duration;

use crate::types::Instant;

/// Idle connections and when each became idle, oldest first.
#[derive(Debug)]
pub struct Idle<C> {
    connections: Vec<(C, Instant)>,
    maxsize: usize,
    timeout: Option<Duration>,
    is_closed: bool,
}

/// What a checkout came to.
#[derive(Debug, Eq, PartialEq)]
pub struct Checkout<C> {
    /// The newest idle connection, if one is young enough.
    pub connection: Option<C>,
    /// Connections that were idle for too long; to be closed.
    pub expired: Vec<C>,
}

impl<C> Idle<C> {
    /// Keeps up to `maxsize` connections, each for `timeout` at most.
    #[must_use]
    pub const fn new(maxsize: usize, timeout: Option<Duration>) -> Self {
        Self {
            connections: Vec::new(),
            maxsize,
            timeout,
            is_closed: false,
        }
    }

    /// Takes the newest connection out, and all that are too old.
    pub fn checkout(&mut self, now: Instant) -> Checkout<C> {
        let expired = self.expire(now);
        Checkout {
            connection: self.connections.pop().map(|(connection, _)| connection),
            expired,
        }
    }

    /// Puts a connection back. Returns what must be closed: what is too old, and this one where there is no room.
    pub fn checkin(&mut self, connection: C, now: Instant) -> Vec<C> {
        let mut closing = self.expire(now);
        if self.is_closed || self.connections.len() >= self.maxsize {
            closing.push(connection);
        } else {
            self.connections.push((connection, now));
        }
        closing
    }

    /// Takes all connections out and accepts no more.
    pub fn close(&mut self) -> Vec<C> {
        self.is_closed = true;
        self.connections
            .drain(..)
            .map(|(connection, _)| connection)
            .collect()
    }

    /// Whether [`Idle::close`] was called.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// How many connections are idle.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn expire(&mut self, now: Instant) -> Vec<C> {
        let Some(timeout) = self.timeout else {
            return Vec::new();
        };
        let old = self
            .connections
            .iter()
            .take_while(|(_, since)| now.since(*since) >= timeout)
            .count();
        self.connections
            .drain(..old)
            .map(|(connection, _)| connection)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAXSIZE: usize = 3;
    const TIMEOUT: u64 = 10;

    #[derive(Clone, Debug)]
    enum Event {
        Open,
        Checkout,
        Checkin,
        Wait(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Open),
            Just(Event::Checkout),
            Just(Event::Checkin),
            (0..8_u64).prop_map(Event::Wait)
        ]
    }

    proptest! {
        /// Whatever the order of events: at most `maxsize` are idle, the newest goes first, none past its time is handed out, and each
        /// connection is idle, leased or closed, never two of these.
        #[test]
        fn agrees_with_a_list(events in prop::collection::vec(event(), 0..200)) {
            let mut pool = Idle::new(MAXSIZE, Some(Duration::from_nanos(TIMEOUT)));
            let (mut idle, mut leased, mut closed) = (Vec::<(u32, u64)>::new(), Vec::new(), Vec::new());
            let (mut opened, mut now) = (0, 0);
            for event in events {
                let at = Instant::from_nanos(now);
                match event {
                    Event::Wait(span) => now += span,
                    Event::Open => {
                        opened += 1;
                        leased.push(opened);
                    }
                    Event::Checkout => {
                        let Checkout { connection, expired } = pool.checkout(at);
                        closed.extend(expired);
                        idle.retain(|(_, since)| now - since < TIMEOUT);
                        prop_assert_eq!(connection, idle.pop().map(|(connection, _)| connection));
                        leased.extend(connection);
                    }
                    Event::Checkin => {
                        let Some(connection) = leased.pop() else { continue };
                        closed.extend(pool.checkin(connection, at));
                        idle.retain(|(_, since)| now - since < TIMEOUT);
                        if idle.len() < MAXSIZE {
                            idle.push((connection, now));
                        }
                    }
                }
                prop_assert_eq!(pool.len(), idle.len());
                let mut all: Vec<u32> = idle.iter().map(|(connection, _)| *connection).chain(leased.clone()).chain(closed.clone()).collect();
                all.sort_unstable();
                prop_assert_eq!(all, (1..=opened).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_closed_pool_keeps_nothing() {
        let mut pool = Idle::new(2, None);
        assert!(pool.checkin('a', Instant::default()).is_empty());
        assert_eq!(pool.close(), ['a']);
        assert_eq!(pool.checkin('b', Instant::default()), ['b']);
        assert!(pool.is_closed() && pool.is_empty());
    }

    #[test]
    fn without_a_timeout_nothing_expires() {
        let mut pool = Idle::new(1, None);
        pool.checkin('a', Instant::default());
        let late = Instant::from_nanos(u64::MAX);
        assert_eq!(
            pool.checkout(late),
            Checkout {
                connection: Some('a'),
                expired: vec![]
            }
        );
    }
}
