//! What a manager did.

use std::time::Duration;

use urlpool_core::types::{Error, Event};

use super::super::wit;
use super::head::origin;
use super::tls::tls_version;

/// What the manager did.
///
/// # Errors
/// As for [`origin`].
pub(crate) fn events(events: Vec<wit::Event>) -> Result<Vec<Event>, Error> {
    events.into_iter().map(event).collect()
}

fn event(event: wit::Event) -> Result<Event, Error> {
    Ok(match event {
        wit::Event::Resolved(wit::Resolved { host, addresses }) => {
            Event::Resolved { host, addresses }
        }
        wit::Event::Connected(wit::Connected { number, remote }) => {
            Event::Connected { number, remote }
        }
        wit::Event::Secured(wit::Secured {
            number,
            version,
            suite,
            is_verified,
        }) => Event::Secured {
            number,
            version: tls_version(version),
            suite,
            is_verified,
        },
        wit::Event::Tunnelled(wit::Tunnelled {
            number,
            origin: server,
        }) => Event::Tunnelled {
            number,
            origin: origin(server)?,
        },
        wit::Event::CheckedOut(number) => Event::CheckedOut { number },
        wit::Event::Sent(wit::MessageHead { number, head }) => Event::Sent { number, head },
        wit::Event::Received(wit::MessageHead { number, head }) => Event::Received { number, head },
        wit::Event::CheckedIn(number) => Event::CheckedIn { number },
        wit::Event::Closed(wit::Closed { number, reason }) => Event::Closed { number, reason },
        wit::Event::Evicted(pool) => Event::Evicted {
            origin: origin(pool)?,
        },
        wit::Event::Replayed(number) => Event::Replayed { number },
        wit::Event::Retried(delay) => Event::Retried {
            delay: Duration::from_nanos(delay),
        },
        wit::Event::Redirected(wit::Redirected { origin, target }) => Event::Redirected {
            from: origin,
            to: target,
        },
        wit::Event::Warned(text) => Event::Warned(text),
        wit::Event::KeyLog(line) => Event::KeyLog(line),
    })
}
