//! For hosts whose plugins speak `wasi:http`, 0.2 or 0.3: pools, proxies, a private CA and client certificates behind their backs.
//!
//! [`Hooks`] takes the place of wasmtime's own client (`WasiHttpHooks` of wasmtime-wasi-http). A plugin needs no change, and nothing is
//! composed: urlpool runs natively here, on a thread of its own. Two lines of the host are about it:
//!
//! ```
//! use urlpool_host::Grants;
//! use urlpool_host::wasi_http::wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
//! use urlpool_host::wasi_http::{Hooks, Settings};
//! use urlpool_host::wasmtime::component::ResourceTable;
//!
//! struct Plugin {
//!     http: WasiHttpCtx,
//!     table: ResourceTable,
//!     hooks: Hooks,
//! }
//!
//! impl WasiHttpView for Plugin {
//!     fn http(&mut self) -> WasiHttpCtxView<'_> {
//!         WasiHttpCtxView {
//!             ctx: &mut self.http,
//!             table: &mut self.table,
//!             hooks: &mut self.hooks, // 1: instead of wasmtime's default
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), urlpool_host::Error> {
//! let settings = Settings { grants: Grants::none().allow("api.example", 443), ..Settings::default() };
//! let hooks = Hooks::new(settings)?; // 2: once; each store has a clone
//! # let plugin = Plugin { http: WasiHttpCtx::new(), table: ResourceTable::new(), hooks: hooks.clone() };
//! # drop(plugin);
//! # Ok(())
//! # }
//! ```
//!
//! # What changes for a plugin
//!
//! By default nothing but speed: no redirect is followed, nothing is tried again but what died with an idle connection, no body is decoded,
//! and no header is added beyond `Host` and what frames the body. Whatever [`Settings`] ask for holds for every plugin with these hooks. So do
//! the pools: plugins that must not share connections, or have other grants, have hooks of their own.
//!
//! - `connect-timeout` is for name lookup, TCP, proxies and TLS together, `first-byte-timeout` for each wait until the head has come, and
//!   `between-bytes-timeout` for each wait for more of the body. What is not given is ten minutes, as in wasmtime, unless
//!   [`Timeouts`](crate::Timeouts) say otherwise; their `deadline` holds in any case.
//! - Bodies stream both ways. One with a `Content-Length` is sent with that, one without is chunked, and its head goes out with the first piece
//!   of it. The first 64 KiB are kept, so that a request can be sent again; trailers are sent and received.
//! - A response that comes before the request's body was sent whole ends the sending: what the plugin still writes is thrown away.
//! - Dropping a response, or the future of one, closes its connection and no other.
//! - An error is a case of `error-code`, by [`http_error`](urlpool_core::policy::http_error::http_error); why is told to `tracing`, with the
//!   target `urlpool` and the level `DEBUG`, and not to the plugin.

mod convert;
mod exchange;
mod granted;
mod hooks;
mod incoming;
mod settings;
mod thread;
mod upload;

pub use hooks::Hooks;
pub use settings::Settings;
pub use wasmtime_wasi_http;
