//! A request in the component's terms, and the call that sends it.

use std::slice;
use std::sync::Arc;

use wasmtime::component::ResourceAny;

use crate::error::Error;
use crate::function::Function;
use crate::instance::{Answer, Call, Parts, Slot};
use crate::{blocking, wit};

/// A request in the component's terms.
pub(crate) struct Asked {
    pub(crate) slot: Arc<Slot>,
    pub(crate) function: Function,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: blocking::Body,
    pub(crate) options: wit::RequestOptions,
}

impl Asked {
    /// Waits for its turn at the instance.
    pub(crate) async fn begin(&self) -> Result<Call<'_>, Error> {
        match &self.function {
            Function::PoolRequest(pool)
            | Function::PoolUrlopen(pool)
            | Function::PoolStart(pool) => self.slot.begin_with(slice::from_ref(pool)).await,
            _ => self.slot.begin().await,
        }
    }

    /// Calls the function, which answers with a response or a request that was started.
    pub(crate) async fn run(&self, parts: Parts<'_>) -> Answer<ResourceAny> {
        let (method, url, body, options) = (&self.method, &self.url, &self.body, &self.options);
        let Parts {
            store,
            blocking,
            manager: on,
        } = parts;
        let (manager, pools) = (blocking.pool_manager(), blocking.connection_pool());
        match &self.function {
            Function::Request => {
                let call = manager.call_request(store, on, method, url, body, options);
                call.await
            }
            Function::Urlopen => {
                let call = manager.call_urlopen(store, on, method, url, body, options);
                call.await
            }
            Function::EncodeUrl(fields) => {
                let call = manager.call_request_encode_url(store, on, method, url, fields, options);
                call.await
            }
            Function::Start => {
                let call = manager.call_start(store, on, method, url, body, options);
                call.await
            }
            Function::PoolRequest(pool) => {
                let on = pool.resource;
                let call = pools.call_request(store, on, method, url, body, options);
                call.await
            }
            Function::PoolUrlopen(pool) => {
                let on = pool.resource;
                let call = pools.call_urlopen(store, on, method, url, body, options);
                call.await
            }
            Function::PoolStart(pool) => {
                let on = pool.resource;
                let call = pools.call_start(store, on, method, url, body, options);
                call.await
            }
            Function::Shared => {
                let call = blocking.call_request(store, method, url, body, options);
                call.await
            }
        }
    }
}
