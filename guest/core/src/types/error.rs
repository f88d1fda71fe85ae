//! Why a request failed: facts for the caller, in the cases that it can act on.

use std::fmt;
use std::sync::Arc;

use super::{Exhausted, HistoryEntry, LastOutcome, Refusal};

/// What an attempt was doing when it failed, in the order an attempt goes through them.
///
/// ```
/// use urlpool_core::types::Phase;
///
/// assert!(Phase::Resolve < Phase::Connect); // in the order of an attempt
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Waiting for the time of the next attempt.
    Backoff,
    /// Waiting until the pool has a connection to give or room for one.
    Checkout,
    /// Looking up the host's addresses.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// Asking a proxy for a connection to the server, with CONNECT or SOCKS.
    Tunnel,
    /// Agreeing on TLS.
    Handshake,
    /// Sending the request.
    Send,
    /// Waiting for the head of the response.
    AwaitHead,
    /// Reading the body of the response.
    ReceiveBody,
}

/// Which part of TLS failed.
///
/// ```
/// use urlpool_core::types::{Error, TlsReason};
///
/// /// Whether somebody else may have answered in the server's place.
/// fn is_impostor(error: &Error) -> bool {
///     matches!(error, Error::Tls(TlsReason::Certificate | TlsReason::Hostname | TlsReason::Fingerprint, _))
/// }
/// assert!(!is_impostor(&Error::Other("no TLS".into())));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlsReason {
    /// The certificate is not trusted, has expired, or is malformed.
    Certificate,
    /// The certificate is for another name.
    Hostname,
    /// The certificate has another fingerprint.
    Fingerprint,
    /// The peer ended the handshake with an alert.
    Alert,
    /// The peer does not speak TLS, or not as agreed.
    Protocol,
}

/// The facts of a failed request.
///
/// ```
/// use urlpool_core::types::{Error, Failure, Phase};
///
/// let failure = Failure {
///     message: "Connection refused".into(),
///     method: "GET".into(),
///     url: "http://example.com/".into(),
///     phase: Phase::Connect,
///     attempt: 1,
///     reused: false,
///     may_have_been_acted_on: false,
///     history: [].into(),
///     refusal: None,
/// };
/// let error = Error::ConnectionFailed(Box::new(failure));
/// assert_eq!(error.failure().map(|failure| failure.phase), Some(Phase::Connect));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What happened, in urllib3's words where it has them.
    pub message: String,
    /// The request's method.
    pub method: String,
    /// The request's URL, without userinfo.
    pub url: String,
    /// What the attempt was doing.
    pub phase: Phase,
    /// Which attempt it was, counted from 1.
    pub attempt: u32,
    /// Whether the connection had served an exchange before.
    pub reused: bool,
    /// Whether the peer may have received enough of the request to act on it.
    pub may_have_been_acted_on: bool,
    /// The attempts before this one, oldest first, at most the last 1000; empty for an attempt that stands in a history itself, and where
    /// the body of a response failed, which has its own (`Response::history`).
    pub history: Arc<[HistoryEntry]>,
    /// What the proxy said that refused a tunnel.
    pub refusal: Option<Box<Refusal>>,
}

/// Why there is no response, or no more of its body.
///
/// Exhaustive on purpose: a new case must break every conversion at compile time.
///
/// ```
/// use urlpool_core::types::Error;
///
/// let error = Error::InvalidUrl("No host specified.".into());
/// assert_eq!((error.kind(), error.message()), ("invalid-url", "No host specified."));
/// assert!(error.is_callers_input());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Error {
    /// The URL does not parse or lacks a host.
    InvalidUrl(String),
    /// The URL's scheme is neither `http` nor `https`.
    UnsupportedScheme(String),
    /// The scheme of a proxy's URL is missing, or is none that proxies have (urllib3: `ProxySchemeUnknown`).
    UnsupportedProxyScheme(String),
    /// The method, a header or the body cannot be sent as HTTP.
    InvalidRequest(String),
    /// A setting is out of range or does not parse.
    InvalidSettings(String),
    /// A request through a pool, or a redirect of its response, is for another host.
    HostChanged(String),
    /// The host's name has no address, or could not be looked up.
    NameResolution(Box<Failure>),
    /// No address of the host accepted a connection.
    ConnectionFailed(Box<Failure>),
    /// Time for connecting ran out.
    ConnectTimeout(Box<Failure>),
    /// Time for the peer to take or send bytes ran out.
    ReadTimeout(Box<Failure>),
    /// Time for the whole request ran out.
    DeadlineExceeded(Box<Failure>),
    /// Time for waiting for a connection of the pool ran out (urllib3: `EmptyPoolError`).
    PoolTimeout(Box<Failure>),
    /// The pool that the request was sent through is closed (urllib3: `ClosedPoolError`).
    PoolClosed(Box<Failure>),
    /// What is between us and the proxy failed, or the proxy refused (urllib3: `ProxyError`). The phase says what it was asked for.
    Proxy(Box<Failure>),
    /// TLS could not be agreed on, or its peer is not who it should be.
    Tls(TlsReason, Box<Failure>),
    /// The connection broke, or what came over it is not HTTP.
    Protocol(Box<Failure>),
    /// The body ended before its announced end.
    IncompleteBody {
        /// How many bytes of the body arrived.
        received: u64,
        /// How many more were announced; `None` where the peer did not say.
        missing: Option<u64>,
        /// The facts of the request.
        failure: Box<Failure>,
    },
    /// The body's chunked framing is malformed.
    InvalidChunk(Box<Failure>),
    /// The body is larger than the caller allowed.
    BodyTooLarge(Box<Failure>),
    /// The body's `Content-Encoding` cannot be undone.
    Decode(Box<Failure>),
    /// There was one redirect more than allowed.
    TooManyRedirects(Box<Exhausted>),
    /// Every attempt that was allowed has failed, or brought a status that asks for another.
    RetriesExhausted(Box<Exhausted>),
    /// The body would have to be sent again, and cannot be.
    BodyNotReplayable(Box<Failure>),
    /// The host does not allow the connection or the name lookup.
    Denied(Box<Failure>),
    /// Anything else.
    Other(String),
}

impl Error {
    /// The case's name as it stands in the WIT contract and in the command's report.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InvalidUrl(_) => "invalid-url",
            Self::UnsupportedScheme(_) => "unsupported-scheme",
            Self::UnsupportedProxyScheme(_) => "unsupported-proxy-scheme",
            Self::InvalidRequest(_) => "invalid-request",
            Self::InvalidSettings(_) => "invalid-settings",
            Self::HostChanged(_) => "host-changed",
            Self::NameResolution(_) => "name-resolution",
            Self::ConnectionFailed(_) => "connection-failed",
            Self::ConnectTimeout(_) => "connect-timeout",
            Self::ReadTimeout(_) => "read-timeout",
            Self::DeadlineExceeded(_) => "deadline-exceeded",
            Self::PoolTimeout(_) => "pool-timeout",
            Self::PoolClosed(_) => "pool-closed",
            Self::Proxy(_) => "proxy",
            Self::Tls(..) => "tls",
            Self::Protocol(_) => "protocol",
            Self::IncompleteBody { .. } => "incomplete-body",
            Self::InvalidChunk(_) => "invalid-chunk",
            Self::BodyTooLarge(_) => "body-too-large",
            Self::Decode(_) => "decode",
            Self::TooManyRedirects(_) => "too-many-redirects",
            Self::RetriesExhausted(_) => "retries-exhausted",
            Self::BodyNotReplayable(_) => "body-not-replayable",
            Self::Denied(_) => "denied",
            Self::Other(_) => "other",
        }
    }

    /// What happened, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidUrl(text)
            | Self::UnsupportedScheme(text)
            | Self::UnsupportedProxyScheme(text)
            | Self::InvalidRequest(text)
            | Self::InvalidSettings(text)
            | Self::HostChanged(text)
            | Self::Other(text) => text,
            Self::TooManyRedirects(exhausted) | Self::RetriesExhausted(exhausted) => {
                &exhausted.message
            }
            _ => self.failure().map_or("", |failure| &failure.message),
        }
    }

    /// The facts of the last attempt, where it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::InvalidUrl(_)
            | Self::UnsupportedScheme(_)
            | Self::UnsupportedProxyScheme(_)
            | Self::InvalidRequest(_)
            | Self::InvalidSettings(_)
            | Self::HostChanged(_)
            | Self::Other(_) => None,
            Self::TooManyRedirects(exhausted) | Self::RetriesExhausted(exhausted) => {
                match &exhausted.last {
                    LastOutcome::Failed(error) => error.failure(),
                    LastOutcome::Status(_) => None,
                }
            }
            Self::NameResolution(failure)
            | Self::ConnectionFailed(failure)
            | Self::ConnectTimeout(failure)
            | Self::ReadTimeout(failure)
            | Self::DeadlineExceeded(failure)
            | Self::PoolTimeout(failure)
            | Self::PoolClosed(failure)
            | Self::Proxy(failure)
            | Self::Tls(_, failure)
            | Self::Protocol(failure)
            | Self::IncompleteBody { failure, .. }
            | Self::InvalidChunk(failure)
            | Self::BodyTooLarge(failure)
            | Self::Decode(failure)
            | Self::BodyNotReplayable(failure)
            | Self::Denied(failure) => Some(failure),
        }
    }

    /// What was tried: of a request that used up its attempts all of them, of any other failure those before it.
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        match self {
            Self::TooManyRedirects(exhausted) | Self::RetriesExhausted(exhausted) => {
                &exhausted.history
            }
            other => other.failure().map_or(&[], |failure| &*failure.history),
        }
    }

    /// The same error after these attempts. One that knows its attempts stays as it is, and so does one that is no attempt's.
    #[must_use]
    pub fn after(mut self, attempts: &[HistoryEntry]) -> Self {
        match &mut self {
            Self::InvalidUrl(_)
            | Self::UnsupportedScheme(_)
            | Self::UnsupportedProxyScheme(_)
            | Self::InvalidRequest(_)
            | Self::InvalidSettings(_)
            | Self::HostChanged(_)
            | Self::TooManyRedirects(_)
            | Self::RetriesExhausted(_)
            | Self::Other(_) => {}
            Self::NameResolution(failure)
            | Self::ConnectionFailed(failure)
            | Self::ConnectTimeout(failure)
            | Self::ReadTimeout(failure)
            | Self::DeadlineExceeded(failure)
            | Self::PoolTimeout(failure)
            | Self::PoolClosed(failure)
            | Self::Proxy(failure)
            | Self::Tls(_, failure)
            | Self::Protocol(failure)
            | Self::IncompleteBody { failure, .. }
            | Self::InvalidChunk(failure)
            | Self::BodyTooLarge(failure)
            | Self::Decode(failure)
            | Self::BodyNotReplayable(failure)
            | Self::Denied(failure) => failure.history = attempts.into(),
        }
        self
    }

    /// Whether the caller's own input was refused before anything was sent.
    #[must_use]
    pub const fn is_callers_input(&self) -> bool {
        matches!(
            self,
            Self::InvalidUrl(_)
                | Self::UnsupportedScheme(_)
                | Self::UnsupportedProxyScheme(_)
                | Self::InvalidRequest(_)
                | Self::InvalidSettings(_)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for Error {}
