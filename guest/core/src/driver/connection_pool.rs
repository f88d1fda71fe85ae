//! What a caller holds of a pool: requests to its host alone, its counts, its end.

use std::rc::Rc;

use super::Net;
use super::pool::Pool;
use super::request::Order;
use super::response::Response;
use super::trip::travel;
use super::upload::BodySource;
use crate::machine::pool::IfClosed;
use crate::policy::{blame, target};
use crate::types::{Content, Error, Origin, RequestOptions, Url};

/// A caller's hold on a pool (urllib3: `HTTPConnectionPool`).
pub struct ConnectionPool<N: Net> {
    /// Whom its requests are for. Its connections lead elsewhere where a proxy forwards them.
    pub(super) origin: Origin,
    pub(super) pool: Rc<Pool<N>>,
}

impl<N: Net> ConnectionPool<N> {
    /// What the pool is for.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends a request with its method in upper case (urllib3: `request`). `url` is a path of the pool's host, which keeps its dot segments,
    /// or a whole URL.
    ///
    /// # Errors
    /// Any [`Error`]; its documentation says what each means.
    pub async fn request(
        &self,
        method: &str,
        url: &str,
        content: Content,
        options: RequestOptions,
    ) -> Result<Response<N>, Error> {
        let method = method.to_ascii_uppercase();
        self.send(&method, url, content, None, options).await
    }

    /// Sends a request with its method as it is (urllib3: `urlopen`), and its body, where that is streamed, from `source`.
    ///
    /// # Errors
    /// As for [`ConnectionPool::request`].
    pub async fn send<'a>(
        &self,
        method: &'a str,
        url: &str,
        content: Content,
        source: Option<Box<dyn BodySource + 'a>>,
        options: RequestOptions,
    ) -> Result<Response<N>, Error> {
        let Self { origin, pool } = self;
        let url = if url.starts_with('/') {
            Url::at(origin, url)?
        } else {
            Url::parse(url)?
        };
        let may_leave_host = options.may_leave_host;
        let order = Order {
            method,
            url,
            content,
            source,
            options,
        };
        let profile = pool.key.profile.get();
        let random = || pool.shared.random();
        let accepted = order.accept(profile, &profile.headers, IfClosed::Refuse, random)?;
        let find = |url: &Url| {
            let is_there = url.origin() == origin;
            if is_there || (may_leave_host && target::may_be_asked(url, origin)) {
                Ok(Rc::clone(pool))
            } else {
                Err(blame::host_changed(url))
            }
        };
        travel(&pool.shared, &find, accepted).await
    }

    /// How many connections it has opened so far.
    #[must_use]
    pub fn num_connections(&self) -> u64 {
        self.pool.connections.get()
    }

    /// How many requests it has sent so far.
    #[must_use]
    pub fn num_requests(&self) -> u64 {
        self.pool.requests.get()
    }

    /// How many of its connections are idle.
    #[must_use]
    pub fn num_idle(&self) -> usize {
        self.pool.shared.ledger.borrow().idle(&self.pool.place)
    }

    /// Closes what is idle and accepts no connection back. Exchanges that run finish; requests through the pool itself, also those that wait, are
    /// refused.
    pub fn close(&self) {
        self.pool.close("its pool was closed");
    }
}
