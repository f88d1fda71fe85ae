//! Values that parse or do not exist. Nothing here decides or waits.

mod attempt;
mod clock;
mod content;
mod error;
mod event;
mod headers;
mod message;
mod origin;
mod settings;
mod url;

pub use attempt::{AttemptError, Cause, Expiry, Sent};
pub use clock::Instant;
pub use content::Content;
pub use error::{Error, Failure, Phase, TlsReason};
pub use event::Event;
pub(crate) use headers::latin1;
pub use headers::{Header, Headers};
pub use message::{
    ConnectionInfo, Method, RequestOptions, ResponseHead, StatusLine, TlsVersion, Version,
};
pub use origin::{Host, Origin, Scheme};
pub use settings::{Limit, ManagerSettings, PoolContext, PoolSettings, Timeouts, TlsSettings};
pub use url::Url;
