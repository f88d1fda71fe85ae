//! The network of one store: sockets and name lookup under grants, and the limits of what runs in it.
//!
//! Everything of WASI is wasmtime's own but name lookup, which is wrapped here.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use urlpool_core::types::Error as ClientError;
use wasmtime::Store;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, SocketError, SocketResult};
use wasmtime_wasi::sockets::WasiSocketsView as _;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiView};

use crate::grants::Grants;
use crate::ledger::{Denial, Ledger};
use crate::manager::Limits;
use crate::meter::Meter;

/// The grants and limits of one store, for programs that have stores of their own: plugin hosts.
///
/// 1. [`Sandbox::wasi`] begins the store's `WasiCtx`, with sockets under the grants.
/// 2. The store's data holds both, and says so as [`SandboxView`].
/// 3. [`add_to_linker`] links WASI with name lookup under the grants.
/// 4. [`Sandbox::limit`] makes the limits hold in the store.
///
/// A sandbox belongs to one store: it remembers what names were looked up there.
///
/// ```
/// use urlpool_host::wasmtime::component::{Linker, ResourceTable};
/// use urlpool_host::wasmtime::{self, Store};
/// use urlpool_host::wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
/// use urlpool_host::{Grants, Limits, Sandbox, SandboxView};
///
/// struct Plugin {
///     wasi: WasiCtx,
///     table: ResourceTable,
///     sandbox: Sandbox,
/// }
///
/// impl WasiView for Plugin {
///     fn ctx(&mut self) -> WasiCtxView<'_> {
///         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
///     }
/// }
///
/// impl SandboxView for Plugin {
///     fn sandbox(&mut self) -> &mut Sandbox {
///         &mut self.sandbox
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = urlpool_host::engine()?;
/// let mut linker = Linker::<Plugin>::new(&engine);
/// urlpool_host::add_to_linker(&mut linker)?;
///
/// let sandbox = Sandbox::new(Grants::none().allow("api.example", 443), Limits::default());
/// let wasi = sandbox.wasi().build();
/// let mut store = Store::new(&engine, Plugin { wasi, table: ResourceTable::new(), sandbox });
/// Sandbox::limit(&mut store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    ledger: Ledger,
    meter: Meter,
    /// The lookups that are under way, by their places in the store's table.
    lookups: HashMap<u32, Lookup>,
}

#[derive(Debug)]
struct Lookup {
    name: String,
    /// Whether the component was given an address.
    is_answered: bool,
    /// The last address that was kept from it.
    kept: Option<IpAddr>,
}

/// A store's data with a [`Sandbox`] in it.
///
/// ```
/// use urlpool_host::wasmtime::component::ResourceTable;
/// use urlpool_host::wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
/// use urlpool_host::{Sandbox, SandboxView};
///
/// struct Plugin {
///     wasi: WasiCtx,
///     table: ResourceTable,
///     sandbox: Sandbox,
/// }
///
/// impl SandboxView for Plugin {
///     fn sandbox(&mut self) -> &mut Sandbox {
///         &mut self.sandbox
///     }
/// }
/// # impl WasiView for Plugin {
/// #     fn ctx(&mut self) -> WasiCtxView<'_> {
/// #         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
/// #     }
/// # }
/// ```
pub trait SandboxView: WasiView + 'static {
    /// The sandbox that the store's `WasiCtx` was begun by.
    fn sandbox(&mut self) -> &mut Sandbox;
}

impl Sandbox {
    /// What a store may use. Of the limits only the memory is the store's; [`Limits::call`] is for managers.
    #[must_use]
    pub fn new(grants: Grants, limits: Limits) -> Self {
        Self {
            ledger: Ledger::new(grants),
            meter: Meter::new(limits.memory),
            lookups: HashMap::new(),
        }
    }

    /// Begins the `WasiCtx` of the same store: TCP and name lookup under the grants, and nothing else of the host.
    #[must_use]
    pub fn wasi(&self) -> WasiCtxBuilder {
        let ledger = self.ledger.clone();
        let mut wasi = WasiCtx::builder();
        wasi.allow_tcp(true)
            .allow_udp(false)
            .allow_ip_name_lookup(true)
            .socket_addr_check(move |address, purpose| {
                let is_allowed = ledger.may_use(address, purpose);
                Box::pin(async move { is_allowed })
            });
        wasi
    }

    /// Makes the limits hold: memories and tables together have at most [`Limits::memory`] bytes, and what computes for long lets others run.
    ///
    /// The latter needs an engine with epochs that somebody counts, as [`engine`](crate::engine) has; then `tokio::time::timeout` around a
    /// call stops it however it spends its time. A store whose call was stopped is to be dropped.
    pub fn limit<T: SandboxView>(store: &mut Store<T>) {
        store.limiter(|data| &mut data.sandbox().meter);
        store.epoch_deadline_async_yield_and_update(1);
    }

    /// Bytes that the components in the store have of memories and tables.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.meter.used()
    }

    /// Takes out what was refused since the last time, oldest first, at most the last 64.
    #[must_use]
    pub fn take_denials(&self) -> Vec<Denial> {
        self.ledger.take_denials()
    }

    /// An error that says what to grant, where that would have helped. The component cannot know.
    pub(crate) fn explain(&self, mut error: ClientError) -> ClientError {
        if let ClientError::Denied(failure) = &mut error
            && let Some(denial) = self.ledger.behind(&failure.message)
        {
            failure.message = format!("{} ({denial})", failure.message);
        }
        error
    }
}

/// Links what a component needs that has urlpool inside, such as a plugin after [`compose`](crate::compose): all of WASI 0.2, with name
/// lookup under the grants of each store's [`Sandbox`].
///
/// It may be called after `wasmtime_wasi::p2::add_to_linker_async`, whose definitions it replaces; shadowing is not allowed afterwards,
/// whatever it was before. A linker with a WASI of its own calls [`add_name_lookup_to_linker`] instead.
///
/// # Errors
/// Those of the linker.
///
/// ```
/// use urlpool_host::wasmtime::component::Linker;
/// use urlpool_host::{SandboxView, add_to_linker, engine};
///
/// fn linker<T: SandboxView>() -> Result<Linker<T>, Box<dyn std::error::Error>> {
///     let mut linker = Linker::new(&engine()?);
///     add_to_linker(&mut linker)?;
///     Ok(linker)
/// }
/// ```
pub fn add_to_linker<T: SandboxView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = wasmtime_wasi::p2::add_to_linker_async(linker)
        .and_then(|()| add_name_lookup_to_linker(linker));
    linker.allow_shadowing(false);
    added
}

/// Links name lookup under grants alone (`wasi:sockets/ip-name-lookup`). Without it, grants by name grant nothing.
///
/// # Errors
/// Those of the linker: it must allow shadowing where there is a name lookup already.
///
/// ```
/// use urlpool_host::wasmtime::component::Linker;
/// use urlpool_host::{SandboxView, add_name_lookup_to_linker, engine, wasmtime_wasi};
///
/// fn linker<T: SandboxView>() -> Result<Linker<T>, Box<dyn std::error::Error>> {
///     let mut linker = Linker::new(&engine()?);
///     wasmtime_wasi::p2::add_to_linker_async(&mut linker)?; // or a WASI of your own
///     linker.allow_shadowing(true);
///     add_name_lookup_to_linker(&mut linker)?;
///     Ok(linker)
/// }
/// ```
pub fn add_name_lookup_to_linker<T: SandboxView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    ip_name_lookup::add_to_linker::<T, Wrapped<T>>(linker, |data| View(data))
}

/// Marks `wasi:sockets/ip-name-lookup` as ours.
struct Wrapped<T>(PhantomData<T>);

impl<T: SandboxView> HasData for Wrapped<T> {
    type Data<'a> = View<'a, T>;
}

/// A store's data, seen as our name lookup.
struct View<'a, T>(&'a mut T);

impl<T: SandboxView> Host for View<'_, T> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        if !self.0.sandbox().ledger.may_look_up(&name) {
            return Err(ErrorCode::AccessDenied.into());
        }
        let stream = self.0.sockets().resolve_addresses(network, name.clone())?;
        let lookup = Lookup {
            name,
            is_answered: false,
            kept: None,
        };
        self.0.sandbox().lookups.insert(stream.rep(), lookup);
        Ok(stream)
    }
}

impl<T: SandboxView> network::Host for View<'_, T> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.0.sockets().convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.0.sockets().network_error_code(error)
    }
}

impl<T: SandboxView> network::HostNetwork for View<'_, T> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.0.sockets(), network)
    }
}

impl<T: SandboxView> HostResolveAddressStream for View<'_, T> {
    /// The next address that the component may have any use for. A name that has none is denied, which is told from one without addresses.
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        let rep = stream.rep();
        loop {
            let again = Resource::new_borrow(rep);
            let next = self.0.sockets().resolve_next_address(again)?;
            let Sandbox {
                ledger, lookups, ..
            } = self.0.sandbox();
            let Some(lookup) = lookups.get_mut(&rep) else {
                return Err(ErrorCode::AccessDenied.into());
            };
            let Some(address) = next else {
                return match lookup.kept {
                    Some(kept) if !lookup.is_answered => {
                        ledger.all_private(&lookup.name, kept);
                        Err(ErrorCode::AccessDenied.into())
                    }
                    _ => Ok(None),
                };
            };
            let ip = to_std(address);
            if ledger.resolved(&lookup.name, ip) {
                lookup.is_answered = true;
                return Ok(Some(address));
            }
            lookup.kept = Some(ip);
        }
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.sockets().subscribe(stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        self.0.sandbox().lookups.remove(&stream.rep());
        HostResolveAddressStream::drop(&mut self.0.sockets(), stream)
    }
}

fn to_std(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}
