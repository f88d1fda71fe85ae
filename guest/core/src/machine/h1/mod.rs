//! HTTP/1.1 as bytes (RFC 9112): writing a request's head, reading a response's head and body.
//!
//! Everything reads input that may end anywhere and come from anyone: nothing panics, and every buffer that a peer can fill has a limit.

mod body;
mod chunked;
mod encode;
mod head;

pub use body::{Body, BodyError, Step};
pub use encode::{
    LAST_CHUNK, chunk_into, last_chunk_into, request_head, shown_request, shown_response,
};
pub use head::{HeadReader, Malformed, ReceivedHead};
