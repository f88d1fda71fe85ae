//! Which network a component is granted: decisions, and no memory of what they led to.
//!
//! A grant is for a host and a port. What a name resolves to is decided here too, address by address: a granted name grants public addresses,
//! and others only where that was said, so that whoever owns a name cannot point it into the network of the host.

use std::net::{IpAddr, SocketAddr};

use urlpool_core::types::{Host, Network};

use crate::reach::{holds, is_public, network};

/// Where a component may connect to. The default is nowhere.
///
/// ```
/// use urlpool_host::Grants;
///
/// let grants = Grants::none()
///     .allow("api.example.com", 443) // the name, and the public addresses that it resolves to
///     .allow("*.cdn.example", None) // any name below it, any port
///     .allow("192.168.7.20", 8080) // an address, private or not
///     .allow("fd12::/16", 443) // all that begin so
///     .allow_private("db.internal", 443); // a name that may resolve to private addresses
/// # drop(grants);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Grants {
    is_all: bool,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    to: To,
    port: Option<u16>,
}

/// What a rule is for.
#[derive(Clone, Debug)]
enum To {
    /// Any name, and every public address.
    Public,
    /// These addresses.
    Network(Network),
    /// What a name resolves to.
    Name { pattern: Pattern, is_private: bool },
}

#[derive(Clone, Debug)]
enum Pattern {
    Exact(String),
    /// All that end in this, which begins with a dot.
    Below(String),
}

impl Grants {
    /// Nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Anywhere, the host's own machine and its private networks too.
    #[must_use]
    pub fn all() -> Self {
        Self {
            is_all: true,
            rules: Vec::new(),
        }
    }

    /// To a host too: a name, which may then be looked up; `*.` and a name, for all names below it; an IP address; or a network, written
    /// `10.0.0.0/8`. `port` `None` means any port. What is none of these grants nothing.
    ///
    /// A name grants the public addresses that it resolves to, at the time when the component looks it up. Private ones (RFC 1918, loopback,
    /// link-local and what else is not public) are granted by [`Grants::allow_private`], or by being named themselves; `localhost` and the
    /// names below it grant the loopback. Two names that share an address are one grant.
    #[must_use]
    pub fn allow(self, host: impl AsRef<str>, port: impl Into<Option<u16>>) -> Self {
        let host = host.as_ref();
        let to = network(unbracketed(host)).map_or_else(|| To::name(host, false), To::Network);
        self.with(to, port.into())
    }

    /// As [`Grants::allow`], with whatever addresses a name resolves to: who owns the name chooses the address.
    #[must_use]
    pub fn allow_private(self, name: impl AsRef<str>, port: impl Into<Option<u16>>) -> Self {
        self.with(To::name(name.as_ref(), true), port.into())
    }

    /// To everything public: any name may be looked up, and every public address connected to. `port` `None` means any port.
    #[must_use]
    pub fn allow_public(self, port: impl Into<Option<u16>>) -> Self {
        self.with(To::Public, port.into())
    }

    fn with(mut self, to: To, port: Option<u16>) -> Self {
        self.rules.push(Rule { to, port });
        self
    }

    /// With a host whose addresses are all of them granted, be it a name or an address: one that the host of the component has chosen.
    #[cfg(feature = "wasi-http")]
    pub(crate) fn reach(self, host: &str, port: u16) -> Self {
        let to = network(unbracketed(host)).map_or_else(|| To::name(host, true), To::Network);
        self.with(to, Some(port))
    }

    /// Whether these are others, with something added.
    #[cfg(feature = "wasi-http")]
    pub(crate) const fn has_more_than(&self, other: &Self) -> bool {
        self.rules.len() > other.rules.len()
    }

    /// Whether everything is granted, so that nothing need be remembered.
    pub(crate) const fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether a name, or an address in its place, may be looked up. It is [`normal`].
    pub(crate) fn may_look_up(&self, name: &str) -> bool {
        self.is_all
            || self.rules.iter().any(|rule| match &rule.to {
                To::Public => true,
                To::Network(network) => name.parse().is_ok_and(|address| holds(network, address)),
                To::Name { pattern, .. } => pattern.fits(name),
            })
    }

    /// Whether a request to a host may be sent at all, be it through a proxy. What the name resolves to is not known yet.
    #[cfg(feature = "wasi-http")]
    pub(crate) fn may_ask(&self, host: &str, port: u16) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        self.is_all
            || self.rules.iter().any(|rule| {
                rule.port.is_none_or(|granted| granted == port)
                    && match (&rule.to, address) {
                        (to, Some(address)) => to.covers(address),
                        (To::Public, None) => true,
                        (To::Network(_), None) => false,
                        (To::Name { pattern, .. }, None) => pattern.fits(host),
                    }
            })
    }

    /// The rules, by their places, under which a name's address is to be remembered.
    pub(crate) fn rules_for(&self, name: &str, address: IpAddr) -> impl Iterator<Item = usize> {
        let is_open = move |is_private| {
            is_private || is_public(address) || (is_local(name) && is_loopback(address))
        };
        let rules = self.rules.iter().enumerate();
        rules.filter_map(move |(place, rule)| match &rule.to {
            To::Name {
                pattern,
                is_private,
            } if pattern.fits(name) && is_open(*is_private) => Some(place),
            _ => None,
        })
    }

    /// Whether some port of an address is granted whatever name led to it.
    pub(crate) fn may_reach(&self, address: IpAddr) -> bool {
        let is_covered = |rule: &Rule| rule.to.covers(address);
        self.is_all || self.rules.iter().any(is_covered)
    }

    /// Whether an address may be connected to, where `is_remembered` knows the rules under whose names it was found.
    pub(crate) fn may_connect(
        &self,
        address: SocketAddr,
        is_remembered: impl Fn(usize) -> bool,
    ) -> bool {
        self.is_all
            || self.rules.iter().enumerate().any(|(place, rule)| {
                rule.port.is_none_or(|port| port == address.port())
                    && (rule.to.covers(address.ip()) || is_remembered(place))
            })
    }
}

impl To {
    fn name(name: &str, is_private: bool) -> Self {
        let pattern = match name.strip_prefix("*.") {
            Some(parent) => Pattern::Below(format!(".{}", normal(parent))),
            None => Pattern::Exact(normal(name)),
        };
        Self::Name {
            pattern,
            is_private,
        }
    }

    /// Whether an address is granted whatever name led to it.
    fn covers(&self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Network(network) => holds(network, address),
            Self::Name { .. } => false,
        }
    }
}

impl Pattern {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(own) => name == own,
            Self::Below(end) => name.len() > end.len() && name.ends_with(end.as_str()),
        }
    }
}

/// RFC 6761, section 6.3: these names mean the loopback.
fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn unbracketed(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host)
}

/// A host as it is compared: as the component writes it in a lookup, without brackets and the root's dot.
pub(crate) fn normal(host: &str) -> String {
    let host = unbracketed(host);
    match Host::parse(host) {
        Ok(parsed) => parsed.address().map_or_else(
            || parsed.without_root_dot().to_owned(),
            |address| address.to_canonical().to_string(),
        ),
        Err(_) => host.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "wasi-http")]
    #[test]
    fn a_request_is_granted_by_what_its_url_names() {
        let none = Grants::none;
        for (case, grants, host, port, expected) in [
            ("nothing", none(), "a.test", 80, false),
            ("all", Grants::all(), "10.0.0.1", 80, true),
            ("a name", none().allow("a.test", 80), "a.test", 80, true),
            ("a port", none().allow("a.test", 80), "a.test", 81, false),
            ("any port", none().allow("a.test", None), "a.test", 81, true),
            ("below", none().allow("*.test", 80), "a.test", 80, true),
            ("another", none().allow("a.test", 80), "b.test", 80, false),
            (
                "a network",
                none().allow("10.0.0.0/8", 80),
                "10.1.1.1",
                80,
                true,
            ),
            (
                "a name in a network",
                none().allow("10.0.0.0/8", 80),
                "a.test",
                80,
                false,
            ),
            ("a public name", none().allow_public(80), "a.test", 80, true),
            (
                "a public address",
                none().allow_public(80),
                "1.1.1.1",
                80,
                true,
            ),
            (
                "a private address",
                none().allow_public(80),
                "10.0.0.1",
                80,
                false,
            ),
            (
                "an address for a name",
                none().allow_private("a.test", 80),
                "10.0.0.1",
                80,
                false,
            ),
        ] {
            assert_eq!(grants.may_ask(host, port), expected, "{case}");
        }
    }

    #[test]
    fn a_name_may_be_looked_up_where_it_is_granted() {
        for (case, grants, name, expected) in [
            ("nothing", Grants::none(), "localhost", false),
            ("default", Grants::default(), "localhost", false),
            ("all", Grants::all(), "a.test", true),
            ("public", Grants::none().allow_public(443), "a.test", true),
            (
                "exact",
                Grants::none().allow("API.test.", 1),
                "api.test",
                true,
            ),
            (
                "another",
                Grants::none().allow("api.test", 1),
                "a.test",
                false,
            ),
            (
                "below",
                Grants::none().allow("api.test", 1),
                "a.api.test",
                false,
            ),
            (
                "private",
                Grants::none().allow_private("a.test", 1),
                "a.test",
                true,
            ),
            (
                "pattern",
                Grants::none().allow("*.Test", 1),
                "a.b.test",
                true,
            ),
            (
                "its parent",
                Grants::none().allow("*.test", 1),
                "test",
                false,
            ),
            ("its end", Grants::none().allow("*.test", 1), "atest", false),
            (
                "empty label",
                Grants::none().allow("*.test", 1),
                ".test",
                false,
            ),
            (
                "a star alone",
                Grants::none().allow("*", 1),
                "a.test",
                false,
            ),
            (
                "address",
                Grants::none().allow("127.0.0.1", 1),
                "127.0.0.1",
                true,
            ),
            (
                "address in hex",
                Grants::none().allow("127.0.0.1", 1),
                "0x7f.1",
                true,
            ),
            (
                "its name",
                Grants::none().allow("127.0.0.1", 1),
                "localhost",
                false,
            ),
            (
                "network",
                Grants::none().allow("10.0.0.0/8", 1),
                "10.1.2.3",
                true,
            ),
            (
                "no network",
                Grants::none().allow("10.0.0.0/99", 1),
                "10.1.2.3",
                false,
            ),
            (
                "in another script",
                Grants::none().allow("B\u{fc}cher.example.", None),
                "xn--bcher-kva.example",
                true,
            ),
        ] {
            assert_eq!(grants.may_look_up(&normal(name)), expected, "{case}");
        }
    }

    #[test]
    fn a_name_grants_public_addresses_unless_more_is_said() {
        let plain = |name| Grants::none().allow(name, 443);
        let private = |name| Grants::none().allow_private(name, 443);
        for (case, grants, name, address, expected) in [
            ("public", plain("a.test"), "a.test", "1.1.1.1", true),
            (
                "public, IPv6",
                plain("a.test"),
                "a.test",
                "2606:4700::1",
                true,
            ),
            ("rebound", plain("a.test"), "a.test", "127.0.0.1", false),
            (
                "metadata",
                plain("a.test"),
                "a.test",
                "169.254.169.254",
                false,
            ),
            ("intranet", plain("a.test"), "a.test", "10.0.0.1", false),
            ("unspecified", plain("a.test"), "a.test", "0.0.0.0", false),
            (
                "mapped",
                plain("a.test"),
                "a.test",
                "::ffff:127.0.0.1",
                false,
            ),
            (
                "compatible",
                plain("a.test"),
                "a.test",
                "::127.0.0.1",
                false,
            ),
            (
                "NAT64",
                plain("a.test"),
                "a.test",
                "64:ff9b::10.0.0.1",
                false,
            ),
            (
                "NAT64, public",
                plain("a.test"),
                "a.test",
                "64:ff9b::1.1.1.1",
                true,
            ),
            ("unique local", plain("a.test"), "a.test", "fd00::1", false),
            ("another name", plain("a.test"), "b.test", "1.1.1.1", false),
            ("said so", private("a.test"), "a.test", "10.0.0.1", true),
            (
                "said so of another",
                private("a.test"),
                "b.test",
                "10.0.0.1",
                false,
            ),
            (
                "said so of all",
                private("*.test"),
                "b.test",
                "10.0.0.1",
                true,
            ),
            (
                "localhost",
                plain("localhost"),
                "localhost",
                "127.0.0.1",
                true,
            ),
            (
                "localhost, IPv6",
                plain("localhost"),
                "localhost",
                "::1",
                true,
            ),
            (
                "below localhost",
                plain("a.localhost"),
                "a.localhost",
                "::1",
                true,
            ),
            (
                "localhost elsewhere",
                plain("localhost"),
                "localhost",
                "10.0.0.1",
                false,
            ),
            (
                "not localhost",
                plain("notlocalhost"),
                "notlocalhost",
                "::1",
                false,
            ),
        ] {
            let address = address.parse().unwrap();
            let is_open = grants.rules_for(name, address).next().is_some();
            assert_eq!(is_open, expected, "{case}");
        }
    }

    #[test]
    fn an_address_is_granted_by_itself_its_network_or_all_that_is_public() {
        let public = || Grants::none().allow_public(443);
        for (case, grants, address, expected) in [
            ("nothing", Grants::none(), "1.1.1.1:443", false),
            ("all", Grants::all(), "127.0.0.1:1", true),
            ("public", public(), "1.1.1.1:443", true),
            ("public, another port", public(), "1.1.1.1:80", false),
            ("public, mapped", public(), "[::ffff:1.1.1.1]:443", true),
            ("not public", public(), "10.0.0.1:443", false),
            (
                "not public, mapped",
                public(),
                "[::ffff:10.0.0.1]:443",
                false,
            ),
            (
                "not public, compatible",
                public(),
                "[::10.0.0.1]:443",
                false,
            ),
            (
                "not public, NAT64",
                public(),
                "[64:ff9b::10.0.0.1]:443",
                false,
            ),
            (
                "any port",
                Grants::none().allow("[::1]", None),
                "[::1]:9",
                true,
            ),
            (
                "a port",
                Grants::none().allow("127.0.0.1", 80),
                "127.0.0.1:80",
                true,
            ),
            (
                "another port",
                Grants::none().allow("127.0.0.1", 80),
                "127.0.0.1:81",
                false,
            ),
            (
                "another",
                Grants::none().allow("127.0.0.1", 80),
                "127.0.0.2:80",
                false,
            ),
            (
                "granted mapped",
                Grants::none().allow("::ffff:10.0.0.1", None),
                "10.0.0.1:1",
                true,
            ),
            (
                "in full",
                Grants::none().allow("0:0:0:0:0:0:0:1", None),
                "[::1]:1",
                true,
            ),
            (
                "a network",
                Grants::none().allow("10.0.0.0/8", 80),
                "10.9.8.7:80",
                true,
            ),
            (
                "outside of it",
                Grants::none().allow("10.0.0.0/8", 80),
                "11.0.0.1:80",
                false,
            ),
            (
                "a name alone",
                Grants::none().allow("a.test", 80),
                "1.1.1.1:80",
                false,
            ),
        ] {
            let granted = grants.may_connect(address.parse().unwrap(), |_| false);
            assert_eq!(granted, expected, "{case}");
        }
    }

    #[test]
    fn what_a_name_led_to_is_granted_at_its_port() {
        let grants = Grants::none().allow("a.test", 443).allow("b.test", None);
        for (case, address, found, expected) in [
            ("found", "1.1.1.1:443", 0, true),
            ("another port", "1.1.1.1:80", 0, false),
            ("any port", "1.1.1.1:80", 1, true),
            ("under nothing", "1.1.1.1:443", 2, false),
        ] {
            let granted = grants.may_connect(address.parse().unwrap(), |place| place == found);
            assert_eq!(granted, expected, "{case}");
        }
    }
}
