//! A request being put together.

use urlpool_core::types::Timeouts;

use crate::bindings::exports::urlpool::client::blocking::Body;
use crate::convert;
use crate::error::Error;
use crate::instance::Parts;
use crate::manager::PoolManager;
use crate::response::Response;
use crate::types::{Headers, RequestOptions};

/// A request that has not been sent. What is wrong with its parts is said by [`RequestBuilder::send`].
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    manager: PoolManager,
    method: String,
    url: String,
    body: Body,
    headers: Vec<(String, Vec<u8>)>,
    timeouts: Timeouts,
    is_exact: bool,
}

impl RequestBuilder {
    pub(crate) fn new(manager: PoolManager, method: String, url: String) -> Self {
        let (body, headers, timeouts) = (Body::Empty, Vec::new(), Timeouts::default());
        Self {
            manager,
            method,
            url,
            body,
            headers,
            timeouts,
            is_exact: false,
        }
    }

    /// Adds a header. As soon as there is one, the manager's own headers are not sent.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it a body.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(bytes.into());
        self
    }

    /// Sets timeouts; what they leave open is the manager's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sends the method exactly as it is written, instead of in upper case (urllib3: `urlopen`).
    pub fn exact_method(mut self) -> Self {
        self.is_exact = true;
        self
    }

    /// Sends it and waits for the head of the response.
    ///
    /// # Errors
    /// [`Error::Client`] with what the component says, or what became of the sandbox.
    pub async fn send(self) -> Result<Response, Error> {
        let Self {
            manager,
            method,
            url,
            body,
            headers,
            timeouts,
            is_exact,
        } = self;
        let headers = if headers.is_empty() {
            None
        } else {
            Some(Headers::parse(headers)?)
        };
        let options = convert::request_options(RequestOptions { headers, timeouts });
        let mut call = manager.slot.begin().await?;
        let outcome = async {
            let open = async |parts: Parts<'_>| {
                let functions = parts.blocking.pool_manager();
                if is_exact {
                    functions
                        .call_urlopen(parts.store, parts.manager, &method, &url, &body, &options)
                        .await
                } else {
                    functions
                        .call_request(parts.store, parts.manager, &method, &url, &body, &options)
                        .await
                }
            };
            let resource = call.answer(open).await?;
            let head = call
                .value(async |parts| {
                    parts
                        .blocking
                        .response()
                        .call_head(parts.store, resource)
                        .await
                })
                .await?;
            Ok((call.handle(resource), head))
        };
        let outcome = outcome.await;
        let (handle, head) = call.end_with(outcome)?;
        let head = convert::response_head(head).inspect_err(|_| manager.slot.discard(handle))?;
        Ok(Response::new(manager.slot, handle, method, head))
    }
}
