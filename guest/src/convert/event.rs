//! What a manager did.

use urlpool_core::types as core;

use super::head::origin;
use super::retries::duration;
use super::tls::tls_version;
use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) fn event(event: core::Event) -> wit::Event {
    match event {
        core::Event::Resolved { host, addresses } => {
            wit::Event::Resolved(wit::Resolved { host, addresses })
        }
        core::Event::Connected { number, remote } => {
            wit::Event::Connected(wit::Connected { number, remote })
        }
        core::Event::Secured {
            number,
            version,
            suite,
            is_verified,
        } => {
            let version = tls_version(version);
            wit::Event::Secured(wit::Secured {
                number,
                version,
                suite,
                is_verified,
            })
        }
        core::Event::Tunnelled {
            number,
            origin: server,
        } => wit::Event::Tunnelled(wit::Tunnelled {
            number,
            origin: origin(&server),
        }),
        core::Event::CheckedOut { number } => wit::Event::CheckedOut(number),
        core::Event::Sent { number, head } => wit::Event::Sent(wit::MessageHead { number, head }),
        core::Event::Received { number, head } => {
            wit::Event::Received(wit::MessageHead { number, head })
        }
        core::Event::CheckedIn { number } => wit::Event::CheckedIn(number),
        core::Event::Closed { number, reason } => {
            wit::Event::Closed(wit::Closed { number, reason })
        }
        core::Event::Evicted { origin: evicted } => wit::Event::Evicted(origin(&evicted)),
        core::Event::Replayed { number } => wit::Event::Replayed(number),
        core::Event::Retried { delay } => wit::Event::Retried(duration(delay)),
        core::Event::Redirected { from, to } => wit::Event::Redirected(wit::Redirected {
            origin: from,
            target: to,
        }),
        core::Event::Warned(text) => wit::Event::Warned(text),
        core::Event::KeyLog(line) => wit::Event::KeyLog(line),
    }
}
