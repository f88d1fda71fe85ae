//! Forms: their bytes, and the type that names their boundary.

use urlpool_core::policy::multipart::lay_out;
use urlpool_core::types::{Multipart, Part, PartData};

use crate::headers::headers;
use crate::vector::{Answer, Vector, bytes, pairs, same, same_bytes, text};

/// What a form is made of.
pub(crate) fn laid_out(vector: &Vector) -> Answer {
    let mut parts = Vec::new();
    for part in vector.list("parts") {
        parts.push(Part {
            name: text(&part["name"]).unwrap_or_default().to_owned(),
            filename: text(&part["filename"]).map(str::to_owned),
            content_type: text(&part["content_type"]).map(str::to_owned),
            headers: headers(&pairs(&part["headers"]))?,
            data: PartData::Bytes(bytes(&part["data"])?),
        });
    }
    let multipart = Multipart {
        parts,
        boundary: Some(vector.text("boundary")?.to_owned()),
        can_rewind: true,
    };
    let form = lay_out(multipart, None, || [0; 16]).map_err(|error| error.to_string())?;
    same(
        "type",
        vector.text("content_type")?,
        form.content_type.as_str(),
    )?;
    same_bytes(vector.field("body"), form.payload.as_bytes())
}
