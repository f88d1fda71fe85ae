//! Retries as a caller asks for them, and what is left of them.

use std::time::Duration;

use urlpool_core::types as core;

use crate::bindings::exports::urlpool::client::types as wit;

pub(super) fn retries(retries: wit::Retries) -> core::Retries {
    core::Retries {
        total: retries.total.map(budget),
        connect: retries.connect.map(budget),
        read: retries.read.map(budget),
        redirect: retries.redirect.map(budget),
        status: retries.status.map(budget),
        other: retries.other.map(budget),
        methods: retries.methods.map(|methods| match methods {
            wit::RetriedMethods::Any => core::RetriedMethods::Any,
            wit::RetriedMethods::Only(names) => core::RetriedMethods::Only(names),
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

const fn budget(budget: wit::Budget) -> core::Budget {
    match budget {
        wit::Budget::Off => core::Budget::Off,
        wit::Budget::Unlimited => core::Budget::Unlimited,
        wit::Budget::AtMost(count) => core::Budget::AtMost(count),
    }
}

pub(crate) fn remaining(retries: core::Retries) -> wit::Retries {
    wit::Retries {
        total: retries.total.map(budget_left),
        connect: retries.connect.map(budget_left),
        read: retries.read.map(budget_left),
        redirect: retries.redirect.map(budget_left),
        status: retries.status.map(budget_left),
        other: retries.other.map(budget_left),
        methods: retries.methods.map(|methods| match methods {
            core::RetriedMethods::Any => wit::RetriedMethods::Any,
            core::RetriedMethods::Only(names) => wit::RetriedMethods::Only(names),
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

const fn budget_left(budget: core::Budget) -> wit::Budget {
    match budget {
        core::Budget::Off => wit::Budget::Off,
        core::Budget::Unlimited => wit::Budget::Unlimited,
        core::Budget::AtMost(count) => wit::Budget::AtMost(count),
    }
}

/// Nanoseconds; what is longer than they can count (584 years) is as long as they can.
pub(super) fn duration(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
