//! Scheme, host and port: the unit within which connections and credentials are shared.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::Error;

/// The schemes we speak.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme of that name, whatever its case.
    ///
    /// # Errors
    /// [`Error::UnsupportedScheme`] for any other.
    pub fn parse(scheme: &str) -> Result<Self, Error> {
        if scheme.eq_ignore_ascii_case("http") {
            Ok(Self::Http)
        } else if scheme.eq_ignore_ascii_case("https") {
            Ok(Self::Https)
        } else {
            Err(Error::UnsupportedScheme(format!(
                "Not supported URL scheme {scheme}; use http or https"
            )))
        }
    }

    /// The name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme need not name.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host as a URL writes it: a name in lower case and ASCII, or an IP address, IPv6 in brackets.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Host(Arc<str>);

impl Host {
    /// A host, given with or without the brackets of an IPv6 address.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] where it is empty or not a host.
    pub fn parse(host: &str) -> Result<Self, Error> {
        if host.is_empty() {
            return Err(Error::InvalidUrl("No host specified.".into()));
        }
        let bracketed;
        let written = if host.parse::<std::net::Ipv6Addr>().is_ok() {
            bracketed = format!("[{host}]");
            &bracketed
        } else {
            host
        };
        if let Some((_, shown)) = host.rsplit_once('@') {
            return Err(Error::InvalidUrl(format!(
                "Failed to parse host \"...@{shown}\": it contains userinfo, which belongs into a URL"
            )));
        }
        if let Some(wrong) = written
            .chars()
            .find(|c| *c <= ' ' || *c == '\x7f' || matches!(c, '/' | '?' | '#' | '@' | '\\'))
        {
            return Err(Error::InvalidUrl(format!(
                "Failed to parse host {host:?}: it contains {wrong:?}"
            )));
        }
        url::Host::parse(written)
            .map(|host| Self(host.to_string().into()))
            .map_err(|cause| Error::InvalidUrl(format!("Failed to parse host {host:?}: {cause}")))
    }

    /// A host that the `url` crate has already parsed.
    pub(crate) fn parsed(host: &str) -> Self {
        Self(host.into())
    }

    /// The host as a URL writes it, IPv6 in brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, where the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let text = self
            .0
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(&self.0);
        text.parse().ok()
    }

    /// The host without the root's trailing dot, as it stands in `Host` and in certificates (urllib3 strips it too).
    #[must_use]
    pub fn without_root_dot(&self) -> &str {
        self.0.strip_suffix('.').unwrap_or(&self.0)
    }
}

/// Scheme, host and port.
///
/// Two values are equal exactly when RFC 6454 calls them the same origin, so the default port is filled in where one is made and nowhere
/// else.
///
/// ```
/// use urlpool_core::types::{Host, Origin, Scheme};
///
/// # fn main() -> Result<(), urlpool_core::types::Error> {
/// let origin = Origin::new(Scheme::Https, Host::parse("Example.COM")?, None);
/// assert_eq!(origin.to_string(), "https://example.com:443");
/// assert_eq!(origin.authority(), "example.com");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// The origin of these parts; `port` `None` means the scheme's own.
    #[must_use]
    pub fn new(scheme: Scheme, host: Host, port: Option<u16>) -> Self {
        Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.default_port()),
        }
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `host[:port]` as it stands in the `Host` field: the port only where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.host.without_root_dot();
        if self.port == self.scheme.default_port() {
            host.to_owned()
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}:{}",
            self.scheme.as_str(),
            self.host.0,
            self.port
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for (written, expected) in [
            ("Example.COM", Some("example.com")),
            ("example.com.", Some("example.com.")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("::1", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("", None),
            ("a b", None),
            ("a/b", None),
            ("u@h", None),
            ("h\r\nX: y", None),
            ("[::1", None),
        ] {
            assert_eq!(
                Host::parse(written).ok().as_ref().map(Host::as_str),
                expected,
                "{written:?}"
            );
        }
    }

    #[test]
    fn the_default_port_is_part_of_the_origin_and_not_of_the_authority() {
        let host = || Host::parse("h.test").unwrap();
        assert_eq!(
            Origin::new(Scheme::Https, host(), None),
            Origin::new(Scheme::Https, host(), Some(443))
        );
        assert_eq!(
            Origin::new(Scheme::Https, host(), None).authority(),
            "h.test"
        );
        assert_eq!(
            Origin::new(Scheme::Http, host(), Some(443)).authority(),
            "h.test:443"
        );
        assert_eq!(Origin::new(Scheme::Http, host(), Some(0)).port(), 0);
    }
}
