//! What a request carries.

use urlpool_core::types as core;

use super::content::{form, multipart};
use super::error::Outcome;
use super::settings::request_options;
use crate::bindings::exports::urlpool::client::blocking::Body;
use crate::bindings::exports::urlpool::client::types as wit;

fn content(body: Body) -> Outcome<core::Content> {
    Ok(match body {
        Body::Empty => core::Content::Empty,
        Body::Bytes(bytes) => core::Content::Bytes(bytes),
        Body::Text(text) => core::Content::Text(text),
        Body::Json(json) => core::Content::Json(json),
        Body::Form(pairs) => core::Content::Form(pairs),
        Body::Multipart(form) => multipart(form)?,
        Body::Fields(fields) => form(fields)?,
        Body::Streamed(wit::Streamed { length, rewindable }) => {
            core::Content::Streamed(core::Streamed {
                length,
                can_rewind: rewindable,
            })
        }
    })
}

/// What most requests ask for.
pub(crate) fn asked(
    body: Body,
    options: wit::RequestOptions,
) -> Outcome<(core::Content, core::RequestOptions)> {
    Ok((content(body)?, request_options(options)?))
}
