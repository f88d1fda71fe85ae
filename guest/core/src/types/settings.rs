//! Settings as their caller wrote them: plain values, every field optional, `None` inheriting.
//!
//! A request inherits from its pool, a pool from its manager, a manager from the documented defaults. The values with nothing left to
//! inherit are `policy::Profile`.

use std::time::Duration;

use super::Headers;

/// How long a wait may take.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Limit {
    /// As long as it takes.
    Unlimited,
    /// At most this long.
    After(Duration),
}

/// How long the parts of a request may take (urllib3: `Timeout`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Timeouts {
    /// Name lookup, TCP and TLS together.
    pub connect: Option<Limit>,
    /// Each single wait for the peer to take or send bytes.
    pub read: Option<Limit>,
    /// One attempt, from its start to the end of the response head.
    pub total: Option<Limit>,
    /// The whole request, from the call to the end of the body.
    pub deadline: Option<Limit>,
}

impl Timeouts {
    /// These, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        Self {
            connect: self.connect.or(base.connect),
            read: self.read.or(base.read),
            total: self.total.or(base.total),
            deadline: self.deadline.or(base.deadline),
        }
    }
}

/// Whom to believe in an `https` connection.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct TlsSettings {
    /// A PEM bundle that replaces the built-in roots.
    pub roots: Option<Vec<u8>>,
}

/// What the connections of one pool have in common.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct PoolSettings {
    /// How many idle connections are kept. The default is 1.
    pub maxsize: Option<u32>,
    /// How long a connection may be idle and still be used. The default is 90 seconds.
    pub idle_timeout: Option<Limit>,
    /// The default sets no limit.
    pub timeouts: Timeouts,
    /// The default trusts the built-in roots.
    pub tls: TlsSettings,
}

impl PoolSettings {
    /// These, with what they leave open taken from `base` (urllib3: `_merge_pool_kwargs`).
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        Self {
            maxsize: self.maxsize.or(base.maxsize),
            idle_timeout: self.idle_timeout.or(base.idle_timeout),
            timeouts: self.timeouts.or(base.timeouts),
            tls: TlsSettings {
                roots: self.tls.roots.or_else(|| base.tls.roots.clone()),
            },
        }
    }
}

/// What a manager is made with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManagerSettings {
    /// How many pools are kept. The default is 10.
    pub num_pools: Option<u32>,
    /// Sent with each request that names no headers of its own.
    pub headers: Option<Headers>,
    /// What every pool starts from.
    pub pool: PoolSettings,
    /// How many events are kept. The default is 0.
    pub events: Option<u32>,
}

/// A complete description of a pool, which inherits nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolContext {
    /// `http` or `https`.
    pub scheme: String,
    /// A name or an IP address.
    pub host: String,
    /// `None` means the scheme's own.
    pub port: Option<u16>,
    /// What the pool's connections have in common.
    pub settings: PoolSettings,
}
