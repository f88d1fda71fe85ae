//! What the grants of one store have led to: the addresses that names were found to have, and what was refused.
//!
//! WASI asks about addresses, and people grant names. So a granted name that is looked up is remembered with its addresses, and only those may
//! be connected to: a name that comes to mean another address later opens nothing that was not looked up under it.
//!
//! Invariant: both memories are bounded, whatever a component asks for.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::sockets::SocketAddrUse;

use crate::grants::{Grants, normal};

/// How many addresses are remembered for a grant; names behind many machines have new ones every minute.
const MAX_ADDRESSES: usize = 1024;
/// How many refusals are kept for whoever asks.
const MAX_DENIALS: usize = 64;

/// Something that a component wanted and was not granted.
///
/// Shown, it says what to grant: `the name "a.test" is not granted; Grants::allow("a.test", port) grants it`.
///
/// ```
/// use urlpool_host::Denial;
///
/// let denial = Denial::Lookup { name: "a.test".into() };
/// assert_eq!(denial.to_string(), r#"the name "a.test" is not granted; Grants::allow("a.test", port) grants it"#);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Denial {
    /// To look a name up.
    Lookup {
        /// The name.
        name: String,
    },
    /// To use a name although all of its addresses are private, or otherwise not public.
    Private {
        /// The name.
        name: String,
        /// The last of the addresses.
        address: IpAddr,
    },
    /// To connect to an address.
    Connect {
        /// The address.
        address: SocketAddr,
        /// The granted name that it was found under, if any.
        name: Option<String>,
    },
    /// To send a request to a host, whatever is on the way.
    Request {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// To connect from an address of its own choice (`source-address`).
    Bind {
        /// The address.
        address: SocketAddr,
    },
}

impl Denial {
    /// What the component's own message about it names.
    pub(crate) fn is_named_in(&self, message: &str) -> bool {
        match self {
            Self::Lookup { name }
            | Self::Private { name, .. }
            | Self::Request { host: name, .. } => message.contains(name.as_str()),
            Self::Connect { address, .. } | Self::Bind { address } => {
                message.contains(&address.to_string())
            }
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup { name } => write!(
                formatter,
                "the name {name:?} is not granted; Grants::allow({name:?}, port) grants it"
            ),
            Self::Private { name, address } => write!(
                formatter,
                "{name:?} has the address {address}, which is not public; Grants::allow_private({name:?}, port) grants it"
            ),
            Self::Request { host, port } => write!(
                formatter,
                "requests to {host:?} at port {port} are not granted; Grants::allow({host:?}, {port}) grants them"
            ),
            Self::Bind { address } => write!(
                formatter,
                "connecting from {address} is not granted; Grants::all() grants it"
            ),
            Self::Connect { address, name } => {
                let port = address.port();
                let host = name.clone().unwrap_or_else(|| address.ip().to_string());
                write!(
                    formatter,
                    "{address} is not granted; Grants::allow({host:?}, {port}) grants it"
                )
            }
        }
    }
}

/// The grants of one store and their history. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    grants: Arc<Grants>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// By the places of their rules, addresses with the names that had them, newest last.
    found: HashMap<usize, VecDeque<(IpAddr, Arc<str>)>>,
    denials: VecDeque<Denial>,
}

impl Ledger {
    pub(crate) fn new(grants: Grants) -> Self {
        Self {
            grants: Arc::new(grants),
            memory: Arc::default(),
        }
    }

    /// Whether a request to a host may be sent under these grants, which are those of this ledger without what is on the way.
    #[cfg(feature = "wasi-http")]
    pub(crate) fn may_ask(&self, grants: &Grants, host: &str, port: u16) -> bool {
        let host = normal(host);
        let may = grants.may_ask(&host, port);
        if !may {
            self.deny(Denial::Request { host, port });
        }
        may
    }

    /// Whether a name may be looked up.
    pub(crate) fn may_look_up(&self, name: &str) -> bool {
        let name = normal(name);
        let may = self.grants.may_look_up(&name);
        if !may {
            self.deny(Denial::Lookup { name });
        }
        may
    }

    /// Remembers what a granted name resolved to, and says whether the component may have any use for it.
    pub(crate) fn resolved(&self, name: &str, address: IpAddr) -> bool {
        if self.grants.is_all() {
            return true;
        }
        let (name, address) = (normal(name), address.to_canonical());
        let shared: Arc<str> = name.as_str().into();
        let mut memory = self.memory();
        let mut is_found = false;
        for rule in self.grants.rules_for(&name, address) {
            is_found = true;
            let found = memory.found.entry(rule).or_default();
            found.retain(|(known, _)| *known != address);
            if found.len() == MAX_ADDRESSES {
                found.pop_front();
            }
            found.push_back((address, Arc::clone(&shared)));
        }
        is_found || self.grants.may_reach(address)
    }

    /// Notes that none of a name's addresses may be used.
    pub(crate) fn all_private(&self, name: &str, address: IpAddr) {
        self.deny(Denial::Private {
            name: normal(name),
            address,
        });
    }

    pub(crate) fn may_use(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        match purpose {
            SocketAddrUse::TcpBind => self.may_connect_from(address),
            SocketAddrUse::TcpConnect => self.may_connect(address),
            _ => false,
        }
    }

    /// Whether connections may come from an address (`source-address`).
    fn may_connect_from(&self, address: SocketAddr) -> bool {
        // The implicit bind of a connection that is about to be made names none.
        let may = (address.ip().is_unspecified() && address.port() == 0) || self.grants.is_all();
        if !may {
            self.deny(Denial::Bind { address });
        }
        may
    }

    fn may_connect(&self, address: SocketAddr) -> bool {
        let memory = self.memory();
        let ip = address.ip().to_canonical();
        let name = |rule| {
            let mut found = memory.found.get(&rule)?.iter();
            found.find_map(|(known, name)| (*known == ip).then_some(name))
        };
        let may = self
            .grants
            .may_connect(address, |rule| name(rule).is_some());
        if !may {
            let name = memory.found.keys().find_map(|rule| name(*rule));
            let name = name.map(|name| (**name).to_owned());
            drop(memory);
            self.deny(Denial::Connect { address, name });
        }
        may
    }

    /// Takes out what was refused since the last time, oldest first.
    pub(crate) fn take_denials(&self) -> Vec<Denial> {
        self.memory().denials.drain(..).collect()
    }

    /// The newest refusal that a message of the component is about.
    pub(crate) fn behind(&self, message: &str) -> Option<Denial> {
        let memory = self.memory();
        let mut newest = memory.denials.iter().rev();
        newest.find(|denial| denial.is_named_in(message)).cloned()
    }

    fn deny(&self, denial: Denial) {
        tracing::warn!(target: "urlpool", %denial, "denied");
        let mut memory = self.memory();
        if memory.denials.len() == MAX_DENIALS {
            memory.denials.pop_front();
        }
        memory.denials.push_back(denial);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connects(ledger: &Ledger, address: &str) -> bool {
        ledger.may_use(address.parse().unwrap(), SocketAddrUse::TcpConnect)
    }

    fn resolves(ledger: &Ledger, name: &str, address: &str) -> bool {
        ledger.resolved(name, address.parse().unwrap())
    }

    #[test]
    fn a_name_grants_what_it_resolved_to_and_its_port() {
        let ledger = Ledger::new(Grants::none().allow("API.example.", 443));
        assert!(ledger.may_look_up("api.example") && !ledger.may_look_up("other.example"));
        assert!(!connects(&ledger, "1.1.1.1:443"), "before it was looked up");
        assert!(resolves(&ledger, "api.example", "1.1.1.1"));
        assert!(connects(&ledger, "1.1.1.1:443"));
        assert!(connects(&ledger, "[::ffff:1.1.1.1]:443"), "mapped");
        assert!(!connects(&ledger, "[64:ff9b::1.1.1.1]:443"), "translated");
        assert!(!connects(&ledger, "1.1.1.1:80"), "another port");
        assert!(!connects(&ledger, "1.1.1.2:443"), "another address");
    }

    #[test]
    fn a_name_that_is_rebound_to_a_private_address_opens_nothing() {
        let ledger = Ledger::new(Grants::none().allow("rebound.example", None));
        assert!(resolves(&ledger, "rebound.example", "1.1.1.1"));
        for address in ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"] {
            assert!(!resolves(&ledger, "rebound.example", address), "{address}");
            let address = SocketAddr::new(address.parse().unwrap(), 80).to_string();
            assert!(!connects(&ledger, &address), "{address}");
        }
        assert!(connects(&ledger, "1.1.1.1:80"));
    }

    #[test]
    fn a_name_may_lead_to_an_address_that_is_granted_itself() {
        let grants = Grants::none().allow("intranet.example", 443);
        let ledger = Ledger::new(grants.allow("10.0.0.0/8", 80));
        assert!(resolves(&ledger, "intranet.example", "10.0.0.1"));
        assert!(connects(&ledger, "10.0.0.1:80"));
        assert!(!connects(&ledger, "10.0.0.1:443"), "the name's port");
    }

    #[test]
    fn a_grant_is_for_connecting_out() {
        let ledger = Ledger::new(Grants::all());
        for (purpose, address, allowed) in [
            (SocketAddrUse::TcpConnect, "192.0.2.1:80", true),
            (SocketAddrUse::TcpBind, "0.0.0.0:0", true),
            (SocketAddrUse::TcpBind, "127.0.0.1:8080", true),
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

    #[test]
    fn where_connections_come_from_is_for_all_grants_alone() {
        let ledger = Ledger::new(Grants::none().allow_public(80));
        assert!(ledger.may_use("0.0.0.0:0".parse().unwrap(), SocketAddrUse::TcpBind));
        assert!(!ledger.may_use("127.0.0.1:0".parse().unwrap(), SocketAddrUse::TcpBind));
        let said: Vec<String> = ledger
            .memory()
            .denials
            .iter()
            .map(Denial::to_string)
            .collect();
        assert_eq!(
            said,
            ["connecting from 127.0.0.1:0 is not granted; Grants::all() grants it"]
        );
    }

    #[test]
    fn a_refusal_says_what_to_grant() {
        let ledger = Ledger::new(Grants::none().allow("a.test", 443));
        assert!(!ledger.may_look_up("B.test."));
        assert!(!resolves(&ledger, "a.test", "10.0.0.1"));
        ledger.all_private("a.test", "10.0.0.1".parse().unwrap());
        assert!(resolves(&ledger, "a.test", "1.1.1.1"));
        assert!(!connects(&ledger, "1.1.1.1:80") && !connects(&ledger, "[::1]:80"));
        let said: Vec<String> = ledger
            .take_denials()
            .iter()
            .map(Denial::to_string)
            .collect();
        assert_eq!(
            said,
            [
                "the name \"b.test\" is not granted; Grants::allow(\"b.test\", port) grants it",
                "\"a.test\" has the address 10.0.0.1, which is not public; Grants::allow_private(\"a.test\", port) grants it",
                "1.1.1.1:80 is not granted; Grants::allow(\"a.test\", 80) grants it",
                "[::1]:80 is not granted; Grants::allow(\"::1\", 80) grants it",
            ]
        );
        assert!(ledger.take_denials().is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let ledger = Ledger::new(Grants::none().allow("*.test", None));
        let address = |number: u32| IpAddr::from((0x0101_0000 + number).to_be_bytes());
        for number in 0..2000 {
            assert!(ledger.resolved(&format!("a{number}.test"), address(number)));
            assert!(!ledger.may_look_up(&format!("a{number}.example")));
        }
        let connects = |number| connects(&ledger, &format!("{}:80", address(number)));
        assert!(!connects(0) && connects(1999));
        let memory = ledger.memory();
        assert_eq!(
            memory.found.values().map(VecDeque::len).sum::<usize>(),
            MAX_ADDRESSES
        );
        assert_eq!(memory.denials.len(), MAX_DENIALS);
    }
}
