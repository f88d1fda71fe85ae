//! A proxy with nothing left to parse.
//!
//! Invariant: a proxy is equal to another exactly when connections through one may serve requests for the other.

use std::fmt;

use super::proxy_url::{self, ProxyUrl};
use crate::policy::fields::basic;
use crate::types::{Error, Header, Headers, Host, Origin, ProxySettings, Scheme, TlsSettings};

/// The longest name or password that SOCKS 5 can carry, in bytes (RFC 1929, section 2).
const MAX_SOCKS_CREDENTIAL: usize = 255;

/// What is spoken to a proxy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ProxyKind {
    /// HTTP over TCP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS over TCP.
    Socks(SocksKind),
}

/// Which SOCKS is spoken, and who looks up the names of servers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SocksKind {
    /// SOCKS 4; we look up names, and use their IPv4 addresses alone.
    V4,
    /// SOCKS 4A: the proxy looks up names.
    V4a,
    /// SOCKS 5 (RFC 1928); we look up names.
    V5,
    /// SOCKS 5; the proxy looks up names.
    V5h,
}

/// The versions of SOCKS.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SocksVersion {
    /// SOCKS 4 and 4A.
    V4,
    /// SOCKS 5 (RFC 1928).
    V5,
}

impl SocksKind {
    /// What is spoken.
    #[must_use]
    pub const fn version(self) -> SocksVersion {
        match self {
            Self::V4 | Self::V4a => SocksVersion::V4,
            Self::V5 | Self::V5h => SocksVersion::V5,
        }
    }

    /// Whether the proxy looks up names.
    #[must_use]
    pub const fn looks_up_remotely(self) -> bool {
        matches!(self, Self::V4a | Self::V5h)
    }
}

impl ProxyKind {
    pub(super) const ALL: [Self; 6] = [
        Self::Http,
        Self::Https,
        Self::Socks(SocksKind::V4),
        Self::Socks(SocksKind::V4a),
        Self::Socks(SocksKind::V5),
        Self::Socks(SocksKind::V5h),
    ];

    /// The scheme of its URLs.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks(SocksKind::V4) => "socks4",
            Self::Socks(SocksKind::V4a) => "socks4a",
            Self::Socks(SocksKind::V5) => "socks5",
            Self::Socks(SocksKind::V5h) => "socks5h",
        }
    }

    /// The port that its URL need not name. curl takes 1080 for `http` too; we keep to the scheme's own, as urllib3 does.
    pub(super) const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks(_) => 1080,
        }
    }
}

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
