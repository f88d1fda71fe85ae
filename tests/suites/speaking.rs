//! Runs components that send requests, each in a store of its own: plugins over a host's hooks, or composed with one of our components.

use std::collections::HashMap;
use std::future::Ready;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use urlpool_host::engine_config;
use urlpool_host::wasi_http::Hooks;
use urlpool_host::wasi_http::wasmtime_wasi_http::{
    self, WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
};
use urlpool_host::wasmtime::component::{Component, Linker, ResourceTable};
use urlpool_host::wasmtime::{self, Engine, Store, StoreLimits, StoreLimitsBuilder};
use urlpool_host::wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use urlpool_host::wasmtime_wasi::{self, WasiCtx, WasiCtxView, WasiView};
use urlpool_tests::{built, dist, fail, within_span};

/// Ten thousand requests take some seconds, and so does the first compilation of a component.
const PATIENCE: Duration = Duration::from_secs(60);
/// More ticks than there will be.
const NEVER: u64 = 1 << 60;

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("wasmtime has all of it"));

/// An engine and a linker with both generations.
struct Host {
    engine: Engine,
    linker: Linker<Plugin>,
    components: Mutex<HashMap<String, Component>>,
}

struct Plugin {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: Hooks,
    limits: StoreLimits,
}

impl WasiView for Plugin {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Plugin {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

impl Host {
    fn new() -> wasmtime::Result<Self> {
        let mut config = engine_config();
        config.concurrency_support(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        Ok(Self {
            components: Mutex::default(),
            linker,
            engine,
        })
    }

    /// A consumer as it was built, or with a component of ours plugged under it.
    fn component(&self, name: &str, under: Option<&str>) -> wasmtime::Result<Component> {
        let key = format!("{name} over {under:?}");
        let mut components = self
            .components
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = components.get(&key) {
            return Ok(component.clone());
        }
        let consumer = std::fs::read(built(name)).expect("a consumer that was built");
        let bytes = match under {
            None => consumer,
            Some(ours) => {
                let ours = std::fs::read(dist(ours)).expect("a component in dist/");
                urlpool_compose::plug(&consumer, &[&ours]).expect("they fit")
            }
        };
        let component = Component::new(&self.engine, bytes)?;
        components.insert(key, component.clone());
        Ok(component)
    }

    async fn call(
        &self,
        name: &str,
        component: &Component,
        store: &mut Store<Plugin>,
        between: Option<impl Future<Output = ()>>,
    ) -> wasmtime::Result<bool> {
        if name == "http02" {
            use wasmtime_wasi::p2::bindings::Command;
            let command = Command::instantiate_async(&mut *store, component, &self.linker).await?;
            return Ok(command.wasi_cli_run().call_run(store).await?.is_ok());
        }
        use wasmtime_wasi::p3::bindings::Command;
        let command = Command::instantiate_async(&mut *store, component, &self.linker).await?;
        let run = async |store: &wasmtime::component::Accessor<Plugin>| {
            command.wasi_cli_run().call_run(store).await
        };
        let mut is_ok = store.run_concurrent(run).await??.is_ok();
        if let Some(between) = between {
            between.await;
            is_ok &= store.run_concurrent(run).await??.is_ok();
        }
        Ok(is_ok)
    }
}

/// What a plugin printed: its report, or why there is none.
pub(crate) type Outcome = Result<String, String>;

/// One run of a component.
pub(crate) struct Run<'a> {
    name: &'a str,
    under: Option<&'a str>,
    hooks: Hooks,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    memory: usize,
}

impl<'a> Run<'a> {
    /// A consumer that sends its requests by these hooks, and has no network of its own.
    pub(crate) fn new(name: &'a str, hooks: &Hooks) -> Self {
        Self {
            name,
            under: None,
            hooks: hooks.clone(),
            arguments: Vec::new(),
            variables: Vec::new(),
            memory: usize::MAX,
        }
    }

    /// A consumer with one of `dist/` plugged under it, in a host whose own client may reach nothing.
    pub(crate) fn composed(name: &'a str, under: &'a str) -> Self {
        let closed = Hooks::new(urlpool_host::wasi_http::Settings::default());
        Self {
            under: Some(under),
            ..Self::new(name, &closed.expect("the defaults fit"))
        }
    }

    pub(crate) fn arguments<A: Into<String>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// How many bytes of memory all of its instances may have together.
    pub(crate) fn memory(self, memory: usize) -> Self {
        Self { memory, ..self }
    }

    /// Runs it to its end.
    pub(crate) async fn end(self) -> Outcome {
        self.run(None::<Ready<()>>).await
    }

    /// Runs it to its end, waits for something while nothing of the store runs, and runs the same instance again.
    pub(crate) async fn end_twice(self, between: impl Future<Output = ()>) -> Outcome {
        self.run(Some(between)).await
    }

    async fn run(self, between: Option<impl Future<Output = ()>>) -> Outcome {
        let printed = [(); 2].map(|()| MemoryOutputPipe::new(1 << 22));
        let [stdout, stderr] = printed.clone();
        let mut wasi = WasiCtx::builder();
        wasi.arg(self.name).stdout(stdout).stderr(stderr);
        for argument in &self.arguments {
            wasi.arg(argument);
        }
        for (name, value) in &self.variables {
            wasi.env(name, value);
        }
        if self.under.is_some() {
            wasi.inherit_network()
                .allow_tcp(true)
                .allow_ip_name_lookup(true);
        }
        let plugin = Plugin {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            hooks: self.hooks,
            limits: StoreLimitsBuilder::new().memory_size(self.memory).build(),
        };
        let component = HOST.component(self.name, self.under);
        let component = component.expect("a component that compiles");
        let mut store = Store::new(&HOST.engine, plugin);
        store.limiter(|plugin| &mut plugin.limits);
        store.set_epoch_deadline(NEVER);
        let ended = within_span(
            PATIENCE,
            "a plugin",
            HOST.call(self.name, &component, &mut store, between),
        )
        .await;
        let [stdout, stderr] =
            printed.map(|pipe| String::from_utf8_lossy(&pipe.contents()).into_owned());
        match ended {
            Ok(true) => Ok(stdout),
            Ok(false) => Err(stderr),
            Err(trap) => fail(&format!("{} trapped: {trap:?}, {stderr}", self.name)),
        }
    }
}

/// That a consumer was told this case of an error.
pub(crate) fn refused(case: &str, outcome: Outcome, code: &str) {
    let why = outcome.expect_err(case);
    assert!(why.contains(code), "{case}: {why}");
}
