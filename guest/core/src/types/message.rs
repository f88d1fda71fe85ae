//! The parts of requests and responses that are not their bodies.

use std::fmt;

use super::headers::is_token;
use super::{Error, Headers, Limit, Reading, Redirects, Retries, Timeouts, Writing};

/// A request method: any token (RFC 9110, section 9.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Method(String);

impl Method {
    /// A method exactly as it is written.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where it is empty or has a character that a token cannot have (CVE-2020-26137).
    pub fn parse(method: impl Into<String>) -> Result<Self, Error> {
        let method = method.into();
        if method.is_empty() {
            return Err(Error::InvalidRequest("the method is empty".into()));
        }
        if let Some(wrong) = method
            .chars()
            .find(|c| !u8::try_from(*c).is_ok_and(is_token))
        {
            return Err(Error::InvalidRequest(format!(
                "Method cannot contain non-token characters {method:?} (found at least {wrong:?})"
            )));
        }
        Ok(Self(method))
    }

    /// `GET`.
    #[must_use]
    pub fn get() -> Self {
        Self("GET".into())
    }

    /// `CONNECT`, which asks a proxy for a tunnel (RFC 9110, section 9.3.6).
    #[must_use]
    pub fn connect() -> Self {
        Self("CONNECT".into())
    }

    /// The method as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is that method, however it is written: like urllib3, we take `get` for what its caller means.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What one request asks for, as its caller wrote it.
///
/// ```
/// use urlpool_core::types::{Redirects, RequestOptions, Retries};
///
/// let options = RequestOptions { retries: Retries::total(5), ..RequestOptions::default() };
/// assert_eq!(options.redirects, Redirects::Follow);
/// assert_eq!(options.headers, None); // the manager's
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestOptions {
    /// Replaces the manager's headers; `None` inherits them.
    pub headers: Option<Headers>,
    /// What it leaves open is inherited from the pool.
    pub timeouts: Timeouts,
    /// What it leaves open is inherited from the pool.
    pub retries: Retries,
    /// Whether redirects are followed.
    pub redirects: Redirects,
    /// How long to wait for a connection; `None` inherits it.
    pub pool_timeout: Option<Limit>,
    /// How it is written.
    pub writing: Writing,
    /// How its response is read.
    pub reading: Reading,
    /// Whether a request through a pool may be for another host, which its server is then asked for as a proxy is (urllib3:
    /// `assert_same_host=False`). A manager does not look at it.
    pub may_leave_host: bool,
}

/// The version of HTTP that a response was sent with.
///
/// ```
/// use urlpool_core::types::Version;
///
/// /// Whether connections stay open where no field says anything of it (RFC 9112, section 9.3).
/// fn stays_open(version: Version) -> bool {
///     version == Version::Http11
/// }
/// assert!(!stays_open(Version::Http10));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// The version of TLS that a connection agreed on.
///
/// ```
/// use urlpool_core::types::{TlsSettings, TlsVersion};
///
/// let tls = TlsSettings { min_version: Some(TlsVersion::Tls13), ..TlsSettings::default() };
/// assert_eq!(tls.max_version, None); // the latest
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// The first line of a response and its fields, as the peer sent them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusLine {
    /// The version the peer answered with.
    pub version: Version,
    /// The status code.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: String,
}

/// The connection that brought a response.
///
/// ```
/// use urlpool_core::types::ConnectionInfo;
///
/// let connection = ConnectionInfo {
///     number: 1,
///     reused: false,
///     remote: "127.0.0.1:8080".into(),
///     tls: None,
///     is_verified: false,
///     proxy_is_verified: false,
/// };
/// assert!(connection.tls.is_some() || !connection.is_verified);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectionInfo {
    /// Counts the connections of a manager from 1.
    pub number: u64,
    /// Whether the connection had served an exchange before this one.
    pub reused: bool,
    /// Address and port of the first hop.
    pub remote: String,
    /// `None` for a connection without TLS.
    pub tls: Option<TlsVersion>,
    /// Whether the server proved who it is (urllib3: `is_verified`); never without TLS.
    pub is_verified: bool,
    /// Whether the proxy has proved over TLS that it is who it should be.
    pub proxy_is_verified: bool,
}

/// All of a response but its body.
///
/// ```
/// use urlpool_core::types::ResponseHead;
///
/// /// The length that the server announced.
/// fn announced(head: &ResponseHead) -> Option<u64> {
///     std::str::from_utf8(head.headers.first("content-length")?).ok()?.parse().ok()
/// }
/// # use urlpool_core::types::{ConnectionInfo, Headers, Version};
/// # let connection = ConnectionInfo {
/// #     number: 1, reused: false, remote: String::new(), tls: None, is_verified: false, proxy_is_verified: false,
/// # };
/// # let headers = Headers::parse([("Content-Length", "12")]).expect("a field");
/// # let (reason, url) = ("OK".into(), "http://example.com/".into());
/// # let head = ResponseHead { status: 200, version: Version::Http11, reason, url, headers, connection };
/// assert_eq!(announced(&head), Some(12));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The version the peer answered with.
    pub version: Version,
    /// The reason phrase, often empty.
    pub reason: String,
    /// The absolute URL that was answered, without userinfo and fragment.
    pub url: String,
    /// The header fields in the order and case received.
    pub headers: Headers,
    /// The connection that brought the response.
    pub connection: ConnectionInfo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2020_26137_a_method_is_a_token() {
        for (method, accepted) in [
            ("GET", true),
            ("get", true),
            ("M-SEARCH", true),
            ("", false),
            ("GE T", false),
            ("GET / HTTP/1.1\r\nX: y", false),
            ("GET\n", false),
            ("G\u{c9}T", false),
            ("G:T", false),
        ] {
            assert_eq!(Method::parse(method).is_ok(), accepted, "{method:?}");
        }
    }
}
