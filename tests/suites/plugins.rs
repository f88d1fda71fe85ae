//! Other components in stores of an embedder: composed with urlpool, each under grants and limits of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use urlpool_host::wasmtime::component::{Component, Linker, ResourceTable};
use urlpool_host::wasmtime::{Store, Trap};
use urlpool_host::wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use urlpool_host::{Grants, Limits, Sandbox, SandboxView, add_to_linker, compose, engine};
use urlpool_tests::{Origin, Program, Reply, built, dist};

use crate::common::{get, manager};

/// The example's plugins, as the files that `make consumers` makes.
const PLUGINS: [&str; 2] = ["urlpool_example_title", "urlpool_example_length"];

/// A component that computes for ever as soon as it is instantiated: a module whose start function is an endless loop.
const SPINNING: &[u8] = b"\0asm\x0d\0\x01\0\
    \x01\x20\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x08\x01\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b\
    \x02\x04\x01\0\0\0";

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

fn store(grants: Grants, limits: Limits) -> Store<State> {
    let sandbox = Sandbox::new(grants, limits);
    let state = State {
        wasi: sandbox.wasi().build(),
        table: ResourceTable::new(),
        sandbox,
    };
    let mut store = Store::new(&engine().expect("an engine"), state);
    Sandbox::limit(&mut store);
    store
}

fn linker() -> Linker<State> {
    let mut linker = Linker::new(&engine().expect("an engine"));
    add_to_linker(&mut linker).expect("nothing is in its way");
    linker
}

fn composed(name: &str) -> Component {
    let plugin = std::fs::read(built(name)).expect("a plugin");
    let bytes = compose(&plugin).expect("they fit");
    Component::from_binary(&engine().expect("an engine"), &bytes).expect("a component")
}

/// Instantiates a plugin and calls its function `run`.
async fn run(name: &str, store: &mut Store<State>, url: &str) -> Result<String, String> {
    let plugin = linker()
        .instantiate_async(&mut *store, &composed(name))
        .await;
    let plugin = plugin.expect("only WASI is imported");
    let task = plugin.get_export_index(&mut *store, None, "example:plugins/task@0.1.0");
    let run = plugin.get_export_index(&mut *store, task.as_ref(), "run");
    let run = plugin
        .get_typed_func::<(&str,), (Result<String, String>,)>(&mut *store, run.expect("run"))
        .expect("its type");
    let (answer,) = run.call_async(store, (url,)).await.expect("no trap");
    answer
}

#[tokio::test]
async fn each_plugin_has_its_own_grants() {
    let page = Reply::ok("<title>A page</title>");
    let origin = Origin::new().reply(page).start().await;
    let grants = Grants::none().allow("127.0.0.1", origin.port());
    for (name, expected) in PLUGINS
        .into_iter()
        .zip(["its title is \"A page\"", "it has 21 bytes"])
    {
        let mut granted = store(grants.clone(), Limits::default());
        let answer = run(name, &mut granted, &origin.url("/")).await;
        assert_eq!(answer.as_deref(), Ok(expected), "{name}");
        assert!(granted.data().sandbox.take_denials().is_empty(), "{name}");

        let accepted = origin.accepted();
        let mut refused = store(Grants::none(), Limits::default());
        let answer = run(name, &mut refused, &origin.url("/")).await;
        assert!(answer.unwrap_err().contains("does not allow it"), "{name}");
        let denials = refused.data().sandbox.take_denials();
        let said = format!("Grants::allow(\"127.0.0.1\", {})", origin.port());
        assert!(denials[0].to_string().contains(&said), "{denials:?}");
        assert_eq!(origin.accepted(), accepted, "{name}");
    }
}

#[tokio::test]
async fn a_plugin_has_no_more_memory_than_it_may() {
    let origin = Origin::new().reply(Reply::ok("x")).start().await;
    let small = Limits {
        memory: 1 << 20,
        ..Limits::default()
    };
    let mut store = store(Grants::all(), small);
    let plugin = linker()
        .instantiate_async(&mut store, &composed(PLUGINS[0]))
        .await;
    // Urlpool's own tables take more than that.
    let error = plugin.map(drop).expect_err("too little memory");
    assert!(format!("{error:#}").contains("memory"), "{error:#}");
    assert_eq!(origin.accepted(), 0);
}

#[tokio::test]
async fn what_computes_for_ever_is_stopped_and_holds_nobody_up() {
    let engine = engine().expect("an engine");
    let spinning = Component::from_binary(&engine, SPINNING).expect("a component");
    let mut store = store(Grants::none(), Limits::default());
    let linker = linker();
    let (manager, origin) = (
        manager().await,
        Origin::new().reply(Reply::ok("x")).start().await,
    );
    let started = Instant::now();
    let limit = Duration::from_millis(500);
    let spin = tokio::time::timeout(limit, linker.instantiate_async(&mut store, &spinning));
    let beside = async {
        assert_eq!(get(&manager, origin.url("/")).await, "x");
        started.elapsed()
    };
    let (spun, beside) = tokio::join!(spin, beside);
    assert!(spun.is_err(), "it came to an end");
    assert!(beside < limit, "the others waited {beside:?}");
    assert!(started.elapsed() < 10 * limit, "{:?}", started.elapsed());
}

#[tokio::test]
async fn without_epochs_of_its_own_a_store_traps() {
    let engine = engine().expect("an engine");
    let spinning = Component::from_binary(&engine, SPINNING).expect("a component");
    let mut store = store(Grants::none(), Limits::default());
    // An embedder's own deadline takes the place of ours.
    store.epoch_deadline_trap();
    store.set_epoch_deadline(2);
    let error = linker().instantiate_async(&mut store, &spinning).await;
    let error = error.map(drop).expect_err("a trap");
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
}

#[test]
fn what_does_not_import_urlpool_is_not_composed() {
    assert_eq!(compose(SPINNING).unwrap(), SPINNING);
    let error = compose(b"\0asm\x01\0\0\0").unwrap_err();
    assert!(error.to_string().contains("not a component"), "{error}");
    let urlpool = std::fs::read(dist("urlpool.wasm")).unwrap();
    assert_eq!(compose(&urlpool).unwrap(), urlpool);
}

#[test]
fn a_linker_may_have_wasi_already() {
    let mut linker = Linker::<State>::new(&engine().unwrap());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    add_to_linker(&mut linker).unwrap();
    add_to_linker(&mut linker).unwrap();
}

#[tokio::test]
async fn the_example_runs_two_plugins_and_refuses_one() {
    let page = Reply::ok("<title>Hello</title>");
    let origin = Origin::new().reply(page).start().await;
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps");
    let argument = |name: &str, grant: String| {
        let path: PathBuf = built(name);
        format!("{}{grant}", path.display())
    };
    let example = profile.join("examples").join("plugins");
    assert!(
        example.is_file(),
        "`cargo build --example plugins` makes it, and so does `make test`"
    );
    let arguments = [
        origin.url("/"),
        argument(PLUGINS[0], format!("=127.0.0.1:{}", origin.port())),
        argument(PLUGINS[1], format!("=localhost:{}", origin.port())),
    ];
    let outcome = Program::from_file(example).args(arguments).run().await;
    let said = String::from_utf8(outcome.stdout.clone()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(outcome.status, 0, "{}", outcome.stderr_text());
    assert_eq!(
        lines[0],
        "urlpool_example_title.wasm: its title is \"Hello\""
    );
    let refused = format!(
        "urlpool_example_length.wasm: refused: 127.0.0.1:{0} is not granted; Grants::allow(\"127.0.0.1\", {0}) grants it",
        origin.port()
    );
    assert_eq!(lines[1], refused);
    assert_eq!(origin.accepted(), 1);
}
