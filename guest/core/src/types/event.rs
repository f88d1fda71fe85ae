//! What a manager did, for logs and tests. Core writes no log lines; hosts turn these into theirs.

use std::time::Duration;

use super::{Origin, TlsVersion};

/// One thing that happened. A `number` is the connection's, counted from 1 for each manager.
///
/// ```
/// use urlpool_core::types::Event;
///
/// /// The numbers of the connections that were used once more.
/// fn reused(events: &[Event]) -> Vec<u64> {
///     let number = |event: &Event| match event {
///         Event::CheckedOut { number } => Some(*number),
///         _ => None,
///     };
///     events.iter().filter_map(number).collect()
/// }
/// assert_eq!(reused(&[Event::CheckedOut { number: 1 }, Event::CheckedIn { number: 1 }]), [1]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The addresses of a name were found, by lookup or in the manager's table of hosts.
    Resolved {
        /// The name.
        host: String,
        /// Its addresses in the order they are tried.
        addresses: Vec<String>,
    },
    /// A connection was opened.
    Connected {
        /// The connection.
        number: u64,
        /// The address it goes to.
        remote: String,
    },
    /// TLS was agreed on.
    Secured {
        /// The connection.
        number: u64,
        /// The version.
        version: TlsVersion,
        /// The cipher suite's name.
        suite: String,
        /// Whether the peer proved who it is, or has the certificate of the fingerprint.
        is_verified: bool,
    },
    /// An idle connection was taken for another request.
    CheckedOut {
        /// The connection.
        number: u64,
    },
    /// A request was sent.
    Sent {
        /// The connection.
        number: u64,
        /// The head of the request, credentials redacted.
        head: String,
    },
    /// The proxy has opened a connection to a server.
    Tunnelled {
        /// The connection's number.
        number: u64,
        /// The server.
        origin: Origin,
    },
    /// The head of a response, interim ones too, was received.
    Received {
        /// The connection.
        number: u64,
        /// The head of the response, credentials redacted.
        head: String,
    },
    /// A connection was given back to its pool.
    CheckedIn {
        /// The connection.
        number: u64,
    },
    /// A connection was closed.
    Closed {
        /// The connection.
        number: u64,
        /// Why.
        reason: String,
    },
    /// A pool made room for another.
    Evicted {
        /// What the pool was for.
        origin: Origin,
    },
    /// A request is sent again because its idle connection had died before an answer came.
    Replayed {
        /// The dead connection.
        number: u64,
    },
    /// A request will be tried again after a failure, or after a response that asks for it.
    Retried {
        /// After how long.
        delay: Duration,
    },
    /// A redirect is followed.
    Redirected {
        /// From this URL, without userinfo.
        from: String,
        /// To this one.
        to: String,
    },
    /// A request is sent to a server that did not prove who it is (urllib3: `InsecureRequestWarning`).
    Warned(String),
    /// A secret of a connection whose settings ask for it: a line as in NSS' key logs, which OpenSSL's users know as `SSLKEYLOGFILE`.
    KeyLog(String),
}
