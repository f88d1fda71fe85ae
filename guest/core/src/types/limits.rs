//! How much a peer may send before a body, around it and behind it.

/// Bounds on what is buffered of a response. What is `None` is inherited.
///
/// ```
/// use urlpool_core::types::LimitSettings;
///
/// let of_all = LimitSettings { head: Some(16 * 1024), codings: Some(2), ..LimitSettings::default() };
/// let of_one = LimitSettings { codings: Some(1), ..LimitSettings::default() };
/// let limits = of_one.or(of_all);
/// assert_eq!((limits.head, limits.codings), (Some(16 * 1024), Some(1)));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LimitSettings {
    /// Bytes of a head.
    pub head: Option<u32>,
    /// Fields of a head.
    pub fields: Option<u32>,
    /// Bytes of a line that holds a chunk's size and extensions.
    pub chunk_line: Option<u32>,
    /// Bytes of all trailer fields.
    pub trailers: Option<u32>,
    /// Number of trailer fields.
    pub trailer_fields: Option<u32>,
    /// Codings in a `Content-Encoding`.
    pub codings: Option<u32>,
}

impl LimitSettings {
    /// These, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        Self {
            head: self.head.or(base.head),
            fields: self.fields.or(base.fields),
            chunk_line: self.chunk_line.or(base.chunk_line),
            trailers: self.trailers.or(base.trailers),
            trailer_fields: self.trailer_fields.or(base.trailer_fields),
            codings: self.codings.or(base.codings),
        }
    }
}

/// Bounds with nothing left to inherit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Limits {
    /// Bytes of a head. The default is 64 KiB: urllib3's bound for one line, taken for all of them.
    pub head: usize,
    /// Fields of a head. The default is 100, as in urllib3.
    pub fields: usize,
    /// Bytes of a line that holds a chunk's size and extensions. The default is 8 KiB; urllib3 takes 64.
    pub chunk_line: usize,
    /// Bytes of all trailer fields. The default is 64 KiB: urllib3's bound for one of them.
    pub trailers: usize,
    /// Number of trailer fields. The default is 100; urllib3 has no bound.
    pub trailer_fields: usize,
    /// Codings in a `Content-Encoding`. The default is 5, as in urllib3 (CVE-2025-66418).
    pub codings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 * 1024,
            fields: 100,
            chunk_line: 8 * 1024,
            trailers: 64 * 1024,
            trailer_fields: 100,
            codings: 5,
        }
    }
}

impl Limits {
    /// These, replaced by whatever `settings` name.
    #[must_use]
    pub fn overridden(self, settings: LimitSettings) -> Self {
        let pick = |asked: Option<u32>, inherited: usize| {
            asked.map_or(inherited, |asked| {
                usize::try_from(asked).unwrap_or(usize::MAX)
            })
        };
        Self {
            head: pick(settings.head, self.head),
            fields: pick(settings.fields, self.fields),
            chunk_line: pick(settings.chunk_line, self.chunk_line),
            trailers: pick(settings.trailers, self.trailers),
            trailer_fields: pick(settings.trailer_fields, self.trailer_fields),
            codings: pick(settings.codings, self.codings),
        }
    }
}
