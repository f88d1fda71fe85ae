//! One instance of the component and the calls into it.
//!
//! Calls go one after the other. A call that does not come to its end, because it trapped, took too long or was given up by its caller,
//! leaves the instance in a state that nobody knows: it is thrown away, and the next call makes another.

use std::mem;
use std::slice;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::bindings::Client;
use crate::bindings::exports::urlpool::client::blocking;
use crate::engine::Compiled;
use crate::error::Error;
use crate::manager::{Settings, Usage};
use crate::sandbox::{Sandbox, SandboxView as _};
use crate::state::State;
use crate::{convert, trace, wit};

/// The place of an instance: there is one, or one can be made.
pub(crate) struct Slot {
    compiled: Arc<Compiled>,
    settings: Settings,
    instance: Mutex<Option<Instance>>,
    /// How many calls are under way or wait for their turn.
    turns: AtomicUsize,
    /// Responses and pools that nobody holds any more and that the instance does not know of yet.
    dropped: SyncMutex<Vec<Handle>>,
}

/// What a function of the component answers that can fail.
pub(crate) type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

/// Something inside an instance, good for as long as that instance lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    pub(crate) resource: ResourceAny,
    generation: u64,
}

struct Instance {
    store: Store<State>,
    client: Client,
    manager: ResourceAny,
    generation: u64,
    /// Whether its events are ours.
    is_traced: bool,
}

impl Slot {
    /// A slot with a running instance in it, so that bad settings are found at once.
    pub(crate) async fn open(settings: Settings) -> Result<Self, Error> {
        // Compiling for the first time takes most of a second; whoever else is on this thread need not wait for it.
        let compiled = tokio::task::spawn_blocking(Compiled::shared).await;
        let compiled = compiled.map_err(|cause| Error::Setup(cause.to_string()))??;
        let slot = Self {
            compiled,
            settings,
            instance: Mutex::new(None),
            turns: AtomicUsize::new(0),
            dropped: SyncMutex::default(),
        };
        slot.begin().await?.end();
        Ok(slot)
    }

    /// Waits for its turn and starts a call. What waits for its turn can be dropped at no cost.
    pub(crate) async fn begin(&self) -> Result<Call<'_>, Error> {
        let mut call = self.turn().await;
        if call.instance.is_some() {
            if call.drop_all(self.take_dropped()).await.is_ok() {
                return Ok(call);
            }
            // What the instance did to others is no reason to fail here.
            drop(call);
            call = self.turn().await;
        }
        if call.instance.is_none() {
            *call.instance = Some(self.start().await?);
        }
        Ok(call)
    }

    /// Waits for its turn.
    async fn turn(&self) -> Call<'_> {
        let turn = Turn::take(&self.turns);
        Call {
            instance: self.instance.lock().await,
            limit: self.settings.limits.call,
            is_over: false,
            _turn: turn,
        }
    }

    /// See [`Limits::call`](crate::Limits::call).
    pub(crate) const fn longest_call(&self) -> Option<Duration> {
        self.settings.limits.call
    }

    /// How many calls are under way or wait for their turn.
    pub(crate) fn busy(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    fn take_dropped(&self) -> Vec<Handle> {
        mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One call of a function that cannot fail.
    pub(crate) async fn value<T>(
        &self,
        function: impl AsyncFnOnce(Parts<'_>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let mut call = self.begin().await?;
        let outcome = call.value(function).await;
        call.end_with(outcome)
    }

    /// One call of a function that makes something inside the instance.
    pub(crate) async fn make(
        &self,
        function: impl AsyncFnOnce(Parts<'_>) -> Answer<ResourceAny>,
    ) -> Result<Handle, Error> {
        let mut call = self.begin().await?;
        let outcome = call.answer(function).await;
        let outcome = outcome.map(|resource| call.handle(resource));
        call.end_with(outcome)
    }

    /// One call, on something inside the instance, of a function that cannot fail.
    pub(crate) async fn value_of<T>(
        &self,
        handle: Handle,
        function: impl AsyncFnOnce(Parts<'_>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let mut call = self.begin_with(slice::from_ref(&handle)).await?;
        let outcome = call.value(async |parts| function(parts, handle.resource).await);
        let outcome = outcome.await;
        call.end_with(outcome)
    }

    /// Waits for its turn and starts a call on things inside the instance, all of which must still be there.
    pub(crate) async fn begin_with(&self, handles: &[Handle]) -> Result<Call<'_>, Error> {
        let mut call = self.turn().await;
        if handles.iter().all(|handle| call.holds(*handle)) {
            let dropped = call.drop_all(self.take_dropped()).await;
            return dropped.map(|()| call);
        }
        call.end();
        Err(Error::Trap(
            "the instance that it belonged to is gone".into(),
        ))
    }

    /// What a running instance has at present.
    pub(crate) async fn usage(&self) -> Result<Option<Usage>, Error> {
        let mut call = self.begin_with(&[]).await?;
        let instance = call.instance.as_mut();
        let usage = instance.map(|instance| instance.store.data_mut().usage());
        call.end();
        Ok(usage)
    }

    /// Tells a running instance at once which handles nobody holds any more. It starts none for that.
    pub(crate) async fn tidy_up(&self) {
        let mut call = self.turn().await;
        let outcome = call.drop_all(self.take_dropped()).await;
        // A trap throws the instance away, which is all that can be done about it.
        let _ = call.end_with(outcome);
    }

    /// Notes that nobody holds a handle any more. The next call tells the instance.
    pub(crate) fn discard(&self, handle: Handle) {
        self.dropped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
    }

    /// The same for what holds a connection, which should not wait for the next call to be closed.
    pub(crate) fn discard_now(self: &Arc<Self>, handle: Handle) {
        self.discard(handle);
        if let Ok(runtime) = runtime::Handle::try_current() {
            let slot = Arc::clone(self);
            runtime.spawn(async move { slot.tidy_up().await });
        }
    }

    async fn start(&self) -> Result<Instance, Error> {
        let Settings {
            manager,
            grants,
            limits,
        } = &self.settings;
        let mut store = Store::new(&self.compiled.engine, State::new(grants.clone(), *limits));
        Sandbox::limit(&mut store);
        let mut manager = manager.clone();
        let traced = trace::events(manager.events);
        manager.events = traced.or(manager.events);
        let settings = convert::manager_settings(manager);
        let open = async {
            let client = self
                .compiled
                .component
                .instantiate_async(&mut store)
                .await?;
            let functions = client.urlpool_client_blocking().pool_manager();
            let manager = functions.call_open(&mut store, &settings).await?;
            Ok((client, manager))
        };
        let (client, manager) = in_time(limits.call, open).await?;
        let generation = next_generation();
        trace::started(generation);
        Ok(Instance {
            store,
            client,
            manager: manager.map_err(convert::error)?,
            generation,
            is_traced: traced.is_some(),
        })
    }
}

/// Waits for as long as the limits allow, and tells a trap from an answer.
async fn in_time<T>(
    limit: Option<Duration>,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Error> {
    let outcome = match limit {
        None => call.await,
        Some(limit) => timeout(limit, call)
            .await
            .map_err(|_| Error::Deadline(limit))?,
    };
    // The root cause alone: what lies above it is a backtrace.
    outcome.map_err(|cause| Error::Trap(cause.root_cause().to_string()))
}

/// Tells instances apart, so that no handle is ever taken to another one.
fn next_generation() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    GENERATION.fetch_add(1, Ordering::Relaxed)
}

/// A call under way. Dropped before [`Call::end`], it takes the instance with it.
pub(crate) struct Call<'a> {
    instance: MutexGuard<'a, Option<Instance>>,
    limit: Option<Duration>,
    is_over: bool,
    _turn: Turn<'a>,
}

/// Counts as a call for as long as it lives.
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn take(turns: &'a AtomicUsize) -> Self {
        turns.fetch_add(1, Ordering::Relaxed);
        Self(turns)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a call is made with.
pub(crate) struct Parts<'a> {
    pub(crate) store: &'a mut Store<State>,
    pub(crate) blocking: &'a blocking::Guest,
    pub(crate) manager: ResourceAny,
}

impl Call<'_> {
    /// Calls a function and waits for as long as the limits allow. An error of the component's own is an error here too.
    pub(crate) async fn answer<T>(
        &mut self,
        function: impl AsyncFnOnce(Parts<'_>) -> Answer<T>,
    ) -> Result<T, Error> {
        match self.value(function).await? {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let error = convert::error(error);
                Err(match self.instance.as_mut() {
                    Some(instance) => instance.store.data_mut().sandbox().explain(error),
                    None => error,
                }
                .into())
            }
        }
    }

    /// The same for a function that cannot fail.
    pub(crate) async fn value<T>(
        &mut self,
        function: impl AsyncFnOnce(Parts<'_>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let Some(Instance {
            store,
            client,
            manager,
            ..
        }) = self.instance.as_mut()
        else {
            return Err(Error::Trap("the instance is gone".into()));
        };
        let call = function(Parts {
            store,
            blocking: client.urlpool_client_blocking(),
            manager: *manager,
        });
        in_time(self.limit, call).await
    }

    /// Marks something inside the instance for later calls.
    pub(crate) fn handle(&self, resource: ResourceAny) -> Handle {
        Handle {
            resource,
            generation: self.generation(),
        }
    }

    /// Which instance it is.
    pub(crate) fn generation(&self) -> u64 {
        let instance = self.instance.as_ref();
        instance.map_or(u64::MAX, |instance| instance.generation)
    }

    /// Tells `tracing` what happened in the instance, where it wants to know.
    pub(crate) async fn trace(&mut self) -> Result<(), Error> {
        if self
            .instance
            .as_ref()
            .is_none_or(|instance| !instance.is_traced)
        {
            return Ok(());
        }
        let take = self.value(
            async |Parts {
                       store,
                       blocking,
                       manager,
                   }| {
                blocking
                    .pool_manager()
                    .call_take_events(store, manager)
                    .await
            },
        );
        let events = convert::events(take.await?)?;
        trace::happened(self.generation(), events);
        Ok(())
    }

    fn holds(&self, handle: Handle) -> bool {
        self.instance
            .as_ref()
            .is_some_and(|instance| instance.generation == handle.generation)
    }

    /// Tells the instance that nobody holds these any more, as far as they came from it.
    async fn drop_all(&mut self, handles: Vec<Handle>) -> Result<(), Error> {
        for handle in handles {
            if self.holds(handle) {
                self.value(async |parts| handle.resource.resource_drop_async(parts.store).await)
                    .await?;
            }
        }
        Ok(())
    }

    /// Ends the call; the instance is as good as before.
    pub(crate) fn end(mut self) {
        self.is_over = true;
    }

    /// Ends the call with what came of it: after a trap or a limit the instance is gone.
    pub(crate) fn end_with<T>(mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.is_over = matches!(outcome, Ok(_) | Err(Error::Client(_)));
        outcome
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_over
            && let Some(instance) = self.instance.take()
        {
            trace::lost(instance.generation);
        }
    }
}
