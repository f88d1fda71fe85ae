//! A pool of connections to one host.

use std::rc::Rc;

use urlpool_core::driver;

use super::pending::Pending;
use super::response::respond;
use crate::bindings::exports::urlpool::client::blocking;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::net::WasiNet;
use crate::{convert, pending};

pub(crate) struct ConnectionPool(Rc<driver::ConnectionPool<WasiNet>>);

impl ConnectionPool {
    pub(super) fn export(pool: driver::ConnectionPool<WasiNet>) -> blocking::ConnectionPool {
        blocking::ConnectionPool::new(Self(Rc::new(pool)))
    }
}

impl blocking::GuestConnectionPool for ConnectionPool {
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
            self.0.send(&method, &url, content, None, options).await
        })
    }

    fn start(
        &self,
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Pending, wit::Error> {
        let pool = Rc::clone(&self.0);
        let start = || {
            let (content, options) = convert::asked(body, options)?;
            pending::Pending::start(|pushed| async move {
                let source = Some(Box::new(pushed) as Box<_>);
                pool.send(&method, &url, content, source, options).await
            })
        };
        start().map(Pending::export).map_err(convert::error)
    }

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
