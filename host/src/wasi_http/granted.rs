//! The network of this process under grants: what a name resolves to is filtered before it is connected to.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use urlpool_core::driver::{ConnectError, Net, ResolveError};
use urlpool_core::types::{Instant, SocketOptions};
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::ledger::Ledger;
use crate::net::{Tcp, TokioNet};

/// Only what a ledger's grants allow of the network.
pub(super) struct Granted {
    net: TokioNet,
    ledger: Ledger,
}

impl Granted {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            net: TokioNet::new(),
            ledger,
        }
    }
}

impl Net for Granted {
    type Tcp = Tcp;

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let denied = || ResolveError::Denied(format!("the name {name:?}"));
        if !self.ledger.may_look_up(name) {
            return Err(denied());
        }
        let mut addresses = self.net.resolve(name).await?;
        let last = addresses.last().copied();
        addresses.retain(|address| self.ledger.resolved(name, *address));
        match last {
            Some(kept) if addresses.is_empty() => {
                self.ledger.all_private(name, kept);
                Err(denied())
            }
            _ => Ok(addresses),
        }
    }

    async fn connect(
        &self,
        address: SocketAddr,
        socket: &SocketOptions,
    ) -> Result<Tcp, ConnectError> {
        if self.ledger.may_use(address, SocketAddrUse::TcpConnect) {
            self.net.connect(address, socket).await
        } else {
            Err(ConnectError::Denied(address.to_string()))
        }
    }

    async fn sleep_until(&self, instant: Instant) {
        self.net.sleep_until(instant).await;
    }

    async fn pause(&self) {
        self.net.pause().await;
    }

    fn now(&self) -> Instant {
        self.net.now()
    }

    fn wall_clock(&self) -> Duration {
        self.net.wall_clock()
    }

    fn random(&self, into: &mut [u8]) {
        self.net.random(into);
    }
}
