//! Pure decisions, each in one place and each with a table of cases beside it.
//!
//! Nothing here waits, remembers or does I/O. Where to follow a `Location` is decided by [`redirect`], when to try again by [`Retry`], and
//! nowhere else.

pub mod addresses;
pub mod backoff;
pub mod blame;
pub mod codings;
pub mod drain;
mod drop_in;
pub mod encode;
pub mod fields;
pub mod framing;
pub mod hop_by_hop;
mod host_rules;
pub mod http_error;
pub mod interim;
pub mod make_headers;
pub mod multipart;
mod profile;
pub mod redirect;
pub mod replay;
mod retry;
pub mod reuse;
pub mod route;
pub mod target;
mod timeout;

pub use drop_in::{DropIn, drop_in};
pub use host_rules::Matcher;
pub use profile::Profile;
pub use retry::{Retry, RetryRules, Verdict};
pub use timeout::{Bound, Clocks, Spans};
