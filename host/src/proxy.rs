//! A manager that sends everything through one proxy.

use std::ops::Deref;

use urlpool_core::policy::route::Proxy;
use urlpool_core::types::ProxySettings;

use crate::error::Error;
use crate::manager::{PoolManager, Settings};

/// A manager that sends all requests through one proxy (urllib3: `ProxyManager`, `SOCKSProxyManager`).
///
/// It is a [`PoolManager`] whose settings name the proxy, and behaves like one: plain HTTP is forwarded by an `http` or `https` proxy, all of
/// it through one pool; `https` goes through a tunnel of its own for each server; SOCKS carries both. The grants must name the proxy; what it
/// connects to is the proxy's business, so granting a proxy grants what is behind it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::{Grants, Settings, proxy_from_url};
///
/// let settings = Settings { grants: Grants::none().allow("127.0.0.1", port), ..Settings::default() };
/// let manager = proxy_from_url(format!("http://name:secret@127.0.0.1:{port}"), settings).await?;
/// assert_eq!(manager.proxy(), format!("http://127.0.0.1:{port}"));
/// let response = manager.get("http://far.example/").send().await?; // the proxy is asked for the whole URL
/// assert_eq!(response.text().await?, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProxyManager {
    manager: PoolManager,
    proxy: String,
}

impl ProxyManager {
    /// A manager with a running instance. What `settings` says about proxies is replaced.
    ///
    /// # Errors
    /// `UnsupportedProxyScheme` and `InvalidSettings` of [`ClientError`](crate::ClientError) where the proxy's URL, headers or
    /// credentials cannot be used; or as for [`PoolManager::new`].
    pub async fn new(proxy: ProxySettings, mut settings: Settings) -> Result<Self, Error> {
        let shown = Proxy::parse(proxy.clone())?.to_string();
        settings.manager = settings.manager.through(proxy);
        Ok(Self {
            manager: PoolManager::new(settings).await?,
            proxy: shown,
        })
    }

    /// Scheme, host and port of the proxy as a URL, without credentials.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }
}

impl Deref for ProxyManager {
    type Target = PoolManager;

    fn deref(&self) -> &PoolManager {
        &self.manager
    }
}

/// A manager for a proxy that needs nothing but its URL (urllib3: `proxy_from_url`).
///
/// # Errors
/// As for [`ProxyManager::new`].
///
/// ```no_run
/// # async fn example() -> Result<(), urlpool_host::Error> {
/// use urlpool_host::{Grants, Settings, proxy_from_url};
///
/// let settings = Settings { grants: Grants::none().allow("proxy.example", 3128), ..Settings::default() };
/// let manager = proxy_from_url("http://proxy.example:3128", settings).await?;
/// let page = manager.get("https://example.com/").send().await?.text().await?;
/// # drop(page);
/// # Ok(())
/// # }
/// ```
pub async fn proxy_from_url(
    url: impl Into<String>,
    settings: Settings,
) -> Result<ProxyManager, Error> {
    let proxy = ProxySettings {
        url: url.into(),
        ..ProxySettings::default()
    };
    ProxyManager::new(proxy, settings).await
}
