//! The head of a request, on the wire and for people.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::types::{Headers, Method, StatusLine, Version};

/// As much of a head as an event shows: whoever keeps a thousand events keeps no more than this a thousand times.
const MAX_SHOWN: usize = 8 * 1024;

/// Writes the head of a request: request line, fields and the empty line (RFC 9112, section 3).
///
/// Method, target and fields have been parsed, so none of them can hold a line break. `room` is how many more bytes will follow.
#[must_use]
pub fn request_head(method: &Method, target: &str, fields: &Headers, room: usize) -> Vec<u8> {
    let fields_length: usize = fields
        .iter()
        .map(|header| header.name().len() + header.value().len() + 4)
        .sum();
    let mut head =
        Vec::with_capacity(method.as_str().len() + target.len() + fields_length + 14 + room);
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(target.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    section_into(fields, &mut head);
    head
}

/// Appends fields and the empty line behind them.
fn section_into(fields: &Headers, into: &mut Vec<u8>) {
    for header in fields {
        into.extend_from_slice(header.name().as_bytes());
        into.extend_from_slice(b": ");
        into.extend_from_slice(header.value());
        into.extend_from_slice(b"\r\n");
    }
    into.extend_from_slice(b"\r\n");
}

/// The end of a chunked body that has no trailers (RFC 9112, section 7.1).
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends the end of a chunked body, and its trailers (RFC 9112, section 7.1.2).
pub fn last_chunk_into(trailers: &Headers, flight: &mut Vec<u8>) {
    flight.extend_from_slice(b"0\r\n");
    section_into(trailers, flight);
}

/// Appends a chunk. No bytes make no chunk, since an empty one would end the body.
pub fn chunk_into(bytes: &[u8], flight: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    flight.reserve(bytes.len() + 20);
    // Writing to a vector cannot fail.
    let _ = write!(flight, "{:x}\r\n", bytes.len());
    flight.extend_from_slice(bytes);
    flight.extend_from_slice(b"\r\n");
}

/// The head of a request for an event: lines without line breaks at their ends, credentials redacted.
#[must_use]
pub fn shown_request(method: &Method, target: &str, fields: &Headers) -> String {
    shown(format!("{method} {target} HTTP/1.1"), fields)
}

/// The head of a response for an event.
#[must_use]
pub fn shown_response(line: &StatusLine, fields: &Headers) -> String {
    let version = match line.version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    };
    shown(
        format!("HTTP/{version} {} {}", line.status, line.reason),
        fields,
    )
}

fn shown(mut text: String, fields: &Headers) -> String {
    for header in fields {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{header:?}");
        if text.len() > MAX_SHOWN {
            text.truncate(text.floor_char_boundary(MAX_SHOWN));
            text.push_str("...");
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_written_byte_for_byte() {
        let fields = Headers::parse([("Host", "h"), ("x-B", "a  b"), ("X-b", "")]).unwrap();
        let head = request_head(&Method::parse("GET").unwrap(), "/a?b", &fields, 0);
        assert_eq!(
            head,
            b"GET /a?b HTTP/1.1\r\nHost: h\r\nx-B: a  b\r\nX-b: \r\n\r\n"
        );
        assert_eq!(head.capacity(), head.len(), "the size is known beforehand");
    }

    #[test]
    fn an_event_shows_no_more_than_a_reader_wants() {
        let fields =
            Headers::parse([("X", "\u{e9}".repeat(MAX_SHOWN)), ("Y", String::new())]).unwrap();
        let shown = shown_request(&Method::parse("GET").unwrap(), "/", &fields);
        assert!(shown.len() <= MAX_SHOWN + 3 && shown.ends_with("\u{e9}..."));
    }

    #[test]
    fn an_event_shows_no_credentials() {
        let fields =
            Headers::parse([("Authorization", "Basic hunter2"), ("Accept", "*/*")]).unwrap();
        let shown = shown_request(&Method::parse("GET").unwrap(), "/", &fields);
        assert_eq!(
            shown,
            "GET / HTTP/1.1\nAuthorization: [redacted]\nAccept: */*"
        );
    }
}
