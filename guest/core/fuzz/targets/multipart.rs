//! Whatever a form's names, file names and values hold, it has as many parts as it was given, and none of them writes a line of its own.
//!
//! The first line is the boundary; then come names, file names and values in turns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::policy::encode::{Asked, encode};
use urlpool_core::types::{
    Content, FieldsIn, Headers, Method, Multipart, Part, PartData, Payload, Url,
};
use urlpool_fuzz::{first_line, texts};

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fuzz_target!(|input: &[u8]| {
    let (boundary, rest) = first_line(input);
    let mut texts = texts(rest);
    let mut parts = Vec::new();
    while let Some(name) = texts.next() {
        let filename = text(texts.next());
        let data = texts.next().unwrap_or_default().to_vec();
        parts.push(match filename.is_empty() {
            true => Part::field(text(Some(name)), data),
            false => Part::file(text(Some(name)), filename, PartData::Bytes(data)),
        });
    }
    let boundary = text(Some(boundary));
    let count = parts.len();
    let plain = parts.iter().filter(|part| part.filename.is_none()).count();
    let holds_boundary = |part: &Part| match &part.data {
        PartData::Bytes(data) => {
            String::from_utf8_lossy(data).contains(&boundary)
                || part.name.contains(&boundary)
                || part
                    .filename
                    .as_ref()
                    .is_some_and(|name| name.contains(&boundary))
        }
        PartData::Streamed(_) => false,
    };
    let is_ambiguous = parts.iter().any(holds_boundary);
    let lines: usize = parts
        .iter()
        .map(|part| match &part.data {
            PartData::Bytes(data) => data.iter().filter(|byte| **byte == b'\n').count(),
            PartData::Streamed(_) => 0,
        })
        .sum();
    let (method, headers) = (Method::parse("POST").unwrap(), Headers::default());
    let asked = Asked {
        method: &method,
        headers: &headers,
        fields_in: FieldsIn::Body,
    };
    let form = Content::Multipart(Multipart {
        parts,
        boundary: Some(boundary.clone()),
        can_rewind: false,
    });
    let url = Url::parse("http://a.test/").unwrap();
    let Ok(encoded) = encode(url, form, &asked, || [0; 16]) else {
        return;
    };
    let Payload::Bytes(body) = encoded.payload else {
        panic!("a form of bytes is bytes");
    };
    // Each part: its delimiter, one or two fields, an empty line, its value; then the last delimiter.
    let fields = plain + 2 * (count - plain);
    let breaks = body.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(breaks, lines + 3 * count + fields + 1);
    if !is_ambiguous {
        let delimiter = format!("--{boundary}");
        let found = body
            .split(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(delimiter.as_bytes()))
            .count();
        assert_eq!(found, count + 1);
    }
});
