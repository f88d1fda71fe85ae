//! The idle connections of one pool, the newest first.
//!
//! Last in, first out: the connection that was used last is the least likely to have been closed by its server (urllib3: `LifoQueue`).

use std::time::Duration;

use crate::types::Instant;

/// Why a connection is closed, in words.
pub(super) type Reason = &'static str;

const IDLE_TOO_LONG: Reason = "it was idle for too long";
pub(super) const OPEN_TOO_LONG: Reason = "it was open for too long";

/// Something that was opened at some time.
pub trait Opened {
    /// When that was.
    fn opened(&self) -> Instant;
}

/// Idle connections and when each became idle, oldest first.
#[derive(Debug)]
pub(super) struct Idle<C> {
    connections: Vec<(C, Instant)>,
    timeout: Option<Duration>,
    lifetime: Option<Duration>,
}

impl<C: Opened> Idle<C> {
    /// Keeps each connection for `timeout` after it became idle, and for `lifetime` after it was opened.
    pub(super) const fn new(timeout: Option<Duration>, lifetime: Option<Duration>) -> Self {
        Self {
            connections: Vec::new(),
            timeout,
            lifetime,
        }
    }

    /// Whether a connection is too old to be kept.
    pub(super) fn has_outlived(&self, connection: &C, now: Instant) -> bool {
        self.lifetime
            .is_some_and(|lifetime| now.since(connection.opened()) >= lifetime)
    }

    /// Adds the newest.
    pub(super) fn push(&mut self, connection: C, now: Instant) {
        self.connections.push((connection, now));
    }

    /// Takes the newest out.
    pub(super) fn pop(&mut self) -> Option<C> {
        self.connections.pop().map(|(connection, _)| connection)
    }

    /// Takes the oldest out.
    pub(super) fn pop_oldest(&mut self) -> Option<C> {
        (!self.connections.is_empty()).then(|| self.connections.remove(0).0)
    }

    /// Since when the oldest has been idle.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.connections.first().map(|(_, since)| *since)
    }

    /// Takes out what is too old, and says how many that were.
    pub(super) fn expire(&mut self, now: Instant, closing: &mut Vec<(C, Reason)>) -> usize {
        let before = self.connections.len();
        if let Some(timeout) = self.timeout {
            let is_over = |(_, since): &&(C, Instant)| now.since(*since) >= timeout;
            let old = self.connections.iter().take_while(is_over).count();
            let expired = self.connections.drain(..old);
            closing.extend(expired.map(|(connection, _)| (connection, IDLE_TOO_LONG)));
        }
        if let Some(lifetime) = self.lifetime {
            let is_over =
                |(connection, _): &mut (C, Instant)| now.since(connection.opened()) >= lifetime;
            let outlived = self.connections.extract_if(.., is_over);
            closing.extend(outlived.map(|(connection, _)| (connection, OPEN_TOO_LONG)));
        }
        before - self.connections.len()
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMEOUT: u64 = 10;
    const LIFETIME: u64 = 25;

    impl Opened for (u32, u64) {
        fn opened(&self) -> Instant {
            Instant::from_nanos(self.1)
        }
    }

    #[derive(Clone, Debug)]
    enum Event {
        Push(u64),
        Pop,
        PopOldest,
        Wait(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0..30_u64).prop_map(Event::Push),
            Just(Event::Pop),
            Just(Event::PopOldest),
            (0..8_u64).prop_map(Event::Wait)
        ]
    }

    proptest! {
        /// Whatever the order of events and whichever of its limits are set: what is too old goes, of the rest the newest or the oldest as asked.
        #[test]
        fn agrees_with_a_list(has_timeout: bool, has_lifetime: bool, events in prop::collection::vec(event(), 0..200)) {
            let span = |is_set: bool, span| is_set.then(|| Duration::from_nanos(span));
            let mut idle = Idle::new(span(has_timeout, TIMEOUT), span(has_lifetime, LIFETIME));
            let mut list = Vec::<((u32, u64), u64)>::new();
            let mut now = 100;
            for (number, event) in (1..).zip(events) {
                if let Event::Wait(span) = event {
                    now += span;
                    continue;
                }
                let mut closing = Vec::new();
                let count = idle.expire(Instant::from_nanos(now), &mut closing);
                let is_old = |((_, opened), since): &((u32, u64), u64)| {
                    (has_timeout && now - since >= TIMEOUT) || (has_lifetime && now - opened >= LIFETIME)
                };
                let mut expected: Vec<_> = list.extract_if(.., |entry| is_old(&*entry)).map(|(connection, _)| connection).collect();
                expected.sort_unstable();
                let mut closed: Vec<_> = closing.into_iter().map(|(connection, _)| connection).collect();
                closed.sort_unstable();
                prop_assert_eq!(count, closed.len());
                prop_assert_eq!(closed, expected);
                match event {
                    Event::Push(age) => {
                        idle.push((number, now - age), Instant::from_nanos(now));
                        list.push(((number, now - age), now));
                    }
                    Event::Pop => prop_assert_eq!(idle.pop(), list.pop().map(|(connection, _)| connection)),
                    _ => {
                        prop_assert_eq!(idle.oldest(), list.first().map(|(_, since)| Instant::from_nanos(*since)));
                        let oldest = (!list.is_empty()).then(|| list.remove(0).0);
                        prop_assert_eq!(idle.pop_oldest(), oldest);
                    }
                }
                prop_assert_eq!((idle.len(), idle.is_empty()), (list.len(), list.is_empty()));
            }
        }
    }

    #[test]
    fn each_limit_has_its_reason() {
        let mut idle = Idle::new(
            Some(Duration::from_nanos(10)),
            Some(Duration::from_nanos(20)),
        );
        idle.push((1, 0), Instant::from_nanos(0));
        idle.push((2, 0), Instant::from_nanos(15));
        let mut closing = Vec::new();
        assert_eq!(idle.expire(Instant::from_nanos(19), &mut closing), 1);
        assert_eq!(idle.expire(Instant::from_nanos(20), &mut closing), 1);
        assert_eq!(closing, [((1, 0), IDLE_TOO_LONG), ((2, 0), OPEN_TOO_LONG)]);
    }
}
