//! Managers put together step by step.

use std::time::Duration;

use urlpool_core::types::{
    ManagerSettings, PoolSettings, ProxySettings, Retries, Timeouts, TlsSettings,
};

use crate::error::Error;
use crate::grants::Grants;
use crate::instances::Instances;
use crate::manager::{PoolManager, Settings};
use crate::proxy::ProxyManager;

/// Puts a manager together: [`Settings`] step by step, from nothing granted and urllib3's defaults.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), urlpool_host::Error> {
/// use std::time::Duration;
/// use urlpool_host::{PoolManager, Retries};
///
/// let manager = PoolManager::builder()
///     .allow("api.example.com", 443)
///     .retries(Retries::total(5))
///     .memory(64 << 20)
///     .longest_call(Duration::from_secs(60))
///     .build()
///     .await?;
/// let error = manager.get("https://elsewhere.example/").send().await.unwrap_err();
/// assert_eq!(error.client().map(|error| error.kind()), Some("denied"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    settings: Settings,
}

impl PoolManager {
    /// Begins a manager.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Lets it connect to a host too: see [`Grants::allow`].
    pub fn allow(mut self, host: impl AsRef<str>, port: impl Into<Option<u16>>) -> Self {
        self.settings.grants = self.settings.grants.allow(host, port);
        self
    }

    /// Says where it may connect to, and nowhere else.
    pub fn grants(mut self, grants: Grants) -> Self {
        self.settings.grants = grants;
        self
    }

    /// Gives an instance this much memory, in bytes; the default is 256 MiB: see [`Limits::memory`](crate::Limits::memory).
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.settings.limits.memory = bytes;
        self
    }

    /// Bounds every call into an instance; the default is no bound: see [`Limits::call`](crate::Limits::call).
    pub const fn longest_call(mut self, limit: Duration) -> Self {
        self.settings.limits.call = Some(limit);
        self
    }

    /// Says what every pool starts from, replacing what was said of it before.
    pub fn pool(mut self, pool: PoolSettings) -> Self {
        self.settings.manager.pool = pool;
        self
    }

    /// Sets the timeouts that requests inherit; what they leave open is the default.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.manager.pool.timeouts = timeouts;
        self
    }

    /// Says when requests are tried again; what that leaves open is the default, urllib3's `Retry(3)`.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.settings.manager.pool.retries = retries;
        self
    }

    /// Says whom TLS believes, and who we are to servers.
    pub fn tls(mut self, tls: TlsSettings) -> Self {
        self.settings.manager.pool.tls = tls;
        self
    }

    /// Sets everything that the component is told, replacing what was said of pools before.
    pub fn manager(mut self, manager: ManagerSettings) -> Self {
        self.settings.manager = manager;
        self
    }

    /// What has been said so far.
    #[must_use]
    pub fn settings(self) -> Settings {
        self.settings
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// As for [`PoolManager::new`].
    pub async fn build(self) -> Result<PoolManager, Error> {
        PoolManager::new(self.settings).await
    }

    /// Starts an instance that sends everything through a proxy, which the grants must name.
    ///
    /// # Errors
    /// As for [`ProxyManager::new`].
    pub async fn build_through(self, proxy: ProxySettings) -> Result<ProxyManager, Error> {
        ProxyManager::new(proxy, self.settings).await
    }

    /// Starts several instances, which serve requests at the same time.
    ///
    /// # Errors
    /// As for [`Instances::new`].
    pub async fn build_several(self, count: u16) -> Result<Instances, Error> {
        Instances::new(count, self.settings).await
    }
}
