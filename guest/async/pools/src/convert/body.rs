//! What a request carries.

use urlpool_core::driver::BodySource;
use urlpool_core::types as core;

use super::content::{form, multipart, streamed};
use super::error::Outcome;
use super::settings::request_options;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools::{Body, FormData, Upload};
use crate::upload::Streams;

/// A request, but for its method and URL.
pub(crate) struct Asked {
    pub(crate) content: core::Content,
    /// Where the streamed parts of the content come from.
    pub(crate) source: Option<Box<dyn BodySource>>,
    pub(crate) options: core::RequestOptions,
}

/// What most requests ask for.
pub(crate) fn asked(body: Body, options: wit::RequestOptions) -> Outcome<Asked> {
    let mut source = None::<Streams>;
    let content = match body {
        Body::Empty => core::Content::Empty,
        Body::Bytes(bytes) => core::Content::Bytes(bytes),
        Body::Text(text) => core::Content::Text(text),
        Body::Json(json) => core::Content::Json(json),
        Body::Form(pairs) => core::Content::Form(pairs),
        Body::Multipart(FormData { form, streams }) => {
            if form.rewindable && !streams.is_empty() {
                return Err(core::Error::InvalidRequest(
                    "a form with streams is not rewindable".into(),
                ));
            }
            source = Some(Streams::of_form(streams));
            multipart(form)?
        }
        Body::Fields(fields) => form(fields)?,
        Body::Streamed(Upload { bytes, length }) => {
            source = Some(Streams::of_body(bytes));
            streamed(length)
        }
    };
    Ok(Asked {
        content,
        source: source.map(|streams| Box::new(streams) as Box<_>),
        options: request_options(options)?,
    })
}
