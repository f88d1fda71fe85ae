//! What a TCP socket is told before it connects (urllib3: `socket_options` and `source_address`).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Error;

/// What a socket is told before it connects. What is `None` stays as the system has it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct SocketOptions {
    /// The address that the connection comes from; port 0 takes any free one.
    pub source: Option<SocketAddr>,
    /// Whether the system asks a silent peer if it is still there.
    pub keep_alive: Option<Probes>,
    /// The size of the receive buffer (`SO_RCVBUF`), in bytes. Systems round it and have limits of their own.
    pub receive_buffer: Option<u32>,
    /// The size of the send buffer (`SO_SNDBUF`), in bytes. Systems round it and have limits of their own.
    pub send_buffer: Option<u32>,
    /// Through how many routers a packet may go (`IP_TTL`, `IPV6_UNICAST_HOPS`).
    pub hop_limit: Option<u8>,
}

impl SocketOptions {
    /// A source address as its caller writes it: an IP address, alone or with a port.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where it is neither.
    pub fn source(text: &str) -> Result<SocketAddr, Error> {
        let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
        text.parse().or_else(|_| alone()).map_err(|_| {
            Error::InvalidSettings(format!(
                "The source address {text:?} is no IP address, with a port or without"
            ))
        })
    }
}

/// TCP keep-alive (RFC 9293, section 3.8.4). Systems that count in seconds round the durations up.
///
/// ```
/// use std::time::Duration;
/// use urlpool_core::types::{Probes, SocketSettings, TcpKeepAlive};
///
/// let probes = Probes { idle: Duration::from_secs(60), interval: Duration::from_secs(10), count: 3 };
/// let socket = SocketSettings { keep_alive: Some(TcpKeepAlive::On(probes)), ..SocketSettings::default() };
/// assert_ne!(socket, SocketSettings::default());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Probes {
    /// How long the peer must have been silent before the first probe (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// How long after one probe the next follows (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// How many probes must go unanswered before the connection is given up (`TCP_KEEPCNT`).
    pub count: u32,
}

/// Whether there are TCP keep-alive probes.
///
/// ```
/// use urlpool_core::types::{SocketSettings, TcpKeepAlive};
///
/// let off = SocketSettings { keep_alive: Some(TcpKeepAlive::Off), ..SocketSettings::default() };
/// assert_ne!(off, SocketSettings::default()); // which inherits
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TcpKeepAlive {
    /// There are none.
    Off,
    /// There are, like this.
    On(Probes),
}

/// Which addresses of a name are used (urllib3.future: `socket_family`).
///
/// ```
/// use urlpool_core::types::{AddressFamily, PoolSettings};
///
/// let pool = PoolSettings { family: Some(AddressFamily::Ipv4), ..PoolSettings::default() };
/// assert_ne!(pool.family, Some(AddressFamily::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AddressFamily {
    /// All of them.
    #[default]
    Any,
    /// Those of IPv4.
    Ipv4,
    /// Those of IPv6.
    Ipv6,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1:0")),
            ("192.0.2.1:80", Some("192.0.2.1:80")),
            ("2001:db8::1", Some("[2001:db8::1]:0")),
            ("[2001:db8::1]:80", Some("[2001:db8::1]:80")),
            ("", None),
            ("localhost", None),
            ("192.0.2.1:99999", None),
        ] {
            let parsed = SocketOptions::source(text)
                .ok()
                .map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text:?}");
        }
    }
}
