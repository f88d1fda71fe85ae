//! Which servers are reached through no proxy, whatever the rules say (curl: `no_proxy`).

use std::net::IpAddr;

use super::proxy_url::split_port;
use crate::policy::Matcher;
use crate::types::{Error, Origin};

/// What stands in a `no_proxy` list.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Entry {
    /// One host, the hosts below a domain, or all.
    Hosts(Matcher),
    /// A domain and the hosts below it.
    Domain { itself: Matcher, below: Matcher },
    /// The addresses that begin with these bits.
    Network { address: IpAddr, bits: u8 },
}

impl NoProxy {
    /// The list of these entries.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] for an entry that could match nothing.
    pub(super) fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, Error> {
        let entries = entries.iter().map(|entry| Entry::parse(entry.as_ref()));
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Whether a server is in the list.
    pub(super) fn matches(&self, target: &Origin) -> bool {
        self.0.iter().any(|entry| entry.matches(target))
    }
}

/// Whether an entry could match anything.
pub(super) fn is_entry(text: &str) -> bool {
    Entry::parse(text).is_ok()
}

impl Entry {
    fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why: &str| {
            Error::InvalidSettings(format!("Failed to parse no-proxy entry {text:?}: {why}"))
        };
        if let Some((address, bits)) = text.split_once('/') {
            return network(address, bits).ok_or_else(|| refused("this is no network"));
        }
        let (host, port) = if text.parse::<IpAddr>().is_ok() {
            (text, None)
        } else {
            split_port(text)
        };
        let port: Option<u16> = match port {
            None => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().map_err(|_| refused("this is no port"))?)
            }
            Some(_) => return Err(refused("this is no port")),
        };
        // curl: a dot before a domain changes nothing.
        let domain = host.strip_prefix('.').unwrap_or(host);
        let itself = Matcher::parse(domain, port).map_err(|_| refused("this is no host"))?;
        match Matcher::parse(&format!("*.{domain}"), port) {
            Ok(below) => Ok(Self::Domain { itself, below }),
            // Nothing is below an address, a pattern or everything.
            Err(_) => Ok(Self::Hosts(itself)),
        }
    }

    fn matches(&self, target: &Origin) -> bool {
        match self {
            Self::Hosts(hosts) => hosts.matches(target),
            Self::Domain { itself, below } => itself.matches(target) || below.matches(target),
            Self::Network { address, bits } => target
                .host()
                .address()
                .is_some_and(|host| is_within(host, *address, *bits)),
        }
    }
}

/// The network that its first address, or any other of it, and the number of its bits name (RFC 4632, section 3.1).
fn network(address: &str, bits: &str) -> Option<Entry> {
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    let address: IpAddr = bare.parse().ok()?;
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Entry::Network { address, bits })
}

/// Whether two addresses are of one family and begin with the same bits.
fn is_within(host: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differing = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            u128::from(host.to_bits() ^ network.to_bits()) << 96
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => host.to_bits() ^ network.to_bits(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    differing.leading_zeros() >= u32::from(bits)
}
