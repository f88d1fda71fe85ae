//! What requests carry, but for what each interface calls a body.

use urlpool_core::policy::make_headers::{AcceptEncoding, MakeHeaders};
use urlpool_core::types as core;

use super::error::Outcome;
use crate::bindings::exports::urlpool::client::types as wit;

/// A form with files.
pub(crate) fn multipart(form: wit::Multipart) -> Outcome<core::Content> {
    let wit::Multipart {
        parts: form,
        boundary,
        rewindable,
    } = form;
    Ok(core::Content::Multipart(core::Multipart {
        parts: parts(form)?,
        boundary,
        can_rewind: rewindable,
    }))
}

/// A body that can be read once.
pub(crate) const fn streamed(length: Option<u64>) -> core::Content {
    core::Content::Streamed(core::Streamed {
        length,
        can_rewind: false,
    })
}

/// Fields for the query.
pub(crate) fn query(fields: Vec<(String, String)>) -> core::Content {
    let part = |(name, value): (String, String)| core::Part::field(name, value);
    core::Content::Fields(fields.into_iter().map(part).collect())
}

/// Fields for a multipart body.
pub(crate) fn form(fields: Vec<wit::Part>) -> Outcome<core::Content> {
    parts(fields).map(core::Content::Fields)
}

fn parts(parts: Vec<wit::Part>) -> Outcome<Vec<core::Part>> {
    parts.into_iter().map(part).collect()
}

fn part(part: wit::Part) -> Outcome<core::Part> {
    let wit::Part {
        name,
        filename,
        content_type,
        headers,
        data,
    } = part;
    Ok(core::Part {
        name,
        filename,
        content_type,
        headers: core::Headers::parse(headers)?,
        data: match data {
            wit::PartData::Bytes(bytes) => core::PartData::Bytes(bytes),
            wit::PartData::Streamed(length) => core::PartData::Streamed(length),
        },
    })
}

pub(crate) fn header_options(options: wit::HeaderOptions) -> MakeHeaders {
    let wit::HeaderOptions {
        keep_alive,
        accept_encoding,
        user_agent,
        basic_auth,
        proxy_basic_auth,
        disable_cache,
    } = options;
    MakeHeaders {
        keep_alive,
        accept_encoding: accept_encoding.map(|codings| {
            if codings.is_empty() {
                AcceptEncoding::All
            } else {
                AcceptEncoding::Listed(codings)
            }
        }),
        user_agent,
        basic_auth,
        proxy_basic_auth,
        disable_cache,
        ..MakeHeaders::default()
    }
}

pub(crate) fn headers(headers: &core::Headers) -> Vec<wit::Header> {
    headers
        .iter()
        .map(|header| (header.name().to_owned(), header.value().to_vec()))
        .collect()
}
