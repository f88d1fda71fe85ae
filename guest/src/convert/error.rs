//! Why there is no response, and what was tried.

use urlpool_core::types as core;

use super::proxy::refusal;
use crate::bindings::exports::urlpool::client::types as wit;

/// What core answers.
pub(crate) type Outcome<T> = Result<T, core::Error>;

/// The error of a call that found its resource held by another.
pub(crate) fn in_use() -> core::Error {
    core::Error::Other("the response is in use by another call".into())
}

pub(crate) fn error(error: core::Error) -> wit::Error {
    let facts = match &error {
        core::Error::TooManyRedirects(facts) | core::Error::RetriesExhausted(facts)
            if error.failure().is_none() =>
        {
            Some(of_answered(facts))
        }
        other => other.failure().map(|facts| failure(other, facts)),
    };
    wit::Error {
        kind: kind(&error),
        message: error.message().to_owned(),
        failure: facts,
        history: history(error.history()),
    }
}

const fn kind(error: &core::Error) -> wit::ErrorKind {
    match error {
        core::Error::InvalidUrl(_) => wit::ErrorKind::InvalidUrl,
        core::Error::UnsupportedScheme(_) => wit::ErrorKind::UnsupportedScheme,
        core::Error::InvalidRequest(_) => wit::ErrorKind::InvalidRequest,
        core::Error::InvalidSettings(_) => wit::ErrorKind::InvalidSettings,
        core::Error::HostChanged(_) => wit::ErrorKind::HostChanged,
        core::Error::NameResolution(_) => wit::ErrorKind::NameResolution,
        core::Error::ConnectionFailed(_) => wit::ErrorKind::ConnectionFailed,
        core::Error::ConnectTimeout(_) => wit::ErrorKind::ConnectTimeout,
        core::Error::ReadTimeout(_) => wit::ErrorKind::ReadTimeout,
        core::Error::DeadlineExceeded(_) => wit::ErrorKind::DeadlineExceeded,
        core::Error::PoolTimeout(_) => wit::ErrorKind::PoolTimeout,
        core::Error::PoolClosed(_) => wit::ErrorKind::PoolClosed,
        core::Error::UnsupportedProxyScheme(_) => wit::ErrorKind::UnsupportedProxyScheme,
        core::Error::Proxy(_) => wit::ErrorKind::Proxy,
        core::Error::Tls(..) => wit::ErrorKind::Tls,
        core::Error::Protocol(_) => wit::ErrorKind::Protocol,
        core::Error::IncompleteBody { .. } => wit::ErrorKind::IncompleteBody,
        core::Error::InvalidChunk(_) => wit::ErrorKind::InvalidChunk,
        core::Error::Decode(_) => wit::ErrorKind::Decode,
        core::Error::BodyTooLarge(_) => wit::ErrorKind::BodyTooLarge,
        core::Error::TooManyRedirects(_) => wit::ErrorKind::TooManyRedirects,
        core::Error::RetriesExhausted(_) => wit::ErrorKind::RetriesExhausted,
        core::Error::BodyNotReplayable(_) => wit::ErrorKind::BodyNotReplayable,
        core::Error::Denied(_) => wit::ErrorKind::Denied,
        core::Error::Other(_) => wit::ErrorKind::Other,
    }
}

/// What only some kinds have.
const fn details(error: &core::Error) -> (Option<wit::TlsReason>, Option<wit::IncompleteBody>) {
    match error {
        core::Error::Tls(reason, _) => (Some(tls_reason(*reason)), None),
        core::Error::IncompleteBody {
            received, missing, ..
        } => {
            let incomplete = wit::IncompleteBody {
                received: *received,
                missing: *missing,
            };
            (None, Some(incomplete))
        }
        _ => (None, None),
    }
}

/// The facts of a request that used up its attempts though the last one was answered.
fn of_answered(exhausted: &core::Exhausted) -> wit::Failure {
    wit::Failure {
        method: exhausted.method.clone(),
        url: exhausted.url.clone(),
        phase: wit::Phase::AwaitHead,
        attempt: exhausted.attempts,
        reused: false,
        may_have_been_acted_on: true,
        tls: None,
        incomplete: None,
        refusal: None,
    }
}

pub(crate) fn history(entries: &[core::HistoryEntry]) -> Vec<wit::HistoryEntry> {
    let entry = |entry: &core::HistoryEntry| wit::HistoryEntry {
        method: entry.method.clone(),
        url: entry.url.clone(),
        status: entry.status,
        location: entry.location.clone(),
        error: entry.error.as_deref().and_then(failed_attempt),
    };
    entries.iter().map(entry).collect()
}

fn failed_attempt(error: &core::Error) -> Option<wit::FailedAttempt> {
    Some(wit::FailedAttempt {
        kind: kind(error),
        message: error.message().to_owned(),
        failure: failure(error, error.failure()?),
    })
}

const fn tls_reason(reason: core::TlsReason) -> wit::TlsReason {
    match reason {
        core::TlsReason::Certificate => wit::TlsReason::Certificate,
        core::TlsReason::Hostname => wit::TlsReason::Hostname,
        core::TlsReason::Fingerprint => wit::TlsReason::Fingerprint,
        core::TlsReason::Alert => wit::TlsReason::Alert,
        core::TlsReason::Protocol => wit::TlsReason::Protocol,
    }
}

fn failure(error: &core::Error, facts: &core::Failure) -> wit::Failure {
    let (tls, incomplete) = details(error);
    wit::Failure {
        method: facts.method.clone(),
        url: facts.url.clone(),
        phase: phase(facts.phase),
        attempt: facts.attempt,
        reused: facts.reused,
        may_have_been_acted_on: facts.may_have_been_acted_on,
        tls,
        incomplete,
        refusal: facts.refusal.as_deref().map(refusal),
    }
}

const fn phase(phase: core::Phase) -> wit::Phase {
    match phase {
        core::Phase::Backoff => wit::Phase::Backoff,
        core::Phase::Checkout => wit::Phase::Checkout,
        core::Phase::Resolve => wit::Phase::Resolve,
        core::Phase::Connect => wit::Phase::Connect,
        core::Phase::Tunnel => wit::Phase::Tunnel,
        core::Phase::Handshake => wit::Phase::Handshake,
        core::Phase::Send => wit::Phase::Send,
        core::Phase::AwaitHead => wit::Phase::AwaitHead,
        core::Phase::ReceiveBody => wit::Phase::ReceiveBody,
    }
}
