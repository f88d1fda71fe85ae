//! What a request carries.

use urlpool_core::types::{Content, Multipart, Part, PartData, Streamed};

use super::super::{blocking, wit};
use super::settings::header_list;

/// The component's body for a request.
pub(crate) fn body(content: Content) -> blocking::Body {
    match content {
        Content::Empty => blocking::Body::Empty,
        Content::Bytes(bytes) => blocking::Body::Bytes(bytes),
        Content::Text(text) => blocking::Body::Text(text),
        Content::Json(json) => blocking::Body::Json(json),
        Content::Form(pairs) => blocking::Body::Form(pairs),
        Content::Multipart(Multipart {
            parts,
            boundary,
            can_rewind,
        }) => blocking::Body::Multipart(wit::Multipart {
            parts: parts.into_iter().map(part).collect(),
            boundary,
            rewindable: can_rewind,
        }),
        Content::Fields(fields) => blocking::Body::Fields(fields.into_iter().map(part).collect()),
        Content::Streamed(Streamed { length, can_rewind }) => {
            blocking::Body::Streamed(wit::Streamed {
                length,
                rewindable: can_rewind,
            })
        }
    }
}

fn part(part: Part) -> wit::Part {
    wit::Part {
        name: part.name,
        filename: part.filename,
        content_type: part.content_type,
        headers: header_list(part.headers),
        data: match part.data {
            PartData::Bytes(bytes) => wit::PartData::Bytes(bytes),
            PartData::Streamed(length) => wit::PartData::Streamed(length),
        },
    }
}
