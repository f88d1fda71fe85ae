//! What of a request's content goes into the URL and what into the body, and which `Content-Type` comes with it.

use super::multipart::{LaidOut, lay_out};
use crate::types::{
    Content, Error, FieldsIn, Headers, Method, Multipart, Part, PartData, Payload, Url,
    percent_encode,
};

/// urllib3's `_encode_url_methods`: the methods whose fields go into the query.
const QUERY_METHODS: [&str; 4] = ["DELETE", "GET", "HEAD", "OPTIONS"];

/// What decides about the encoding besides the content.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The caller's header fields, whose `Content-Type` wins.
    pub headers: &'a Headers,
    /// Where [`Content::Fields`] go.
    pub fields_in: FieldsIn,
}

/// A request's content as it is sent.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The URL, with the fields that go into its query.
    pub url: Url,
    /// The body.
    pub payload: Payload,
    /// The `Content-Type` to add; `None` where the caller names one or none is due.
    pub content_type: Option<String>,
}

/// Encodes a request's content (urllib3: `request`, `request_encode_url`, `request_encode_body`).
///
/// `random` is asked for the 16 bytes of a boundary where one is needed. A request that is sent again keeps what came out of this.
///
/// # Errors
/// [`Error::InvalidRequest`] for a file that would go into the query, and for what [`lay_out`] refuses.
pub fn encode(
    url: Url,
    content: Content,
    asked: &Asked<'_>,
    random: impl FnOnce() -> [u8; 16],
) -> Result<Encoded, Error> {
    let (content_type, payload) = match content {
        Content::Empty => (None, Payload::None),
        Content::Bytes(bytes) => (None, Payload::Bytes(bytes)),
        Content::Text(text) => (None, Payload::Bytes(text.into_bytes())),
        Content::Streamed(streamed) => (None, Payload::Streamed(streamed)),
        Content::Json(text) => (
            Some("application/json".to_owned()),
            Payload::Bytes(text.into_bytes()),
        ),
        Content::Form(pairs) if pairs.is_empty() => (None, Payload::None),
        Content::Form(pairs) => (
            Some("application/x-www-form-urlencoded".to_owned()),
            Payload::Bytes(urlencode(&pairs).into_bytes()),
        ),
        Content::Multipart(multipart) => laid_out(multipart, asked, random)?,
        Content::Fields(parts) if parts.is_empty() => (None, Payload::None),
        Content::Fields(parts) if go_into_query(asked) => {
            return Ok(Encoded {
                url: url.with_query(&query_of(parts)?),
                payload: Payload::None,
                content_type: None,
            });
        }
        Content::Fields(parts) => {
            let multipart = Multipart {
                parts,
                ..Multipart::default()
            };
            laid_out(multipart, asked, random)?
        }
    };
    Ok(Encoded {
        url,
        payload,
        content_type: content_type.filter(|_| !asked.headers.has("content-type")),
    })
}

/// Names and values as an HTML form writes them (Python: `urlencode`): UTF-8, spaces as `+`, everything but letters, digits and `_.-~`
/// escaped.
#[must_use]
pub fn urlencode<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(N, V)]) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        quote_plus(name.as_ref(), &mut encoded);
        encoded.push('=');
        quote_plus(value.as_ref(), &mut encoded);
    }
    encoded
}

fn quote_plus(bytes: &[u8], into: &mut String) {
    for byte in bytes {
        match byte {
            b' ' => into.push('+'),
            b'_' | b'.' | b'-' | b'~' => into.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => into.push(char::from(*byte)),
            _ => percent_encode(*byte, into),
        }
    }
}

/// Whether fields of a request with this method go into the query unless its caller says otherwise.
#[must_use]
pub fn has_fields_in_query(method: &Method) -> bool {
    QUERY_METHODS.iter().any(|name| method.is(name))
}

fn go_into_query(asked: &Asked<'_>) -> bool {
    match asked.fields_in {
        FieldsIn::ByMethod => has_fields_in_query(asked.method),
        FieldsIn::Query => true,
        FieldsIn::Body => false,
    }
}

/// The query that holds these fields, none of which may be more than a name and a value.
fn query_of(parts: Vec<Part>) -> Result<String, Error> {
    let pairs: Vec<(String, Vec<u8>)> = parts.into_iter().map(pair).collect::<Result<_, _>>()?;
    Ok(urlencode(&pairs))
}

fn pair(part: Part) -> Result<(String, Vec<u8>), Error> {
    match part {
        Part {
            name,
            filename: None,
            content_type: None,
            headers,
            data: PartData::Bytes(value),
        } if headers.is_empty() => Ok((name, value)),
        Part { name, .. } => Err(Error::InvalidRequest(format!(
            "the field {name:?} is a file or has headers, which a query cannot hold; use a method whose fields go into the body, such as \
             POST, or ask for fields in the body"
        ))),
    }
}

fn laid_out(
    multipart: Multipart,
    asked: &Asked<'_>,
    random: impl FnOnce() -> [u8; 16],
) -> Result<(Option<String>, Payload), Error> {
    let LaidOut {
        payload,
        content_type,
    } = lay_out(multipart, asked.headers.first("content-type"), random)?;
    Ok((Some(content_type), payload))
}

#[cfg(test)]
mod tests;
