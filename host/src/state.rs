//! What a store holds for its instance: WASI, the memory limit, and name lookup under grants.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, SocketError, SocketResult};
use wasmtime_wasi::sockets::WasiSocketsView as _;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::grants::{Grants, Ledger};

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(crate) limits: StoreLimits,
    ledger: Ledger,
    /// The names behind the lookups that are under way.
    names: HashMap<u32, String>,
}

impl State {
    pub(crate) fn new(grants: Grants, memory: usize) -> Self {
        let ledger = Ledger::new(grants);
        let check = ledger.clone();
        let wasi = WasiCtx::builder()
            .allow_tcp(true)
            .allow_ip_name_lookup(true)
            .socket_addr_check(move |address, purpose| {
                let is_allowed = check.may_use(address, purpose);
                Box::pin(async move { is_allowed })
            })
            // What the component's own panics would say; its errors come as values.
            .inherit_stderr()
            .build();
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory)
            .trap_on_grow_failure(true)
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            limits,
            ledger,
            names: HashMap::new(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Marks `wasi:sockets/ip-name-lookup` as ours.
pub(crate) struct Lookup;

impl HasData for Lookup {
    type Data<'a> = &'a mut State;
}

impl Host for State {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        if !self.ledger.may_look_up(&name) {
            return Err(ErrorCode::AccessDenied.into());
        }
        let stream = self.sockets().resolve_addresses(network, name.clone())?;
        self.names.insert(stream.rep(), name);
        Ok(stream)
    }
}

impl network::Host for State {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.sockets().convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.sockets().network_error_code(error)
    }
}

impl network::HostNetwork for State {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

impl HostResolveAddressStream for State {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let rep = stream.rep();
        let next = self.sockets().resolve_next_address(stream)?;
        if let (Some(address), Some(name)) = (&next, self.names.get(&rep)) {
            self.ledger.resolved(name, to_std(*address));
        }
        Ok(next)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.sockets().subscribe(stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.names.remove(&stream.rep());
        HostResolveAddressStream::drop(&mut self.sockets(), stream)
    }
}

fn to_std(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}
