//! An HTTP client that runs in a WebAssembly sandbox.
//!
//! The urlpool component is embedded. [`PoolManager`] instantiates it, gives it the network that [`Grants`] allow and no more, and calls it;
//! wasmtime does not show.
//!
//! ```no_run
//! # async fn example() -> Result<(), urlpool_host::Error> {
//! use urlpool_host::{Grants, PoolManager, Settings};
//!
//! let settings = Settings { grants: Grants::none().allow("example.com", 443), ..Settings::default() };
//! let pool = PoolManager::new(settings).await?;
//! let response = pool.get("https://example.com/").header("Accept", "text/html").send().await?;
//! assert_eq!(response.status(), 200);
//! let page = response.bytes().await?;
//! # drop(page);
//! # Ok(())
//! # }
//! ```

mod bindings;
mod convert;
mod engine;
mod error;
mod grants;
mod instance;
mod manager;
pub mod net;
mod request;
mod response;
mod state;

pub use engine::config as engine_config;
pub use error::Error;
pub use grants::Grants;
pub use manager::{ConnectionPool, Limits, PoolManager, Settings};
pub use request::RequestBuilder;
pub use response::{BytesStream, Response};
pub use urlpool_core::types::{
    self, ConnectionInfo, Error as ClientError, Event, Failure, Header, Headers, Limit,
    ManagerSettings, Origin, Phase, PoolContext, PoolSettings, RequestOptions, ResponseHead,
    Timeouts, TlsReason, TlsSettings, TlsVersion, Version,
};

use bindings::exports::urlpool::client::types as wit;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
