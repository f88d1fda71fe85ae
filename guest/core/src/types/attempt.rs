//! Why one attempt failed: facts for the policy that decides what happens next.

use super::{Phase, Refusal, TlsReason};

/// How much of a request the peer may have received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// Not a byte.
    Nothing,
    /// Some of it or all of it.
    Something,
}

/// Which clock ran out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// The pool timeout.
    Pool,
    /// The connect timeout.
    Connect,
    /// The read timeout.
    Read,
    /// The total timeout of the attempt.
    Total,
    /// The deadline of the request.
    Deadline,
}

/// What went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// No connection became free in time, and no further one may be opened.
    NoSlot,
    /// No connection can become free unless the caller acts.
    NoSlotEver,
    /// The pool that the request was to go through is closed.
    PoolClosed,
    /// The name has no address or cannot be looked up; the text says which.
    Unresolved(String),
    /// No address accepted a connection; the text is the last one's reason.
    NotConnected(String),
    /// The host of this code does not allow it.
    Denied(String),
    /// The peer ended the connection before the first byte of an answer; the text says how.
    ClosedUnanswered(String),
    /// The connection broke; the text says how.
    Broken(String),
    /// A clock ran out.
    TimedOut(Expiry),
    /// TLS failed.
    Tls(TlsReason, String),
    /// The same for TLS with a proxy in which TLS with the server runs.
    OuterTls(TlsReason, String),
    /// It went wrong between us and a proxy.
    Proxy {
        /// The proxy's host.
        host: String,
        /// Whether it is spoken to over TLS.
        is_secure: bool,
        /// What went wrong.
        cause: Box<Self>,
    },
    /// A proxy refused a tunnel.
    Refused(Box<Refusal>),
    /// A proxy refused a connection, or what it said is not SOCKS; the text says which.
    Socks(String),
    /// What came is not HTTP.
    Malformed(String),
    /// The chunked framing of the body is malformed.
    MalformedChunk(String),
    /// The body ended too early.
    Incomplete {
        /// How many bytes of it arrived.
        received: u64,
        /// How many more were announced.
        missing: Option<u64>,
    },
    /// A redirect leads to where no request can be sent; the text says why.
    Unfollowable(String),
    /// What the caller hands over is not the body that it announced; the text says how.
    BadBody(String),
    /// The content does not fit the coding that it is said to have.
    Undecodable {
        /// The coding's name.
        coding: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The content was to be text, and is not UTF-8.
    NotText,
    /// The content has more codings than are undone; the text counts them.
    TooManyCodings(String),
    /// What a body was copied to takes no more of it; the text says why.
    SinkFailed(String),
    /// The body is larger than the caller allowed.
    TooLarge {
        /// How many bytes it allowed.
        limit: u64,
    },
}

/// A failed attempt. It does not say whether to try again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttemptError {
    /// What the attempt was doing.
    pub phase: Phase,
    /// How much of the request the peer may have received.
    pub sent: Sent,
    /// Whether the connection had already served an exchange.
    pub reused: bool,
    /// What went wrong.
    pub cause: Cause,
}
