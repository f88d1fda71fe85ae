//! A plugin host: each plugin is a component that imports `urlpool:client`, and may connect to what it was granted and no more.
//!
//! ```console
//! $ make components consumers && cd target/wasm32-wasip2/component
//! $ cargo run --example plugins -- http://example.org/ urlpool_example_title.wasm=example.org:80 urlpool_example_length.wasm
//! urlpool_example_title.wasm: its title is "Example Domain"
//! urlpool_example_length.wasm: refused: the name "example.org" is not granted; Grants::allow("example.org", port) grants it
//! ```
//!
//! The first argument is the URL that every plugin is handed; the others are plugins with their grants. `examples/plugins` has two.
#![expect(clippy::print_stdout, reason = "it is a command")]

use std::error::Error;
use std::time::Duration;

use urlpool_host::wasmtime::component::{Component, Linker, ResourceTable};
use urlpool_host::wasmtime::{Engine, Store};
use urlpool_host::wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use urlpool_host::{Grants, Limits, Sandbox, SandboxView, add_to_linker, compose, engine};

use bindings::ExtensionPre;

mod bindings {
    urlpool_host::wasmtime::component::bindgen!({
        path: "../examples/plugins/wit",
        world: "extension",
        exports: { default: async },
        wasmtime_crate: urlpool_host::wasmtime,
    });
}

/// The longest that a plugin may take for one task.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the store of a plugin holds.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    sandbox: Sandbox,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl SandboxView for State {
    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

/// A plugin, compiled and linked, and what it may connect to.
struct Plugin {
    name: String,
    component: ExtensionPre<State>,
    grants: Grants,
}

impl Plugin {
    /// Loads `FILE` or `FILE=HOST:PORT`.
    fn load(argument: &str, engine: &Engine) -> Result<Self, Box<dyn Error>> {
        let (file, granted) = argument.split_once('=').unwrap_or((argument, ""));
        let grants = match granted.rsplit_once(':') {
            Some((host, port)) => Grants::none().allow(host, port.parse::<u16>()?),
            None => Grants::none(),
        };
        let component = Component::from_binary(engine, &compose(&std::fs::read(file)?)?)?;
        let mut linker = Linker::new(engine);
        add_to_linker(&mut linker)?;
        Ok(Self {
            name: file.rsplit('/').next().unwrap_or(file).to_owned(),
            component: ExtensionPre::new(linker.instantiate_pre(&component)?)?,
            grants,
        })
    }

    /// Runs it in a store of its own.
    async fn run(&self, url: &str) -> Result<String, Box<dyn Error>> {
        let sandbox = Sandbox::new(self.grants.clone(), Limits::default());
        let state = State {
            wasi: sandbox.wasi().inherit_stderr().build(),
            table: ResourceTable::new(),
            sandbox,
        };
        let mut store = Store::new(self.component.engine(), state);
        Sandbox::limit(&mut store);
        let task = async {
            let plugin = self.component.instantiate_async(&mut store).await?;
            let functions = plugin.example_plugins_task();
            functions.call_run(&mut store, url).await
        };
        let answer = tokio::time::timeout(PATIENCE, task).await??;
        if let Some(denial) = store.data().sandbox.take_denials().first() {
            return Ok(format!("refused: {denial}"));
        }
        Ok(answer.unwrap_or_else(|why| format!("failed: {why}")))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("usage: plugins URL PLUGIN[=HOST:PORT]...")?;
    let engine = engine()?;
    for argument in arguments {
        let plugin = Plugin::load(&argument, &engine)?;
        println!("{}: {}", plugin.name, plugin.run(&url).await?);
    }
    Ok(())
}
