//! How a request reaches its server: straight, or through which proxy and in which of three ways.
//!
//! [`Routes`] is what a caller's list of proxies comes to; whatever is wrong with it is found when it is parsed, before anything is sent.

mod environment;
mod forward;
mod kind;
mod no_proxy;
mod proxy;
mod proxy_url;
mod routes;
mod tls;

pub use environment::from_environment;
pub use forward::forwarded;
pub use kind::{ProxyKind, SocksKind, SocksVersion};
pub use proxy::{Login, Proxy};
pub use routes::{Route, Routes};
pub use tls::{tls_with_proxy, tls_with_target};
