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

mod asked;
mod bindings;
mod builder;
mod compose;
#[cfg(test)]
mod contract;
mod convert;
mod engine;
mod error;
mod function;
mod giving_up;
mod grants;
mod instance;
mod instances;
mod ledger;
mod manager;
mod meter;
pub mod net;
mod once;
mod pending;
mod proxy;
mod reach;
mod reading;
mod request;
mod response;
mod sandbox;
mod state;
mod trace;
#[cfg(feature = "wasi-http")]
pub mod wasi_http;

pub use builder::Builder;
pub use compose::compose;
pub use engine::{config as engine_config, engine};
pub use error::Error;
pub use grants::Grants;
pub use instances::Instances;
pub use ledger::Denial;
pub use manager::{ConnectionPool, Limits, PoolManager, Settings, Usage};
pub use once::request;
pub use pending::{Pending, Progress, Ready};
pub use proxy::{ProxyManager, proxy_from_url};
pub use reading::BytesStream;
pub use request::RequestBuilder;
pub use response::Response;
pub use sandbox::{Sandbox, SandboxView, add_name_lookup_to_linker, add_to_linker};
pub use urlpool_core::policy::make_headers::{
    AcceptEncoding, CredentialsEncoding, MakeHeaders, make_headers,
};
pub use urlpool_core::policy::route::from_environment as proxies_from_environment;
pub use urlpool_core::types::{
    self, AddressFamily, AssertHostname, Budget, CertReqs, ConnectionInfo, Content, Credentials,
    Error as ClientError, Event, Exhausted, Failure, FieldsIn, Header, Headers, HistoryEntry,
    HostEntry, HostRule, LastOutcome, Limit, LimitSettings, ManagerSettings, Multipart, Origin,
    Part, PartData, Phase, PoolContext, PoolSettings, Probes, Proxies, ProxyRule, ProxySettings,
    Reading, Redirects, Refusal, RequestOptions, ResponseHead, RetriedMethods, Retries, Skipped,
    SocketSettings, Streamed, TcpKeepAlive, Timeouts, TlsInfo, TlsReason, TlsSettings, TlsVersion,
    Version, Writing,
};
pub use {wasmtime, wasmtime_wasi};

use bindings::exports::urlpool::client::{blocking, types as wit};

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/urllib3.md")]
struct ForUsersOfUrllib3;
