//! What a request carries.

/// The body of a request.
///
/// Further kinds (streamed, multipart) are further variants; each says whether it can be sent a second time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Content {
    /// No body.
    #[default]
    Empty,
    /// These bytes, as they are.
    Bytes(Vec<u8>),
}

impl Content {
    /// How many bytes the body has.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is no body at all, as distinct from one of no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}
