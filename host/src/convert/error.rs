//! Why there is no response, and what was tried.

use urlpool_core::types::{Error, Exhausted, Failure, HistoryEntry, LastOutcome, Phase, TlsReason};

use super::super::wit;
use super::proxy::refusal;

/// Why there is no response, or no more of its body.
pub(crate) fn error(error: wit::Error) -> Error {
    let wit::Error {
        kind,
        message,
        failure,
        history: entries,
    } = error;
    match kind {
        wit::ErrorKind::InvalidUrl => Error::InvalidUrl(message),
        wit::ErrorKind::UnsupportedScheme => Error::UnsupportedScheme(message),
        wit::ErrorKind::UnsupportedProxyScheme => Error::UnsupportedProxyScheme(message),
        wit::ErrorKind::InvalidRequest => Error::InvalidRequest(message),
        wit::ErrorKind::InvalidSettings => Error::InvalidSettings(message),
        wit::ErrorKind::HostChanged => Error::HostChanged(message),
        wit::ErrorKind::Other => Error::Other(message),
        kind => match failure {
            Some(facts) if is_exhausted(kind) => exhausted(kind, message, facts, entries),
            Some(facts) => failed(kind, message, facts).after(&history(entries)),
            // The component itself leaves them out for no such kind.
            None => Error::Other(message),
        },
    }
}

fn is_exhausted(kind: wit::ErrorKind) -> bool {
    matches!(
        kind,
        wit::ErrorKind::TooManyRedirects | wit::ErrorKind::RetriesExhausted
    )
}

/// An attempt that failed.
fn failed(kind: wit::ErrorKind, message: String, facts: wit::Failure) -> Error {
    let (tls, incomplete) = (facts.tls, facts.incomplete);
    let failure = failure(message, facts);
    match kind {
        wit::ErrorKind::NameResolution => Error::NameResolution(failure),
        wit::ErrorKind::ConnectionFailed => Error::ConnectionFailed(failure),
        wit::ErrorKind::ConnectTimeout => Error::ConnectTimeout(failure),
        wit::ErrorKind::ReadTimeout => Error::ReadTimeout(failure),
        wit::ErrorKind::DeadlineExceeded => Error::DeadlineExceeded(failure),
        wit::ErrorKind::PoolTimeout => Error::PoolTimeout(failure),
        wit::ErrorKind::PoolClosed => Error::PoolClosed(failure),
        wit::ErrorKind::Proxy => Error::Proxy(failure),
        wit::ErrorKind::Tls => Error::Tls(tls.map_or(TlsReason::Protocol, tls_reason), failure),
        wit::ErrorKind::Protocol => Error::Protocol(failure),
        wit::ErrorKind::IncompleteBody => Error::IncompleteBody {
            received: incomplete.map_or(0, |body| body.received),
            missing: incomplete.and_then(|body| body.missing),
            failure,
        },
        wit::ErrorKind::InvalidChunk => Error::InvalidChunk(failure),
        wit::ErrorKind::Decode => Error::Decode(failure),
        wit::ErrorKind::BodyTooLarge => Error::BodyTooLarge(failure),
        wit::ErrorKind::BodyNotReplayable => Error::BodyNotReplayable(failure),
        wit::ErrorKind::Denied => Error::Denied(failure),
        wit::ErrorKind::InvalidUrl
        | wit::ErrorKind::UnsupportedScheme
        | wit::ErrorKind::UnsupportedProxyScheme
        | wit::ErrorKind::InvalidRequest
        | wit::ErrorKind::InvalidSettings
        | wit::ErrorKind::HostChanged
        | wit::ErrorKind::TooManyRedirects
        | wit::ErrorKind::RetriesExhausted
        | wit::ErrorKind::Other => Error::Other(failure.message),
    }
}

/// A request whose attempts are used up; the last of them is the last of its history.
fn exhausted(
    kind: wit::ErrorKind,
    message: String,
    facts: wit::Failure,
    entries: Vec<wit::HistoryEntry>,
) -> Error {
    let history = history(entries);
    let last = match history.last() {
        Some(HistoryEntry {
            error: Some(error), ..
        }) => LastOutcome::Failed(error.as_ref().clone()),
        Some(HistoryEntry {
            status: Some(status),
            ..
        }) => LastOutcome::Status(*status),
        _ => LastOutcome::Failed(Error::Other(message.clone())),
    };
    let exhausted = Box::new(Exhausted {
        message,
        method: facts.method,
        url: facts.url,
        attempts: facts.attempt,
        last,
        history,
    });
    if kind == wit::ErrorKind::TooManyRedirects {
        Error::TooManyRedirects(exhausted)
    } else {
        Error::RetriesExhausted(exhausted)
    }
}

/// What was tried before.
pub(crate) fn history(entries: Vec<wit::HistoryEntry>) -> Vec<HistoryEntry> {
    let entry = |entry: wit::HistoryEntry| HistoryEntry {
        method: entry.method,
        url: entry.url,
        status: entry.status,
        location: entry.location,
        error: entry
            .error
            .map(|attempt| Box::new(failed(attempt.kind, attempt.message, attempt.failure))),
    };
    entries.into_iter().map(entry).collect()
}

fn tls_reason(reason: wit::TlsReason) -> TlsReason {
    match reason {
        wit::TlsReason::Certificate => TlsReason::Certificate,
        wit::TlsReason::Hostname => TlsReason::Hostname,
        wit::TlsReason::Fingerprint => TlsReason::Fingerprint,
        wit::TlsReason::Alert => TlsReason::Alert,
        wit::TlsReason::Protocol => TlsReason::Protocol,
    }
}

fn failure(message: String, failure: wit::Failure) -> Box<Failure> {
    Box::new(Failure {
        message,
        method: failure.method,
        url: failure.url,
        phase: match failure.phase {
            wit::Phase::Backoff => Phase::Backoff,
            wit::Phase::Checkout => Phase::Checkout,
            wit::Phase::Resolve => Phase::Resolve,
            wit::Phase::Connect => Phase::Connect,
            wit::Phase::Tunnel => Phase::Tunnel,
            wit::Phase::Handshake => Phase::Handshake,
            wit::Phase::Send => Phase::Send,
            wit::Phase::AwaitHead => Phase::AwaitHead,
            wit::Phase::ReceiveBody => Phase::ReceiveBody,
        },
        attempt: failure.attempt,
        reused: failure.reused,
        may_have_been_acted_on: failure.may_have_been_acted_on,
        history: Default::default(),
        refusal: failure.refusal.and_then(refusal).map(Box::new),
    })
}
