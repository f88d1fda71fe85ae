//! How a form with files becomes a body (RFC 7578, urllib3's `encode_multipart_formdata`).

mod boundary;
mod layout;
mod media_type;

pub use layout::{LaidOut, lay_out};
