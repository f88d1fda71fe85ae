//! Values that parse or do not exist. Nothing here decides or waits.

mod attempt;
mod clock;
mod content;
mod error;
mod event;
mod headers;
mod hosts;
mod limits;
mod message;
mod network;
mod origin;
mod part;
mod proxy;
mod retries;
mod settings;
mod socket;
mod tls;
mod url;
mod writing;

pub use attempt::{AttemptError, Cause, Expiry, Sent};
pub use clock::Instant;
pub use content::{Content, FieldsIn, Multipart, Payload, Segment, Streamed};
pub use error::{Error, Failure, Phase, TlsReason};
pub use event::Event;
pub use headers::{Header, Headers};
pub(crate) use headers::{Together, is_token, latin1};
pub use hosts::{HostEntry, Hosts};
pub use limits::{LimitSettings, Limits};
pub use message::{
    ConnectionInfo, Method, RequestOptions, ResponseHead, StatusLine, TlsVersion, Version,
};
pub use network::Network;
pub use origin::{Host, Origin, Scheme};
pub use part::{Part, PartData};
pub use proxy::{Credentials, Proxies, ProxyRule, ProxySettings, Refusal};
pub use retries::{
    Budget, Exhausted, HistoryEntry, LastOutcome, Redirects, RetriedMethods, Retries,
};
pub use settings::{
    HostRule, Limit, ManagerSettings, PoolContext, PoolSettings, SocketSettings, Timeouts,
};
pub use socket::{AddressFamily, Probes, SocketOptions, TcpKeepAlive};
pub use tls::{AssertHostname, CertReqs, TlsInfo, TlsSettings};
pub use url::Url;
pub(crate) use url::{percent_decode, percent_encode, shown as shown_url};
pub use writing::{MAX_PRELOADED, Reading, Skipped, Writing};
