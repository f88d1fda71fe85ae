//! Which network a component is given.
//!
//! WASI asks only about addresses. A grant by name therefore wraps name lookup: a granted name may be looked up, what it resolves to is
//! remembered, and only that may be connected to. A name that comes to mean another address later opens nothing that was not looked up under
//! a granted name.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use urlpool_core::types::Host;
use wasmtime_wasi::sockets::SocketAddrUse;

/// Where a component may connect to. The default is nowhere.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    is_all: bool,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    host: String,
    port: Option<u16>,
}

impl Grants {
    /// Nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Anywhere.
    #[must_use]
    pub fn all() -> Self {
        Self {
            is_all: true,
            rules: Vec::new(),
        }
    }

    /// To a host too: a name, which may then be looked up, or an IP address. `port` `None` means any port.
    ///
    /// Two names that share an address are one grant, and a granted name is trusted with whatever addresses it resolves to.
    #[must_use]
    pub fn allow(mut self, host: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        self.rules.push(Rule {
            host: normal(&host.into()),
            port: port.into(),
        });
        self
    }
}

/// The grants of one instance, and the addresses that its granted names have resolved to.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    grants: Arc<Grants>,
    resolved: Arc<Mutex<HashMap<String, HashSet<IpAddr>>>>,
}

impl Ledger {
    pub(crate) fn new(grants: Grants) -> Self {
        Self {
            grants: Arc::new(grants),
            resolved: Arc::default(),
        }
    }

    pub(crate) fn may_look_up(&self, name: &str) -> bool {
        let name = normal(name);
        self.grants.is_all || self.grants.rules.iter().any(|rule| rule.host == name)
    }

    /// Remembers what a granted name resolved to.
    pub(crate) fn resolved(&self, name: &str, address: IpAddr) {
        if !self.grants.is_all {
            let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
            resolved
                .entry(normal(name))
                .or_default()
                .insert(address.to_canonical());
        }
    }

    pub(crate) fn may_use(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        match purpose {
            // The implicit bind of a connection that is about to be made.
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            SocketAddrUse::TcpConnect => self.may_connect(address),
            _ => false,
        }
    }

    fn may_connect(&self, address: SocketAddr) -> bool {
        if self.grants.is_all {
            return true;
        }
        let ip = address.ip().to_canonical();
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        self.grants.rules.iter().any(|rule| {
            let is_host = rule.host.parse() == Ok(ip)
                || resolved
                    .get(&rule.host)
                    .is_some_and(|addresses| addresses.contains(&ip));
            is_host && rule.port.is_none_or(|port| port == address.port())
        })
    }
}

/// A host as it is compared: as the component writes it in a lookup, without brackets and the root's dot.
fn normal(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
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

    fn connects(ledger: &Ledger, address: &str) -> bool {
        ledger.may_use(address.parse().unwrap(), SocketAddrUse::TcpConnect)
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let ledger = Ledger::new(Grants::default());
        assert!(!connects(&ledger, "127.0.0.1:80") && !ledger.may_look_up("localhost"));
    }

    #[test]
    fn a_name_grants_what_it_resolved_to_and_its_port() {
        let ledger = Ledger::new(Grants::none().allow("API.example.", 443));
        assert!(ledger.may_look_up("api.example") && !ledger.may_look_up("other.example"));
        assert!(
            !connects(&ledger, "192.0.2.1:443"),
            "before the name was looked up"
        );
        ledger.resolved("api.example", "192.0.2.1".parse().unwrap());
        assert!(connects(&ledger, "192.0.2.1:443"));
        assert!(
            connects(&ledger, "[::ffff:192.0.2.1]:443"),
            "the same address, mapped"
        );
        assert!(!connects(&ledger, "192.0.2.1:80"), "another port");
        assert!(!connects(&ledger, "192.0.2.2:443"), "another address");
    }

    #[test]
    fn an_address_grants_itself() {
        let ledger = Ledger::new(Grants::none().allow("[::1]", None).allow("127.0.0.1", 80));
        assert!(connects(&ledger, "[::1]:9") && connects(&ledger, "127.0.0.1:80"));
        assert!(!connects(&ledger, "127.0.0.1:81") && !connects(&ledger, "127.0.0.2:80"));
    }

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        let ledger = Ledger::new(Grants::none().allow("B\u{fc}cher.example.", None));
        assert!(ledger.may_look_up("xn--bcher-kva.example"));
        let ledger = Ledger::new(
            Grants::none()
                .allow("0:0:0:0:0:0:0:1", None)
                .allow("::ffff:192.0.2.1", None),
        );
        assert!(connects(&ledger, "[::1]:80") && connects(&ledger, "192.0.2.1:80"));
    }

    #[test]
    fn a_grant_is_for_connecting_out() {
        let ledger = Ledger::new(Grants::all());
        for (purpose, address, allowed) in [
            (SocketAddrUse::TcpConnect, "192.0.2.1:80", true),
            (SocketAddrUse::TcpBind, "0.0.0.0:0", true),
            (SocketAddrUse::TcpBind, "127.0.0.1:8080", false),
            (SocketAddrUse::TcpListen, "0.0.0.0:80", false),
            (SocketAddrUse::UdpBind, "0.0.0.0:0", false),
        ] {
            assert_eq!(
                ledger.may_use(address.parse().unwrap(), purpose),
                allowed,
                "{purpose:?} {address}"
            );
        }
    }
}
