//! Settings as their caller wrote them: plain values, every field optional, `None` inheriting.
//!
//! A request inherits from its pool, a pool from its manager, a manager from the documented defaults. The values with nothing left to
//! inherit are `policy::Profile`.

use std::net::SocketAddr;
use std::time::Duration;

use super::{
    AddressFamily, Headers, HostEntry, LimitSettings, Proxies, ProxySettings, Retries,
    TcpKeepAlive, TlsSettings,
};

/// How long a wait may take.
///
/// ```
/// use std::time::Duration;
/// use urlpool_core::types::{Limit, Timeouts};
///
/// let of_request = Timeouts { read: Some(Limit::Unlimited), ..Timeouts::default() };
/// let of_pool = Timeouts { read: Some(Limit::After(Duration::from_secs(10))), ..Timeouts::default() };
/// assert_eq!(of_request.or(of_pool).read, Some(Limit::Unlimited));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Limit {
    /// As long as it takes.
    Unlimited,
    /// At most this long.
    After(Duration),
}

/// How long the parts of a request may take (urllib3: `Timeout`).
///
/// ```
/// use std::time::Duration;
/// use urlpool_core::types::{Limit, Timeouts};
///
/// let after = |seconds| Some(Limit::After(Duration::from_secs(seconds)));
/// let of_pool = Timeouts { connect: after(3), read: after(10), ..Timeouts::default() };
/// let of_request = Timeouts { deadline: after(30), ..Timeouts::default() };
/// assert_eq!(of_request.or(of_pool).read, after(10));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Timeouts {
    /// Name lookup, TCP and TLS together.
    pub connect: Option<Limit>,
    /// Each single wait for the peer to take or send bytes.
    pub read: Option<Limit>,
    /// Each single wait for some of the response head, where that is not `read` (WASI: `first-byte-timeout`).
    pub head: Option<Limit>,
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
            head: self.head.or(base.head),
            total: self.total.or(base.total),
            deadline: self.deadline.or(base.deadline),
        }
    }
}

/// What sockets are told before they connect (urllib3: `socket_options`). The defaults are the system's.
///
/// ```
/// use urlpool_core::types::{SocketSettings, TcpKeepAlive};
///
/// let socket = SocketSettings { keep_alive: Some(TcpKeepAlive::Off), ..SocketSettings::default() };
/// assert_eq!(SocketSettings::default().or(socket), socket);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct SocketSettings {
    /// Whether the system asks a silent peer if it is still there. The default is that it does not.
    pub keep_alive: Option<TcpKeepAlive>,
    /// The size of the receive buffer in bytes, as near as the system comes to it.
    pub receive_buffer: Option<u32>,
    /// The size of the send buffer in bytes, as near as the system comes to it.
    pub send_buffer: Option<u32>,
    /// Through how many routers a packet may go.
    pub hop_limit: Option<u8>,
}

impl SocketSettings {
    /// These, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        Self {
            keep_alive: self.keep_alive.or(base.keep_alive),
            receive_buffer: self.receive_buffer.or(base.receive_buffer),
            send_buffer: self.send_buffer.or(base.send_buffer),
            hop_limit: self.hop_limit.or(base.hop_limit),
        }
    }
}

/// What the connections of one pool have in common.
///
/// ```
/// use urlpool_core::types::{PoolSettings, Retries};
///
/// let of_all = PoolSettings { maxsize: Some(4), block: Some(true), ..PoolSettings::default() };
/// let of_one = PoolSettings { maxsize: Some(1), retries: Retries::off(), ..PoolSettings::default() };
/// let settings = of_one.or(&of_all);
/// assert_eq!((settings.maxsize, settings.block), (Some(1), Some(true)));
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct PoolSettings {
    /// How many idle connections are kept. The default is 1.
    pub maxsize: Option<u32>,
    /// Whether no more than `maxsize` connections are open at once and requests wait for one (urllib3: `block`). The default is `false`: further
    /// ones are opened, and closed when they are done.
    pub block: Option<bool>,
    /// How long a request waits for a connection where it may not open one (urllib3: `pool_timeout`); with zero it does not wait. The default is
    /// unlimited. The wait counts against the deadline too, but against no other timeout.
    pub pool_timeout: Option<Limit>,
    /// How long a connection may be idle and still be used. The default is 90 seconds.
    pub idle_timeout: Option<Limit>,
    /// How long after it was opened a connection may still be taken for another request; exchanges that run then finish. The default is
    /// unlimited.
    pub max_lifetime: Option<Limit>,
    /// Sent with each request through the pool itself that names no headers of its own (urllib3: `headers`).
    pub headers: Option<Headers>,
    /// The default sets no limit.
    pub timeouts: Timeouts,
    /// The default allows 3 in total.
    pub retries: Retries,
    /// Of TLS, where there is TLS. The default trusts the built-in roots and has no certificate of ours.
    pub tls: TlsSettings,
    /// Which requests go through which proxy (urllib3: `_proxy`, `_proxy_headers`, `_proxy_config`). The default is none.
    pub proxies: Option<Proxies>,
    /// The address that connections come from, with port 0 for any free one (urllib3: `source_address`). Peers of the other family are not
    /// tried. The default is what the system picks for each.
    pub source_address: Option<SocketAddr>,
    /// The default leaves everything to the system.
    pub socket: SocketSettings,
    /// How long one address of a name may keep the next from being tried as well (RFC 8305: Connection Attempt Delay). The default is 250 ms,
    /// the least is 10 ms; where the time to connect would not suffice for all addresses it is shorter. `Unlimited` tries one address after
    /// the other, each for its share of the time.
    pub address_delay: Option<Limit>,
    /// Which addresses of a name are used. The default is all of them.
    pub family: Option<AddressFamily>,
    /// How much is buffered of a response around its body.
    pub limits: LimitSettings,
}

impl PoolSettings {
    /// These, with what they leave open taken from `base` (urllib3: `_merge_pool_kwargs`).
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        Self {
            maxsize: self.maxsize.or(base.maxsize),
            block: self.block.or(base.block),
            pool_timeout: self.pool_timeout.or(base.pool_timeout),
            idle_timeout: self.idle_timeout.or(base.idle_timeout),
            max_lifetime: self.max_lifetime.or(base.max_lifetime),
            headers: self.headers.or_else(|| base.headers.clone()),
            timeouts: self.timeouts.or(base.timeouts),
            retries: self.retries.or(&base.retries),
            tls: self.tls.or(&base.tls),
            proxies: self.proxies.or_else(|| base.proxies.clone()),
            source_address: self.source_address.or(base.source_address),
            socket: self.socket.or(base.socket),
            address_delay: self.address_delay.or(base.address_delay),
            family: self.family.or(base.family),
            limits: self.limits.or(base.limits),
        }
    }
}

/// Settings for the pools of certain hosts (where Python programs override `_new_pool`).
///
/// ```
/// use urlpool_core::types::{HostRule, ManagerSettings, PoolSettings};
///
/// let settings = PoolSettings { maxsize: Some(1), ..PoolSettings::default() };
/// let rule = HostRule { host: "slow.example".into(), settings, ..HostRule::default() };
/// assert_eq!(rule.port, None); // any
/// let settings = ManagerSettings { host_rules: vec![rule], ..ManagerSettings::default() };
/// assert_eq!(settings.pool, PoolSettings::default());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostRule {
    /// A host, `*.` and a domain for all hosts below that domain but not itself, or `*` for any host.
    pub host: String,
    /// `None` means any port.
    pub port: Option<u16>,
    /// What replaces the manager's.
    pub settings: PoolSettings,
}

/// What a manager is made with.
///
/// ```
/// use urlpool_core::types::{Headers, ManagerSettings};
///
/// let headers = Headers::parse([("User-Agent", "example/1.0")]).expect("a name and a value that may be sent");
/// let settings = ManagerSettings { num_pools: Some(50), headers: Some(headers), ..ManagerSettings::default() };
/// assert!(settings.headers.is_some_and(|headers| headers.has("user-agent")));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManagerSettings {
    /// How many pools are kept. The default is 10.
    pub num_pools: Option<u32>,
    /// Sent with each request that names no headers of its own.
    pub headers: Option<Headers>,
    /// What every pool starts from.
    pub pool: PoolSettings,
    /// The first rule that matches an origin applies to its pools. The default is none.
    pub host_rules: Vec<HostRule>,
    /// How many connections are open at once, those of all pools together. At that many, a request closes the one that was idle longest, or
    /// waits in turn where none is idle. The default is unlimited.
    pub max_connections: Option<u32>,
    /// How many events are kept. The default is 0.
    pub events: Option<u32>,
    /// Names whose addresses are known: they are found here and not looked up.
    pub hosts: Vec<HostEntry>,
}

/// How long urllib3's function `request` waits for a connection and for each answer.
const SHARED_TIMEOUT: Limit = Limit::After(Duration::from_secs(3));

impl ManagerSettings {
    /// What the manager is made with that callers share who have made none of their own (urllib3: the function `request`): connecting and
    /// each wait for the server take at most 3 seconds.
    #[must_use]
    pub fn shared() -> Self {
        Self {
            pool: PoolSettings {
                timeouts: Timeouts {
                    connect: Some(SHARED_TIMEOUT),
                    read: Some(SHARED_TIMEOUT),
                    ..Timeouts::default()
                },
                ..PoolSettings::default()
            },
            ..Self::default()
        }
    }

    /// The same with all requests going through one proxy (urllib3: `ProxyManager`), whatever was said of proxies before.
    #[must_use]
    pub fn through(mut self, proxy: ProxySettings) -> Self {
        self.pool.proxies = Some(Proxies::all_through(proxy));
        for rule in &mut self.host_rules {
            rule.settings.proxies = None;
        }
        self
    }
}

/// A complete description of a pool, which inherits nothing.
///
/// ```
/// use urlpool_core::types::{PoolContext, PoolSettings};
///
/// let (scheme, host) = ("https".into(), "example.com".into());
/// let context = PoolContext { scheme, host, port: None, settings: PoolSettings::default() };
/// assert_eq!(context.settings.tls.roots, None); // the built-in ones
/// ```
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
