//! A proxy with nothing left to parse.
//!
//! Invariant: a proxy is equal to another exactly when connections through one may serve requests for the other.

use std::fmt;

use super::kind::{ProxyKind, SocksVersion};
use super::proxy_url::{self, ProxyUrl};
use crate::policy::fields::basic;
use crate::types::{Error, Header, Headers, Host, Origin, ProxySettings, Scheme, TlsSettings};

/// The longest name or password that SOCKS 5 can carry, in bytes (RFC 1929, section 2).
const MAX_SOCKS_CREDENTIAL: usize = 255;

/// Who we are to a proxy, byte for byte.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Login {
    /// The name; the user id of SOCKS 4.
    pub username: Vec<u8>,
    /// The password, which SOCKS 4 has not.
    pub password: Vec<u8>,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// A proxy. `Display` writes its URL without userinfo.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Proxy {
    /// What is spoken to it.
    pub kind: ProxyKind,
    /// Where it is.
    pub host: Host,
    /// Where it listens.
    pub port: u16,
    /// Sent with each `CONNECT` and each forwarded request, `Proxy-Authorization` among them; empty for SOCKS.
    pub headers: Headers,
    /// Who we are to a SOCKS proxy; others have it among their headers.
    pub login: Option<Login>,
    /// How TLS is spoken to it, nothing being inherited; `None` takes what is the pool's to share.
    pub tls: Option<TlsSettings>,
    /// Whether it is asked for `https` URLs as for `http` ones; only an `https` proxy is.
    pub forwards_https: bool,
}

impl Proxy {
    /// The proxy of these settings.
    ///
    /// # Errors
    /// [`Error::UnsupportedProxyScheme`]; [`Error::InvalidSettings`] for everything else in the URL, the headers and the credentials that
    /// could not be sent. The text repeats no credentials.
    pub fn parse(settings: ProxySettings) -> Result<Self, Error> {
        let ProxyUrl {
            kind,
            host,
            port,
            login,
        } = proxy_url::parse(&settings.url)?;
        let given = settings.credentials.map(|credentials| Login {
            username: credentials.username.into_bytes(),
            password: credentials.password.into_bytes(),
        });
        let login = given.or(login);
        let (headers, login) = match kind {
            ProxyKind::Http | ProxyKind::Https => {
                let headers = settings.headers.unwrap_or_default();
                (authorized(headers, login)?, None)
            }
            ProxyKind::Socks(kind) => {
                if let Some(login) = &login {
                    check_socks(kind.version(), login)?;
                }
                (Headers::default(), login)
            }
        };
        Ok(Self {
            kind,
            host,
            port,
            headers,
            login,
            tls: settings.tls.filter(|_| kind == ProxyKind::Https),
            forwards_https: kind == ProxyKind::Https
                && settings.use_forwarding_for_https.unwrap_or(false),
        })
    }

    /// The proxy as a server of its own; `None` for SOCKS, which is no HTTP.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let scheme = match self.kind {
            ProxyKind::Http => Scheme::Http,
            ProxyKind::Https => Scheme::Https,
            ProxyKind::Socks(_) => return None,
        };
        Some(Origin::new(scheme, self.host.clone(), Some(self.port)))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}:{}",
            self.kind.scheme(),
            self.host.as_str(),
            self.port
        )
    }
}

/// The headers, with the credentials among them where they name none themselves.
fn authorized(mut headers: Headers, login: Option<Login>) -> Result<Headers, Error> {
    let refused = |why: &str| Err(Error::InvalidSettings(why.into()));
    // They would announce a body of the CONNECT, or one that a forwarded request has not.
    if headers.has("content-length") || headers.has("transfer-encoding") {
        return refused("the headers for a proxy cannot say how long a body is");
    }
    if headers.all("host").count() > 1 {
        return refused("the headers for a proxy have more than one Host");
    }
    if let Some(login) = login {
        // RFC 7617, section 2: the first colon is the end of the name.
        if login.username.contains(&b':') {
            return refused(
                "the name for a proxy contains a colon, which Basic credentials cannot write",
            );
        }
        let credentials = [&login.username[..], &login.password].join(&b':');
        headers.set_default(Header::parse("Proxy-Authorization", basic(&credentials))?);
    }
    Ok(headers)
}

/// Whether SOCKS can carry these.
fn check_socks(version: SocksVersion, login: &Login) -> Result<(), Error> {
    let fits = |text: &[u8]| (1..=MAX_SOCKS_CREDENTIAL).contains(&text.len());
    let why = match version {
        SocksVersion::V4 if login.username.contains(&0) => {
            "the user id of SOCKS 4 cannot contain a zero byte"
        }
        SocksVersion::V4 if login.username.len() > MAX_SOCKS_CREDENTIAL => {
            "the user id of SOCKS 4 has more than 255 bytes"
        }
        SocksVersion::V5 if !fits(&login.username) || !fits(&login.password) => {
            "the name and the password for SOCKS 5 have 1 to 255 bytes each"
        }
        SocksVersion::V4 | SocksVersion::V5 => return Ok(()),
    };
    Err(Error::InvalidSettings(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Credentials;

    fn settings(url: &str) -> ProxySettings {
        ProxySettings {
            url: url.into(),
            ..ProxySettings::default()
        }
    }

    fn credentials(username: &str, password: &str) -> Option<Credentials> {
        Some(Credentials {
            username: username.into(),
            password: password.into(),
        })
    }

    fn headers(pairs: &[(&str, &str)]) -> Option<Headers> {
        Some(Headers::parse(pairs.iter().copied()).unwrap())
    }

    #[test]
    fn credentials_become_a_header_unless_the_caller_has_one() {
        let url = "http://user:pa%20ss@p";
        for (case, settings, expected) in [
            ("none", settings("http://p"), &[][..]),
            (
                "userinfo",
                settings(url),
                &["Proxy-Authorization: Basic dXNlcjpwYSBzcw=="],
            ),
            (
                "a name alone",
                settings("https://user@p"),
                &["Proxy-Authorization: Basic dXNlcjo="],
            ),
            (
                "credentials win over userinfo",
                ProxySettings {
                    credentials: credentials("a", "b:c"),
                    ..settings(url)
                },
                &["Proxy-Authorization: Basic YTpiOmM="],
            ),
            (
                "no ASCII",
                ProxySettings {
                    credentials: credentials("\u{e9}", ""),
                    ..settings("http://p")
                },
                &["Proxy-Authorization: Basic w6k6"],
            ),
            (
                "the caller's header wins over both",
                ProxySettings {
                    credentials: credentials("a", "b"),
                    headers: headers(&[("proxy-authorization", "Bearer t"), ("X", "1")]),
                    ..settings(url)
                },
                &["proxy-authorization: Bearer t", "X: 1"],
            ),
            (
                "other headers stay",
                ProxySettings {
                    headers: headers(&[("X", "1"), ("x", "2")]),
                    ..settings(url)
                },
                &[
                    "X: 1",
                    "x: 2",
                    "Proxy-Authorization: Basic dXNlcjpwYSBzcw==",
                ],
            ),
        ] {
            let proxy = Proxy::parse(settings).unwrap();
            let line = |header: &Header| format!("{}: {}", header.name(), header.text());
            let lines: Vec<String> = proxy.headers.iter().map(line).collect();
            assert_eq!(lines, expected, "{case}");
            assert_eq!(proxy.login, None, "{case}");
        }
    }

    #[test]
    fn socks_has_a_login_and_no_headers() {
        let proxy = Proxy::parse(ProxySettings {
            headers: headers(&[("X", "1")]),
            use_forwarding_for_https: Some(true),
            tls: Some(TlsSettings::default()),
            ..settings("socks5h://n:s@p")
        })
        .unwrap();
        let login = proxy.login.clone().unwrap();
        assert_eq!(
            (&login.username[..], &login.password[..]),
            (&b"n"[..], &b"s"[..])
        );
        assert!(proxy.headers.is_empty() && proxy.tls.is_none() && !proxy.forwards_https);
        assert_eq!(proxy.origin(), None);
    }

    #[test]
    fn what_could_not_be_sent_is_refused_without_repeating_it() {
        let long = |length| "hunter2".repeat(40)[..length].to_owned();
        for (case, url, name, password, is_fine) in [
            (
                "a colon in a name",
                "http://p",
                "a:hunter2".into(),
                "x".into(),
                false,
            ),
            (
                "a colon in a password",
                "http://p",
                "a".into(),
                ":".into(),
                true,
            ),
            ("nothing", "http://p", String::new(), String::new(), true),
            ("long for Basic", "http://p", long(256), long(256), true),
            ("255 bytes", "socks5://p", long(255), long(255), true),
            ("a long name", "socks5://p", long(256), "x".into(), false),
            (
                "a long password",
                "socks5h://p",
                "x".into(),
                long(256),
                false,
            ),
            (
                "no name",
                "socks5://p",
                String::new(),
                "hunter2".into(),
                false,
            ),
            (
                "no password",
                "socks5://p",
                "hunter2".into(),
                String::new(),
                false,
            ),
            (
                "characters are not bytes",
                "socks5://p",
                "\u{e9}".repeat(128),
                "x".into(),
                false,
            ),
            (
                "no password for 4",
                "socks4://p",
                "hunter2".into(),
                String::new(),
                true,
            ),
            (
                "one that 4 cannot send",
                "socks4://p",
                "x".into(),
                long(256),
                true,
            ),
            (
                "a long user id",
                "socks4a://p",
                long(256),
                String::new(),
                false,
            ),
            (
                "a zero byte in it",
                "socks4://p",
                "hunter2\0".into(),
                String::new(),
                false,
            ),
        ] {
            let outcome = Proxy::parse(ProxySettings {
                credentials: credentials(&name, &password),
                ..settings(url)
            });
            assert_eq!(outcome.is_ok(), is_fine, "{case}");
            if let Err(error) = outcome {
                assert_eq!(error.kind(), "invalid-settings", "{case}");
                assert!(!error.to_string().contains("hunter2"), "{case}: {error}");
            }
        }
        for name in ["Content-Length", "transfer-encoding"] {
            let outcome = Proxy::parse(ProxySettings {
                headers: headers(&[(name, "5")]),
                ..settings("http://p")
            });
            assert_eq!(outcome.unwrap_err().kind(), "invalid-settings", "{name}");
        }
        let two = ProxySettings {
            headers: headers(&[("Host", "a"), ("host", "b")]),
            ..settings("http://p")
        };
        assert_eq!(Proxy::parse(two).unwrap_err().kind(), "invalid-settings");
    }

    #[test]
    fn a_proxy_is_shown_without_secrets() {
        for (url, expected) in [
            ("http://n:hunter2@P.test/x", "http://p.test:80"),
            ("https://n:hunter2@[::1]", "https://[::1]:443"),
            ("socks4://hunter2@p", "socks4://p:1080"),
            ("socks5h://n:hunter2@p:1", "socks5h://p:1"),
        ] {
            let proxy = Proxy::parse(settings(url)).unwrap();
            assert_eq!(proxy.to_string(), expected);
            // What Basic makes of it is as much of a secret.
            for secret in ["hunter2", "bjpodW50ZXIy"] {
                assert!(!format!("{proxy:?}").contains(secret), "{proxy:?}");
            }
        }
    }

    #[test]
    fn settings_that_differ_make_proxies_that_differ() {
        let plain = Proxy::parse(settings("https://p")).unwrap();
        for (case, other, is_same) in [
            ("a slash", settings("HTTPS://P:443/"), true),
            ("a port", settings("https://p:444"), false),
            ("a kind", settings("http://p:443"), false),
            ("userinfo", settings("https://n:s@p"), false),
            (
                "headers",
                ProxySettings {
                    headers: headers(&[("X", "1")]),
                    ..settings("https://p")
                },
                false,
            ),
            (
                "TLS of its own",
                ProxySettings {
                    tls: Some(TlsSettings::default()),
                    ..settings("https://p")
                },
                false,
            ),
            (
                "forwarding",
                ProxySettings {
                    use_forwarding_for_https: Some(true),
                    ..settings("https://p")
                },
                false,
            ),
        ] {
            assert_eq!(Proxy::parse(other).unwrap() == plain, is_same, "{case}");
        }
    }
}
