//! The six kinds of proxies, by the scheme of their URLs.

use crate::types::AddressFamily;

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

    /// Which addresses it can be asked for: version 4 knows none of IPv6.
    #[must_use]
    pub const fn family(self, asked: AddressFamily) -> AddressFamily {
        match self.version() {
            SocksVersion::V4 => AddressFamily::Ipv4,
            SocksVersion::V5 => asked,
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
