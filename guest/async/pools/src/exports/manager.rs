//! A manager of pools.

use std::rc::Rc;

use urlpool_core::driver::{self, Manager};
use urlpool_sockets::AsyncNet;

use super::pool::ConnectionPool;
use super::response::Response;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools;
use crate::convert::{self, Asked};

pub(crate) struct PoolManager(pub(super) Rc<Manager<AsyncNet>>);

/// Sends what was asked for, and hands the response out.
pub(super) async fn send(
    manager: &Manager<AsyncNet>,
    method: &str,
    url: &str,
    asked: convert::Outcome<Asked>,
) -> Result<pools::Response, wit::Error> {
    let send = async {
        let Asked {
            content,
            source,
            options,
        } = asked?;
        manager.send(method, url, content, source, options).await
    };
    send.await.map(Response::export).map_err(convert::error)
}

impl pools::GuestPoolManager for PoolManager {
    fn open(settings: wit::ManagerSettings) -> Result<pools::PoolManager, wit::Error> {
        let open = || Manager::new(AsyncNet, convert::manager_settings(settings)?);
        open()
            .map(|manager| pools::PoolManager::new(Self(Rc::new(manager))))
            .map_err(convert::error)
    }

    async fn request(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        let method = method.to_ascii_uppercase();
        send(&self.0, &method, &url, convert::asked(body, options)).await
    }

    async fn urlopen(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        send(&self.0, &method, &url, convert::asked(body, options)).await
    }

    async fn request_encode_url(
        &self,
        method: String,
        url: String,
        fields: Vec<(String, String)>,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        let send = async {
            let (content, options) = (convert::query(fields), convert::options_for_query(options)?);
            self.0.request(&method, &url, content, options).await
        };
        send.await.map(Response::export).map_err(convert::error)
    }

    async fn request_encode_body(
        &self,
        method: String,
        url: String,
        fields: Vec<wit::Part>,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        let send = async {
            let (content, options) = (convert::form(fields)?, convert::options_for_form(options)?);
            self.0.request(&method, &url, content, options).await
        };
        send.await.map(Response::export).map_err(convert::error)
    }

    fn connection_from_host(
        &self,
        host: String,
        port: Option<u16>,
        scheme: Option<String>,
        settings: Option<wit::PoolSettings>,
    ) -> Result<pools::ConnectionPool, wit::Error> {
        found(|| {
            let settings = settings.map(convert::pool_settings).transpose()?;
            self.0
                .connection_from_host(&host, port, scheme.as_deref(), settings)
        })
    }

    fn connection_from_url(
        &self,
        url: String,
        settings: Option<wit::PoolSettings>,
    ) -> Result<pools::ConnectionPool, wit::Error> {
        found(|| {
            let settings = settings.map(convert::pool_settings).transpose()?;
            self.0.connection_from_url(&url, settings)
        })
    }

    fn connection_from_context(
        &self,
        context: wit::PoolContext,
    ) -> Result<pools::ConnectionPool, wit::Error> {
        found(|| {
            self.0
                .connection_from_context(convert::pool_context(context)?)
        })
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

fn found(
    find: impl FnOnce() -> convert::Outcome<driver::ConnectionPool<AsyncNet>>,
) -> Result<pools::ConnectionPool, wit::Error> {
    find().map(ConnectionPool::export).map_err(convert::error)
}
