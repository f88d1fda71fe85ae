//! Which bytes a form is made of, and where between them the caller's go.
//!
//! Invariant: no name, file name or header of a part can end its line.

use std::mem;

use super::{boundary, media_type};
use crate::types::{Error, Header, Headers, Multipart, Part, PartData, Payload, Segment};

/// These stand first in a part, in this order; urllib3's `render_headers`.
const FIRST: [&str; 3] = ["Content-Disposition", "Content-Type", "Content-Location"];
/// A part's framing, roughly: room that is reserved beforehand.
const FRAMING: usize = 160;

/// A form as it is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LaidOut {
    /// All of it where every part is in memory, and else its segments.
    pub payload: Payload,
    /// The `Content-Type` that names the boundary.
    pub content_type: String,
}

/// Lays a form out. `content_type` is the caller's own, `random` what a boundary is made of where none is named.
///
/// Names are escaped as WHATWG's HTML standard says: line breaks and quotes as `%0D`, `%0A`, `%22`, everything else as UTF-8.
///
/// # Errors
/// [`Error::InvalidRequest`] for a boundary or a part's content type that cannot stand in a header, for a part with two content types, and
/// for a `Content-Type` of the caller's that names another boundary or none.
pub fn lay_out(
    multipart: Multipart,
    content_type: Option<&[u8]>,
    random: impl FnOnce() -> [u8; 16],
) -> Result<LaidOut, Error> {
    let boundary = boundary::choose(&multipart, content_type, random)?;
    let Multipart {
        parts, can_rewind, ..
    } = multipart;
    let room: usize = parts.iter().map(|part| FRAMING + in_memory(part)).sum();
    let mut bytes = Vec::with_capacity(room + FRAMING);
    let mut segments = Vec::new();
    for part in parts {
        begin(&part, &boundary, &mut bytes)?;
        match part.data {
            PartData::Bytes(data) => bytes.extend_from_slice(&data),
            PartData::Streamed(length) => {
                segments.push(Segment::Bytes(mem::take(&mut bytes)));
                segments.push(Segment::Streamed(length));
            }
        }
        bytes.extend_from_slice(b"\r\n");
    }
    for text in ["--", &boundary, "--\r\n"] {
        bytes.extend_from_slice(text.as_bytes());
    }
    let payload = if segments.is_empty() {
        Payload::Bytes(bytes)
    } else {
        segments.push(Segment::Bytes(bytes));
        Payload::Segments {
            segments: segments.into(),
            can_rewind,
        }
    };
    Ok(LaidOut {
        payload,
        content_type: boundary::content_type(&boundary),
    })
}

const fn in_memory(part: &Part) -> usize {
    match &part.data {
        PartData::Bytes(data) => data.len(),
        PartData::Streamed(_) => 0,
    }
}

/// Writes everything of a part that comes before its data.
fn begin(part: &Part, boundary: &str, into: &mut Vec<u8>) -> Result<(), Error> {
    for text in ["--", boundary, "\r\n"] {
        into.extend_from_slice(text.as_bytes());
    }
    let (fields, others) = (first(part)?, &part.headers);
    let others = others
        .iter()
        .filter(|header| !FIRST.iter().any(|name| header.is(name)));
    for header in fields.iter().chain(others) {
        into.extend_from_slice(header.name().as_bytes());
        into.extend_from_slice(b": ");
        into.extend_from_slice(header.value());
        into.extend_from_slice(b"\r\n");
    }
    into.extend_from_slice(b"\r\n");
    Ok(())
}

/// The fields that come first: the part's own where it has them, else ours.
fn first(part: &Part) -> Result<Headers, Error> {
    if part.content_type.is_some() && part.headers.has("content-type") {
        return Err(Error::InvalidRequest(format!(
            "the part {:?} has a content type and a Content-Type header; give one of them",
            part.name
        )));
    }
    let content_type = match (&part.content_type, &part.filename) {
        (Some(named), _) => Some(Header::parse("Content-Type", named.as_str())?),
        (None, Some(filename)) => Some(Header::parse(
            "Content-Type",
            media_type::of_file(filename),
        )?),
        (None, None) => None,
    };
    let mut fields = Headers::default();
    for name in FIRST {
        let own = part.headers.iter().filter(|header| header.is(name));
        own.for_each(|header| fields.push(header.clone()));
        match name {
            "Content-Disposition" if !fields.has(name) => {
                fields.push(Header::received(name, &disposition(part)));
            }
            "Content-Type" if !fields.has(name) => {
                content_type
                    .iter()
                    .for_each(|header| fields.push(header.clone()));
            }
            _ => {}
        }
    }
    Ok(fields)
}

/// The value of `Content-Disposition` (RFC 7578, section 4.2).
fn disposition(part: &Part) -> Vec<u8> {
    let mut value = b"form-data".to_vec();
    let filename = part.filename.iter().map(|filename| ("filename", filename));
    for (parameter, text) in [("name", &part.name)].into_iter().chain(filename) {
        value.extend_from_slice(b"; ");
        value.extend_from_slice(parameter.as_bytes());
        value.extend_from_slice(b"=\"");
        for byte in text.bytes() {
            match byte {
                b'\n' => value.extend_from_slice(b"%0A"),
                b'\r' => value.extend_from_slice(b"%0D"),
                b'"' => value.extend_from_slice(b"%22"),
                _ => value.push(byte),
            }
        }
        value.push(b'"');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(part: Part) -> Result<String, Error> {
        let multipart = Multipart {
            parts: vec![part],
            boundary: Some("B".into()),
            can_rewind: false,
        };
        let laid_out = lay_out(multipart, None, || [0; 16])?;
        Ok(String::from_utf8(laid_out.payload.as_bytes().to_vec()).unwrap())
    }

    fn file(name: &str, filename: &str, content_type: Option<&str>, data: &str) -> Part {
        Part {
            content_type: content_type.map(str::to_owned),
            ..Part::file(name, filename, PartData::Bytes(data.into()))
        }
    }

    fn with(headers: &[(&str, &str)], part: Part) -> Part {
        Part {
            headers: Headers::parse(headers.iter().copied()).unwrap(),
            ..part
        }
    }

    /// What urllib3's `encode_multipart_formdata` makes of the same parts.
    #[test]
    fn parts_are_written_as_urllib3_writes_them() {
        const FORM: &str = "Content-Disposition: form-data; name=";
        for (case, part, expected) in [
            (
                "field",
                Part::field("a", "1"),
                format!("{FORM}\"a\"\r\n\r\n1"),
            ),
            (
                "empty field",
                Part::field("", ""),
                format!("{FORM}\"\"\r\n\r\n"),
            ),
            (
                "file whose name tells its type",
                file("f", "x.txt", None, "da\r\nta"),
                format!(
                    "{FORM}\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nda\r\nta"
                ),
            ),
            (
                "file of unknown type",
                file("f", "x.unknown", None, ""),
                format!(
                    "{FORM}\"f\"; filename=\"x.unknown\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                ),
            ),
            (
                "file without a name",
                file("f", "", None, ""),
                format!(
                    "{FORM}\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                ),
            ),
            (
                "file with a type",
                file("f", "x.txt", Some("image/jpeg"), "z"),
                format!("{FORM}\"f\"; filename=\"x.txt\"\r\nContent-Type: image/jpeg\r\n\r\nz"),
            ),
            (
                "field with a type",
                Part {
                    content_type: Some("text/x".into()),
                    ..Part::field("a", "1")
                },
                format!("{FORM}\"a\"\r\nContent-Type: text/x\r\n\r\n1"),
            ),
            (
                "text that is not ASCII, percent and backslash",
                file("n\u{e9}", "\\\u{e9}%.png", None, ""),
                format!(
                    "{FORM}\"n\u{e9}\"; filename=\"\\\u{e9}%.png\"\r\nContent-Type: image/png\r\n\r\n"
                ),
            ),
            (
                "headers of its own, in their places",
                with(
                    &[
                        ("X-A", "1"),
                        ("content-location", "/l"),
                        ("x-b", ""),
                        ("CONTENT-TYPE", "text/x"),
                    ],
                    file("n", "f.txt", None, "d"),
                ),
                format!(
                    "{FORM}\"n\"; filename=\"f.txt\"\r\nCONTENT-TYPE: text/x\r\ncontent-location: /l\r\nX-A: 1\r\nx-b: \r\n\r\nd"
                ),
            ),
            (
                "disposition of its own",
                with(
                    &[("X-A", "1"), ("Content-Disposition", "attachment")],
                    Part::field("n", "d"),
                ),
                "Content-Disposition: attachment\r\nX-A: 1\r\n\r\nd".to_owned(),
            ),
        ] {
            assert_eq!(
                sent(part).unwrap(),
                format!("--B\r\n{expected}\r\n--B--\r\n"),
                "{case}"
            );
        }
    }

    /// Header injection through names (CWE-93), the way CVE-2020-26137 is one through methods.
    #[test]
    fn a_line_break_or_quote_in_a_name_ends_nothing() {
        let name = "n\"\r\nX-Injected: y\r\n\r\n--B--";
        let escaped = "n%22%0D%0AX-Injected: y%0D%0A%0D%0A--B--";
        assert_eq!(
            sent(file(name, name, Some("t/p"), "")).unwrap(),
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"{escaped}\"; filename=\"{escaped}\"\r\nContent-Type: t/p\r\n\r\n\r\n--B--\r\n"
            )
        );
        for bare in ["a\rb", "a\nb"] {
            let line = sent(Part::field(bare, "")).unwrap();
            assert!(!line.contains(bare), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_part_is_refused() {
        for (case, part) in [
            (
                "line break in the type",
                file("f", "x", Some("a\r\nX-Injected: y"), ""),
            ),
            (
                "bare line feed in the type",
                file("f", "x", Some("a\nb"), ""),
            ),
            (
                "two types",
                with(
                    &[("content-type", "text/x")],
                    file("f", "x", Some("text/y"), ""),
                ),
            ),
        ] {
            assert_eq!(sent(part).unwrap_err().kind(), "invalid-request", "{case}");
        }
        for (name, value) in [
            ("X-A", "1\r\nX-Injected: y"),
            ("X\r\nY", "1"),
            ("X-A", "1\n"),
        ] {
            assert!(Header::parse(name, value).is_err(), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn only_streamed_parts_make_segments() {
        let streamed = |length| Part::file("f", "x", PartData::Streamed(length));
        let form = |parts| {
            let multipart = Multipart {
                parts,
                boundary: Some("B".into()),
                can_rewind: true,
            };
            lay_out(multipart, None, || [0; 16]).unwrap()
        };
        let in_memory = form(vec![Part::field("a", "1"), Part::field("b", "2")]);
        assert!(matches!(in_memory.payload, Payload::Bytes(_)));
        assert_eq!(in_memory.content_type, "multipart/form-data; boundary=B");
        for (case, parts, is_known) in [
            (
                "announced",
                vec![Part::field("a", "1"), streamed(Some(5)), streamed(Some(0))],
                true,
            ),
            (
                "not announced",
                vec![streamed(None), Part::field("a", "1")],
                false,
            ),
            (
                "longer than can be counted",
                vec![streamed(Some(u64::MAX))],
                false,
            ),
        ] {
            let count = parts.len();
            let payload = form(parts).payload;
            assert_eq!(payload.length().is_some(), is_known, "{case}");
            assert!(payload.may_be_resent() && payload.has_content(), "{case}");
            let Payload::Segments { segments, .. } = payload else {
                panic!("{case}: no segments");
            };
            assert!(
                segments.len() > count,
                "{case}: framing before, between and after"
            );
        }
    }
}
