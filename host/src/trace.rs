//! What `tracing` is told, with the target `urlpool`. Nothing here says more than errors and events do, which redact credentials.
//!
//! - `WARN`: what was denied (in `ledger`), and an instance that is thrown away.
//! - `DEBUG`: an instance that starts, each response, each request without one.
//! - `TRACE`: the component's own events, unless the manager's settings keep them for its user. It is asked for them once for each response,
//!   so whoever does not listen when an instance starts pays nothing.

use tracing::{Level, debug, enabled, trace, warn};
use urlpool_core::types::{Event, ResponseHead};

use crate::error::Error;

/// How many events are kept between two responses.
const KEPT: u32 = 256;

/// How many events an instance is to keep for us: none, where its user asks for some or nobody listens.
pub(crate) fn events(wanted: Option<u32>) -> Option<u32> {
    let is_ours = wanted.unwrap_or(0) == 0 && enabled!(target: "urlpool", Level::TRACE);
    is_ours.then_some(KEPT)
}

pub(crate) fn started(instance: u64) {
    debug!(target: "urlpool", instance, "instance started");
}

pub(crate) fn lost(instance: u64) {
    warn!(target: "urlpool", instance, "instance thrown away");
}

pub(crate) fn responded(instance: u64, method: &str, head: &ResponseHead) {
    debug!(
        target: "urlpool",
        instance,
        method,
        url = head.url,
        status = head.status,
        connection = head.connection.number,
        reused = head.connection.reused,
        "response"
    );
}

pub(crate) fn failed(instance: u64, method: &str, error: &Error) {
    let kind = error.client().map_or("sandbox", |error| error.kind());
    debug!(target: "urlpool", instance, method, kind, %error, "no response");
}

/// What happened in an instance, but for the secrets of connections.
pub(crate) fn happened(instance: u64, events: Vec<Event>) {
    for event in events {
        if !matches!(event, Event::KeyLog(_)) {
            trace!(target: "urlpool", instance, ?event);
        }
    }
}
