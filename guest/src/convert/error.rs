//! Why there is no response, and what was tried.

use urlpool_core::types as core;

use crate::bindings::exports::urlpool::client::types as wit;

/// What core answers.
pub(crate) type Outcome<T> = Result<T, core::Error>;

/// The error of a call that found its resource held by another.
pub(crate) fn in_use() -> core::Error {
    core::Error::Other("the response is in use by another call".into())
}

/// The error of a call that takes what was taken before.
pub(crate) fn taken() -> core::Error {
    core::Error::InvalidRequest("the response was taken before".into())
}

/// The error of a request that waits for a connection which only its caller could set free.
pub(crate) fn stuck() -> core::Error {
    core::Error::PoolTimeout(Box::new(core::Failure {
        message: "Pool is empty and a new connection can't be opened due to blocking mode: all of its connections belong to responses that are not read to their end".into(),
        method: String::new(),
        url: String::new(),
        phase: core::Phase::Checkout,
        attempt: 1,
        reused: false,
        may_have_been_acted_on: false,
        history: Vec::new(),
    }))
}

pub(crate) fn error(error: core::Error) -> wit::Error {
    let (kind, message) = (kind(&error), error.message().to_owned());
    let (tls, incomplete) = details(&error);
    let history = history(error.history());
    let facts = match error {
        core::Error::TooManyRedirects(facts) | core::Error::RetriesExhausted(facts) => {
            Some(of_exhausted(*facts))
        }
        other => into_failure(other),
    };
    wit::Error {
        kind,
        message,
        failure: facts.map(|facts| failure(facts, tls, incomplete)),
        history,
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

/// The facts of an attempt that failed.
fn into_failure(error: core::Error) -> Option<core::Failure> {
    match error {
        core::Error::InvalidUrl(_)
        | core::Error::UnsupportedScheme(_)
        | core::Error::InvalidRequest(_)
        | core::Error::InvalidSettings(_)
        | core::Error::HostChanged(_)
        | core::Error::TooManyRedirects(_)
        | core::Error::RetriesExhausted(_)
        | core::Error::Other(_) => None,
        core::Error::NameResolution(facts)
        | core::Error::ConnectionFailed(facts)
        | core::Error::ConnectTimeout(facts)
        | core::Error::ReadTimeout(facts)
        | core::Error::DeadlineExceeded(facts)
        | core::Error::PoolTimeout(facts)
        | core::Error::PoolClosed(facts)
        | core::Error::Tls(_, facts)
        | core::Error::Protocol(facts)
        | core::Error::IncompleteBody { failure: facts, .. }
        | core::Error::InvalidChunk(facts)
        | core::Error::Decode(facts)
        | core::Error::BodyTooLarge(facts)
        | core::Error::BodyNotReplayable(facts)
        | core::Error::Denied(facts) => Some(*facts),
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

/// The facts of a request that used up its attempts: those of the last one.
fn of_exhausted(exhausted: core::Exhausted) -> core::Failure {
    let last = match &exhausted.last {
        core::LastOutcome::Failed(error) => error.failure().cloned(),
        core::LastOutcome::Status(_) => None,
    };
    last.unwrap_or(core::Failure {
        message: exhausted.message,
        method: exhausted.method,
        url: exhausted.url,
        phase: core::Phase::AwaitHead,
        attempt: exhausted.attempts,
        reused: false,
        may_have_been_acted_on: true,
        history: Vec::new(),
    })
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
    let (tls, incomplete) = details(error);
    let facts = into_failure(error.clone())?;
    Some(wit::FailedAttempt {
        kind: kind(error),
        message: error.message().to_owned(),
        failure: failure(facts, tls, incomplete),
    })
}

const fn tls_reason(reason: core::TlsReason) -> wit::TlsReason {
    match reason {
        core::TlsReason::Certificate => wit::TlsReason::Certificate,
        core::TlsReason::Hostname => wit::TlsReason::Hostname,
        core::TlsReason::Alert => wit::TlsReason::Alert,
        core::TlsReason::Protocol => wit::TlsReason::Protocol,
    }
}

fn failure(
    failure: core::Failure,
    tls: Option<wit::TlsReason>,
    incomplete: Option<wit::IncompleteBody>,
) -> wit::Failure {
    let core::Failure {
        message: _,
        method,
        url,
        phase: at,
        attempt,
        reused,
        may_have_been_acted_on,
        history: _,
    } = failure;
    wit::Failure {
        method,
        url,
        phase: phase(at),
        attempt,
        reused,
        may_have_been_acted_on,
        tls,
        incomplete,
    }
}

const fn phase(phase: core::Phase) -> wit::Phase {
    match phase {
        core::Phase::Backoff => wit::Phase::Backoff,
        core::Phase::Checkout => wit::Phase::Checkout,
        core::Phase::Resolve => wit::Phase::Resolve,
        core::Phase::Connect => wit::Phase::Connect,
        core::Phase::Handshake => wit::Phase::Handshake,
        core::Phase::Send => wit::Phase::Send,
        core::Phase::AwaitHead => wit::Phase::AwaitHead,
        core::Phase::ReceiveBody => wit::Phase::ReceiveBody,
    }
}
