//! The contenders that run in wasm, in this process and with the engine's settings of urlpool-host.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store, format_err};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::OutputStream;
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::{MemoryOutputPipe, SinkOutputStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::hooks::Hooks;
use crate::place::Place;
use crate::rounds::{Contender, Round};

/// More ticks of the engine's clock than there will be: nobody here is interrupted.
const NEVER: u64 = 1 << 60;

/// Whose clock counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The guest's own, which leaves out connecting, the handshake and the first requests.
    Guests,
    /// The host's, from the call of `run` to its return; instantiating is not in it. Such a guest does its work once.
    Hosts,
}

/// One engine and one linker for all of them.
pub(crate) struct Guests {
    engine: Engine,
    linker: Linker<State>,
    roots: PathBuf,
    hooks: Hooks,
    urlpool: Vec<u8>,
}

impl Guests {
    pub(crate) fn new(place: &Place, roots: &Path) -> Result<Rc<Self>> {
        let engine = Engine::new(&urlpool_host::engine_config())?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        Ok(Rc::new(Self {
            engine,
            linker,
            roots: roots.to_owned(),
            hooks: Hooks::new(roots)?,
            urlpool: std::fs::read(place.component())?,
        }))
    }

    /// A component as it was built, about to run with these arguments, and with the number of times where it is to time itself.
    pub(crate) fn guest(
        self: &Rc<Self>,
        name: &'static str,
        bytes: &[u8],
        clock: Clock,
        arguments: &[String],
    ) -> Result<Guest> {
        Ok(Guest {
            name,
            component: Component::new(&self.engine, bytes)?,
            arguments: arguments.to_vec(),
            clock,
            shared: Rc::clone(self),
        })
    }

    /// The same for a component that imports urlpool.
    pub(crate) fn consumer(
        self: &Rc<Self>,
        name: &'static str,
        bytes: &[u8],
        arguments: &[String],
    ) -> Result<Guest> {
        let composed = urlpool_compose::plug(bytes, &[&self.urlpool])?;
        self.guest(name, &composed, Clock::Hosts, arguments)
    }

    fn store(&self, arguments: &[String], printed: MemoryOutputPipe) -> Result<Store<State>> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.args(arguments)
            .stdout(Sink)
            .stderr(printed)
            .env("ROOTS", self.roots.display().to_string())
            .inherit_network()
            .allow_tcp(true)
            .allow_ip_name_lookup(true);
        if let Some(folder) = self.roots.parent() {
            wasi.preopened_dir(folder, folder.display().to_string(), FsPerms::ReadOnly)?;
        }
        let state = State {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: self.hooks.clone(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, state);
        store.set_epoch_deadline(NEVER);
        Ok(store)
    }
}

/// A contender in wasm. Each round is an instance of its own.
pub(crate) struct Guest {
    name: &'static str,
    component: Component,
    arguments: Vec<String>,
    clock: Clock,
    shared: Rc<Guests>,
}

impl Guest {
    async fn run(&self, count: u32) -> Result<Duration> {
        let mut arguments = vec![self.name.to_owned()];
        arguments.extend_from_slice(&self.arguments);
        if let Clock::Guests = self.clock {
            arguments.push(count.to_string());
        }
        let printed = MemoryOutputPipe::new(64 * 1024);
        let mut store = self.shared.store(&arguments, printed.clone())?;
        let command =
            Command::instantiate_async(&mut store, &self.component, &self.shared.linker).await?;
        let started = Instant::now();
        let ended = command.wasi_cli_run().call_run(&mut store).await?;
        let took = started.elapsed();
        let printed = String::from_utf8_lossy(&printed.contents()).into_owned();
        ended.map_err(|()| format_err!("{}: {printed}", self.name))?;
        match self.clock {
            Clock::Hosts => Ok(took),
            Clock::Guests => Ok(Duration::from_nanos(printed.trim().parse()?)),
        }
    }
}

impl Contender for Guest {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        debug_assert!(count == 1 || matches!(self.clock, Clock::Guests));
        Box::pin(self.run(count))
    }
}

/// Standard output that takes everything and keeps nothing.
struct Sink;

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(SinkOutputStream)
    }
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}
