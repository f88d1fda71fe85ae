//! A request in the component's terms, and the function of it that sends it.

use std::sync::Arc;

use wasmtime::component::ResourceAny;

use crate::instance::{Handle, Parts, Slot};
use crate::{blocking, wit};

/// Through what a request is sent.
#[derive(Clone, Copy)]
pub(crate) enum Through {
    /// The manager.
    Manager,
    /// A pool of it.
    Pool(Handle),
}

/// A request in the component's terms.
pub(crate) struct Asked {
    pub(crate) slot: Arc<Slot>,
    pub(crate) through: Through,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: blocking::Body,
    pub(crate) options: wit::RequestOptions,
    pub(crate) is_exact: bool,
}

type Answer = wasmtime::Result<Result<ResourceAny, wit::Error>>;

impl Asked {
    /// Sends it.
    pub(crate) async fn open(&self, parts: Parts<'_>) -> Answer {
        let Self {
            method,
            url,
            body,
            options,
            ..
        } = self;
        let Parts {
            store,
            blocking,
            manager: on,
        } = parts;
        let (manager, pool) = (blocking.pool_manager(), blocking.connection_pool());
        match (self.through, self.is_exact) {
            (Through::Manager, false) => {
                manager
                    .call_request(store, on, method, url, body, options)
                    .await
            }
            (Through::Manager, true) => {
                manager
                    .call_urlopen(store, on, method, url, body, options)
                    .await
            }
            (Through::Pool(on), false) => {
                pool.call_request(store, on.resource, method, url, body, options)
                    .await
            }
            (Through::Pool(on), true) => {
                pool.call_urlopen(store, on.resource, method, url, body, options)
                    .await
            }
        }
    }

    /// Starts it.
    pub(crate) async fn begin(&self, parts: Parts<'_>) -> Answer {
        let Self {
            method,
            url,
            body,
            options,
            ..
        } = self;
        let Parts {
            store,
            blocking,
            manager: on,
        } = parts;
        match self.through {
            Through::Manager => {
                let manager = blocking.pool_manager();
                manager
                    .call_start(store, on, method, url, body, options)
                    .await
            }
            Through::Pool(on) => {
                let pool = blocking.connection_pool();
                pool.call_start(store, on.resource, method, url, body, options)
                    .await
            }
        }
    }
}
