//! A pool of connections to one host.

use urlpool_core::driver;
use urlpool_sockets::AsyncNet;

use super::response::Response;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools;
use crate::convert::{self, Asked};

pub(crate) struct ConnectionPool(driver::ConnectionPool<AsyncNet>);

impl ConnectionPool {
    pub(super) fn export(pool: driver::ConnectionPool<AsyncNet>) -> pools::ConnectionPool {
        pools::ConnectionPool::new(Self(pool))
    }
}

impl pools::GuestConnectionPool for ConnectionPool {
    async fn request(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        self.urlopen(method.to_ascii_uppercase(), url, body, options)
            .await
    }

    async fn urlopen(
        &self,
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        let send = async {
            let Asked {
                content,
                source,
                options,
            } = convert::asked(body, options)?;
            self.0.send(&method, &url, content, source, options).await
        };
        send.await.map(Response::export).map_err(convert::error)
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
