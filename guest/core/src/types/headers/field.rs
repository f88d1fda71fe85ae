//! One header field: a name and a value that may be sent, and what of it may be shown.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use crate::types::Error;

/// Names whose values are never shown in an event, an error or debug output.
const SECRET: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// One header field. Its clones share its text, and so do all fields of one head.
///
/// ```
/// use urlpool_core::types::Header;
///
/// # fn main() -> Result<(), urlpool_core::types::Error> {
/// let field = Header::parse("Accept", "text/html")?;
/// assert!(field.is("accept"));
/// assert!(Header::parse("Accept", "text/html\r\nX-Injected: 1").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Header {
    text: Arc<[u8]>,
    name: Range<usize>,
    value: Range<usize>,
}

impl Header {
    /// A field whose name is a token and whose value holds no control character (RFC 9110, sections 5.1 and 5.5).
    ///
    /// Stricter than urllib3, which sends names with spaces and values with folded lines.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`], naming the offending character but never the value.
    pub fn parse(name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Result<Self, Error> {
        let (name, value) = (name.as_ref(), value.as_ref());
        check(name, value)?;
        Ok(Self::received(name, value))
    }

    /// A field that is known to be well-formed.
    pub(crate) fn received(name: &str, value: &[u8]) -> Self {
        let end = name.len() + value.len();
        Self {
            text: [name.as_bytes(), value].concat().into(),
            name: 0..name.len(),
            value: name.len()..end,
        }
    }

    /// The name in the case it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    fn name_bytes(&self) -> &[u8] {
        self.text.get(self.name.clone()).unwrap_or_default()
    }

    /// The value, byte for byte.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.text.get(self.value.clone()).unwrap_or_default()
    }

    /// Whether this is the field of that name, whatever the case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name_bytes().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Name and value taken apart.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<u8>) {
        (self.name().to_owned(), self.value().to_vec())
    }

    /// The value as text: UTF-8 where it is, latin-1 where it is not. It may be a secret.
    #[must_use]
    pub fn text(&self) -> String {
        latin1(self.value())
    }

    /// The value as people may see it: a placeholder where it is a secret, and URLs in it without their userinfo.
    #[must_use]
    pub fn shown(&self) -> String {
        if SECRET.iter().any(|secret| self.is(secret)) {
            "[redacted]".into()
        } else {
            without_userinfo(&self.text())
        }
    }
}

impl PartialEq for Header {
    fn eq(&self, other: &Self) -> bool {
        self.name_bytes() == other.name_bytes() && self.value() == other.value()
    }
}

impl Eq for Header {}

impl Hash for Header {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name_bytes().hash(state);
        self.value().hash(state);
    }
}

/// Fields on their way into one text.
#[derive(Default)]
pub(crate) struct Together {
    text: Vec<u8>,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Together {
    /// Room for this many fields that have this many bytes in all.
    pub(crate) fn with_room(fields: usize, bytes: usize) -> Self {
        Self {
            text: Vec::with_capacity(bytes),
            fields: Vec::with_capacity(fields),
        }
    }

    /// Adds a field that is known to be well-formed.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        let name = self.append(name.as_bytes());
        let value = self.append(value);
        self.fields.push((name, value));
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        start..self.text.len()
    }

    pub(crate) fn into_fields(self) -> impl ExactSizeIterator<Item = Header> {
        let text: Arc<[u8]> = self.text.into();
        self.fields.into_iter().map(move |(name, value)| Header {
            text: Arc::clone(&text),
            name,
            value,
        })
    }
}

/// Refuses what may not be sent, as [`Header::parse`] says.
pub(super) fn check(name: &str, value: &[u8]) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::InvalidRequest("a header has an empty name".into()));
    }
    if let Some(wrong) = name.bytes().find(|byte| !is_token(*byte)) {
        return Err(Error::InvalidRequest(format!(
            "invalid header name {name:?}: it contains {:?}, which is not a token character",
            char::from(wrong)
        )));
    }
    if let Some(wrong) = value.iter().find(|byte| is_control(**byte)) {
        return Err(Error::InvalidRequest(format!(
            "invalid value of header {name:?}: it contains the control character 0x{wrong:02x}"
        )));
    }
    Ok(())
}

/// The text with the userinfo of every URL in it replaced.
fn without_userinfo(text: &str) -> String {
    const SLASHES: [char; 2] = ['/', '\\'];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = [rest.find("//"), rest.find('\\')]
        .into_iter()
        .flatten()
        .min()
    {
        // Lenient readers take any number of slashes, and backslashes too.
        let after = rest.get(at..).unwrap_or_default();
        let start = rest.len() - after.trim_start_matches(SLASHES).len();
        let (before, tail) = rest.split_at(start);
        shown.push_str(before);
        let end = tail
            .find(['/', '?', '#', '\\', ' ', '"', '>'])
            .unwrap_or(tail.len());
        let (authority, tail) = tail.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.extend(["[redacted]@", host]),
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

impl fmt::Debug for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name(), self.shown())
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether a byte may not stand in a field value: all controls but TAB.
const fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// Bytes as text: UTF-8 where they are, latin-1 where they are not.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_token_and_a_value_without_controls() {
        for (case, name, value, accepted) in [
            ("plain", "Accept", "*/*", true),
            ("empty value", "X-Empty", "", true),
            ("tab and latin-1", "X", "a\tb\u{e9}", true),
            ("empty name", "", "x", false),
            ("space in the name", "X Y", "x", false),
            ("colon in the name", "X:", "x", false),
            ("line break in the name", "X\r\nY", "x", false),
            ("line break in the value", "X", "a\r\nY: b", false),
            ("bare line feed", "X", "a\nb", false),
            ("folded line", "X", "a\r\n b", false),
            ("NUL", "X", "a\0", false),
            ("DEL", "X", "a\x7f", false),
        ] {
            assert_eq!(Header::parse(name, value).is_ok(), accepted, "{case}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for name in [
            "Authorization",
            "proxy-authorization",
            "COOKIE",
            "Set-Cookie",
        ] {
            let header = Header::parse(name, "hunter2").unwrap();
            assert!(!format!("{header:?}").contains("hunter2"), "{name}");
        }
        assert_eq!(
            format!("{:?}", Header::parse("Accept", "x").unwrap()),
            "Accept: x"
        );
    }

    #[test]
    fn urls_in_values_are_shown_without_userinfo() {
        for (value, shown) in [
            ("http://u:hunter2@h/x?y=a@b", "http://[redacted]@h/x?y=a@b"),
            ("//hunter2@h", "//[redacted]@h"),
            ("http:///u:hunter2@h/x", "http:///[redacted]@h/x"),
            ("http:\\\\u:hunter2@h", "http:\\\\[redacted]@h"),
            (
                "http:/\\u:,hunter2@h//x@y",
                "http:/\\[redacted]@h//[redacted]@y",
            ),
            (
                "<http://u:hunter2@h>; rel=x, <http://h/a@b>",
                "<http://[redacted]@h>; rel=x, <http://h/a@b>",
            ),
            ("http://h/", "http://h/"),
            ("a@b", "a@b"),
        ] {
            assert_eq!(Header::parse("Location", value).unwrap().shown(), shown);
        }
    }

    #[test]
    fn a_refused_value_is_not_repeated_in_the_error() {
        let error = Header::parse("Authorization", "hunter2\n").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
