//! The parts of a form: fields and files.

use super::Headers;

/// One field or file of a form (RFC 7578; urllib3: `RequestField`).
///
/// ```
/// use urlpool_core::types::{Part, PartData};
///
/// let text = Part::field("name", "Ada");
/// let file = Part::file("photo", "ada.png", PartData::Bytes(vec![0x89, b'P']));
/// assert_eq!((text.filename, file.filename.as_deref()), (None, Some("ada.png")));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Part {
    /// The field's name, any text.
    pub name: String,
    /// The file's name, any text; `None` for a field that is no file.
    pub filename: Option<String>,
    /// `None` means none for a field, and for a file what its name's extension tells (urllib3: `guess_content_type`).
    pub content_type: Option<String>,
    /// Further fields of the part. A `Content-Disposition` here replaces the one made of `name` and `filename`.
    pub headers: Headers,
    /// What the part holds.
    pub data: PartData,
}

/// What a part holds.
///
/// ```
/// use urlpool_core::types::{Part, PartData};
///
/// let file = Part::file("log", "log.txt", PartData::Streamed(Some(1 << 30)));
/// assert_ne!(file.data, PartData::default()); // no bytes
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PartData {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes that the caller hands over while the request is sent: this many, or as many as come where it is `None`.
    Streamed(Option<u64>),
}

impl Default for PartData {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Part {
    /// A field that is no file.
    #[must_use]
    pub fn field(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            data: PartData::Bytes(value.into()),
            ..Self::default()
        }
    }

    /// A file whose type its name tells.
    #[must_use]
    pub fn file(name: impl Into<String>, filename: impl Into<String>, data: PartData) -> Self {
        Self {
            name: name.into(),
            filename: Some(filename.into()),
            data,
            ..Self::default()
        }
    }
}
