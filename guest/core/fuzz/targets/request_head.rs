//! Whatever a caller writes into a request, its head has the lines it should have and reads back as it was written.
//!
//! The input: method, URL, body, then name and value of each field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::h1::{HeadReader, request_head, shown_request};
use urlpool_core::policy::fields::{Asked, of_request};
use urlpool_core::types::{Header, Headers, Method, Payload, Url, Writing};
use urlpool_fuzz::texts;

/// As many fields as the head of a response may have.
const MAX_FIELDS: usize = 100;

fuzz_target!(|input: &[u8]| {
    let texts: Vec<&[u8]> = texts(input).collect();
    let [method, url, body, pairs @ ..] = texts.as_slice() else {
        return;
    };
    let (Ok(method), Ok(url)) = (
        Method::parse(String::from_utf8_lossy(method)),
        Url::parse(&String::from_utf8_lossy(url)),
    ) else {
        return;
    };
    let payload = match body {
        [] => Payload::None,
        body => Payload::Bytes(body.to_vec()),
    };
    // One that is refused would refuse them all.
    let headers: Headers = pairs
        .as_chunks()
        .0
        .iter()
        .filter_map(|[name, value]| Header::parse(String::from_utf8_lossy(name), *value).ok())
        .collect();
    let asked = Asked {
        method: &method,
        url: &url,
        payload: &payload,
        content_type: None,
        headers: &headers,
        writing: Writing::default(),
    };
    let Ok(fields) = of_request(&asked) else {
        return;
    };
    let fields = fields.headers;
    for name in ["host", "content-length", "transfer-encoding"] {
        assert!(fields.all(name).count() <= 1, "{name}");
    }

    let head = request_head(&method, url.target(), &fields, 0);
    let count = |byte| head.iter().filter(|other| **other == byte).count();
    let expected = fields.len() + 2;
    assert_eq!((count(b'\r'), count(b'\n')), (expected, expected));
    let end = head.windows(4).position(|window| window == b"\r\n\r\n");
    assert_eq!(end, Some(head.len() - 4));
    let shown = shown_request(&method, url.target(), &fields);
    assert!(shown.lines().count() <= 1 + fields.len());

    let line = format!("{method} {} HTTP/1.1\r\n", url.target());
    let rest = head
        .strip_prefix(line.as_bytes())
        .expect("the line is first");
    let answer = [b"HTTP/1.1 200\r\n", rest].concat();
    match HeadReader::default().read(&answer) {
        Ok(read) => {
            let read = read.expect("the head is whole").headers;
            let trimmed = |headers: &Headers| -> Vec<(String, Vec<u8>)> {
                let one = |header: &Header| {
                    let value = header.value().trim_ascii();
                    (header.name().to_owned(), value.to_vec())
                };
                headers.iter().map(one).collect()
            };
            assert_eq!(trimmed(&read), trimmed(&fields));
        }
        Err(why) => assert!(fields.len() > MAX_FIELDS || head.len() > 60_000, "{why}"),
    }
});
