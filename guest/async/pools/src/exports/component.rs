//! What the component exports, and the functions that belong to no resource.

use std::cell::OnceCell;
use std::rc::Rc;

use urlpool_core::driver::Manager;
use urlpool_core::policy::make_headers::make_headers;
use urlpool_core::policy::route;
use urlpool_core::types::ManagerSettings;
use urlpool_sockets::AsyncNet;

use super::manager::{PoolManager, send};
use super::pool::ConnectionPool;
use super::proxy::ProxyManager;
use super::response::Response;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools;
use crate::convert;

/// What the component exports.
pub(crate) struct Component;

thread_local! {
    static SHARED: OnceCell<Rc<Manager<AsyncNet>>> = const { OnceCell::new() };
}

/// The manager that callers share who have made none of their own.
fn shared() -> convert::Outcome<Rc<Manager<AsyncNet>>> {
    SHARED.with(|shared| match shared.get() {
        Some(manager) => Ok(Rc::clone(manager)),
        None => {
            let manager = Rc::new(Manager::new(AsyncNet, ManagerSettings::shared())?);
            Ok(Rc::clone(shared.get_or_init(|| manager)))
        }
    })
}

impl pools::Guest for Component {
    type PoolManager = PoolManager;
    type ProxyManager = ProxyManager;
    type ConnectionPool = ConnectionPool;
    type Response = Response;

    async fn request(
        method: String,
        url: String,
        body: pools::Body,
        options: wit::RequestOptions,
    ) -> Result<pools::Response, wit::Error> {
        let manager = shared().map_err(convert::error)?;
        let method = method.to_ascii_uppercase();
        send(&manager, &method, &url, convert::asked(body, options)).await
    }

    fn proxy_from_url(
        url: String,
        settings: wit::ManagerSettings,
    ) -> Result<pools::ProxyManager, wit::Error> {
        <ProxyManager as pools::GuestProxyManager>::open(convert::proxy_at(url), settings)
    }

    fn proxies_from_environment(variables: Vec<(String, String)>) -> wit::Proxies {
        convert::from_environment(route::from_environment(&variables))
    }

    fn make_headers(options: wit::HeaderOptions) -> Result<Vec<wit::Header>, wit::Error> {
        make_headers(convert::header_options(options))
            .map(|headers| convert::headers(&headers))
            .map_err(convert::error)
    }
}
