//! Whether a request is tried again after a failure or a response, and what is left of its budgets (urllib3: `Retry.increment`, `is_retry`).
//!
//! Where to go instead is `redirect`'s to say, how long to wait `backoff`'s, and what may be replayed for nothing `replay`'s.

use std::rc::Rc;
use std::time::Duration;

use super::backoff::{Backoff, retry_after};
use super::replay;
use crate::types::{
    AttemptError, Budget, Cause, Expiry, Headers, HistoryEntry, Method, Phase, RetriedMethods,
    Retries, Sent,
};

/// urllib3's `Retry.DEFAULT`, and how often a request is tried again where nobody says otherwise.
const DEFAULT_TOTAL: u32 = 3;
/// urllib3's `DEFAULT_BACKOFF_MAX`.
const DEFAULT_BACKOFF_MAX: Duration = Duration::from_secs(120);
/// urllib3's `DEFAULT_RETRY_AFTER_MAX`: six hours.
const DEFAULT_RETRY_AFTER_MAX: Duration = Duration::from_secs(6 * 3600);
/// urllib3's `DEFAULT_REMOVE_HEADERS_ON_REDIRECT`.
const DEFAULT_REMOVED: [&str; 3] = ["cookie", "authorization", "proxy-authorization"];
/// Statuses that are tried again if they say when (urllib3: `RETRY_AFTER_STATUS_CODES`).
const RETRY_AFTER_STATUSES: [u16; 3] = [413, 429, 503];

/// How many attempts are remembered. Without limits of the caller's there may be any number of them, and memory has an end.
const MAX_HISTORY: usize = 1000;

/// [`Retries`] with nothing left to inherit.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RetryRules {
    budgets: Budgets,
    methods: RetriedMethods,
    statuses: Vec<u16>,
    backoff: Backoff,
    /// Whether a redirect too many is an error.
    pub raise_on_redirect: bool,
    raise_on_status: bool,
    respect_retry_after: bool,
    retry_after_max: Duration,
    /// Names of fields that stay within their origin.
    pub removed_on_redirect: Vec<String>,
}

/// What is left of each budget; `total` counts with every other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Budgets {
    total: Budget,
    connect: Budget,
    read: Budget,
    redirect: Budget,
    status: Budget,
    other: Budget,
}

impl Default for RetryRules {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
        Self {
            budgets: Budgets {
                total: Budget::AtMost(DEFAULT_TOTAL),
                connect: Budget::Unlimited,
                read: Budget::Unlimited,
                redirect: Budget::Unlimited,
                status: Budget::Unlimited,
                other: Budget::Unlimited,
            },
            methods: RetriedMethods::Only(owned(&replay::IDEMPOTENT)),
            statuses: Vec::new(),
            backoff: Backoff {
                factor: Duration::ZERO,
                max: DEFAULT_BACKOFF_MAX,
                jitter: Duration::ZERO,
            },
            raise_on_redirect: true,
            raise_on_status: true,
            respect_retry_after: true,
            retry_after_max: DEFAULT_RETRY_AFTER_MAX,
            removed_on_redirect: owned(&DEFAULT_REMOVED),
        }
    }
}

impl RetryRules {
    /// These, replaced by whatever `retries` name.
    #[must_use]
    pub fn overridden(&self, retries: Retries) -> Self {
        let (budgets, backoff) = (self.budgets, self.backoff);
        Self {
            budgets: Budgets {
                total: retries.total.unwrap_or(budgets.total),
                connect: retries.connect.unwrap_or(budgets.connect),
                read: retries.read.unwrap_or(budgets.read),
                redirect: retries.redirect.unwrap_or(budgets.redirect),
                status: retries.status.unwrap_or(budgets.status),
                other: retries.other.unwrap_or(budgets.other),
            },
            methods: retries.methods.unwrap_or_else(|| self.methods.clone()),
            statuses: retries.statuses.unwrap_or_else(|| self.statuses.clone()),
            backoff: Backoff {
                factor: retries.backoff_factor.unwrap_or(backoff.factor),
                max: retries.backoff_max.unwrap_or(backoff.max),
                jitter: retries.backoff_jitter.unwrap_or(backoff.jitter),
            },
            raise_on_redirect: retries.raise_on_redirect.unwrap_or(self.raise_on_redirect),
            raise_on_status: retries.raise_on_status.unwrap_or(self.raise_on_status),
            respect_retry_after: retries
                .respect_retry_after
                .unwrap_or(self.respect_retry_after),
            retry_after_max: retries.retry_after_max.unwrap_or(self.retry_after_max),
            removed_on_redirect: retries
                .remove_headers_on_redirect
                .unwrap_or_else(|| self.removed_on_redirect.clone()),
        }
    }

    fn may_repeat(&self, method: &Method) -> bool {
        match &self.methods {
            RetriedMethods::Any => true,
            RetriedMethods::Only(names) => names.iter().any(|name| method.is(name)),
        }
    }
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Hand out what it came to, as it is.
    HandOut,
    /// Try again; after how long is [`Retry::delay`]'s to say.
    Again,
    /// The budget is spent, and that is an error.
    Exhausted,
}

/// The budgets of one request as its attempts spend them, and its history.
#[derive(Clone, Debug)]
pub struct Retry {
    rules: Rc<RetryRules>,
    left: Budgets,
    history: Vec<HistoryEntry>,
}

impl Retry {
    /// All of the budgets.
    #[must_use]
    pub fn new(rules: Rc<RetryRules>) -> Self {
        Self {
            left: rules.budgets,
            rules,
            history: Vec::new(),
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &RetryRules {
        &self.rules
    }

    /// Goes on by other rules, those of the pool that a redirect leads to. What is left of the budgets stays what it is.
    pub fn go_by(&mut self, rules: Rc<RetryRules>) {
        self.rules = rules;
    }

    /// What has been tried, oldest first; the last 1000 attempts, where there were more.
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }

    /// What is left, as settings that another request could be sent with (urllib3: `response.retries`).
    #[must_use]
    pub fn remaining(&self) -> Retries {
        let rules = &self.rules;
        Retries {
            total: Some(self.left.total),
            connect: Some(self.left.connect),
            read: Some(self.left.read),
            redirect: Some(self.left.redirect),
            status: Some(self.left.status),
            other: Some(self.left.other),
            methods: Some(rules.methods.clone()),
            statuses: Some(rules.statuses.clone()),
            backoff_factor: Some(rules.backoff.factor),
            backoff_max: Some(rules.backoff.max),
            backoff_jitter: Some(rules.backoff.jitter),
            raise_on_redirect: Some(rules.raise_on_redirect),
            raise_on_status: Some(rules.raise_on_status),
            respect_retry_after: Some(rules.respect_retry_after),
            retry_after_max: Some(rules.retry_after_max),
            remove_headers_on_redirect: Some(rules.removed_on_redirect.clone()),
        }
    }

    /// Decides after a failed attempt. `record` is what the history keeps of it, made only where it is needed.
    ///
    /// A request that the peer may have acted on is repeated only where its method allows; urllib3 asks that of broken connections but not of
    /// TLS that broke.
    pub fn after_failure(
        &mut self,
        failed: &AttemptError,
        method: &Method,
        record: impl FnOnce() -> HistoryEntry,
    ) -> Verdict {
        let may_be_acted_on = failed.sent == Sent::Something;
        let Some(pick) = pick(&failed.cause, failed.phase) else {
            return Verdict::HandOut;
        };
        if self.left.total == Budget::Off
            || *pick(&mut self.left) == Budget::Off
            || (may_be_acted_on && !self.rules.may_repeat(method))
        {
            return Verdict::HandOut;
        }
        self.spend(pick, true, record)
    }

    /// Decides after a response that is no redirect.
    pub fn after_response(
        &mut self,
        status: u16,
        headers: &Headers,
        method: &Method,
        record: impl FnOnce() -> HistoryEntry,
    ) -> Verdict {
        let is_listed = self.rules.statuses.contains(&status);
        let asks = || {
            self.rules.respect_retry_after
                && matches!(self.left.total, Budget::AtMost(1..))
                && RETRY_AFTER_STATUSES.contains(&status)
                && headers.has("retry-after")
        };
        let is_off = self.left.total == Budget::Off || self.left.status == Budget::Off;
        if !(is_listed || asks()) || is_off || !self.rules.may_repeat(method) {
            return Verdict::HandOut;
        }
        let is_error = self.rules.raise_on_status;
        self.spend(|left| &mut left.status, is_error, record)
    }

    /// Decides whether a redirect may be followed.
    pub fn after_redirect(&mut self, record: impl FnOnce() -> HistoryEntry) -> Verdict {
        if self.left.total == Budget::Off || self.left.redirect == Budget::Off {
            return Verdict::HandOut;
        }
        let is_error = self.rules.raise_on_redirect;
        self.spend(|left| &mut left.redirect, is_error, record)
    }

    /// How long to wait before the next attempt: as long as the response asks, else the backoff, which a redirect does not have.
    ///
    /// `random` is called where there is jitter, `wall_clock` where there is a date.
    #[must_use]
    pub fn delay(
        &self,
        response: Option<&Headers>,
        wall_clock: impl FnOnce() -> Duration,
        random: impl FnOnce() -> u32,
    ) -> Duration {
        let asked = response
            .filter(|_| self.rules.respect_retry_after)
            .and_then(|headers| headers.first("retry-after"))
            .and_then(|value| retry_after(value, wall_clock, self.rules.retry_after_max))
            .filter(|delay| !delay.is_zero());
        asked.unwrap_or_else(|| {
            let in_a_row = self.history.iter().rev();
            let failures = in_a_row
                .take_while(|entry| entry.location.is_none())
                .count();
            let backoff = &self.rules.backoff;
            let has_jitter = !backoff.jitter.is_zero() && failures > 1;
            backoff.delay(failures, if has_jitter { random() } else { 0 })
        })
    }

    /// Takes one off the picked budget and one off the total. `is_error` says what it means that there is none left.
    fn spend(
        &mut self,
        pick: Pick,
        is_error: bool,
        record: impl FnOnce() -> HistoryEntry,
    ) -> Verdict {
        let mut left = self.left;
        let is_left = take(pick(&mut left)) & take(&mut left.total);
        if !is_left && !is_error {
            return Verdict::HandOut;
        }
        self.left = left;
        if self.history.len() >= MAX_HISTORY {
            self.history.remove(0);
        }
        self.history.push(record());
        if is_left {
            Verdict::Again
        } else {
            Verdict::Exhausted
        }
    }
}

/// Takes one off; whether there was one.
const fn take(budget: &mut Budget) -> bool {
    match budget {
        Budget::Unlimited => true,
        Budget::Off | Budget::AtMost(0) => false,
        Budget::AtMost(left) => {
            *left -= 1;
            true
        }
    }
}

type Pick = fn(&mut Budgets) -> &mut Budget;

/// Which budget a failure is taken from; `None` where another attempt could change nothing or would come too late.
fn pick(cause: &Cause, phase: Phase) -> Option<Pick> {
    match cause {
        Cause::Denied(_)
        | Cause::NoSlot
        | Cause::NoSlotEver
        | Cause::PoolClosed
        | Cause::TimedOut(Expiry::Deadline | Expiry::Pool)
        | Cause::TooLarge { .. }
        | Cause::Unfollowable(_)
        | Cause::BadBody(_)
        | Cause::Undecodable { .. }
        | Cause::TooManyCodings(_)
        | Cause::NotText
        | Cause::SinkFailed(_) => None,
        // What comes before the proxy has anything to say counts as it would without one; the rest is urllib3's "other".
        Cause::Proxy { cause, .. } => match **cause {
            Cause::Denied(_)
            | Cause::TimedOut(_)
            | Cause::Unresolved(_)
            | Cause::NotConnected(_) => pick(cause, phase),
            _ => Some(|left| &mut left.other),
        },
        Cause::Unresolved(_) | Cause::NotConnected(_) => Some(|left| &mut left.connect),
        Cause::TimedOut(_) if phase < Phase::Send => Some(|left| &mut left.connect),
        Cause::Tls(..) | Cause::OuterTls(..) | Cause::Refused(_) | Cause::Socks(_) => {
            Some(|left| &mut left.other)
        }
        Cause::TimedOut(_)
        | Cause::ClosedUnanswered(_)
        | Cause::Broken(_)
        | Cause::Malformed(_)
        | Cause::MalformedChunk(_)
        | Cause::Incomplete { .. } => Some(|left| &mut left.read),
    }
}

#[cfg(test)]
mod tests;
