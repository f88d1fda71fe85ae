//! Which header fields a request is sent with, and in which order.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::framing;
use crate::types::{Content, Error, Header, Headers, Method, Url};

/// What we call ourselves.
pub const USER_AGENT: &str = concat!("urlpool/", env!("CARGO_PKG_VERSION"));

/// The fields of a request: ours first, then the caller's as they were given (urllib3's order on the wire).
///
/// Each of ours gives way to the caller's own. `Accept-Encoding: identity` is urllib3's default; without it a server may choose any coding
/// (RFC 9110, section 12.5.3). Userinfo of the URL becomes Basic credentials for that URL's origin.
///
/// # Errors
/// [`Error::InvalidRequest`] where the caller's fields contradict each other or the body.
pub fn of_request(
    method: &Method,
    url: &Url,
    content: &Content,
    headers: &Headers,
) -> Result<Headers, Error> {
    if method.is("CONNECT") {
        return Err(Error::InvalidRequest(
            "CONNECT asks a proxy for a tunnel and is not a request to a URL".into(),
        ));
    }
    if headers.all("host").count() > 1 {
        return Err(Error::InvalidRequest(
            "there is more than one Host header; give one or none".into(),
        ));
    }
    let length = framing::of_request(method, content, headers)?;
    let mut fields = Vec::with_capacity(headers.len() + 5);
    let mut add = |name: &str, value: &dyn Fn() -> Vec<u8>| {
        if !headers.has(name) {
            fields.push(Header::received(name.to_owned(), value()));
        }
    };
    add("Host", &|| url.origin().authority().into_bytes());
    add("Accept-Encoding", &|| b"identity".to_vec());
    if let Some(length) = length {
        add("Content-Length", &|| length.to_string().into_bytes());
    }
    add("User-Agent", &|| USER_AGENT.as_bytes().to_vec());
    if let Some(credentials) = url.credentials() {
        add("Authorization", &|| basic(&credentials));
    }
    Ok(fields.into_iter().chain(headers.iter().cloned()).collect())
}

/// `Basic` credentials (RFC 7617, section 2) for `name:password`.
#[must_use]
pub fn basic(credentials: &[u8]) -> Vec<u8> {
    format!("Basic {}", BASE64_STANDARD.encode(credentials)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    fn written(method: &str, url: &str, content: &Content, fields: Fields) -> Option<Vec<String>> {
        let (method, url) = (Method::parse(method).unwrap(), Url::parse(url).unwrap());
        let headers = Headers::parse(fields.iter().copied()).unwrap();
        let fields = of_request(&method, &url, content, &headers).ok()?;
        let line = |header: &Header| {
            format!(
                "{}: {}",
                header.name(),
                String::from_utf8_lossy(header.value())
            )
        };
        Some(fields.iter().map(line).collect())
    }

    #[test]
    fn ours_come_first_and_give_way() {
        let agent = format!("User-Agent: {USER_AGENT}");
        let bytes = Content::Bytes(b"abc".to_vec());
        type Row<'a> = (
            &'a str,
            &'a str,
            &'a str,
            &'a Content,
            Fields,
            &'a [&'a str],
        );
        let rows: [Row<'_>; 6] = [
            (
                "plain",
                "GET",
                "http://h/",
                &Content::Empty,
                &[],
                &["Host: h", "Accept-Encoding: identity", &agent],
            ),
            (
                "a port that is not the scheme's own, and a root dot",
                "GET",
                "https://h.:80/",
                &Content::Empty,
                &[],
                &["Host: h:80", "Accept-Encoding: identity", &agent],
            ),
            (
                "a body",
                "POST",
                "http://h/",
                &bytes,
                &[("X-A", "1"), ("x-b", "2"), ("X-A", "3")],
                &[
                    "Host: h",
                    "Accept-Encoding: identity",
                    "Content-Length: 3",
                    &agent,
                    "X-A: 1",
                    "x-b: 2",
                    "X-A: 3",
                ],
            ),
            (
                "the caller's own",
                "GET",
                "http://h/",
                &Content::Empty,
                &[
                    ("user-agent", "me"),
                    ("HOST", "other"),
                    ("accept-encoding", "gzip"),
                ],
                &["user-agent: me", "HOST: other", "accept-encoding: gzip"],
            ),
            (
                "userinfo",
                "GET",
                "http://user:pa%20ss@h/",
                &Content::Empty,
                &[],
                &[
                    "Host: h",
                    "Accept-Encoding: identity",
                    &agent,
                    "Authorization: Basic dXNlcjpwYSBzcw==",
                ],
            ),
            (
                "the caller's credentials win over userinfo",
                "GET",
                "http://user:x@h/",
                &Content::Empty,
                &[("authorization", "Bearer t")],
                &[
                    "Host: h",
                    "Accept-Encoding: identity",
                    &agent,
                    "authorization: Bearer t",
                ],
            ),
        ];
        for (case, method, url, content, fields, expected) in rows {
            assert_eq!(
                written(method, url, content, fields).unwrap(),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn a_tunnel_is_not_a_request() {
        for method in ["CONNECT", "connect"] {
            assert_eq!(
                written(method, "http://h/", &Content::Empty, &[]),
                None,
                "{method}"
            );
        }
    }

    #[test]
    fn two_hosts_are_refused() {
        assert_eq!(
            written(
                "GET",
                "http://h/",
                &Content::Empty,
                &[("Host", "a"), ("host", "a")]
            ),
            None
        );
    }
}
