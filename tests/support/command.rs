//! Runs a command component (`wasi:cli/run`) in this process, as `wasmtime run` would with the network of the loopback only.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Cache, CacheConfig, Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::bindings::Command as CommandWorld;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::guard::fail;
use crate::outcome::Outcome;

/// A cold cache means compiling first, and that is not counted here.
const PATIENCE: Duration = Duration::from_secs(30);
const OUTPUT_LIMIT: usize = 512 << 20;

/// The status that a shell shows for an abort.
const TRAPPED: i32 = 134;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(Runtime::new);

/// A file of `dist/`.
///
/// # Panics
/// Where it has not been built.
#[must_use]
pub fn dist(name: &str) -> PathBuf {
    let path = workspace().join("dist").join(name);
    if !path.is_file() {
        fail(&format!(
            "{} is missing: `make components` makes it",
            path.display()
        ));
    }
    path
}

/// A component of `tests/consumers` composed with `dist/urlpool.wasm`, as its author would do it.
///
/// # Panics
/// Where it has not been built, or the two do not fit.
#[must_use]
pub fn consumer(name: &str) -> Vec<u8> {
    let path = built(name);
    let read = |path: &Path| {
        std::fs::read(path).unwrap_or_else(|error| {
            fail(&format!(
                "{}: {error}; `make consumers` makes it",
                path.display()
            ))
        })
    };
    let (socket, plug) = (read(&path), read(&dist("urlpool.wasm")));
    urlpool_compose::plug(&socket, &[&plug])
        .unwrap_or_else(|error| fail(&format!("{name} cannot be composed: {error}")))
}

/// A component that `make consumers` builds, before it is composed.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let folder = target().join("wasm32-wasip2").join("component");
    folder.join(format!("{name}.wasm"))
}

/// A command component and its arguments.
pub struct Command {
    component: Component,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    directory: Option<PathBuf>,
    input: Vec<u8>,
    memory: usize,
}

impl Command {
    /// The component in a file.
    ///
    /// # Panics
    /// Where it does not compile.
    #[must_use]
    pub fn from_file(path: &Path) -> Self {
        let name = path.display().to_string();
        let component = RUNTIME.component(&name, || {
            std::fs::read(path).unwrap_or_else(|error| fail(&format!("{name}: {error}")))
        });
        Self::new(name, component)
    }

    /// The component in these bytes; `name` is what the guest finds as its own.
    ///
    /// # Panics
    /// Where it does not compile.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Self {
        let component = RUNTIME.component(name, || bytes.to_vec());
        Self::new(name.to_owned(), component)
    }

    fn new(name: String, component: Component) -> Self {
        Self {
            arguments: vec![name],
            component,
            variables: Vec::new(),
            directory: None,
            input: Vec::new(),
            memory: usize::MAX,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment, which is empty otherwise.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Lets the guest read and write this directory under its own path.
    #[must_use]
    pub fn directory(mut self, path: &Path) -> Self {
        self.directory = Some(path.to_owned());
        self
    }

    /// Gives the guest these bytes as standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Bounds each memory of the guest to this many bytes.
    #[must_use]
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Runs it to its end. A trap is the status 134 and stands on standard error.
    ///
    /// # Panics
    /// Where it takes longer than 30 seconds.
    pub async fn run(self) -> Outcome {
        let (stdout, stderr) = (
            MemoryOutputPipe::new(OUTPUT_LIMIT),
            MemoryOutputPipe::new(OUTPUT_LIMIT),
        );
        let started = Instant::now();
        let running = self.call(stdout.clone(), stderr.clone());
        let ended = tokio::time::timeout(PATIENCE, running).await;
        let took = started.elapsed();
        let mut printed = stderr.contents().to_vec();
        let status = match ended {
            Err(_) => fail(&format!(
                "{:?} was still running after {PATIENCE:?}; its standard error is {:?}",
                self.arguments,
                String::from_utf8_lossy(&printed)
            )),
            Ok(Ok(Ok(()))) => 0,
            Ok(Ok(Err(()))) => 1,
            Ok(Err(error)) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => exit.0,
                None => {
                    printed.extend_from_slice(format!("trap: {error:?}\n").as_bytes());
                    TRAPPED
                }
            },
        };
        Outcome {
            command: format!("{:?}", self.arguments),
            status,
            stdout: stdout.contents().to_vec(),
            stderr: printed,
            took,
        }
    }

    async fn call(
        &self,
        stdout: MemoryOutputPipe,
        stderr: MemoryOutputPipe,
    ) -> wasmtime::Result<Result<(), ()>> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.args(&self.arguments)
            .envs(&self.variables)
            .stdin(MemoryInputPipe::new(self.input.clone()))
            .stdout(stdout)
            .stderr(stderr)
            .allow_tcp(true)
            .allow_ip_name_lookup(true)
            .socket_addr_check(|address, _| {
                let ip = address.ip();
                Box::pin(async move { ip.is_loopback() || ip.is_unspecified() })
            });
        if let Some(directory) = &self.directory {
            let shown = directory.display().to_string();
            wasi.preopened_dir(directory, shown, FsPerms::ReadWrite)?;
        }
        let guest = Guest {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(self.memory).build(),
        };
        let mut store = Store::new(&RUNTIME.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        let command =
            CommandWorld::instantiate_async(&mut store, &self.component, &RUNTIME.linker).await?;
        command.wasi_cli_run().call_run(&mut store).await
    }
}

/// What all components of a test process share.
struct Runtime {
    engine: Engine,
    linker: Linker<Guest>,
    components: Mutex<HashMap<String, Component>>,
}

impl Runtime {
    fn new() -> Self {
        let mut folder = CacheConfig::new();
        folder.with_directory(target().join("component-cache"));
        let cache = Cache::new(folder).expect("the target folder can be written");
        let mut config = Config::new();
        config.cache(Some(cache));
        let engine = Engine::new(&config).expect("this machine runs wasmtime");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("an empty linker takes WASI");
        Self {
            engine,
            linker,
            components: Mutex::default(),
        }
    }

    fn component(&self, name: &str, bytes: impl FnOnce() -> Vec<u8>) -> Component {
        let mut components = self
            .components
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = components.get(name) {
            return component.clone();
        }
        let component = Component::new(&self.engine, bytes())
            .unwrap_or_else(|error| fail(&format!("{name} does not compile: {error:?}")));
        components.insert(name.to_owned(), component.clone());
        component
    }
}

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in a folder of the workspace")
        .to_owned()
}

/// Where this test was built: it is in `target/PROFILE/deps`.
pub(crate) fn target() -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    let profile = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .and_then(Path::parent);
    profile
        .expect("tests are in target/PROFILE/deps, binaries in target/PROFILE")
        .to_owned()
}
