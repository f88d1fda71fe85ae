//! Names whose addresses are known beforehand, as in `/etc/hosts`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Error, Host};

/// A name and where it leads.
///
/// ```
/// use std::net::Ipv4Addr;
/// use urlpool_core::types::{Host, HostEntry, Hosts};
///
/// # fn main() -> Result<(), urlpool_core::types::Error> {
/// let entry = HostEntry { name: "internal.example".into(), addresses: vec![Ipv4Addr::LOCALHOST.into()] };
/// let hosts = Hosts::parse(vec![entry])?;
/// assert!(hosts.addresses(&Host::parse("Internal.example.")?).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostEntry {
    /// The name, as a URL may write it. Case and the root's trailing dot are of no matter.
    pub name: String,
    /// Its addresses, in order of preference. With none the name leads nowhere.
    pub addresses: Vec<IpAddr>,
}

/// Names whose addresses need no lookup.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hosts(BTreeMap<String, Vec<IpAddr>>);

impl Hosts {
    /// The table of these entries. Entries for one name add up.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where a name is none, or is an address, which nobody looks up.
    pub fn parse(entries: Vec<HostEntry>) -> Result<Self, Error> {
        let mut table: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for HostEntry { name, addresses } in entries {
            let refused = |why: &dyn std::fmt::Display| {
                Error::InvalidSettings(format!("The host {name:?} cannot be in the table: {why}"))
            };
            let host = Host::parse(&name).map_err(|error| refused(&error))?;
            if host.address().is_some() {
                return Err(refused(&"it is an address"));
            }
            table
                .entry(host.without_root_dot().to_owned())
                .or_default()
                .extend(addresses);
        }
        Ok(Self(table))
    }

    /// The addresses of a name that is in the table, and none for one under `invalid`, which nobody has (RFC 6761, section 6.4).
    #[must_use]
    pub fn addresses(&self, host: &Host) -> Option<&[IpAddr]> {
        let name = host.without_root_dot();
        let known = self.0.get(name).map(Vec::as_slice);
        let is_nobodys = || name.rsplit('.').next() == Some("invalid");
        known.or_else(|| is_nobodys().then_some(&[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, addresses: &[&str]) -> HostEntry {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        HostEntry {
            name: name.to_owned(),
            addresses: addresses.collect(),
        }
    }

    #[test]
    fn a_name_is_found_whole_and_in_any_spelling() {
        let hosts = Hosts::parse(vec![
            entry("A.test", &["192.0.2.1"]),
            entry("b.test.", &["2001:db8::1"]),
            entry("a.test", &["192.0.2.2", "192.0.2.1"]),
            entry("b\u{fc}cher.test", &["192.0.2.3"]),
            entry("nowhere.test", &[]),
        ])
        .unwrap();
        for (name, expected) in [
            ("a.test", Some(&["192.0.2.1", "192.0.2.2", "192.0.2.1"][..])),
            ("A.TEST.", Some(&["192.0.2.1", "192.0.2.2", "192.0.2.1"])),
            ("b.test", Some(&["2001:db8::1"])),
            ("xn--bcher-kva.test", Some(&["192.0.2.3"])),
            ("nowhere.test", Some(&[])),
            ("www.a.test", None),
            ("test", None),
            ("a.test.invalid", Some(&[])),
            ("INVALID.", Some(&[])),
            ("invalid.test", None),
            ("notinvalid", None),
            ("192.0.2.1", None),
        ] {
            let found = hosts.addresses(&Host::parse(name).unwrap());
            let shown = found.map(|found| Vec::from_iter(found.iter().map(IpAddr::to_string)));
            let expected =
                expected.map(|texts| Vec::from_iter(texts.iter().map(|text| text.to_string())));
            assert_eq!(shown, expected, "{name}");
        }
    }

    #[test]
    fn what_nobody_looks_up_is_refused() {
        for name in ["", "a b", "user@a.test", "192.0.2.1", "::1", "[::1]"] {
            let refused = Hosts::parse(vec![entry(name, &["192.0.2.1"])]);
            assert_eq!(refused.unwrap_err().kind(), "invalid-settings", "{name:?}");
        }
    }
}
