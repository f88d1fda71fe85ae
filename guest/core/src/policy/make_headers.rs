//! Shortcuts for common header fields (urllib3: `make_headers`).

use super::codings;
use super::fields::basic;
use crate::types::{Error, Header, Headers};

/// Which fields to make. It has no `Debug`, because it holds passwords.
///
/// ```
/// use urlpool_core::policy::make_headers::{AcceptEncoding, MakeHeaders, make_headers};
///
/// let asked = MakeHeaders { accept_encoding: Some(AcceptEncoding::All), disable_cache: true, ..MakeHeaders::default() };
/// assert!(make_headers(asked).is_ok_and(|headers| headers.has("cache-control")));
/// ```
#[derive(Clone, Default)]
pub struct MakeHeaders {
    /// Adds `connection: keep-alive`, which HTTP/1.1 implies.
    pub keep_alive: bool,
    /// Adds `accept-encoding`; `None` adds nothing.
    pub accept_encoding: Option<AcceptEncoding>,
    /// Adds `user-agent`; `None` and an empty text add nothing.
    pub user_agent: Option<String>,
    /// `name:password` for `authorization`; `None` and an empty text add nothing.
    pub basic_auth: Option<String>,
    /// `name:password` for `proxy-authorization`; `None` and an empty text add nothing.
    pub proxy_basic_auth: Option<String>,
    /// Adds `cache-control: no-cache`.
    pub disable_cache: bool,
    /// How the characters of `basic_auth` become bytes.
    pub basic_auth_encoding: CredentialsEncoding,
    /// How the characters of `proxy_basic_auth` become bytes.
    pub proxy_basic_auth_encoding: CredentialsEncoding,
}

/// Which codings a response may have.
///
/// ```
/// use urlpool_core::policy::make_headers::{AcceptEncoding, MakeHeaders, make_headers};
///
/// let listed = AcceptEncoding::Listed(vec!["br".into(), "gzip".into()]);
/// let headers = make_headers(MakeHeaders { accept_encoding: Some(listed), ..MakeHeaders::default() });
/// assert!(headers.is_ok_and(|headers| headers.first("accept-encoding") == Some(b"br,gzip")));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AcceptEncoding {
    /// All that we undo: [`codings::accept_encoding`] (urllib3: `True`).
    All,
    /// These, joined with commas; none of them adds nothing.
    Listed(Vec<String>),
}

/// How the characters of credentials become bytes (RFC 7617, section 2.1).
///
/// ```
/// use urlpool_core::policy::make_headers::{CredentialsEncoding, MakeHeaders, make_headers};
///
/// let asked = MakeHeaders { basic_auth: Some("łukasz:hasło".into()), ..MakeHeaders::default() };
/// assert!(make_headers(asked.clone()).is_err()); // there is no ł in latin-1
/// assert!(make_headers(MakeHeaders { basic_auth_encoding: CredentialsEncoding::Utf8, ..asked }).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CredentialsEncoding {
    /// ISO 8859-1, which has no character above U+00FF.
    #[default]
    Latin1,
    /// UTF-8.
    Utf8,
}

/// Makes the fields, with names in lower case and in urllib3's order.
///
/// # Errors
/// [`Error::InvalidRequest`] for a value that cannot stand in a header, and for credentials that their encoding cannot write; the text does
/// not repeat them.
///
/// ```
/// use urlpool_core::policy::make_headers::{MakeHeaders, make_headers};
///
/// # fn main() -> Result<(), urlpool_core::types::Error> {
/// let headers = make_headers(MakeHeaders { basic_auth: Some("ada:secret".into()), ..MakeHeaders::default() })?;
/// assert_eq!(headers.first("authorization"), Some(&b"Basic YWRhOnNlY3JldA=="[..]));
/// # Ok(())
/// # }
/// ```
pub fn make_headers(asked: MakeHeaders) -> Result<Headers, Error> {
    let codings = asked.accept_encoding.map(|codings| match codings {
        AcceptEncoding::All => codings::accept_encoding().to_owned(),
        AcceptEncoding::Listed(codings) => codings.join(","),
    });
    let text = |text: Option<String>| text.filter(|text| !text.is_empty()).map(String::into_bytes);
    let credentials = |written: Option<String>, encoding| {
        let written = written.filter(|written| !written.is_empty());
        written
            .map(|written| Ok(basic(&bytes(written, encoding)?)))
            .transpose()
    };
    let fixed = |is_asked: bool, value: &str| is_asked.then(|| value.as_bytes().to_vec());
    let fields = [
        ("accept-encoding", text(codings)),
        ("user-agent", text(asked.user_agent)),
        ("connection", fixed(asked.keep_alive, "keep-alive")),
        (
            "authorization",
            credentials(asked.basic_auth, asked.basic_auth_encoding)?,
        ),
        (
            "proxy-authorization",
            credentials(asked.proxy_basic_auth, asked.proxy_basic_auth_encoding)?,
        ),
        ("cache-control", fixed(asked.disable_cache, "no-cache")),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some(Header::parse(name, value?)))
        .collect()
}

fn bytes(credentials: String, encoding: CredentialsEncoding) -> Result<Vec<u8>, Error> {
    match encoding {
        CredentialsEncoding::Utf8 => Ok(credentials.into_bytes()),
        CredentialsEncoding::Latin1 => credentials
            .chars()
            .map(|character| u8::try_from(character).ok())
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Error::InvalidRequest(
                    "the credentials have a character that latin-1 has not; encode them as UTF-8"
                        .into(),
                )
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(asked: MakeHeaders) -> Result<Vec<String>, Error> {
        let line = |header: &Header| format!("{}: {}", header.name(), header.text());
        make_headers(asked).map(|headers| headers.iter().map(line).collect())
    }

    #[test]
    fn fields_are_urllib3s() {
        let base = MakeHeaders::default;
        let some = |text: &str| Some(text.to_owned());
        let listed = |codings: &[&str]| {
            Some(AcceptEncoding::Listed(
                codings.iter().map(|coding| (*coding).to_owned()).collect(),
            ))
        };
        for (case, asked, expected) in [
            ("nothing", base(), &[][..]),
            (
                "all codings",
                MakeHeaders {
                    accept_encoding: Some(AcceptEncoding::All),
                    ..base()
                },
                &["accept-encoding: gzip,deflate,br,zstd"],
            ),
            (
                "codings",
                MakeHeaders {
                    accept_encoding: listed(&["foo", "bar"]),
                    ..base()
                },
                &["accept-encoding: foo,bar"],
            ),
            (
                "no codings",
                MakeHeaders {
                    accept_encoding: listed(&[]),
                    ..base()
                },
                &[],
            ),
            (
                "latin-1",
                MakeHeaders {
                    basic_auth: some("foo:b\u{e4}r"),
                    ..base()
                },
                &["authorization: Basic Zm9vOmLkcg=="],
            ),
            (
                "UTF-8",
                MakeHeaders {
                    proxy_basic_auth: some("foo:b\u{e4}r"),
                    proxy_basic_auth_encoding: CredentialsEncoding::Utf8,
                    ..base()
                },
                &["proxy-authorization: Basic Zm9vOmLDpHI="],
            ),
            (
                "empty texts",
                MakeHeaders {
                    user_agent: some(""),
                    basic_auth: some(""),
                    proxy_basic_auth: some(""),
                    ..base()
                },
                &[],
            ),
            (
                "everything, in order",
                MakeHeaders {
                    keep_alive: true,
                    accept_encoding: listed(&["gzip"]),
                    user_agent: some("banana"),
                    basic_auth: some("foo:bar"),
                    proxy_basic_auth: some("foo:bar"),
                    disable_cache: true,
                    ..base()
                },
                &[
                    "accept-encoding: gzip",
                    "user-agent: banana",
                    "connection: keep-alive",
                    "authorization: Basic Zm9vOmJhcg==",
                    "proxy-authorization: Basic Zm9vOmJhcg==",
                    "cache-control: no-cache",
                ],
            ),
        ] {
            assert_eq!(lines(asked).unwrap(), expected, "{case}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_without_repeating_it() {
        for asked in [
            MakeHeaders {
                basic_auth: Some("hunter2:\u{20ac}".into()),
                ..MakeHeaders::default()
            },
            MakeHeaders {
                proxy_basic_auth: Some("hunter2:\u{20ac}".into()),
                ..MakeHeaders::default()
            },
            MakeHeaders {
                user_agent: Some("hunter2\r\nX: y".into()),
                ..MakeHeaders::default()
            },
        ] {
            let error = lines(asked).unwrap_err();
            assert_eq!(error.kind(), "invalid-request");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
