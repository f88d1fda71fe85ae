//! The only seam to sockets, clocks and name lookup.
//!
//! Implemented over WASI in `guest`, over tokio in `host`, and by the simulation that core's tests run in.

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::types::{Instant, SocketOptions, TlsReason};

/// The world outside.
///
/// No method waits longer than the caller does: dropping a future must cancel what it waits for.
pub trait Net: 'static {
    /// A TCP connection. Dropping it closes it.
    type Tcp: ByteStream;

    /// The addresses of a name, of both families, in order of preference.
    fn resolve(&self, name: &str) -> impl Future<Output = Result<Vec<IpAddr>, ResolveError>>;

    /// Opens a TCP connection from a socket that was told `socket` before. Several may be under way at a time.
    fn connect(
        &self,
        address: SocketAddr,
        socket: &SocketOptions,
    ) -> impl Future<Output = Result<Self::Tcp, ConnectError>>;

    /// Waits until an instant has come.
    fn sleep_until(&self, instant: Instant) -> impl Future<Output = ()>;

    /// Lets everything else that can go on do so before this does.
    fn pause(&self) -> impl Future<Output = ()> {
        let mut has_paused = false;
        poll_fn(move |context| {
            if std::mem::replace(&mut has_paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Whether nothing will ever happen unless the caller acts. Who waits for others of the caller's requests gives up then.
    fn stands_still(&self) -> bool {
        false
    }

    /// The monotonic clock.
    fn now(&self) -> Instant;

    /// The wall clock, since the beginning of 1970.
    fn wall_clock(&self) -> Duration;

    /// Fills a buffer with bytes that nobody can foretell.
    fn random(&self, into: &mut [u8]);
}

/// Bytes in both directions.
pub trait ByteStream: 'static {
    /// Appends at least 1 and at most `max` bytes to `into` once there are some; 0 means that the peer has finished. An empty `into` may be
    /// replaced instead of being filled.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>>;

    /// The same for what is there already; `None` where nothing is.
    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>>;

    /// Takes at least one of `bytes`. What is taken is sent without further calls, except where [`ByteStream::poll_flush`] says otherwise.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>>;

    /// Waits until all that was taken has left our hands.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        let _ = context;
        Poll::Ready(Ok(()))
    }

    /// Nothing more will be written, nor what was taken be waited for: an answer came first. The stream is still read, and closes later.
    fn give_up_writing(&mut self) {}
}

/// Where a body can be copied to.
pub trait Sink {
    /// Takes at least one of `bytes`.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, String>>;

    /// Waits until all that was taken has arrived where it belongs.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), String>>;
}

/// Why a name has no address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResolveError {
    /// The host does not allow it.
    Denied(String),
    /// Anything else, in words.
    Failed(String),
}

/// Why a connection did not come about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConnectError {
    /// The host does not allow it.
    Denied(String),
    /// Anything else, in words.
    Failed(String),
}

/// Why a stream cannot go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IoError {
    /// What happened.
    pub kind: IoKind,
    /// The same in words.
    pub message: String,
    /// Whether it happened to TLS that carries TLS: with the proxy, and not with the server behind it.
    pub is_outer: bool,
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IoKind {
    /// The peer has ended the connection, in whatever way.
    Gone,
    /// The peer of a TLS connection ended TCP without ending TLS: anyone could have cut it there (RFC 8446, section 6.1).
    Truncated,
    /// TLS failed.
    Tls(TlsReason),
}

impl IoError {
    /// The peer has gone.
    #[must_use]
    pub fn gone(message: impl Into<String>) -> Self {
        Self {
            kind: IoKind::Gone,
            message: message.into(),
            is_outer: false,
        }
    }

    /// What it is to the layer above. TCP carries whatever there is, so its end is nobody's in particular.
    #[must_use]
    pub(super) fn of_layer_below(self) -> Self {
        Self {
            is_outer: !matches!(self.kind, IoKind::Gone),
            ..self
        }
    }
}
