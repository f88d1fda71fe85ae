//! Where bodies begin and end (RFC 9112, section 6).

use crate::types::{Error, Headers, Method, Payload};

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

/// How the end of a request's body is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestFraming {
    /// There is no body and nothing says so.
    Absent,
    /// By `Content-Length`: exactly this many bytes must be sent.
    Length(u64),
    /// By the chunked coding, also around no bytes at all.
    Chunked,
}

/// How the end of a request's body is told (RFC 9112, section 6.3).
///
/// A body is as long as it is or as its caller announced; one of unknown length is chunked, and so is any where `is_chunked` or the caller's
/// `Transfer-Encoding` asks for it. A caller's `Content-Length` stands for the length of a streamed body that is not announced otherwise.
/// Without a body the length is 0 for methods that usually have one, as urllib3 does (RFC 9110, section 8.6).
///
/// # Errors
/// [`Error::InvalidRequest`] where the caller's own framing fields fit neither the body nor each other.
pub fn of_request(
    method: &Method,
    payload: &Payload,
    headers: &Headers,
    is_chunked: bool,
) -> Result<RequestFraming, Error> {
    let length = payload.length();
    let written = written_length(headers, length)?;
    if headers.has("transfer-encoding") {
        let mut codings = headers.elements("transfer-encoding");
        let is_only_chunked = codings
            .next()
            .is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"))
            && codings.next().is_none();
        if !is_only_chunked {
            return Err(Error::InvalidRequest(
                "the only Transfer-Encoding that can be sent is chunked".into(),
            ));
        }
    }
    let is_chunked = is_chunked || headers.has("transfer-encoding");
    if is_chunked && written.is_some() {
        return Err(Error::InvalidRequest(
            "a chunked body has no Content-Length; leave it out".into(),
        ));
    }
    let usually_empty = is_usually_empty(method.as_str());
    Ok(match written.or(length) {
        _ if is_chunked => RequestFraming::Chunked,
        None => RequestFraming::Chunked,
        Some(_) if payload.is_none() && usually_empty && written.is_none() => {
            RequestFraming::Absent
        }
        Some(length) => RequestFraming::Length(length),
    })
}

/// Whether requests with this method usually have no body (RFC 9110, section 9.3).
#[must_use]
pub fn is_usually_empty(method: &str) -> bool {
    ["GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"]
        .iter()
        .any(|name| method.eq_ignore_ascii_case(name))
}

/// The length that the caller's `Content-Length` names, which must be the body's where that is known.
fn written_length(headers: &Headers, length: Option<u64>) -> Result<Option<u64>, Error> {
    let mut written = headers.all("content-length");
    let Some(value) = written.next() else {
        return Ok(None);
    };
    match (parse_length(value), length) {
        _ if written.next().is_some() => Err(Error::InvalidRequest(
            "there is more than one Content-Length; leave them out".into(),
        )),
        (Some(named), None) => Ok(Some(named)),
        (Some(named), Some(length)) if named == length => Ok(Some(named)),
        (_, Some(length)) => Err(Error::InvalidRequest(format!(
            "Content-Length does not fit the body, which has {length} bytes; leave it out"
        ))),
        (None, None) => Err(Error::InvalidRequest(
            "Content-Length is not a number".into(),
        )),
    }
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
mod tests;
