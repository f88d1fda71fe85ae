//! Header fields: one of them, and many in the order and case they were given.

mod dict;
mod field;
mod list;

pub use field::Header;
pub(crate) use field::{Together, is_token, latin1};
pub use list::Headers;
