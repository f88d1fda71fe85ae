//! Which servers are reached through no proxy, whatever the rules say (curl: `no_proxy`).

use std::net::IpAddr;

use super::proxy_url::split_port;
use crate::policy::Matcher;
use crate::types::{Error, Network, Origin};

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
    Network(Network),
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
        if text.contains(',') {
            return Err(refused("this is more than one"));
        }
        if text.contains('/') {
            let network = Network::parse(text).map(Self::Network);
            return network.ok_or_else(|| refused("this is no network"));
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
            Self::Network(network) => {
                let address = target.host().address();
                address.is_some_and(|address| network.contains(address))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Url;

    #[test]
    fn an_entry_exempts_what_it_does_for_curl_and_ports() {
        for (case, entry, target, expected) in [
            ("everything", "*", "http://a.test", true),
            ("everything at a port", "*:81", "http://a.test:81", true),
            ("everything at another port", "*:81", "http://a.test", false),
            ("the host", "a.test", "http://a.test", true),
            ("case", "A.Test", "http://a.tEST", true),
            ("below a domain", "a.test", "http://b.a.test", true),
            ("far below", "a.test", "http://d.c.b.a.test", true),
            ("only the same end", "a.test", "http://ba.test", false),
            ("a longer domain", "a.test", "http://test", false),
            (
                "a domain in front",
                "a.test",
                "http://a.test.example",
                false,
            ),
            ("the top", "test", "http://a.test", true),
            ("a leading dot, below", ".a.test", "http://b.a.test", true),
            ("a leading dot, itself", ".a.test", "http://a.test", true),
            (
                "a leading dot, the same end",
                ".a.test",
                "http://ba.test",
                false,
            ),
            ("a dot behind the entry", "a.test.", "http://a.test", true),
            ("a dot behind the host", "a.test", "http://a.test.", true),
            ("a dot behind both", ".a.test.", "http://b.a.test.", true),
            ("a star, below", "*.a.test", "http://b.a.test", true),
            ("a star, itself", "*.a.test", "http://a.test", false),
            ("one label", "localhost", "http://localhost:8080", true),
            (
                "no ASCII",
                "b\u{fc}cher.test",
                "http://xn--bcher-kva.test",
                true,
            ),
            ("any port", "a.test", "https://a.test:8443", true),
            ("a port", "a.test:8443", "https://a.test:8443", true),
            ("a port below", "a.test:8443", "https://b.a.test:8443", true),
            ("another port", "a.test:8443", "https://a.test", false),
            (
                "the scheme's own port",
                "a.test:443",
                "https://a.test",
                true,
            ),
            ("not of that scheme", "a.test:443", "http://a.test", false),
            ("IPv4", "192.0.2.1", "http://192.0.2.1", true),
            ("IPv4 at a port", "192.0.2.1:80", "http://192.0.2.1", true),
            ("IPv4 at another", "192.0.2.1:81", "http://192.0.2.1", false),
            ("another IPv4", "192.0.2.1", "http://192.0.2.2", false),
            ("the end of an IPv4", "0.2.1", "http://192.0.2.1", false),
            ("IPv6", "::1", "http://[::1]", true),
            (
                "IPv6, written at length",
                "0:0:0:0:0:0:0:1",
                "http://[::1]",
                true,
            ),
            ("IPv6 in brackets", "[::1]", "http://[::1]:81", true),
            ("IPv6 at a port", "[::1]:81", "http://[::1]:81", true),
            ("IPv6 at another", "[::1]:81", "http://[::1]:82", false),
            ("another IPv6", "::1", "http://[::2]", false),
            ("a network", "192.0.2.0/24", "http://192.0.2.255", true),
            ("past a network", "192.0.2.0/24", "http://192.0.3.0", false),
            (
                "before a network",
                "192.0.2.0/24",
                "http://192.0.1.255",
                false,
            ),
            (
                "a network by any address",
                "192.0.2.77/24",
                "http://192.0.2.1",
                true,
            ),
            ("half a byte", "10.16.0.0/12", "http://10.31.255.255", true),
            (
                "past half a byte",
                "10.16.0.0/12",
                "http://10.32.0.0",
                false,
            ),
            ("one address", "192.0.2.1/32", "http://192.0.2.1", true),
            ("not the next", "192.0.2.0/32", "http://192.0.2.1", false),
            ("all of IPv4", "0.0.0.0/0", "http://255.1.2.3", true),
            ("all of IPv4 is no IPv6", "0.0.0.0/0", "http://[::1]", false),
            (
                "an IPv6 network",
                "2001:db8::/32",
                "http://[2001:db8:ffff::1]",
                true,
            ),
            ("past it", "2001:db8::/32", "http://[2001:db9::1]", false),
            ("in brackets", "[fe80::]/10", "http://[febf::1]", true),
            ("past that", "[fe80::]/10", "http://[fec0::1]", false),
            ("one IPv6 address", "::1/128", "http://[::1]", true),
            ("all of IPv6", "::/0", "http://[2001:db8::1]", true),
            ("all of IPv6 is no IPv4", "::/0", "http://192.0.2.1", false),
            ("a network is no name", "0.0.0.0/0", "http://a.test", false),
            ("a name is no address", "a.test", "http://192.0.2.1", false),
        ] {
            let list = NoProxy::parse(&[entry]).unwrap();
            let target = Url::parse(target).unwrap();
            assert_eq!(list.matches(target.origin()), expected, "{case}");
        }
        let nobody = NoProxy::parse::<&str>(&[]).unwrap();
        assert!(!nobody.matches(Url::parse("http://a").unwrap().origin()));
        let two = NoProxy::parse(&["b.test", "a.test"]).unwrap();
        assert!(two.matches(Url::parse("http://a.test").unwrap().origin()));
    }

    #[test]
    fn an_entry_that_matches_nothing_is_refused() {
        for entry in [
            "",
            ".",
            "a b",
            "a*",
            "*a.test",
            "http://a.test",
            "u@a.test",
            "a.test:",
            "a.test:x",
            "a.test:65536",
            "a.test:+1",
            "[::1",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/x",
            "192.0.2.0/+8",
            "192.0.2.0/-1",
            "192.0.2.0/256",
            "192.0.2/24",
            "a.test/8",
            "::/129",
            "192.0.2.0/255.255.255.0",
            "192.0.2.0/24:80",
            "/8",
            "a,b",
        ] {
            let error = NoProxy::parse(&[entry]).err().map(|error| error.kind());
            assert_eq!(error, Some("invalid-settings"), "{entry:?}");
            assert!(!is_entry(entry), "{entry:?}");
        }
    }
}
