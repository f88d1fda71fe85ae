//! What a caller is told about a failed attempt: the case that it can act on, in urllib3's words where it has them.

use super::route::{ProxyKind, Route};
use crate::types::{
    AttemptError, Cause, Error, Exhausted, Expiry, Failure, HistoryEntry, Host, LastOutcome,
    Method, Phase, Refusal, Sent, TlsInfo, TlsReason, Url,
};

/// Turns the facts of an attempt into the caller's error.
#[must_use]
pub fn tell(failed: AttemptError, method: &Method, url: &Url, attempt: u32) -> Error {
    let AttemptError {
        phase,
        sent,
        reused,
        cause,
    } = failed;
    let message = message(&cause, phase, url.origin().host().as_str());
    let failure = Box::new(Failure {
        message,
        method: method.to_string(),
        url: url.as_str().to_owned(),
        phase,
        attempt,
        reused,
        may_have_been_acted_on: sent == Sent::Something,
        history: Default::default(),
        refusal: refusal(&cause),
    });
    match cause {
        Cause::Proxy { cause, .. } => match *cause {
            Cause::Denied(_) => Error::Denied(failure),
            Cause::TimedOut(Expiry::Deadline) => Error::DeadlineExceeded(failure),
            Cause::TimedOut(_) => Error::ConnectTimeout(failure),
            _ => Error::Proxy(failure),
        },
        Cause::Refused(_) | Cause::Socks(_) => Error::Proxy(failure),
        Cause::Unresolved(_) => Error::NameResolution(failure),
        Cause::NotConnected(_) => Error::ConnectionFailed(failure),
        Cause::Denied(_) => Error::Denied(failure),
        Cause::ClosedUnanswered(_)
        | Cause::Broken(_)
        | Cause::Malformed(_)
        | Cause::Unfollowable(_) => Error::Protocol(failure),
        Cause::NoSlot | Cause::NoSlotEver | Cause::TimedOut(Expiry::Pool) => {
            Error::PoolTimeout(failure)
        }
        Cause::PoolClosed => Error::PoolClosed(failure),
        Cause::TimedOut(Expiry::Deadline) => Error::DeadlineExceeded(failure),
        Cause::TimedOut(_) if phase < Phase::Send => Error::ConnectTimeout(failure),
        Cause::TimedOut(_) => Error::ReadTimeout(failure),
        Cause::Tls(reason, _) | Cause::OuterTls(reason, _) => Error::Tls(reason, failure),
        Cause::MalformedChunk(_) => Error::InvalidChunk(failure),
        Cause::Incomplete { received, missing } => Error::IncompleteBody {
            received,
            missing,
            failure,
        },
        Cause::TooLarge { .. } => Error::BodyTooLarge(failure),
        Cause::BadBody(why) => Error::InvalidRequest(why),
        Cause::Undecodable { .. } | Cause::TooManyCodings(_) | Cause::NotText => {
            Error::Decode(failure)
        }
        Cause::SinkFailed(_) => Error::Other(failure.message),
    }
}

/// The error of a request through a pool that is for another host, in urllib3's words (`HostChangedError`).
#[must_use]
pub fn host_changed(url: &Url) -> Error {
    Error::HostChanged(format!(
        "Tried to open a foreign host with url: {}",
        url.as_str()
    ))
}

/// The error of a request whose body would have to be sent again after `last`, and cannot be (urllib3: `UnrewindableBodyError`).
#[must_use]
pub fn not_replayable(
    last: &LastOutcome,
    sent: Sent,
    method: &Method,
    url: &Url,
    attempt: u32,
) -> Error {
    let reason = match last {
        LastOutcome::Failed(error) => quoted(error),
        LastOutcome::Status(status) => format!("a response with status {status}"),
    };
    let failure = Box::new(Failure {
        message: format!(
            "The body would have to be sent again, but it was streamed and cannot be (Caused by {reason})"
        ),
        method: method.to_string(),
        url: url.as_str().to_owned(),
        phase: Phase::Send,
        attempt,
        reused: false,
        may_have_been_acted_on: sent == Sent::Something,
        history: Default::default(),
        refusal: None,
    });
    Error::BodyNotReplayable(failure)
}

/// What people are told where TLS was agreed on with a server that did not prove who it is, in urllib3's words (`InsecureRequestWarning`).
#[must_use]
pub fn unverified(host: &Host, tls: Option<&TlsInfo>) -> Option<String> {
    let is_unverified = tls.is_some_and(|tls| !tls.is_verified);
    is_unverified.then(|| {
        format!(
            "Unverified HTTPS request is being made to host '{host}'. Adding certificate verification is strongly advised.",
            host = host.as_str()
        )
    })
}

/// The error of a request that has used up its attempts, in urllib3's words (`MaxRetryError`).
#[must_use]
pub fn exhausted(
    last: LastOutcome,
    method: &Method,
    url: &Url,
    attempts: u32,
    history: Vec<HistoryEntry>,
) -> Error {
    let is_redirect = history.last().is_some_and(|entry| entry.location.is_some());
    let reason = match &last {
        LastOutcome::Failed(error) => quoted(error),
        LastOutcome::Status(_) if is_redirect => "ResponseError('too many redirects')".into(),
        LastOutcome::Status(status) => {
            format!("ResponseError('too many {status} error responses')")
        }
    };
    let exhausted = Box::new(Exhausted {
        message: format!(
            "Max retries exceeded with url: {} (Caused by {reason})",
            url.target()
        ),
        method: method.to_string(),
        url: url.as_str().to_owned(),
        attempts,
        last,
        history,
    });
    if is_redirect {
        Error::TooManyRedirects(exhausted)
    } else {
        Error::RetriesExhausted(exhausted)
    }
}

/// A failure as urllib3 quotes it.
fn quoted(error: &Error) -> String {
    format!("{}({:?})", class(error), error.message())
}

/// What urllib3 calls a failure that is retried.
const fn class(error: &Error) -> &'static str {
    match error {
        Error::NameResolution(_) => "NameResolutionError",
        Error::ConnectionFailed(_) => "NewConnectionError",
        Error::ConnectTimeout(_) => "ConnectTimeoutError",
        Error::ReadTimeout(_) => "ReadTimeoutError",
        Error::Tls(..) => "SSLError",
        Error::Proxy(_) => "ProxyError",
        _ => "ProtocolError",
    }
}

/// A failure before the proxy of a route had opened a connection: the proxy's, and not the server's.
#[must_use]
pub fn on_the_way(failed: AttemptError, route: &Route) -> AttemptError {
    let Some(proxy) = route.proxy() else {
        return failed;
    };
    AttemptError {
        cause: Cause::Proxy {
            host: proxy.host.as_str().to_owned(),
            is_secure: proxy.kind == ProxyKind::Https,
            cause: Box::new(failed.cause),
        },
        ..failed
    }
}

/// A failure after that. All TLS with a proxy is the proxy's: with one that forwards, also its alert that comes when TLS 1.3 is agreed on for us,
/// and with one that is asked for tunnels the outer layer of the two.
#[must_use]
pub fn in_exchange(failed: AttemptError, route: &Route) -> AttemptError {
    match (route, &failed.cause) {
        (_, Cause::OuterTls(..)) | (Route::Forward(_), Cause::Tls(..)) => on_the_way(failed, route),
        _ => failed,
    }
}

/// What a proxy said that refused a tunnel.
fn refusal(cause: &Cause) -> Option<Box<Refusal>> {
    match cause {
        Cause::Proxy { cause, .. } => refusal(cause),
        Cause::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    }
}

/// How the message of a TLS failure begins where what came is no TLS at all. It is OpenSSL's, and urllib3 knows the case by it as well.
pub const NOT_TLS: &str = "wrong version number";

/// What people are told who speak TLS to a proxy that does not, in urllib3's words.
const ONLY_PLAIN: &str =
    ". Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP";

fn message(cause: &Cause, phase: Phase, host: &str) -> String {
    match cause {
        Cause::Proxy {
            host,
            is_secure,
            cause,
        } => {
            let is_plain = *is_secure
                && phase == Phase::Handshake
                && matches!(&**cause, Cause::Tls(TlsReason::Protocol, why) if why.starts_with(NOT_TLS));
            let hint = if is_plain { ONLY_PLAIN } else { "" };
            let why = message(cause, phase, host);
            format!("Unable to connect to proxy: {why}{hint}")
        }
        Cause::Refused(refusal) => refusal.to_string(),
        Cause::Socks(why) => why.clone(),
        Cause::NoSlot | Cause::TimedOut(Expiry::Pool) => {
            "Pool is empty and a new connection can't be opened due to blocking mode.".into()
        }
        Cause::NoSlotEver => {
            "Pool is empty and a new connection can't be opened due to blocking mode: all of its connections belong to responses that are not read to their end, or to requests whose bodies are not pushed to theirs".into()
        }
        Cause::PoolClosed => "Pool is closed.".into(),
        Cause::Unresolved(why) => format!("Failed to resolve '{host}' ({why})"),
        Cause::NotConnected(why) => format!("Failed to establish a new connection: {why}"),
        Cause::Denied(what) => format!("The host of this component does not allow it: {what}"),
        Cause::Broken(why) if phase == Phase::ReceiveBody => format!("Connection broken: {why}"),
        Cause::ClosedUnanswered(why) | Cause::Broken(why) | Cause::Malformed(why) => {
            format!("Connection aborted. {why}")
        }
        Cause::TimedOut(expiry) => timed_out(*expiry, phase, host),
        Cause::Tls(_, why) | Cause::OuterTls(_, why) | Cause::Unfollowable(why) | Cause::BadBody(why) => why.clone(),
        Cause::Undecodable { coding, detail } => format!(
            "Received response with content-encoding: {coding}, but failed to decode it. ({detail})"
        ),
        Cause::TooManyCodings(why) => why.clone(),
        Cause::NotText => "The body is not UTF-8".into(),
        Cause::SinkFailed(why) => format!("the body could not be copied: {why}"),
        Cause::MalformedChunk(why) => format!("Connection broken: InvalidChunkLength({why})"),
        Cause::Incomplete {
            received,
            missing: Some(missing),
        } => {
            format!(
                "Connection broken: IncompleteRead({received} bytes read, {missing} more expected)"
            )
        }
        Cause::Incomplete {
            received,
            missing: None,
        } => {
            format!("Connection broken: IncompleteRead({received} bytes read)")
        }
        Cause::TooLarge { limit } => format!("The body is larger than the {limit} bytes allowed"),
    }
}

fn timed_out(expiry: Expiry, phase: Phase, host: &str) -> String {
    let clock = match expiry {
        Expiry::Pool => "pool timeout",
        Expiry::Connect => "connect timeout",
        Expiry::Read => "read timeout",
        Expiry::Total => "total timeout",
        Expiry::Deadline => "deadline",
    };
    match phase {
        Phase::Backoff => format!("The next attempt would come too late. ({clock})"),
        Phase::Checkout => format!("Waiting for a connection to {host} timed out. ({clock})"),
        Phase::Resolve => format!("Looking up '{host}' timed out. ({clock})"),
        Phase::Connect => format!("Connection to {host} timed out. ({clock})"),
        Phase::Tunnel => format!("Asking {host} for a connection timed out. ({clock})"),
        Phase::Handshake => format!("The TLS handshake with {host} timed out. ({clock})"),
        Phase::Send => format!("Write timed out. ({clock})"),
        Phase::AwaitHead | Phase::ReceiveBody => format!("Read timed out. ({clock})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TlsReason;

    #[test]
    fn every_cause_has_its_case() {
        let text = || String::from("why");
        for (cause, phase, kind, expected) in [
            (
                Cause::NoSlot,
                Phase::Checkout,
                "pool-timeout",
                "Pool is empty and a new connection can't be opened due to blocking mode.",
            ),
            (
                Cause::TimedOut(Expiry::Pool),
                Phase::Checkout,
                "pool-timeout",
                "Pool is empty and a new connection can't be opened due to blocking mode.",
            ),
            (
                Cause::NoSlotEver,
                Phase::Checkout,
                "pool-timeout",
                "Pool is empty and a new connection can't be opened due to blocking mode: all of its connections belong to responses that are not read to their end, or to requests whose bodies are not pushed to theirs",
            ),
            (
                Cause::PoolClosed,
                Phase::Checkout,
                "pool-closed",
                "Pool is closed.",
            ),
            (
                Cause::TimedOut(Expiry::Deadline),
                Phase::Checkout,
                "deadline-exceeded",
                "Waiting for a connection to h.test timed out. (deadline)",
            ),
            (
                Cause::Unresolved(text()),
                Phase::Resolve,
                "name-resolution",
                "Failed to resolve 'h.test' (why)",
            ),
            (
                Cause::NotConnected(text()),
                Phase::Connect,
                "connection-failed",
                "Failed to establish a new connection: why",
            ),
            (
                Cause::Denied(text()),
                Phase::Connect,
                "denied",
                "The host of this component does not allow it: why",
            ),
            (
                Cause::ClosedUnanswered(text()),
                Phase::AwaitHead,
                "protocol",
                "Connection aborted. why",
            ),
            (
                Cause::Broken(text()),
                Phase::Send,
                "protocol",
                "Connection aborted. why",
            ),
            (
                Cause::Broken(text()),
                Phase::ReceiveBody,
                "protocol",
                "Connection broken: why",
            ),
            (
                Cause::Malformed(text()),
                Phase::AwaitHead,
                "protocol",
                "Connection aborted. why",
            ),
            (
                Cause::TimedOut(Expiry::Connect),
                Phase::Connect,
                "connect-timeout",
                "Connection to h.test timed out. (connect timeout)",
            ),
            (
                Cause::TimedOut(Expiry::Total),
                Phase::Handshake,
                "connect-timeout",
                "The TLS handshake with h.test timed out. (total timeout)",
            ),
            (
                Cause::TimedOut(Expiry::Read),
                Phase::Send,
                "read-timeout",
                "Write timed out. (read timeout)",
            ),
            (
                Cause::TimedOut(Expiry::Total),
                Phase::AwaitHead,
                "read-timeout",
                "Read timed out. (total timeout)",
            ),
            (
                Cause::TimedOut(Expiry::Deadline),
                Phase::Resolve,
                "deadline-exceeded",
                "Looking up 'h.test' timed out. (deadline)",
            ),
            (
                Cause::Tls(TlsReason::Hostname, text()),
                Phase::Handshake,
                "tls",
                "why",
            ),
            (
                Cause::MalformedChunk(text()),
                Phase::ReceiveBody,
                "invalid-chunk",
                "Connection broken: InvalidChunkLength(why)",
            ),
            (
                Cause::Incomplete {
                    received: 2,
                    missing: Some(3),
                },
                Phase::ReceiveBody,
                "incomplete-body",
                "Connection broken: IncompleteRead(2 bytes read, 3 more expected)",
            ),
            (
                Cause::Incomplete {
                    received: 2,
                    missing: None,
                },
                Phase::ReceiveBody,
                "incomplete-body",
                "Connection broken: IncompleteRead(2 bytes read)",
            ),
            (
                Cause::TooLarge { limit: 9 },
                Phase::ReceiveBody,
                "body-too-large",
                "The body is larger than the 9 bytes allowed",
            ),
        ] {
            let failed = AttemptError {
                phase,
                sent: Sent::Something,
                reused: false,
                cause,
            };
            let url = Url::parse("http://user:secret@h.test/x").unwrap();
            let error = tell(failed, &Method::parse("GET").unwrap(), &url, 2);
            assert_eq!((error.kind(), error.message()), (kind, expected));
            let failure = error.failure().unwrap();
            assert_eq!(
                (failure.url.as_str(), failure.attempt, failure.phase),
                ("http://h.test/x", 2, phase)
            );
        }
    }
}
