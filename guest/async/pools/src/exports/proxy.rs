//! A manager that sends everything through one proxy.

use std::rc::Rc;

use urlpool_core::driver::Manager;
use urlpool_sockets::AsyncNet;

use super::manager::PoolManager;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools::{self, GuestPoolManager as _};
use crate::convert;

/// A pool manager and the proxy that its settings name.
pub(crate) struct ProxyManager {
    manager: PoolManager,
    proxy: String,
}

impl pools::GuestProxyManager for ProxyManager {
    fn open(
        proxy: wit::ProxySettings,
        settings: wit::ManagerSettings,
    ) -> Result<pools::ProxyManager, wit::Error> {
        let open = || {
            let (settings, proxy) = convert::proxied_settings(proxy, settings)?;
            let manager = PoolManager(Rc::new(Manager::new(AsyncNet, settings)?));
            Ok(Self { manager, proxy })
        };
        open().map(pools::ProxyManager::new).map_err(convert::error)
    }

    fn proxy(&self) -> String {
        self.proxy.clone()
    }

    fn manager(&self) -> pools::PoolManager {
        pools::PoolManager::new(PoolManager(Rc::clone(&self.manager.0)))
    }

    async fn request(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        self.manager.request(method, url, body, options).await
    }

    async fn urlopen(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        self.manager.urlopen(method, url, body, options).await
    }
}
