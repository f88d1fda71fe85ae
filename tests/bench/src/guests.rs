//! The contenders that run in wasm, in this process and with the engine's settings of urlpool-host.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store, bail, format_err};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, async_trait};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::hooks::Hooks;
use crate::place::Place;
use crate::rounds::{Contender, Round};

/// More ticks of the engine's clock than there will be: nobody here is interrupted.
pub(crate) const NEVER: u64 = 1 << 60;

/// What standard output takes at once: as much as a socket gives at once.
const PERMIT: usize = 64 * 1024;

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
            output: 0,
            ours: None,
            shared: Rc::clone(self),
        })
    }

    /// The same for a component that imports urlpool and writes so many bytes to standard output.
    pub(crate) fn consumer(
        self: &Rc<Self>,
        name: &'static str,
        bytes: &[u8],
        arguments: &[String],
        output: u64,
    ) -> Result<Guest> {
        let composed = urlpool_compose::plug(bytes, &[&self.urlpool])?;
        let guest = self.guest(name, &composed, Clock::Hosts, arguments)?;
        Ok(Guest { output, ..guest })
    }

    fn store(
        &self,
        arguments: &[String],
        (output, printed): (Sink, MemoryOutputPipe),
        ours: Option<&urlpool_host::wasi_http::Hooks>,
    ) -> Result<Store<State>> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.args(arguments)
            .stdout(output)
            .stderr(printed)
            .env("ROOTS", self.roots.display().to_string())
            .inherit_network()
            .allow_tcp(true)
            .allow_ip_name_lookup(true);
        if let Some(folder) = self.roots.parent() {
            wasi.preopened_dir(folder, folder.display().to_string(), FsPerms::ReadOnly)?;
        }
        let hooks: Box<dyn WasiHttpHooks> = match ours {
            None => Box::new(self.hooks.clone()),
            Some(ours) => Box::new(ours.clone()),
        };
        let mut store = Store::new(&self.engine, State::new(wasi.build(), hooks));
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
    output: u64,
    /// What stands behind its `wasi:http`, where that is not the stock client.
    ours: Option<urlpool_host::wasi_http::Hooks>,
    shared: Rc<Guests>,
}

impl Guest {
    /// The same with these hooks.
    pub(crate) fn behind(self, ours: urlpool_host::wasi_http::Hooks) -> Self {
        Self {
            ours: Some(ours),
            ..self
        }
    }

    async fn run(&self, count: u32) -> Result<Duration> {
        let mut arguments = vec![self.name.to_owned()];
        arguments.extend_from_slice(&self.arguments);
        if let Clock::Guests = self.clock {
            arguments.push(count.to_string());
        }
        let printed = MemoryOutputPipe::new(64 * 1024);
        let output = Sink::default();
        let mut store = self.shared.store(
            &arguments,
            (output.clone(), printed.clone()),
            self.ours.as_ref(),
        )?;
        let command =
            Command::instantiate_async(&mut store, &self.component, &self.shared.linker).await?;
        let started = Instant::now();
        let ended = command.wasi_cli_run().call_run(&mut store).await?;
        let took = started.elapsed();
        let printed = String::from_utf8_lossy(&printed.contents()).into_owned();
        ended.map_err(|()| format_err!("{}: {printed}", self.name))?;
        let written = output.written.load(Ordering::Relaxed);
        if written != self.output {
            bail!("{} wrote {written} bytes", self.name);
        }
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

/// Standard output that takes everything, counts it, and keeps nothing.
#[derive(Clone, Default)]
struct Sink {
    written: Arc<AtomicU64>,
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    /// Only WASI 0.3 asks for this one.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.written
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

/// What a component's store holds.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Box<dyn WasiHttpHooks>,
    table: ResourceTable,
}

impl State {
    pub(crate) fn new(wasi: WasiCtx, hooks: Box<dyn WasiHttpHooks>) -> Self {
        Self {
            wasi,
            http: WasiHttpCtx::new(),
            hooks,
            table: ResourceTable::new(),
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

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut *self.hooks,
        }
    }
}
