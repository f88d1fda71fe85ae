//! Which clock bounds a wait.
//!
//! Every wait of an attempt asks here, so none is left out: the smaller of its own timeout, the attempt's total and the request's deadline.

use std::time::Duration;

use crate::types::{Error, Expiry, Instant, Limit, Phase, Timeouts};

/// Configured durations with nothing left to inherit; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Spans {
    /// Waiting for a connection of the pool; zero means not to wait.
    pub pool: Option<Duration>,
    /// Name lookup, TCP and TLS together.
    pub connect: Option<Duration>,
    /// Each single wait for the peer.
    pub read: Option<Duration>,
    /// The same while the head of the response is waited for, where that is not `read`.
    pub head: Option<Duration>,
    /// One attempt up to the end of the response head.
    pub total: Option<Duration>,
    /// The whole request with its body.
    pub deadline: Option<Duration>,
}

impl Spans {
    /// These, replaced by whatever `timeouts` name.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where one of them is 0.
    pub fn overridden(self, timeouts: Timeouts) -> Result<Self, Error> {
        let pick = |name: &str, asked: Option<Limit>, inherited: Option<Duration>| match asked {
            None => Ok(inherited),
            Some(Limit::Unlimited) => Ok(None),
            Some(Limit::After(span)) if span.is_zero() => Err(Error::InvalidSettings(format!(
                "Attempted to set {name} timeout to 0, but the timeout cannot be set to a value less than or equal to 0."
            ))),
            Some(Limit::After(span)) => Ok(Some(span)),
        };
        Ok(Self {
            pool: self.pool,
            connect: pick("connect", timeouts.connect, self.connect)?,
            read: pick("read", timeouts.read, self.read)?,
            head: pick("head", timeouts.head, self.head)?,
            total: pick("total", timeouts.total, self.total)?,
            deadline: pick("deadline", timeouts.deadline, self.deadline)?,
        })
    }

    /// These, with `limit` for the wait for a connection if there is one.
    #[must_use]
    pub const fn with_pool_timeout(self, limit: Option<Limit>) -> Self {
        let pool = match limit {
            None => self.pool,
            Some(Limit::Unlimited) => None,
            Some(Limit::After(span)) => Some(span),
        };
        Self { pool, ..self }
    }

    /// Whether any wait is bounded by a clock that starts with the request or the attempt.
    #[must_use]
    pub const fn need_a_start(&self) -> bool {
        self.connect.is_some() || self.total.is_some() || self.deadline.is_some()
    }
}

/// When a wait ends at the latest, and by which clock.
pub type Bound = Option<(Instant, Expiry)>;

/// The clocks of a request that has started.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    spans: Spans,
    deadline: Option<Instant>,
    attempt: Instant,
}

impl Clocks {
    /// Starts the request's clock and its first attempt's.
    #[must_use]
    pub fn start(spans: Spans, now: Instant) -> Self {
        Self {
            spans,
            deadline: spans.deadline.map(|span| now.after(span)),
            attempt: now,
        }
    }

    /// Whether anything depends on when the request or the attempt started.
    #[must_use]
    pub const fn need_a_start(&self) -> bool {
        self.spans.need_a_start()
    }

    /// These with the spans of another pool, from an attempt on that starts now. The request's own clock goes on as it was started.
    #[must_use]
    pub const fn in_pool(self, spans: Spans, now: Instant) -> Self {
        Self {
            spans,
            attempt: now,
            ..self
        }
    }

    /// Starts another attempt's clock; the request's goes on.
    #[must_use]
    pub const fn next_attempt(self, now: Instant) -> Self {
        Self {
            attempt: now,
            ..self
        }
    }

    /// What bounds a wait in `phase` that begins now. `now` is read only where the answer depends on it.
    pub fn bound(&self, phase: Phase, now: impl FnOnce() -> Instant) -> Bound {
        let attempt = |span: Option<Duration>| span.map(|span| self.attempt.after(span));
        let (own, total) = match phase {
            // urllib3 starts its clock once it has a connection.
            Phase::Checkout => (Self::starts_now(self.spans.pool, Expiry::Pool, now), None),
            Phase::Resolve | Phase::Connect | Phase::Tunnel | Phase::Handshake => (
                attempt(self.spans.connect).map(|at| (at, Expiry::Connect)),
                attempt(self.spans.total),
            ),
            Phase::Send => (
                Self::starts_now(self.spans.read, Expiry::Read, now),
                attempt(self.spans.total),
            ),
            Phase::AwaitHead => (
                Self::starts_now(self.spans.head.or(self.spans.read), Expiry::Read, now),
                attempt(self.spans.total),
            ),
            Phase::ReceiveBody => (Self::starts_now(self.spans.read, Expiry::Read, now), None),
            Phase::Backoff => (None, None),
        };
        let total = total.map(|at| (at, Expiry::Total));
        [own, total, self.deadline()]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// What bounds a wait for the caller within an attempt.
    #[must_use]
    pub fn of_caller(&self) -> Bound {
        let total = self.spans.total.map(|span| self.attempt.after(span));
        let total = total.map(|at| (at, Expiry::Total));
        [total, self.deadline()]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// What bounds a wait that is none of the peer's.
    #[must_use]
    pub fn deadline(&self) -> Bound {
        self.deadline.map(|at| (at, Expiry::Deadline))
    }

    fn starts_now(span: Option<Duration>, expiry: Expiry, now: impl FnOnce() -> Instant) -> Bound {
        span.map(|span| (now().after(span), expiry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn at(count: u64) -> Instant {
        Instant::default().after(seconds(count))
    }

    #[test]
    fn the_wait_for_the_head_may_have_a_time_of_its_own() {
        for (read, head, in_head, in_body) in [
            (None, None, None, None),
            (Some(3), None, Some(3), Some(3)),
            (Some(3), Some(9), Some(9), Some(3)),
            (None, Some(9), Some(9), None),
        ] {
            let spans = Spans {
                read: read.map(seconds),
                head: head.map(seconds),
                ..Spans::default()
            };
            let clocks = Clocks::start(spans, at(0));
            let bound = |phase| clocks.bound(phase, || at(1)).map(|(end, _)| end);
            let from_now = |span: Option<u64>| span.map(|span| at(1 + span));
            assert_eq!(
                bound(Phase::AwaitHead),
                from_now(in_head),
                "{read:?} {head:?}"
            );
            assert_eq!(
                bound(Phase::ReceiveBody),
                from_now(in_body),
                "{read:?} {head:?}"
            );
        }
    }

    #[test]
    fn the_smallest_clock_bounds_a_wait() {
        let spans = |connect: u64, read: u64, total: u64, deadline: u64| {
            let span = |count| (count > 0).then(|| seconds(count));
            Spans {
                connect: span(connect),
                read: span(read),
                total: span(total),
                deadline: span(deadline),
                ..Spans::default()
            }
        };
        for (case, spans, phase, now, expected) in [
            ("nothing set", spans(0, 0, 0, 0), Phase::AwaitHead, 0, None),
            (
                "connect",
                spans(3, 9, 0, 0),
                Phase::Connect,
                1,
                Some((3, Expiry::Connect)),
            ),
            (
                "lookup is connecting",
                spans(3, 9, 0, 0),
                Phase::Resolve,
                1,
                Some((3, Expiry::Connect)),
            ),
            (
                "handshake is connecting",
                spans(3, 9, 0, 0),
                Phase::Handshake,
                1,
                Some((3, Expiry::Connect)),
            ),
            (
                "connect does not bound reading",
                spans(3, 0, 0, 0),
                Phase::AwaitHead,
                5,
                None,
            ),
            (
                "read counts from the wait",
                spans(3, 9, 0, 0),
                Phase::AwaitHead,
                5,
                Some((14, Expiry::Read)),
            ),
            (
                "sending is bounded like reading",
                spans(0, 9, 0, 0),
                Phase::Send,
                5,
                Some((14, Expiry::Read)),
            ),
            (
                "total cuts read short",
                spans(0, 9, 10, 0),
                Phase::AwaitHead,
                5,
                Some((10, Expiry::Total)),
            ),
            (
                "total cuts connect short",
                spans(9, 0, 2, 0),
                Phase::Connect,
                0,
                Some((2, Expiry::Total)),
            ),
            (
                "total ends with the head",
                spans(0, 9, 10, 0),
                Phase::ReceiveBody,
                5,
                Some((14, Expiry::Read)),
            ),
            (
                "the deadline bounds the body",
                spans(0, 9, 0, 10),
                Phase::ReceiveBody,
                5,
                Some((10, Expiry::Deadline)),
            ),
            (
                "the deadline bounds lookup",
                spans(0, 0, 0, 2),
                Phase::Resolve,
                0,
                Some((2, Expiry::Deadline)),
            ),
            (
                "waiting for a connection counts from the wait",
                spans(1, 1, 1, 0).with_pool_timeout(Some(Limit::After(seconds(4)))),
                Phase::Checkout,
                5,
                Some((9, Expiry::Pool)),
            ),
            (
                "total does not bound waiting for a connection",
                spans(1, 1, 1, 0),
                Phase::Checkout,
                5,
                None,
            ),
            (
                "the deadline bounds waiting for a connection",
                spans(0, 0, 0, 6).with_pool_timeout(Some(Limit::After(seconds(4)))),
                Phase::Checkout,
                5,
                Some((6, Expiry::Deadline)),
            ),
        ] {
            let clocks = Clocks::start(spans, at(0));
            let expected = expected.map(|(count, expiry)| (at(count), expiry));
            assert_eq!(clocks.bound(phase, || at(now)), expected, "{case}");
        }
    }

    #[test]
    fn another_attempt_restarts_all_but_the_deadline() {
        let spans = Spans {
            total: Some(seconds(5)),
            deadline: Some(seconds(20)),
            ..Spans::default()
        };
        let clocks = Clocks::start(spans, at(0)).next_attempt(at(10));
        assert_eq!(
            clocks.bound(Phase::AwaitHead, Instant::default),
            Some((at(15), Expiry::Total))
        );
        let clocks = clocks.next_attempt(at(18));
        assert_eq!(
            clocks.bound(Phase::AwaitHead, Instant::default),
            Some((at(20), Expiry::Deadline))
        );
    }

    #[test]
    fn zero_is_refused_and_unlimited_overrides() {
        let asked = |limit| Timeouts {
            read: Some(limit),
            ..Timeouts::default()
        };
        let base = Spans {
            read: Some(seconds(1)),
            ..Spans::default()
        };
        assert_eq!(base.overridden(asked(Limit::Unlimited)).unwrap().read, None);
        assert_eq!(
            base.overridden(asked(Limit::After(seconds(2))))
                .unwrap()
                .read,
            Some(seconds(2))
        );
        assert_eq!(
            base.overridden(Timeouts::default()).unwrap().read,
            Some(seconds(1))
        );
        assert_eq!(
            base.overridden(asked(Limit::After(seconds(0))))
                .unwrap_err()
                .kind(),
            "invalid-settings"
        );
    }
}
