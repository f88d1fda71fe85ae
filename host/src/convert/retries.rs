//! Retries as they are asked for, and what is left of them.

use std::time::Duration;

use urlpool_core::types::{Budget, RetriedMethods, Retries};

use super::super::wit;

/// Nanoseconds; what is longer than they can count (584 years) is as long as they can.
pub(super) fn duration(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn retries(retries: Retries) -> wit::Retries {
    wit::Retries {
        total: retries.total.map(budget),
        connect: retries.connect.map(budget),
        read: retries.read.map(budget),
        redirect: retries.redirect.map(budget),
        status: retries.status.map(budget),
        other: retries.other.map(budget),
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

fn budget(budget: Budget) -> wit::Budget {
    match budget {
        Budget::Off => wit::Budget::Off,
        Budget::Unlimited => wit::Budget::Unlimited,
        Budget::AtMost(count) => wit::Budget::AtMost(count),
    }
}

/// What is left of a request's retries.
pub(crate) fn remaining(retries: wit::Retries) -> Retries {
    Retries {
        total: retries.total.map(budget_left),
        connect: retries.connect.map(budget_left),
        read: retries.read.map(budget_left),
        redirect: retries.redirect.map(budget_left),
        status: retries.status.map(budget_left),
        other: retries.other.map(budget_left),
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

fn budget_left(budget: wit::Budget) -> Budget {
    match budget {
        wit::Budget::Off => Budget::Off,
        wit::Budget::Unlimited => Budget::Unlimited,
        wit::Budget::AtMost(count) => Budget::AtMost(count),
    }
}
