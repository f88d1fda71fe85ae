//! The manager and the pools that it hands out.

use std::sync::Arc;
use std::time::Duration;

use urlpool_core::types::{Event, ManagerSettings, Origin, PoolContext, PoolSettings};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::error::Error;
use crate::function::Through;
use crate::grants::Grants;
use crate::instance::{Handle, Parts, Slot};
use crate::request::RequestBuilder;
use crate::state::State;
use crate::{blocking, convert};

/// What a manager is made with.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use urlpool_host::{Grants, ManagerSettings, PoolManager, Settings};
///
/// let settings = Settings {
///     manager: ManagerSettings { num_pools: Some(50), ..ManagerSettings::default() },
///     grants: Grants::none().allow_public(443),
///     ..Settings::default()
/// };
/// let manager = PoolManager::new(settings).await?;
/// # drop(manager);
/// # Ok(())
/// # }
/// ```
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
///
/// ```
/// use std::time::Duration;
/// use urlpool_host::Limits;
///
/// let limits = Limits { memory: 64 << 20, call: Some(Duration::from_secs(30)) };
/// assert!(limits.memory < Limits::default().memory);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of memory, tables included. A component that needs more traps. The default is 256 MiB.
    pub memory: usize,
    /// The longest that a single call into the instance may take, computing and waiting together; the default, `None`, sets no bound.
    ///
    /// Timeouts and the deadline of [`Timeouts`](crate::Timeouts) are the means for requests; this is for a component gone astray. A call
    /// over this limit takes the instance along with every other request in it, as [giving a call up](PoolManager#giving-a-call-up) does: it
    /// ends with [`Error::Deadline`], and what else belonged to the instance with [`Error::Trap`].
    pub call: Option<Duration>,
}

/// What an instance has at present.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), urlpool_host::Error> {
/// use urlpool_host::{Limits, PoolManager};
///
/// let manager = PoolManager::builder().build().await?;
/// let usage = manager.usage().await?.expect("nothing has stopped it");
/// assert!(usage.memory <= Limits::default().memory);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// Bytes of memory, tables included. It grows as far as was ever needed, and shrinks with a new instance only.
    pub memory: usize,
    /// What the host holds for it: sockets, their streams, lookups, timers.
    pub resources: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            call: None,
        }
    }
}

/// Sends requests to any origin and keeps idle connections for the next one (urllib3: `PoolManager`).
///
/// Each manager is an instance of its own, with its own pools and its own network. Clones share it. Its calls run one after the other, those
/// of its pools, started requests and responses among them: two clones that send at the same time wait for each other. Requests at the same
/// time are [started](RequestBuilder::start) and [waited for](PoolManager::wait), or have a manager each.
///
/// # Giving a call up
///
/// The future of a call can be dropped for nothing until the call has its turn. Dropped after that, for example by `tokio::time::timeout` or
/// `select!`, it leaves WebAssembly half-way through a function, so the whole instance is thrown away with every connection and every other
/// request in it. The next request through the manager makes a new instance, with empty pools. What belonged to the old one, a
/// [`Pending`](crate::Pending), a [`Response`](crate::Response) whose body is not read yet, a [`ConnectionPool`], answers every call with
/// [`Error::Trap`] from then on.
///
/// So bound requests by [`Timeouts`](crate::Timeouts), above all their `deadline`, which end a call in order; or say that a request is
/// [`cancellable`](RequestBuilder::cancellable). Dropping a `Pending` or a `Response` itself costs its own connection only, and dropping the
/// future of a [`PoolManager::wait`] that has a timeout costs nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::PoolManager;
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// for _ in 0..3 {
///     let response = manager.get(format!("http://127.0.0.1:{port}/")).send().await?;
///     assert_eq!(response.head().connection.number, 1); // the same connection each time
///     assert_eq!(response.text().await?, "hello");
/// }
/// # Ok(())
/// # }
/// ```
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
        let slot = Arc::clone(&self.slot);
        RequestBuilder::new(slot, Through::Manager, method.into(), url.into())
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
        let open = async |Parts {
                              store,
                              blocking,
                              manager,
                          }: Parts<'_>| {
            let functions = blocking.pool_manager();
            functions
                .call_connection_from_url(store, manager, url, settings.as_ref())
                .await
        };
        Ok(self.pool(self.slot.make(open).await?))
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
        let open = async |Parts {
                              store,
                              blocking,
                              manager,
                          }: Parts<'_>| {
            let functions = blocking.pool_manager();
            functions
                .call_connection_from_host(store, manager, host, port, scheme, settings.as_ref())
                .await
        };
        Ok(self.pool(self.slot.make(open).await?))
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
        let open = async |Parts {
                              store,
                              blocking,
                              manager,
                          }: Parts<'_>| {
            blocking
                .pool_manager()
                .call_connection_from_context(store, manager, &context)
                .await
        };
        Ok(self.pool(self.slot.make(open).await?))
    }

    /// How many pools are kept at present.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_pools(&self) -> Result<u32, Error> {
        self.slot
            .value(
                async |Parts {
                           store,
                           blocking,
                           manager,
                       }| {
                    blocking.pool_manager().call_num_pools(store, manager).await
                },
            )
            .await
    }

    /// Forgets all pools and closes their idle connections.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn clear(&self) -> Result<(), Error> {
        self.slot
            .value(
                async |Parts {
                           store,
                           blocking,
                           manager,
                       }| blocking.pool_manager().call_clear(store, manager).await,
            )
            .await
    }

    /// Takes out what happened since the last call, oldest first. Empty unless [`ManagerSettings::events`] asks for more than 0.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn take_events(&self) -> Result<Vec<Event>, Error> {
        let take = async |Parts {
                              store,
                              blocking,
                              manager,
                          }: Parts<'_>| {
            blocking
                .pool_manager()
                .call_take_events(store, manager)
                .await
        };
        Ok(convert::events(self.slot.value(take).await?)?)
    }

    /// What its instance has at present; `None` where it was thrown away and no call has made another.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn usage(&self) -> Result<Option<Usage>, Error> {
        self.slot.usage().await
    }

    fn pool(&self, handle: Handle) -> ConnectionPool {
        ConnectionPool {
            slot: Arc::clone(&self.slot),
            handle,
        }
    }
}

/// The connections to one origin with one set of settings (urllib3: `HTTPConnectionPool`, `HTTPSConnectionPool`).
///
/// The manager finds the same pool for the same origin and settings. Dropping it closes nothing while the manager keeps the pool.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::PoolManager;
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let pool = manager.connection_from_host("127.0.0.1", Some(port), None, None).await?;
/// assert_eq!(pool.get("/path").send().await?.text().await?, "hello");
/// assert_eq!((pool.num_connections().await?, pool.num_requests().await?), (1, 1));
/// # Ok(())
/// # }
/// ```
pub struct ConnectionPool {
    slot: Arc<Slot>,
    handle: Handle,
}

impl ConnectionPool {
    /// Begins a request to the pool's host. `url` is a path, whose dot segments are kept, or a whole URL.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> RequestBuilder {
        let (slot, through) = (Arc::clone(&self.slot), Through::Pool(self.handle));
        RequestBuilder::new(slot, through, method.into(), url.into())
    }

    /// Begins a GET.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("GET", url)
    }

    /// What the pool is for.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn origin(&self) -> Result<Origin, Error> {
        let origin = self.ask(async |pools, store, this| pools.call_origin(store, this).await);
        Ok(convert::origin(origin.await?)?)
    }

    /// How many connections it has opened so far (urllib3: `num_connections`).
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_connections(&self) -> Result<u64, Error> {
        self.ask(async |pools, store, this| pools.call_num_connections(store, this).await)
            .await
    }

    /// How many requests were given a connection so far, those that are sent again counted again (urllib3: `num_requests`).
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_requests(&self) -> Result<u64, Error> {
        self.ask(async |pools, store, this| pools.call_num_requests(store, this).await)
            .await
    }

    /// How many of its connections are idle at present.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn num_idle(&self) -> Result<u32, Error> {
        self.ask(async |pools, store, this| pools.call_num_idle(store, this).await)
            .await
    }

    /// Closes the idle connections and keeps none from now on (urllib3: `close`). Running exchanges finish.
    ///
    /// Requests through this pool are refused from now on; its manager makes a new pool when it is asked next.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn close(&self) -> Result<(), Error> {
        self.ask(async |pools, store, this| pools.call_close(store, this).await)
            .await
    }

    /// Calls a function of the pool that cannot fail.
    async fn ask<T>(
        &self,
        function: impl AsyncFnOnce(
            blocking::GuestConnectionPool<'_>,
            &mut Store<State>,
            ResourceAny,
        ) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let call = async |parts: Parts<'_>, this| {
            function(parts.blocking.connection_pool(), parts.store, this).await
        };
        self.slot.value_of(self.handle, call).await
    }
}

impl Drop for ConnectionPool {
    fn drop(&mut self) {
        self.slot.discard(self.handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Futures can be spawned on a runtime of several threads; that is decided at compile time.
    #[tokio::test]
    async fn what_waits_can_move_between_threads() {
        const fn is_send<T: Send>(value: T) -> T {
            value
        }
        let manager = is_send(PoolManager::new(Settings::default()))
            .await
            .unwrap();
        let sent = is_send(manager.get("http://192.0.2.1/").send()).await;
        assert_eq!(
            sent.unwrap_err().client().map(crate::ClientError::kind),
            Some("denied")
        );
        assert_eq!(is_send(manager.num_pools()).await.unwrap(), 1);
        let pool = is_send(manager.connection_from_url("http://192.0.2.1/", None))
            .await
            .unwrap();
        assert_eq!(is_send(pool.num_idle()).await.unwrap(), 0);
        let _reads = |mut response: crate::Response| {
            drop(is_send(response.read_line(1)));
            drop(is_send(response.copy_to(&mut Vec::new())));
            drop(is_send(response.text()));
        };
        let upload = manager.request("PUT", "http://192.0.2.1/");
        drop(is_send(upload.send_from(&mut &b"x"[..], None)));
        drop(is_send(crate::request(Grants::none(), "GET", "/")));
    }
}
