//! How a request is written and its response read, where its caller has a say in it.

use super::FieldsIn;

/// What a request's caller decides about the way it is written.
///
/// ```
/// use urlpool_core::types::Writing;
///
/// let writing = Writing { is_chunked: true, ..Writing::default() };
/// assert!(!writing.expects_continue);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Writing {
    /// Where [`Content::Fields`](super::Content::Fields) go.
    pub fields_in: FieldsIn,
    /// Which of our own header fields are left out.
    pub skipped: Skipped,
    /// Whether a body is sent chunked though its length is known (urllib3: `chunked=True`).
    pub is_chunked: bool,
    /// Whether a request that has a body asks for a `100 Continue` before it sends it (RFC 9110, section 10.1.1).
    pub expects_continue: bool,
}

/// Which of the header fields that we add are left out (urllib3: `SKIP_HEADER`). The caller's own of these names are sent all the same.
///
/// ```
/// use urlpool_core::types::{Skipped, Writing};
///
/// let skipped = Skipped { user_agent: true, ..Skipped::default() };
/// let writing = Writing { skipped, ..Writing::default() };
/// assert!(!writing.skipped.host);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Skipped {
    /// Leaves out `Host`, which HTTP/1.1 demands (RFC 9112, section 3.2).
    pub host: bool,
    /// Leaves out `Accept-Encoding: identity`: the server may then choose any coding.
    pub accept_encoding: bool,
    /// Leaves out `User-Agent`.
    pub user_agent: bool,
}

/// What a request's caller decides about the way the response's body is read.
///
/// ```
/// use urlpool_core::types::{MAX_PRELOADED, Reading};
///
/// assert_eq!(Reading::default().limit(), None);
/// let preloaded = Reading { is_preloaded: true, ..Reading::default() };
/// assert_eq!(preloaded.limit(), Some(MAX_PRELOADED));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Reading {
    /// Whether the body is handed out as it was sent, its `Content-Encoding` left alone (urllib3: `decode_content=False`).
    pub is_raw: bool,
    /// Whether a body that ends before its announced length is taken for whole (urllib3: `enforce_content_length=False`).
    pub may_be_short: bool,
    /// How many bytes of it are handed out at most, after decoding. One more is an error. `None` is no limit for a body that is read when it is
    /// asked for, and [`MAX_PRELOADED`] for one that is not.
    pub max_body: Option<u64>,
    /// Whether it is read before the response is handed out, so that what breaks while it is read is tried again (urllib3:
    /// `preload_content=True`).
    pub is_preloaded: bool,
}

/// How many bytes are read of a body before its response is handed out, where nobody says otherwise. urllib3 has no bound but memory, and
/// where memory is a sandbox's, running out of it is the end of everything in it.
pub const MAX_PRELOADED: u64 = 64 * 1024 * 1024;

impl Reading {
    /// How many bytes the body may have, after decoding.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.max_body
            .or_else(|| self.is_preloaded.then_some(MAX_PRELOADED))
    }
}
