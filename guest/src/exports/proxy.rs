//! A manager that sends everything through one proxy.

use std::rc::Rc;

use urlpool_core::driver;

use super::manager::PoolManager;
use crate::bindings::exports::urlpool::client::blocking::{self, GuestPoolManager as _};
use crate::bindings::exports::urlpool::client::types as wit;
use crate::convert;
use crate::net::WasiNet;

/// A pool manager and the proxy that its settings name.
pub(crate) struct ProxyManager {
    manager: PoolManager,
    proxy: String,
}

impl blocking::GuestProxyManager for ProxyManager {
    fn open(
        proxy: wit::ProxySettings,
        settings: wit::ManagerSettings,
    ) -> Result<blocking::ProxyManager, wit::Error> {
        let open = || {
            let (settings, proxy) = convert::proxied_settings(proxy, settings)?;
            let manager = driver::Manager::new(WasiNet::new(), settings)?;
            Ok(Self {
                manager: PoolManager(Rc::new(manager)),
                proxy,
            })
        };
        open()
            .map(blocking::ProxyManager::new)
            .map_err(convert::error)
    }

    fn proxy(&self) -> String {
        self.proxy.clone()
    }

    fn manager(&self) -> blocking::PoolManager {
        blocking::PoolManager::new(PoolManager(Rc::clone(&self.manager.0)))
    }

    fn request(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        self.manager.request(method, url, body, options)
    }

    fn urlopen(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        self.manager.urlopen(method, url, body, options)
    }

    fn request_encode_url(
        &self,
        method: String,
        url: String,
        fields: Vec<(String, String)>,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        self.manager
            .request_encode_url(method, url, fields, options)
    }

    fn request_encode_body(
        &self,
        method: String,
        url: String,
        fields: Vec<wit::Part>,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        self.manager
            .request_encode_body(method, url, fields, options)
    }

    fn start(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Pending, wit::Error> {
        self.manager.start(method, url, body, options)
    }

    fn connection_from_host(
        &self,
        host: String,
        port: Option<u16>,
        scheme: Option<String>,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        self.manager
            .connection_from_host(host, port, scheme, settings)
    }

    fn connection_from_url(
        &self,
        url: String,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        self.manager.connection_from_url(url, settings)
    }

    fn connection_from_context(
        &self,
        context: wit::PoolContext,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        self.manager.connection_from_context(context)
    }

    fn num_pools(&self) -> u32 {
        self.manager.num_pools()
    }

    fn clear(&self) {
        self.manager.clear();
    }

    fn take_events(&self) -> Vec<wit::Event> {
        self.manager.take_events()
    }
}
