//! Where bodies begin and end (RFC 9112, section 6).

use crate::types::{Content, Error, Headers, Method};

/// How the end of a response's body is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFraming {
    /// After this many bytes; 0 also where there can be no body.
    Length(u64),
    /// By the chunked coding.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// The value of the `Content-Length` that we add to a request, if any.
///
/// Without a body it is 0 for methods that usually have one, as urllib3 does (RFC 9110, section 8.6).
///
/// # Errors
/// [`Error::InvalidRequest`] where the caller's own framing fields do not fit the body.
pub fn of_request(
    method: &Method,
    content: &Content,
    headers: &Headers,
) -> Result<Option<u64>, Error> {
    if headers.has("transfer-encoding") {
        return Err(Error::InvalidRequest(
            "Transfer-Encoding does not fit a body of known length; leave it out".into(),
        ));
    }
    let length = content.len() as u64;
    let mut written = headers.all("content-length");
    match (written.next(), written.next()) {
        (None, _) => {}
        (Some(value), None) if parse_length(value) == Some(length) => return Ok(None),
        (Some(_), _) => {
            return Err(Error::InvalidRequest(format!(
                "Content-Length does not fit the body, which has {length} bytes; leave it out"
            )));
        }
    }
    let usually_empty = ["GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"]
        .iter()
        .any(|name| method.is(name));
    Ok((!content.is_empty() || !usually_empty).then_some(length))
}

/// How the body of a response to `method` ends (RFC 9112, section 6.3).
///
/// # Errors
/// Says what is wrong where lengths contradict each other or make no sense. urllib3 takes a malformed length for none.
pub fn of_response(method: &Method, status: u16, headers: &Headers) -> Result<BodyFraming, String> {
    if method.is("HEAD") || status == 204 || status == 304 {
        return Ok(BodyFraming::Length(0));
    }
    if headers.has("transfer-encoding") {
        // RFC 9112, section 6.3, item 4: chunked must come last, or the end is the connection's. What is inside another coding cannot be
        // told from the body, so a list that has one is refused instead of being handed out half decoded (urllib3 does that).
        let codings: Vec<&[u8]> = headers.elements("transfer-encoding").collect();
        return match codings.as_slice() {
            [only] if only.eq_ignore_ascii_case(b"chunked") => Ok(BodyFraming::Chunked),
            [only] if only.eq_ignore_ascii_case(b"identity") => of_length(headers),
            _ => Err("unsupported Transfer-Encoding: only chunked is understood".into()),
        };
    }
    of_length(headers)
}

fn of_length(headers: &Headers) -> Result<BodyFraming, String> {
    let mut lengths = headers
        .all("content-length")
        .flat_map(|value| value.split(|byte| *byte == b','));
    let Some(first) = lengths.next() else {
        return Ok(BodyFraming::UntilClose);
    };
    let length = parse_length(first.trim_ascii()).ok_or("Content-Length is not a number")?;
    if lengths.any(|other| parse_length(other.trim_ascii()) != Some(length)) {
        return Err("Content-Length contained multiple unmatching values".into());
    }
    Ok(BodyFraming::Length(length))
}

/// Digits and nothing else; a sign or a space would be read differently by others.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    fn headers(fields: Fields) -> Headers {
        Headers::parse(fields.iter().copied()).unwrap()
    }

    #[test]
    fn requests_say_how_long_they_are() {
        let bytes = |text: &str| Content::Bytes(text.into());
        type Row = (
            &'static str,
            &'static str,
            Content,
            Fields,
            Option<Option<u64>>,
        );
        let rows: [Row; 10] = [
            ("GET", "GET", Content::Empty, &[], Some(None)),
            ("empty POST", "POST", Content::Empty, &[], Some(Some(0))),
            ("empty PUT", "PUT", Content::Empty, &[], Some(Some(0))),
            ("unknown method", "BREW", Content::Empty, &[], Some(Some(0))),
            ("GET with a body", "GET", bytes("abc"), &[], Some(Some(3))),
            (
                "GET with a body of no bytes",
                "GET",
                bytes(""),
                &[],
                Some(Some(0)),
            ),
            (
                "fitting length by hand",
                "POST",
                bytes("abc"),
                &[("content-length", "3")],
                Some(None),
            ),
            (
                "wrong length by hand",
                "POST",
                bytes("abc"),
                &[("Content-Length", "4")],
                None,
            ),
            (
                "two lengths by hand",
                "POST",
                bytes("abc"),
                &[("Content-Length", "3"), ("Content-Length", "3")],
                None,
            ),
            (
                "chunked by hand",
                "POST",
                bytes("abc"),
                &[("Transfer-Encoding", "chunked")],
                None,
            ),
        ];
        for (case, method, content, fields, expected) in rows {
            let method = Method::parse(method).unwrap();
            assert_eq!(
                of_request(&method, &content, &headers(fields)).ok(),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn responses_end_by_the_rules() {
        use BodyFraming::{Chunked, Length, UntilClose};
        let rows: [(&str, &str, u16, Fields, Option<BodyFraming>); 20] = [
            (
                "length",
                "GET",
                200,
                &[("Content-Length", "5")],
                Some(Length(5)),
            ),
            ("nothing said", "GET", 200, &[], Some(UntilClose)),
            (
                "chunked",
                "GET",
                200,
                &[("Transfer-Encoding", "Chunked")],
                Some(Chunked),
            ),
            (
                "chunked wins",
                "GET",
                200,
                &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
                Some(Chunked),
            ),
            (
                "identity",
                "GET",
                200,
                &[("Transfer-Encoding", "identity"), ("Content-Length", "5")],
                Some(Length(5)),
            ),
            (
                "gzip, chunked",
                "GET",
                200,
                &[("Transfer-Encoding", "gzip, chunked")],
                None,
            ),
            (
                "chunked twice",
                "GET",
                200,
                &[
                    ("Transfer-Encoding", "chunked"),
                    ("Transfer-Encoding", "chunked"),
                ],
                None,
            ),
            (
                "unknown coding",
                "GET",
                200,
                &[("Transfer-Encoding", "xchunked")],
                None,
            ),
            (
                "HEAD",
                "HEAD",
                200,
                &[("Content-Length", "5")],
                Some(Length(0)),
            ),
            (
                "HEAD chunked",
                "HEAD",
                200,
                &[("Transfer-Encoding", "chunked")],
                Some(Length(0)),
            ),
            (
                "204",
                "GET",
                204,
                &[("Content-Length", "5")],
                Some(Length(0)),
            ),
            (
                "304",
                "GET",
                304,
                &[("Content-Length", "5")],
                Some(Length(0)),
            ),
            (
                "205 may have a body",
                "GET",
                205,
                &[("Content-Length", "5")],
                Some(Length(5)),
            ),
            (
                "the same twice",
                "GET",
                200,
                &[("Content-Length", "5, 5")],
                Some(Length(5)),
            ),
            (
                "the same on two lines",
                "GET",
                200,
                &[("Content-Length", "5"), ("Content-Length", "5")],
                Some(Length(5)),
            ),
            (
                "conflicting",
                "GET",
                200,
                &[("Content-Length", "2, 3")],
                None,
            ),
            (
                "conflicting lines",
                "GET",
                200,
                &[("Content-Length", "2"), ("Content-Length", "3")],
                None,
            ),
            ("signed", "GET", 200, &[("Content-Length", "+5")], None),
            (
                "too large for 64 bits",
                "GET",
                200,
                &[("Content-Length", "18446744073709551616")],
                None,
            ),
            ("empty", "GET", 200, &[("Content-Length", "")], None),
        ];
        for (case, method, status, fields, expected) in rows {
            let method = Method::parse(method).unwrap();
            assert_eq!(
                of_response(&method, status, &headers(fields)).ok(),
                expected,
                "{case}"
            );
        }
    }
}
