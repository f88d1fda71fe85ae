//! The contract's functions: convert, call core, convert back.

use std::cell::RefCell;

use urlpool_core::driver;
use wasi::io::streams::OutputStream;

use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client::{blocking, pipe};
use crate::convert;
use crate::net::WasiNet;
use crate::reactor::block_on;
use crate::stream::StreamSink;

/// What the component exports.
pub(crate) struct Component;

impl blocking::Guest for Component {
    type PoolManager = PoolManager;
    type ConnectionPool = ConnectionPool;
    type Response = Response;
}

impl pipe::Guest for Component {
    fn copy_to(
        response: blocking::ResponseBorrow<'_>,
        destination: &OutputStream,
    ) -> Result<u64, wit::Error> {
        response
            .get::<Response>()
            .with(async |response| response.copy_to(&mut StreamSink::new(destination)).await)
    }
}

pub(crate) struct PoolManager(driver::Manager<WasiNet>);

impl blocking::GuestPoolManager for PoolManager {
    fn open(settings: wit::ManagerSettings) -> Result<blocking::PoolManager, wit::Error> {
        let open = || driver::Manager::new(WasiNet::new(), convert::manager_settings(settings)?);
        open()
            .map(|manager| blocking::PoolManager::new(Self(manager)))
            .map_err(convert::error)
    }

    fn request(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        let request = async {
            self.0
                .request(
                    &method,
                    &url,
                    convert::content(body),
                    convert::request_options(options)?,
                )
                .await
        };
        block_on(request)
            .map(Response::export)
            .map_err(convert::error)
    }

    fn urlopen(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        let request = async {
            self.0
                .urlopen(
                    &method,
                    &url,
                    convert::content(body),
                    convert::request_options(options)?,
                )
                .await
        };
        block_on(request)
            .map(Response::export)
            .map_err(convert::error)
    }

    fn connection_from_host(
        &self,
        host: String,
        port: Option<u16>,
        scheme: Option<String>,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let settings = settings.map(convert::pool_settings);
        let pool = self
            .0
            .connection_from_host(&host, port, scheme.as_deref(), settings);
        pool.map(ConnectionPool::export).map_err(convert::error)
    }

    fn connection_from_url(
        &self,
        url: String,
        settings: Option<wit::PoolSettings>,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let pool = self
            .0
            .connection_from_url(&url, settings.map(convert::pool_settings));
        pool.map(ConnectionPool::export).map_err(convert::error)
    }

    fn connection_from_context(
        &self,
        context: wit::PoolContext,
    ) -> Result<blocking::ConnectionPool, wit::Error> {
        let pool = self
            .0
            .connection_from_context(convert::pool_context(context));
        pool.map(ConnectionPool::export).map_err(convert::error)
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

pub(crate) struct ConnectionPool(driver::ConnectionPool<WasiNet>);

impl ConnectionPool {
    fn export(pool: driver::ConnectionPool<WasiNet>) -> blocking::ConnectionPool {
        blocking::ConnectionPool::new(Self(pool))
    }
}

impl blocking::GuestConnectionPool for ConnectionPool {
    fn origin(&self) -> wit::Origin {
        convert::origin(self.0.origin())
    }

    fn num_connections(&self) -> u64 {
        self.0.num_connections()
    }

    fn num_requests(&self) -> u64 {
        self.0.num_requests()
    }

    fn num_idle(&self) -> u32 {
        u32::try_from(self.0.num_idle()).unwrap_or(u32::MAX)
    }

    fn close(&self) {
        self.0.close();
    }
}

pub(crate) struct Response(RefCell<driver::Response<WasiNet>>);

impl Response {
    fn export(response: driver::Response<WasiNet>) -> blocking::Response {
        blocking::Response::new(Self(RefCell::new(response)))
    }

    /// Runs one call on the response. An instance is never entered while it runs, so nothing else can hold the cell.
    fn with<T>(
        &self,
        call: impl AsyncFnOnce(&mut driver::Response<WasiNet>) -> convert::Outcome<T>,
    ) -> Result<T, wit::Error> {
        let mut response = self.0.try_borrow_mut().map_err(|_| convert::in_use())?;
        block_on(call(&mut response)).map_err(convert::error)
    }
}

impl blocking::GuestResponse for Response {
    fn head(&self) -> wit::ResponseHead {
        convert::response_head(self.0.borrow().head())
    }

    fn read(&self, max: u32) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| {
            response
                .read(usize::try_from(max).unwrap_or(usize::MAX))
                .await
        })
    }

    fn read_all(&self, limit: u64) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_all(limit).await)
    }

    fn drain(&self) -> Result<(), wit::Error> {
        self.with(async |response| response.drain().await)
    }

    fn release(&self) {
        self.0.borrow_mut().release();
    }
}
