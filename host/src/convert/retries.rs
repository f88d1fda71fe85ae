//! Retries, as they are asked for and what is left of them: at both ends the same values go both ways.
//!
//! The component compiles this file too, whose `wit` is that of its exports.

use std::time::Duration;

use urlpool_core::types::{Budget, RetriedMethods, Retries};

use super::wit;

/// Nanoseconds; what is longer than they can count (584 years) is as long as they can.
pub(super) fn duration(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// In the contract's terms.
pub(crate) fn into_wit(retries: Retries) -> wit::Retries {
    wit::Retries {
        total: retries.total.map(budget_into_wit),
        connect: retries.connect.map(budget_into_wit),
        read: retries.read.map(budget_into_wit),
        redirect: retries.redirect.map(budget_into_wit),
        status: retries.status.map(budget_into_wit),
        other: retries.other.map(budget_into_wit),
        methods: retries.methods.map(|methods| match methods {
            RetriedMethods::Any => wit::RetriedMethods::Any,
            RetriedMethods::Only(names) => wit::RetriedMethods::Only(names),
        }),
        statuses: retries.statuses,
        backoff_factor: retries.backoff_factor.map(duration),
        backoff_max: retries.backoff_max.map(duration),
        backoff_jitter: retries.backoff_jitter.map(duration),
        raise_on_redirect: retries.raise_on_redirect,
        raise_on_status: retries.raise_on_status,
        respect_retry_after: retries.respect_retry_after,
        retry_after_max: retries.retry_after_max.map(duration),
        remove_headers_on_redirect: retries.remove_headers_on_redirect,
    }
}

fn budget_into_wit(budget: Budget) -> wit::Budget {
    match budget {
        Budget::Off => wit::Budget::Off,
        Budget::Unlimited => wit::Budget::Unlimited,
        Budget::AtMost(count) => wit::Budget::AtMost(count),
    }
}

/// In core's terms.
pub(crate) fn from_wit(retries: wit::Retries) -> Retries {
    Retries {
        total: retries.total.map(budget_from_wit),
        connect: retries.connect.map(budget_from_wit),
        read: retries.read.map(budget_from_wit),
        redirect: retries.redirect.map(budget_from_wit),
        status: retries.status.map(budget_from_wit),
        other: retries.other.map(budget_from_wit),
        methods: retries.methods.map(|methods| match methods {
            wit::RetriedMethods::Any => RetriedMethods::Any,
            wit::RetriedMethods::Only(names) => RetriedMethods::Only(names),
        }),
        statuses: retries.statuses,
        backoff_factor: retries.backoff_factor.map(Duration::from_nanos),
        backoff_max: retries.backoff_max.map(Duration::from_nanos),
        backoff_jitter: retries.backoff_jitter.map(Duration::from_nanos),
        raise_on_redirect: retries.raise_on_redirect,
        raise_on_status: retries.raise_on_status,
        respect_retry_after: retries.respect_retry_after,
        retry_after_max: retries.retry_after_max.map(Duration::from_nanos),
        remove_headers_on_redirect: retries.remove_headers_on_redirect,
    }
}

fn budget_from_wit(budget: wit::Budget) -> Budget {
    match budget {
        wit::Budget::Off => Budget::Off,
        wit::Budget::Unlimited => Budget::Unlimited,
        wit::Budget::AtMost(count) => Budget::AtMost(count),
    }
}
