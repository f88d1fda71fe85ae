//! Absolute `http` and `https` URLs.
//!
//! The `url` crate parses and normalises. It also repairs what a client had better refuse (`http:///x`, controls in the authority) and
//! strips what urllib3 encodes (TAB and line breaks in a path), so both are settled here before it sees the text.

use std::fmt;
use std::sync::Arc;

use super::{Error, Host, Origin, Scheme};

/// A URL that a request can be sent to, taken apart once. Clones share it.
#[derive(Clone)]
pub struct Url(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    /// Without userinfo and fragment.
    text: String,
    /// Where the request-target in origin-form starts in `text`.
    target: usize,
    origin: Origin,
    credentials: Option<String>,
}

impl Url {
    /// The URL that `text` writes.
    ///
    /// Control characters, spaces and everything else that may not stand in a path or query is percent-encoded there, as urllib3 does; in
    /// the scheme or the authority it is an error. A fragment is dropped. Userinfo becomes [`Url::credentials`].
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] or [`Error::UnsupportedScheme`]; the text of neither repeats userinfo.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = split_scheme(text)?;
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(invalid(
                text,
                "a host must follow, as in http://example.com/",
            ));
        };
        let (authority, rest) =
            rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        if let Some(wrong) = authority.chars().find(|c| *c <= ' ' || *c == '\x7f') {
            return Err(invalid(text, &format!("the host contains {wrong:?}")));
        }
        let (userinfo, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(userinfo, host)| (Some(userinfo), host));
        if host.is_empty() || host.starts_with(':') {
            return Err(Error::InvalidUrl("No host specified.".into()));
        }
        let written = format!("{}://{host}{}", scheme.as_str(), encode(rest));
        let parsed =
            url::Url::parse(&written).map_err(|cause| invalid(text, &cause.to_string()))?;
        let host = parsed
            .host_str()
            .ok_or_else(|| Error::InvalidUrl("No host specified.".into()))?;
        let origin = Origin::new(scheme, Host::parsed(host), parsed.port());
        let target = url::Position::BeforePath;
        let target_length = parsed[target..].len();
        let text = String::from(parsed);
        Ok(Self::of(Parts {
            target: text.len() - target_length,
            text,
            origin,
            credentials: userinfo
                .filter(|userinfo| !userinfo.is_empty())
                .map(str::to_owned),
        }))
    }

    /// The URL of a path and query at an origin, which keeps its dot segments (urllib3: a pool's `urlopen`).
    ///
    /// What may not stand there is percent-encoded, and a fragment is dropped.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] where it does not begin with `/`.
    pub fn at(origin: &Origin, path: &str) -> Result<Self, Error> {
        if !path.starts_with('/') {
            return Err(invalid(path, "a path begins with /"));
        }
        let mut text = format!("{}://{}", origin.scheme().as_str(), origin.authority());
        let target = text.len();
        text.push_str(&encode(path));
        Ok(Self::of(Parts {
            text,
            target,
            origin: origin.clone(),
            credentials: None,
        }))
    }

    /// The URL that a reference means here (RFC 3986, section 5.2), normalised like any other.
    ///
    /// A reference's own userinfo is dropped; this URL's is kept where the origin stays the same.
    ///
    /// # Errors
    /// As for [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        let reference = reference.split('#').next().unwrap_or_default();
        let Parts { text, origin, .. } = &*self.0;
        let scheme = origin.scheme().as_str();
        let root = text.get(..self.0.target).unwrap_or_default();
        let path = self.target().split('?').next().unwrap_or_default();
        let written = if has_scheme(reference) {
            reference.to_owned()
        } else if reference.starts_with("//") {
            format!("{scheme}:{reference}")
        } else if reference.is_empty() {
            text.clone()
        } else if reference.starts_with('/') {
            format!("{root}{reference}")
        } else if reference.starts_with('?') {
            format!("{root}{path}{reference}")
        } else {
            let folder = path
                .rfind('/')
                .and_then(|end| path.get(..=end))
                .unwrap_or("/");
            format!("{root}{folder}{reference}")
        };
        let mut joined = Self::parse(&written)?;
        let is_at_home = joined.origin() == origin;
        let credentials = self.0.credentials.clone().filter(|_| is_at_home);
        Arc::make_mut(&mut joined.0).credentials = credentials;
        Ok(joined)
    }

    fn of(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The absolute URL without userinfo and fragment.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The request-target in origin-form: path and query (RFC 9112, section 3.2.1).
    #[must_use]
    pub fn target(&self) -> &str {
        self.0.text.get(self.0.target..).unwrap_or("/")
    }

    /// This URL with more in its query, joined with `&` where there is a query. urllib3 writes a second `?`.
    ///
    /// `query` is encoded already, as `policy::encode::urlencode` does.
    #[must_use]
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        let joint = match self.target().split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        Arc::make_mut(&mut self.0).text.extend([joint, query]);
        self
    }

    /// Where the URL leads.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The userinfo, percent-decoded, as `name:password`: Basic credentials for this origin and for no other.
    #[must_use]
    pub fn credentials(&self) -> Option<Vec<u8>> {
        let userinfo = self.0.credentials.as_ref()?;
        let mut decoded = percent_decode(userinfo);
        if !decoded.contains(&b':') {
            decoded.push(b':');
        }
        Some(decoded)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.text)
    }
}

/// Whether a reference is absolute: it begins with a scheme (RFC 3986, section 4.2).
fn has_scheme(reference: &str) -> bool {
    reference.starts_with(|c: char| c.is_ascii_alphabetic())
        && reference
            .find(|c: char| !is_scheme_char(c))
            .is_some_and(|end| reference.get(end..).unwrap_or_default().starts_with(':'))
}

const fn is_scheme_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Scheme and what follows its colon.
fn split_scheme(text: &str) -> Result<(Scheme, &str), Error> {
    let scheme_end = text.find(|c| !is_scheme_char(c)).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(scheme_end);
    match rest.strip_prefix(':') {
        Some(rest) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Ok((Scheme::parse(scheme)?, rest))
        }
        _ => Err(invalid(text, "it must start with http:// or https://")),
    }
}

/// A text that should be a URL, without what could be userinfo.
pub(crate) fn shown(text: &str) -> String {
    match text.rfind('@') {
        Some(at) => format!("...{}", text.get(at..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn invalid(text: &str, why: &str) -> Error {
    Error::InvalidUrl(format!("Failed to parse: {:?}: {why}", shown(text)))
}

/// Path, query and fragment with everything encoded that may not stand there; the fragment is dropped.
fn encode(rest: &str) -> String {
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut encoded = String::with_capacity(rest.len() + 1);
    if !path.starts_with('/') {
        encoded.push('/');
    }
    encode_component(path, b"", &mut encoded);
    if let Some(query) = query {
        encoded.push('?');
        encode_component(query, b"?", &mut encoded);
    }
    encoded
}

/// urllib3's rule: escapes are kept where every `%` begins one; where one does not, every `%` is encoded. Either way their digits are put in
/// upper case.
fn encode_component(component: &str, also_allowed: &[u8], into: &mut String) {
    let bytes = component.as_bytes();
    let is_escape = |at: usize| matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let keeps_escapes = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || is_escape(at));
    let mut escape_left = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if escape_left > 0 {
            escape_left -= 1;
            into.push(char::from(byte.to_ascii_uppercase()));
        } else if *byte == b'%' && is_escape(at) {
            escape_left = 2;
            into.push_str(if keeps_escapes { "%" } else { "%25" });
        } else if is_path_byte(*byte) || also_allowed.contains(byte) {
            into.push(char::from(*byte));
        } else {
            percent_encode(*byte, into);
        }
    }
}

/// Writes the escape of a byte, in upper case (RFC 3986, section 2.1).
pub(crate) fn percent_encode(byte: u8, into: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    into.push('%');
    into.extend(
        [byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or('0')),
    );
}

/// `pchar` or `/` (RFC 3986, section 3.3), without `%`.
const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
        )
}

/// The bytes that a text with escapes stands for; what is no escape stands for itself.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| {
            byte.and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalised() {
        for (written, expected) in [
            ("http://example.com", "http://example.com/"),
            ("HTTP://Example.COM:80/a", "http://example.com/a"),
            ("https://example.com:443", "https://example.com/"),
            (
                "http://example.com:8080?x=1",
                "http://example.com:8080/?x=1",
            ),
            ("http://h/a/../b/./c", "http://h/b/c"),
            ("http://h//x", "http://h//x"),
            ("http://h/a b\tc\r\nd", "http://h/a%20b%09c%0D%0Ad"),
            ("http://h/?q=a b", "http://h/?q=a%20b"),
            ("http://h/%c3%a9", "http://h/%C3%A9"),
            ("http://h/a%20b%", "http://h/a%2520b%25"),
            ("http://h/%2f%2F%zz", "http://h/%252F%252F%25zz"),
            ("http://h/\u{e9}", "http://h/%C3%A9"),
            ("http://h/a\\b", "http://h/a%5Cb"),
            ("http://h/a|b^c", "http://h/a%7Cb%5Ec"),
            ("http://h/x#frag", "http://h/x"),
            ("http://u:p@h/x", "http://h/x"),
            ("http://[::1]:81/", "http://[::1]:81/"),
            ("http://h:0/", "http://h:0/"),
            ("http://h:/", "http://h/"),
        ] {
            assert_eq!(
                Url::parse(written).map(|url| url.as_str().to_owned()),
                Ok(expected.to_owned()),
                "{written:?}"
            );
        }
    }

    #[test]
    fn hosts_are_what_browsers_make_of_them() {
        for (case, written, expected) in [
            (
                "a name",
                "K\u{f6}nigsg\u{e4}\u{df}chen.de",
                Some("xn--knigsgchen-b4a3dun.de"),
            ),
            (
                "its escapes",
                "K%C3%B6nigsg%C3%A4%C3%9Fchen.de",
                Some("xn--knigsgchen-b4a3dun.de"),
            ),
            ("a symbol", "\u{2764}\u{fe0f}", Some("xn--qei")),
            ("escapes of ASCII", "%31%32%37.0.0.1", Some("127.0.0.1")),
            ("the root's dot", "EXAMPLE%2Ecom%2E", Some("example.com.")),
            (
                "zeros",
                "[1080:0:0:0:8:800:200C:417A]",
                Some("[1080::8:800:200c:417a]"),
            ),
            (
                "IPv4 in IPv6",
                "[::ffff:129.144.52.38]",
                Some("[::ffff:8190:3426]"),
            ),
            ("an escaped space", "foo%20bar.com", None),
            ("an escaped delimiter", "victim%40evil.com", None),
            ("an escaped line break", "h%0d%0aX", None),
            ("no UTF-8", "%FF.example", None),
            ("half an escape", "foo%zz.example", None),
            ("a zone", "[fe80::1%eth0]", None),
            ("an escaped zone", "[fe80::1%25eth0]", None),
            ("a control in the userinfo", "user\t@h", None),
        ] {
            let url = Url::parse(&format!("http://{written}/"));
            let host = url.as_ref().map(|url| url.origin().host().as_str());
            assert_eq!(host.ok(), expected, "{case}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (case, written, kind) in [
            ("empty", "", "invalid-url"),
            ("no scheme", "example.com/x", "invalid-url"),
            ("only a path", "/x", "invalid-url"),
            ("leading space", " http://h/", "invalid-url"),
            ("unknown scheme", "ftp://h/", "unsupported-scheme"),
            (
                "host taken for a scheme",
                "localhost:8080",
                "unsupported-scheme",
            ),
            ("no host", "http://", "invalid-url"),
            ("empty host", "http:///x", "invalid-url"),
            ("only a port", "http://:80/", "invalid-url"),
            ("only userinfo", "http://u:p@/", "invalid-url"),
            ("no slashes", "http:h/x", "invalid-url"),
            ("one slash", "http:/h/x", "invalid-url"),
            ("backslashes", "http:\\\\h/x", "invalid-url"),
            ("port too large", "http://h:65536/", "invalid-url"),
            ("port not a number", "http://h:x/", "invalid-url"),
            ("negative port", "http://h:-1/", "invalid-url"),
            ("space in the host", "http://a b/", "invalid-url"),
            ("tab in the host", "http://a\tb/", "invalid-url"),
            ("open bracket", "http://[::1/", "invalid-url"),
        ] {
            assert_eq!(
                Url::parse(written).err().map(|error| error.kind()),
                Some(kind),
                "{case}"
            );
        }
    }

    #[test]
    fn cve_2019_9740_and_cve_2019_11236_a_line_break_never_leaves_the_target() {
        let url = Url::parse("http://h/a\r\nX-Injected: y").unwrap();
        assert_eq!(url.target(), "/a%0D%0AX-Injected:%20y");
        assert_eq!(
            Url::parse("http://h\r\nX: y/").unwrap_err().kind(),
            "invalid-url"
        );
    }

    #[test]
    fn cve_2021_33503_many_at_signs_fail_fast() {
        assert_eq!(
            Url::parse(&format!("https://{}[", "@".repeat(10_000)))
                .unwrap_err()
                .kind(),
            "invalid-url"
        );
    }

    #[test]
    fn cve_2020_7212_a_megabyte_of_escapes_is_linear() {
        let url = Url::parse(&format!("http://h/{}", "%aB".repeat(350_000))).unwrap();
        assert_eq!(url.target().len(), 1 + 3 * 350_000);
    }

    #[test]
    fn more_query_is_joined_to_what_is_there() {
        for (case, written, expected) in [
            ("no query", "http://h/a", "/a?b=2"),
            ("no path", "http://h", "/?b=2"),
            ("a query", "http://h/a?x=1", "/a?x=1&b=2"),
            ("an empty query", "http://h/a?", "/a?b=2"),
            (
                "a query that ends in a question mark",
                "http://h/a?x?",
                "/a?x?&b=2",
            ),
            ("a fragment", "http://h/a#f", "/a?b=2"),
            ("a query and a fragment", "http://h/a?x=1#f", "/a?x=1&b=2"),
        ] {
            let url = Url::parse(written).unwrap().with_query("b=2");
            assert_eq!(url.target(), expected, "{case}");
            assert_eq!(url.as_str(), format!("http://h{expected}"), "{case}");
        }
    }

    #[test]
    fn userinfo_becomes_credentials_and_is_never_shown() {
        for (written, expected) in [
            ("http://u:p@h/", Some("u:p")),
            ("http://u@h/", Some("u:")),
            ("http://u:p%40x@h/", Some("u:p@x")),
            ("http://a@b:c@h/", Some("a@b:c")),
            ("http://@h/", None),
            ("http://h/", None),
        ] {
            let url = Url::parse(written).unwrap();
            assert_eq!(
                url.credentials().as_deref(),
                expected.map(str::as_bytes),
                "{written}"
            );
        }
        let url = Url::parse("http://user:hunter2@h/x").unwrap();
        assert!(!format!("{url:?}{}", url.as_str()).contains("hunter2"));
        for broken in ["http://user:hunter2@h:x/", "http:user:hunter2@h"] {
            assert!(
                !Url::parse(broken)
                    .unwrap_err()
                    .to_string()
                    .contains("hunter2"),
                "{broken}"
            );
        }
    }
}
