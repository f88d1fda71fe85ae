//! Which pools there are and which connections are idle.
//!
//! A ledger: it never opens, reads or closes anything. The time is passed in, and every connection that must now be closed is handed back.
//! A reference count and the ledger together own a pool: letting go of it here closes it once its last exchange has ended.

mod idle;
mod key;
mod lru;

pub use idle::{Checkout, Idle};
pub use key::{Key, SharedProfile};
pub use lru::Lru;
