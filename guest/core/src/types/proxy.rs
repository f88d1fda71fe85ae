//! Proxies as their caller names them, and what one says when it refuses.
//!
//! Invariant: nothing here shows a password, and no URL is shown with its userinfo.

use std::fmt;

use super::url::shown;
use super::{Headers, TlsSettings};

/// A proxy and how it is spoken to (urllib3: the arguments of `ProxyManager` and `SOCKSProxyManager`).
///
/// ```
/// use urlpool_core::types::{ManagerSettings, ProxySettings};
///
/// let proxy = ProxySettings { url: "http://ada:secret@proxy.example:3128".into(), ..ProxySettings::default() };
/// assert!(!format!("{proxy:?}").contains("secret"));
/// assert!(ManagerSettings::default().through(proxy).pool.proxies.is_some());
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct ProxySettings {
    /// `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`, `://`, and the proxy's host. Without a port it is 80 for `http`, 443 for
    /// `https` and 1080 for SOCKS. A path, query or fragment means nothing. Userinfo, percent-decoded, stands for `credentials`.
    pub url: String,
    /// Sent to an `http` or `https` proxy, once for each tunnel and with each request that is forwarded, in the place of what the request says
    /// under the same names (urllib3: `proxy_headers`). The default is none.
    pub headers: Option<Headers>,
    /// Who we are to the proxy; `None` takes what the URL says. For `http` and `https` they become `Proxy-Authorization`, unless `headers`
    /// have one; urllib3 leaves that to its caller.
    pub credentials: Option<Credentials>,
    /// How TLS is spoken to an `https` proxy: these alone, nothing of the pool's (urllib3: `proxy_ssl_context`, `proxy_assert_hostname`,
    /// `proxy_assert_fingerprint`). `None` takes whom the pool trusts and which versions, and neither its names nor its certificate.
    pub tls: Option<TlsSettings>,
    /// Whether an `https` proxy is asked for `https` URLs as for `http` ones, and sees what is in them (urllib3:
    /// `use_forwarding_for_https`). The default is `false`: a tunnel.
    pub use_forwarding_for_https: Option<bool>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProxySettings")
            .field("url", &shown(&self.url))
            .field("headers", &self.headers)
            .field("credentials", &self.credentials)
            .field("tls", &self.tls)
            .field("use_forwarding_for_https", &self.use_forwarding_for_https)
            .finish()
    }
}

/// A name and a password.
///
/// ```
/// use urlpool_core::types::Credentials;
///
/// let credentials = Credentials { username: "ada".into(), password: "secret".into() };
/// assert_eq!(format!("{credentials:?}"), "[redacted]");
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Credentials {
    /// The name, not percent-encoded. For SOCKS 4 it is the user id.
    pub username: String,
    /// The password, not percent-encoded. SOCKS 4 has none.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Which proxy certain requests go through.
///
/// ```
/// use urlpool_core::types::{Proxies, ProxyRule, ProxySettings};
///
/// let proxy = ProxySettings { url: "socks5h://proxy.example".into(), ..ProxySettings::default() };
/// let rule = ProxyRule { host: Some("*.internal.example".into()), proxy: Some(proxy), ..ProxyRule::default() };
/// assert_eq!(rule.scheme, None); // any
/// let proxies = Proxies { rules: vec![rule], ..Proxies::default() };
/// assert!(proxies.no_proxy.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ProxyRule {
    /// The scheme of their URL, `http` or `https`; `None` means any.
    pub scheme: Option<String>,
    /// A host, `*.` and a domain for all hosts below that domain but not itself, or `*` for any host; `None` means any.
    pub host: Option<String>,
    /// The proxy; `None` means that they go to the server itself.
    pub proxy: Option<ProxySettings>,
}

/// Which requests go through which proxy.
///
/// ```
/// use urlpool_core::types::{Proxies, ProxySettings};
///
/// let proxy = ProxySettings { url: "http://proxy.example:3128".into(), ..ProxySettings::default() };
/// let mut proxies = Proxies::all_through(proxy);
/// proxies.no_proxy = vec!["localhost".into(), "192.0.2.0/24".into()];
/// assert_eq!(proxies.rules.len(), 1);
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Proxies {
    /// The first rule that a URL matches counts; where none does the request goes to the server itself.
    pub rules: Vec<ProxyRule>,
    /// What goes through no proxy, whatever the rules say: a domain, with or without a dot before it, for itself and all hosts below it;
    /// `*.` and a domain for those below it alone; an IP address; a network such as `192.0.2.0/24`; or `*` for everything. A port may follow
    /// all but a network, behind a colon; an IPv6 address then stands in brackets.
    pub no_proxy: Vec<String>,
}

impl Proxies {
    /// All requests through one proxy (urllib3: `ProxyManager`).
    #[must_use]
    pub fn all_through(proxy: ProxySettings) -> Self {
        Self {
            rules: vec![ProxyRule {
                proxy: Some(proxy),
                ..ProxyRule::default()
            }],
            no_proxy: Vec::new(),
        }
    }
}

/// The refusal of an `http` or `https` proxy to open a tunnel.
///
/// ```
/// use urlpool_core::types::{Headers, Refusal};
///
/// let reason = "Proxy Authentication Required".into();
/// let refusal = Refusal { status: 407, reason, headers: Headers::default(), body: Vec::new() };
/// assert_eq!(refusal.to_string(), "Tunnel connection failed: 407 Proxy Authentication Required");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: String,
    /// The header fields in the order and case received.
    pub headers: Headers,
    /// The start of the body as it was sent, its chunks undone: at most 4 KiB.
    pub body: Vec<u8>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tunnel connection failed: {}", self.status)?;
        if !self.reason.is_empty() {
            write!(formatter, " {}", self.reason)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for url in [
            "http://name:hunter2@proxy.test:8080",
            "name:hunter2@proxy.test:8080",
            "http://name:hun@ter2@proxy.test:8080",
            "http://hunter2@proxy.test:8080/?to=@proxy.test",
        ] {
            let settings = ProxySettings {
                url: url.into(),
                headers: Some(Headers::parse([("Proxy-Authorization", "hunter2")]).unwrap()),
                credentials: Some(Credentials {
                    username: "hunter2".into(),
                    password: "hunter2".into(),
                }),
                ..ProxySettings::default()
            };
            let rule = ProxyRule {
                proxy: Some(settings),
                ..ProxyRule::default()
            };
            let shown = format!("{rule:?}");
            assert!(!shown.contains("ter2"), "{shown}");
            assert!(shown.contains("@proxy.test"), "{shown}");
        }
    }

    #[test]
    fn a_refusal_reads_as_in_urllib3() {
        for (reason, expected) in [
            (
                "Proxy Authentication Required",
                "Tunnel connection failed: 407 Proxy Authentication Required",
            ),
            ("", "Tunnel connection failed: 407"),
        ] {
            let refusal = Refusal {
                status: 407,
                reason: reason.into(),
                headers: Headers::default(),
                body: Vec::new(),
            };
            assert_eq!(refusal.to_string(), expected);
        }
    }
}
