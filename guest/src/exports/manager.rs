//! A manager of pools.

use std::rc::Rc;

use urlpool_core::driver;

use super::pending::Pending;
use super::pool::ConnectionPool;
use super::response::respond;
use crate::bindings::exports::urlpool::client::blocking;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::net::WasiNet;
use crate::{convert, pending};

pub(crate) struct PoolManager(pub(super) Rc<driver::Manager<WasiNet>>);

impl blocking::GuestPoolManager for PoolManager {
    fn open(settings: wit::ManagerSettings) -> Result<blocking::PoolManager, wit::Error> {
        let open = || driver::Manager::new(WasiNet::new(), convert::manager_settings(settings)?);
        open()
            .map(|manager| blocking::PoolManager::new(Self(Rc::new(manager))))
            .map_err(convert::error)
    }

    fn request(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        self.urlopen(method.to_ascii_uppercase(), url, body, options)
    }

    fn urlopen(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        respond(async {
            let (content, options) = convert::asked(body, options)?;
            self.0.urlopen(&method, &url, content, options).await
        })
    }

    fn request_encode_url(
        &self,
        method: String,
        url: String,
        fields: Vec<(String, String)>,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        respond(async {
            let (content, options) = (convert::query(fields), convert::options_for_query(options)?);
            self.0.request(&method, &url, content, options).await
        })
    }

    fn request_encode_body(
        &self,
        method: String,
        url: String,
        fields: Vec<wit::Part>,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        respond(async {
            let (content, options) = (convert::form(fields)?, convert::options_for_form(options)?);
            self.0.request(&method, &url, content, options).await
        })
    }

    fn start(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Pending, wit::Error> {
        let manager = Rc::clone(&self.0);
        let start = || {
            let (content, options) = convert::asked(body, options)?;
            pending::Pending::start(|pushed| async move {
                let source = Some(Box::new(pushed) as Box<_>);
                manager.send(&method, &url, content, source, options).await
            })
        };
        start().map(Pending::export).map_err(convert::error)
    }

    fn connection_from_host(
        &self,
        host: String,
        port: Option<u16>,
        scheme: Option<String>,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let find = || {
            let settings = settings.map(convert::pool_settings).transpose()?;
            self.0
                .connection_from_host(&host, port, scheme.as_deref(), settings)
        };
        find().map(ConnectionPool::export).map_err(convert::error)
    }

    fn connection_from_url(
        &self,
        url: String,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let find = || {
            let settings = settings.map(convert::pool_settings).transpose()?;
            self.0.connection_from_url(&url, settings)
        };
        find().map(ConnectionPool::export).map_err(convert::error)
    }

    fn connection_from_context(
        &self,
        context: wit::PoolContext,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let find = || {
            self.0
                .connection_from_context(convert::pool_context(context)?)
        };
        find().map(ConnectionPool::export).map_err(convert::error)
    }

    fn num_pools(&self) -> u32 {
        u32::try_from(self.0.num_pools()).unwrap_or(u32::MAX)
    }

    fn clear(&self) {
        self.0.clear();
    }

    fn take_events(&self) -> Vec<wit::Event> {
        self.0
            .take_events()
            .into_iter()
            .map(convert::event)
            .collect()
    }
}
