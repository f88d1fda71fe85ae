//! Which origins a host rule is for.
//!
//! The first rule that matches applies; rules are never combined.

use crate::types::{Error, Host, Origin};

/// The hosts and the port of a rule.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Matcher {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Hosts {
    Any,
    One(Host),
    /// The domain, with a dot before it.
    Below(String),
}

impl Matcher {
    /// Reads a pattern: a host, `*.` and a domain, or `*`. `port` `None` means any.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where the pattern is none of these.
    pub fn parse(pattern: &str, port: Option<u16>) -> Result<Self, Error> {
        let refused = |why: &str| {
            Error::InvalidSettings(format!("Failed to parse host rule {pattern:?}: {why}"))
        };
        let domain = pattern.strip_prefix("*.");
        let hosts = if pattern == "*" {
            Hosts::Any
        } else {
            let written = domain.unwrap_or(pattern);
            let host = Host::parse(written).map_err(|error| refused(error.message()))?;
            if host.as_str().contains('*') {
                return Err(refused("a * stands only alone, or before the first dot"));
            }
            match domain {
                None => Hosts::One(host),
                Some(_) if host.address().is_some() => {
                    return Err(refused("no host is below an address"));
                }
                Some(_) => Hosts::Below(format!(".{}", host.without_root_dot())),
            }
        };
        Ok(Self { hosts, port })
    }

    /// Whether the rule is for this origin.
    #[must_use]
    pub fn matches(&self, origin: &Origin) -> bool {
        let host = origin.host().without_root_dot();
        let is_host = match &self.hosts {
            Hosts::Any => true,
            Hosts::One(own) => own.without_root_dot() == host,
            Hosts::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
        };
        is_host && self.port.is_none_or(|port| port == origin.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Scheme;

    #[test]
    fn a_pattern_names_one_host_those_below_a_domain_or_all() {
        for (pattern, port, host, expected) in [
            ("*", None, "a.test", true),
            ("*", None, "192.0.2.1", true),
            ("*", Some(443), "a.test", true),
            ("*", Some(80), "a.test", false),
            ("a.test", None, "a.test", true),
            ("A.Test", None, "a.test", true),
            ("a.test", None, "A.TEST.", true),
            ("a.test.", None, "a.test", true),
            ("a.test", Some(443), "a.test", true),
            ("a.test", Some(444), "a.test", false),
            ("a.test", None, "b.a.test", false),
            ("a.test", None, "ba.test", false),
            ("*.a.test", None, "b.a.test", true),
            ("*.A.TEST", None, "c.b.a.test", true),
            ("*.a.test.", None, "b.a.test.", true),
            ("*.a.test", None, "a.test", false),
            ("*.a.test", None, "ba.test", false),
            ("*.a.test", None, ".a.test", false),
            ("*.a.test", None, "b.a.test.example", false),
            ("192.0.2.1", None, "192.0.2.1", true),
            ("::1", None, "[::1]", true),
            ("[::1]", None, "::1", true),
            ("b\u{fc}cher.example", None, "xn--bcher-kva.example", true),
        ] {
            let origin = Origin::new(Scheme::Https, Host::parse(host).unwrap(), None);
            let rule = Matcher::parse(pattern, port).unwrap();
            assert_eq!(
                rule.matches(&origin),
                expected,
                "{pattern:?} {port:?} {origin}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "",
            "*.",
            "**",
            "*a.test",
            "a.*",
            "a.*.test",
            "*.*.test",
            "*.192.0.2.1",
            "*.[::1]",
            "a%2A.test",
            "a.test:80",
            "http://a.test",
            "u@a.test",
            "a test",
        ] {
            let kind = Matcher::parse(pattern, None)
                .err()
                .map(|error| error.kind());
            assert_eq!(kind, Some("invalid-settings"), "{pattern:?}");
        }
    }
}
