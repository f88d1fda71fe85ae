//! What a request carries: as its caller wrote it, and as it is sent.

use std::rc::Rc;

use super::Part;

/// The body of a request, as its caller wrote it.
///
/// ```
/// use urlpool_core::types::Content;
///
/// let json = Content::Json(r#"{"name": "Ada"}"#.into());
/// assert!(!json.is_empty());
/// assert!(Content::default().is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Content {
    /// No body.
    #[default]
    Empty,
    /// These bytes, as they are.
    Bytes(Vec<u8>),
    /// This text in UTF-8, without a `Content-Type`.
    Text(String),
    /// This JSON text, as it is. Adds `Content-Type: application/json` unless the headers name another.
    Json(String),
    /// Names and values as an HTML form sends them (Python: `urlencode`). Adds `Content-Type: application/x-www-form-urlencoded` unless the
    /// headers name another. No pairs are no body, as in urllib3.
    Form(Vec<(String, String)>),
    /// A form with files (RFC 7578). Adds its `Content-Type` unless the headers name another.
    Multipart(Multipart),
    /// urllib3's `fields`: in the query or in the body, as [`FieldsIn`] says. No fields are no body.
    Fields(Vec<Part>),
    /// Bytes that the caller hands over while the request is sent.
    Streamed(Streamed),
}

/// A form with files (urllib3: `encode_multipart_formdata`).
///
/// ```
/// use urlpool_core::types::{Content, Multipart, Part};
///
/// let form = Multipart { parts: vec![Part::field("name", "Ada")], ..Multipart::default() };
/// assert_eq!(form.boundary, None); // one is made for it
/// assert!(!Content::Multipart(form).is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Multipart {
    /// In the order they are sent. None of them is a body that only ends.
    pub parts: Vec<Part>,
    /// What separates the parts: 1 to 70 characters of RFC 2046, section 5.1.1. `None` means the one that the caller's own `Content-Type`
    /// names, and a random one where it names none.
    pub boundary: Option<String>,
    /// Whether the caller can hand over the streamed parts a second time.
    pub can_rewind: bool,
}

/// A body that the caller hands over while the request is sent.
///
/// ```
/// use urlpool_core::types::{Content, Streamed};
///
/// let upload = Streamed { length: Some(1 << 20), ..Streamed::default() };
/// assert!(!upload.can_rewind); // it is sent once
/// assert!(!Content::Streamed(upload).is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Streamed {
    /// How many bytes there will be; `None` where that is not known, and the body is sent chunked.
    pub length: Option<u64>,
    /// Whether the caller can hand them over a second time, from the start.
    pub can_rewind: bool,
}

/// Where urllib3's `fields` go.
///
/// ```
/// use urlpool_core::types::{FieldsIn, Writing};
///
/// let writing = Writing { fields_in: FieldsIn::Query, ..Writing::default() };
/// assert_ne!(writing.fields_in, FieldsIn::default());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum FieldsIn {
    /// Into the query of DELETE, GET, HEAD and OPTIONS, into a multipart body of any other method (urllib3: `request`).
    #[default]
    ByMethod,
    /// Into the query (urllib3: `request_encode_url`).
    Query,
    /// Into a multipart body (urllib3: `request_encode_body`).
    Body,
}

/// The body of a request, as it is sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Payload {
    /// No body.
    #[default]
    None,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes that the caller hands over.
    Streamed(Streamed),
    /// Bytes of ours and bytes that the caller hands over, in turns: a form with streamed parts.
    Segments {
        /// At least one of them is streamed.
        segments: Rc<[Segment]>,
        /// Whether the caller can hand over the streamed ones a second time.
        can_rewind: bool,
    },
}

/// A stretch of a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Segment {
    /// Bytes of ours.
    Bytes(Vec<u8>),
    /// Bytes that the caller hands over: this many, or as many as come where it is `None`.
    Streamed(Option<u64>),
}

impl Content {
    /// Whether there is no body at all, as distinct from one of no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl Payload {
    /// How many bytes the body has; `None` where that is not known beforehand.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Streamed(streamed) => streamed.length,
            Self::Segments { segments, .. } => {
                let length = |segment: &Segment| match segment {
                    Segment::Bytes(bytes) => Some(bytes.len() as u64),
                    Segment::Streamed(length) => *length,
                };
                segments
                    .iter()
                    .try_fold(0_u64, |sum, segment| sum.checked_add(length(segment)?))
            }
        }
    }

    /// Whether there is no body at all, as distinct from one of no bytes.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether some of it comes from the caller while the request is sent.
    #[must_use]
    pub const fn is_streamed(&self) -> bool {
        matches!(self, Self::Streamed(_) | Self::Segments { .. })
    }

    /// Whether it has at least one byte, or may have: what RFC 9110, section 10.1.1 calls including content.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.length() != Some(0)
    }

    /// Whether it can be sent a second time.
    #[must_use]
    pub const fn may_be_resent(&self) -> bool {
        match self {
            Self::None | Self::Bytes(_) => true,
            Self::Streamed(Streamed { can_rewind, .. }) | Self::Segments { can_rewind, .. } => {
                *can_rewind
            }
        }
    }

    /// The bytes that need nobody to hand them over: all of a body that is not streamed, none of one that is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::None | Self::Streamed(_) | Self::Segments { .. } => &[],
        }
    }
}
