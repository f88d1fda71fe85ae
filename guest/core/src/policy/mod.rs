//! Pure decisions, each in one place and each with a table of cases beside it.
//!
//! Nothing here waits, remembers or does I/O. Where to follow a `Location` and when to retry are decided here and nowhere else, once the
//! manager does either; today a redirect is handed over and only [`replay`] sends anything again.

pub mod blame;
pub mod fields;
pub mod framing;
pub mod interim;
mod profile;
pub mod replay;
pub mod reuse;
mod timeout;

pub use profile::Profile;
pub use timeout::{Bound, Clocks, Spans, share};
