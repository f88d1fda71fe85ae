//! The engine, the linker and the compiled component: made once for a process, shared by all managers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine};

use crate::bindings::ClientPre;
use crate::error::Error;
use crate::sandbox::add_to_linker;
use crate::state::State;

/// The component as `make components` built it.
pub(crate) const COMPONENT: &[u8] = include_bytes!(env!("URLPOOL_COMPONENT"));

/// How often running WebAssembly looks up and lets others run; a call that is over its limit ends at the next look.
const TICK: Duration = Duration::from_millis(20);

/// Everything that does not depend on a manager's settings.
pub(crate) struct Compiled {
    pub(crate) engine: Engine,
    pub(crate) component: ClientPre<State>,
}

/// The engine's settings: compiled code is kept in wasmtime's cache, and WebAssembly can be interrupted.
///
/// The cache is the one that the `wasmtime` command uses (`~/.cache/wasmtime` on Linux), or the folder that the environment variable
/// `URLPOOL_CACHE_DIR` names. Where neither can be had, everything works and starts more slowly.
///
/// Memory is allocated on demand: an instance is there in 134 us. There is no pooling allocator, which would save 30 of them, because it
/// reserves address space for as many instances as it may ever hold; whoever makes many names one by `allocation_strategy`.
///
/// It is for whoever makes an engine of their own; [`engine`] is made of it.
///
/// ```
/// use urlpool_host::wasmtime::Engine;
///
/// let mut config = urlpool_host::engine_config();
/// config.max_wasm_stack(1 << 20);
/// assert!(Engine::new(&config).is_ok());
/// ```
#[must_use]
pub fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Another crate of the same program may compile wasmtime with support for concurrent calls, which makes every call dearer. WASI 0.2
    // has none.
    config.concurrency_support(false);
    config.cache(cache());
    config
}

fn cache() -> Option<Cache> {
    let mut config = CacheConfig::new();
    if let Some(folder) = std::env::var_os("URLPOOL_CACHE_DIR") {
        config.with_directory(std::path::absolute(PathBuf::from(folder)).ok()?);
    }
    Cache::new(config).ok()
}

/// The engine that all managers of this process share, for components of yours: its epochs are counted, 50 in a second, so that
/// [`Sandbox::limit`](crate::Sandbox::limit) does what it says.
///
/// The first call compiles urlpool, or finds it compiled in the cache.
///
/// # Errors
/// [`Error::Setup`] where there can be none.
///
/// ```
/// use urlpool_host::wasmtime::component::Component;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = urlpool_host::engine()?;
/// let plugin = Component::from_binary(&engine, b"\0asm\x0d\0\x01\0")?;
/// # drop(plugin);
/// # Ok(())
/// # }
/// ```
pub fn engine() -> Result<Engine, Error> {
    Ok(Compiled::shared()?.engine.clone())
}

impl Compiled {
    /// The process's own; compiled when it is first asked for.
    pub(crate) fn shared() -> Result<Arc<Self>, Error> {
        static SHARED: Mutex<Option<Arc<Compiled>>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = shared.as_ref() {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(Self::new().map_err(|cause| Error::setup(&cause))?);
        *shared = Some(Arc::clone(&compiled));
        Ok(compiled)
    }

    fn new() -> wasmtime::Result<Self> {
        let engine = Engine::new(&config())?;
        let component = Component::from_binary(&engine, COMPONENT)?;
        let mut linker = Linker::<State>::new(&engine);
        add_to_linker(&mut linker)?;
        let component = ClientPre::new(linker.instantiate_pre(&component)?)?;
        tick(&engine);
        Ok(Self { engine, component })
    }
}

/// Lets time pass for the engine's epochs, for as long as it exists.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
}
