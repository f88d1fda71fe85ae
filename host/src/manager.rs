//! The manager and the pools that it hands out.

use std::sync::Arc;
use std::time::Duration;

use urlpool_core::types::{Event, ManagerSettings, Origin, PoolContext, PoolSettings};

use crate::convert;
use crate::error::Error;
use crate::grants::Grants;
use crate::instance::{Call, Handle, Slot};
use crate::request::RequestBuilder;

/// What a manager is made with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What the component is told.
    pub manager: ManagerSettings,
    /// Where it may connect to; the default is nowhere.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
}

/// How much an instance may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of memory. A component that needs more traps. The default is 256 MiB.
    pub memory: usize,
    /// The longest that a single call into the instance may take, computing and waiting together; the default, `None`, sets no bound.
    /// Timeouts and the deadline of [`urlpool_core::types::Timeouts`] are the means for requests; this is for a component gone astray.
    pub call: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            call: None,
        }
    }
}

/// Sends requests to any origin and keeps idle connections for the next one.
///
/// Each manager is an instance of its own, with its own pools and its own network. Clones share it. Its calls run one after the other.
/// Giving a call up half-way, by dropping its future, costs the instance and with it all of its connections.
#[derive(Clone)]
pub struct PoolManager {
    pub(crate) slot: Arc<Slot>,
}

impl PoolManager {
    /// Starts an instance.
    ///
    /// # Errors
    /// [`Error::Client`] with `InvalidSettings` where a setting is refused, [`Error::Setup`] where the sandbox cannot be had.
    pub async fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            slot: Arc::new(Slot::open(settings).await?),
        })
    }

    /// Begins a request.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method.into(), url.into())
    }

    /// Begins a GET.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("GET", url)
    }

    /// The pool for a URL's origin. What `settings` names replaces the manager's.
    ///
    /// # Errors
    /// [`Error::Client`] where the URL or a setting is refused.
    pub async fn connection_from_url(
        &self,
        url: &str,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool, Error> {
        let settings = settings.map(convert::pool_settings);
        let mut call = self.slot.begin().await?;
        let outcome = call
            .answer(async |parts| {
                let manager = parts.blocking.pool_manager();
                manager
                    .call_connection_from_url(parts.store, parts.manager, url, settings.as_ref())
                    .await
            })
            .await;
        self.pool(call, outcome)
    }

    /// The pool for a host; `port` `None` means the scheme's own, `scheme` `None` means `http`.
    ///
    /// # Errors
    /// As for [`PoolManager::connection_from_url`].
    pub async fn connection_from_host(
        &self,
        host: &str,
        port: Option<u16>,
        scheme: Option<&str>,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool, Error> {
        let settings = settings.map(convert::pool_settings);
        let mut call = self.slot.begin().await?;
        let outcome = call
            .answer(async |parts| {
                let manager = parts.blocking.pool_manager();
                manager
                    .call_connection_from_host(
                        parts.store,
                        parts.manager,
                        host,
                        port,
                        scheme,
                        settings.as_ref(),
                    )
                    .await
            })
            .await;
        self.pool(call, outcome)
    }

    /// The pool for a complete description, which inherits nothing from the manager.
    ///
    /// # Errors
    /// As for [`PoolManager::connection_from_url`].
    pub async fn connection_from_context(
        &self,
        context: PoolContext,
    ) -> Result<ConnectionPool, Error> {
        let context = convert::pool_context(context);
        let mut call = self.slot.begin().await?;
        let outcome = call
            .answer(async |parts| {
                let manager = parts.blocking.pool_manager();
                manager
                    .call_connection_from_context(parts.store, parts.manager, &context)
                    .await
            })
            .await;
        self.pool(call, outcome)
    }

    /// How many pools are kept at present.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_pools(&self) -> Result<u32, Error> {
        let mut call = self.slot.begin().await?;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .pool_manager()
                    .call_num_pools(parts.store, parts.manager)
                    .await
            })
            .await;
        call.end_with(outcome)
    }

    /// Forgets all pools and closes their idle connections.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn clear(&self) -> Result<(), Error> {
        let mut call = self.slot.begin().await?;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .pool_manager()
                    .call_clear(parts.store, parts.manager)
                    .await
            })
            .await;
        call.end_with(outcome)
    }

    /// Takes out what happened since the last call, oldest first. Empty unless [`ManagerSettings::events`] asks for more than 0.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn take_events(&self) -> Result<Vec<Event>, Error> {
        let mut call = self.slot.begin().await?;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .pool_manager()
                    .call_take_events(parts.store, parts.manager)
                    .await
            })
            .await;
        Ok(convert::events(call.end_with(outcome)?)?)
    }

    fn pool(
        &self,
        call: Call<'_>,
        outcome: Result<wasmtime::component::ResourceAny, Error>,
    ) -> Result<ConnectionPool, Error> {
        let outcome = outcome.map(|resource| ConnectionPool {
            slot: Arc::clone(&self.slot),
            handle: call.handle(resource),
        });
        call.end_with(outcome)
    }
}

/// The connections to one origin with one set of settings.
pub struct ConnectionPool {
    slot: Arc<Slot>,
    handle: Handle,
}

impl ConnectionPool {
    /// What the pool is for.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn origin(&self) -> Result<Origin, Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let resource = self.handle.resource;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .connection_pool()
                    .call_origin(parts.store, resource)
                    .await
            })
            .await;
        Ok(convert::origin(call.end_with(outcome)?)?)
    }

    /// How many connections it has opened so far.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_connections(&self) -> Result<u64, Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let resource = self.handle.resource;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .connection_pool()
                    .call_num_connections(parts.store, resource)
                    .await
            })
            .await;
        call.end_with(outcome)
    }

    /// How many requests it has sent so far.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_requests(&self) -> Result<u64, Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let resource = self.handle.resource;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .connection_pool()
                    .call_num_requests(parts.store, resource)
                    .await
            })
            .await;
        call.end_with(outcome)
    }

    /// How many of its connections are idle.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_idle(&self) -> Result<u32, Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let resource = self.handle.resource;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .connection_pool()
                    .call_num_idle(parts.store, resource)
                    .await
            })
            .await;
        call.end_with(outcome)
    }

    /// Closes what is idle and refuses further connections; its manager makes a new pool when it is asked next.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn close(&self) -> Result<(), Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let resource = self.handle.resource;
        let outcome = call
            .value(async |parts| {
                parts
                    .blocking
                    .connection_pool()
                    .call_close(parts.store, resource)
                    .await
            })
            .await;
        call.end_with(outcome)
    }
}

impl Drop for ConnectionPool {
    fn drop(&mut self) {
        self.slot.discard(self.handle);
    }
}
