//! Which pools there are, which connections are idle, how many there may be and who waits for one.
//!
//! A ledger: it never opens, reads or closes anything. The time is passed in, and every connection that must now be closed is handed back.
//! A reference count and the ledger together own a pool: letting go of it here closes it once its last exchange has ended.

mod idle;
mod key;
mod ledger;
mod lru;
#[cfg(test)]
mod model;
mod queue;

pub use idle::Opened;
pub use key::{Key, SharedProfile};
pub use ledger::{Dues, Grant, Ledger, Place, Want};
pub use lru::Lru;
pub use queue::{IfClosed, Ticket};
