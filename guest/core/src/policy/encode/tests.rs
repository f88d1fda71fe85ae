//! Contents and what is sent of them.

use super::*;
use crate::types::{Header, Streamed};

const URL: &str = "http://h/a";
const BOUNDARY: &str = "07070707070707070707070707070707";

fn encoded(
    method: &str,
    url: &str,
    content: Content,
    headers: &[(&str, &str)],
    fields_in: FieldsIn,
) -> Result<Encoded, Error> {
    let asked = Asked {
        method: &Method::parse(method).unwrap(),
        headers: &Headers::parse(headers.iter().copied()).unwrap(),
        fields_in,
    };
    encode(Url::parse(url).unwrap(), content, &asked, || [7; 16])
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

fn fields(pairs: &[(&str, &str)]) -> Content {
    let field = |(name, value): &(&str, &str)| Part::field(*name, *value);
    Content::Fields(pairs.iter().map(field).collect())
}

fn bytes(text: &str) -> Payload {
    Payload::Bytes(text.into())
}

#[test]
fn contents_bring_their_content_type_unless_the_caller_names_one() {
    let streamed = Streamed {
        length: Some(3),
        can_rewind: true,
    };
    let form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{BOUNDARY}--\r\n"
    );
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let multipart = |parts: Vec<Part>| {
        Content::Multipart(Multipart {
            parts,
            ..Multipart::default()
        })
    };
    for (case, content, payload, content_type) in [
        ("empty", Content::Empty, Payload::None, None),
        (
            "bytes",
            Content::Bytes(vec![0, 255]),
            Payload::Bytes(vec![0, 255]),
            None,
        ),
        ("no bytes", Content::Bytes(vec![]), bytes(""), None),
        (
            "text",
            Content::Text("\u{e9}\r\n".into()),
            bytes("\u{e9}\r\n"),
            None,
        ),
        (
            "json",
            Content::Json("{\"a\":\"\u{e9}\"}".into()),
            bytes("{\"a\":\"\u{e9}\"}"),
            Some("application/json"),
        ),
        (
            "form",
            Content::Form(pairs(&[("a b", "1&2"), ("a b", "")])),
            bytes("a+b=1%262&a+b="),
            Some("application/x-www-form-urlencoded"),
        ),
        ("empty form", Content::Form(vec![]), Payload::None, None),
        (
            "multipart",
            multipart(vec![Part::field("a", "1")]),
            bytes(&form),
            Some(form_type.as_str()),
        ),
        (
            "multipart without parts",
            multipart(vec![]),
            bytes(&format!("--{BOUNDARY}--\r\n")),
            Some(form_type.as_str()),
        ),
        (
            "fields",
            fields(&[("a", "1")]),
            bytes(&form),
            Some(form_type.as_str()),
        ),
        ("no fields", fields(&[]), Payload::None, None),
        (
            "streamed",
            Content::Streamed(streamed),
            Payload::Streamed(streamed),
            None,
        ),
    ] {
        let named = [("content-TYPE", "text/x-mine")];
        let ours = encoded("POST", URL, content.clone(), &[], FieldsIn::ByMethod).unwrap();
        assert_eq!(
            (ours.payload, ours.content_type.as_deref()),
            (payload.clone(), content_type),
            "{case}"
        );
        let theirs = encoded("POST", URL, content, &named, FieldsIn::ByMethod).unwrap();
        assert_eq!(
            (theirs.payload, theirs.content_type),
            (payload, None),
            "{case}, named"
        );
        assert_eq!(theirs.url.as_str(), URL, "{case}");
    }
}

/// urllib3 would send its own boundary beside the caller's `Content-Type`.
#[test]
fn a_callers_boundary_is_the_one_that_is_used() {
    let named = [("Content-Type", "multipart/form-data; boundary=\"mine\"")];
    let sent = encoded(
        "POST",
        URL,
        fields(&[("a", "1")]),
        &named,
        FieldsIn::ByMethod,
    )
    .unwrap();
    assert_eq!(sent.content_type, None);
    assert_eq!(
        sent.payload,
        bytes("--mine\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--mine--\r\n")
    );

    let contradicting = Content::Multipart(Multipart {
        boundary: Some("other".into()),
        ..Multipart::default()
    });
    let error = encoded("POST", URL, contradicting, &named, FieldsIn::ByMethod).unwrap_err();
    assert_eq!(error.kind(), "invalid-request");
}

#[test]
fn fields_go_where_the_method_or_the_caller_says() {
    use FieldsIn::{Body, ByMethod, Query};
    for (method, fields_in, in_query) in [
        ("GET", ByMethod, true),
        ("get", ByMethod, true),
        ("HEAD", ByMethod, true),
        ("DELETE", ByMethod, true),
        ("OPTIONS", ByMethod, true),
        ("POST", ByMethod, false),
        ("PUT", ByMethod, false),
        ("PATCH", ByMethod, false),
        ("TRACE", ByMethod, false),
        ("BREW", ByMethod, false),
        ("POST", Query, true),
        ("GET", Body, false),
    ] {
        let sent = encoded(method, URL, fields(&[("b", "2")]), &[], fields_in).unwrap();
        let expected = if in_query { "/a?b=2" } else { "/a" };
        assert_eq!(sent.url.target(), expected, "{method} {fields_in:?}");
        assert_eq!(sent.payload.is_none(), in_query, "{method} {fields_in:?}");
        assert_eq!(
            sent.content_type.is_none(),
            in_query,
            "{method} {fields_in:?}"
        );
    }
}

#[test]
fn fields_join_an_existing_query() {
    for (case, url, given, target) in [
        ("no query", "http://h/a", &[("b", "2")][..], "/a?b=2"),
        ("a query", "http://h/a?x=1", &[("b", "2")], "/a?x=1&b=2"),
        ("a fragment", "http://h/a#f", &[("b", "2")], "/a?b=2"),
        ("both", "http://h/a?x=1#f?", &[("b", "2")], "/a?x=1&b=2"),
        (
            "several",
            "http://h?",
            &[("b", "2"), ("b", "3"), ("c", "")],
            "/?b=2&b=3&c=",
        ),
        ("none", "http://h/a?x=1", &[], "/a?x=1"),
        (
            "line breaks, delimiters",
            "http://h/a",
            &[("\r\n", "a&b=c#d?e/f%20+g h")],
            "/a?%0D%0A=a%26b%3Dc%23d%3Fe%2Ff%2520%2Bg+h",
        ),
        (
            "a broken escape before does not touch ours",
            "http://h/a?%",
            &[("b", "\u{e9}")],
            "/a?%25&b=%C3%A9",
        ),
    ] {
        let sent = encoded("GET", url, fields(given), &[], FieldsIn::ByMethod).unwrap();
        assert_eq!(sent.url.target(), target, "{case}");
    }
}

#[test]
fn a_query_holds_names_and_values_only() {
    let header = Header::parse("X-A", "1").unwrap();
    let streamed = Part {
        data: PartData::Streamed(Some(1)),
        ..Part::default()
    };
    for (case, part) in [
        ("a file", Part::file("f", "f.txt", PartData::default())),
        (
            "a type",
            Part {
                content_type: Some("text/plain".into()),
                ..Part::default()
            },
        ),
        (
            "a header",
            Part {
                headers: [header].into_iter().collect(),
                ..Part::default()
            },
        ),
        ("streamed", streamed),
    ] {
        let content = Content::Fields(vec![Part::field("a", "1"), part]);
        let error = encoded("GET", URL, content.clone(), &[], FieldsIn::ByMethod).unwrap_err();
        assert_eq!(error.kind(), "invalid-request", "{case}");
        assert!(
            error.to_string().contains("such as POST"),
            "{case}: {error}"
        );
        assert!(
            encoded("GET", URL, content, &[], FieldsIn::Body).is_ok(),
            "{case}"
        );
    }
}

/// What Python's `urlencode` makes of the same.
#[test]
fn urlencode_is_pythons() {
    for (name, value, expected) in [
        ("a", "1", "a=1"),
        ("", "", "="),
        ("a b", "c+d", "a+b=c%2Bd"),
        ("_.-~", "*!'()", "_.-~=%2A%21%27%28%29"),
        ("\u{e9}\u{20ac}", "\0\x7f", "%C3%A9%E2%82%AC=%00%7F"),
        ("a&b", "=;/?:@", "a%26b=%3D%3B%2F%3F%3A%40"),
    ] {
        assert_eq!(urlencode(&[(name, value)]), expected);
    }
    assert_eq!(urlencode(&[("raw", &b"\xff\xfe"[..])]), "raw=%FF%FE");
    assert_eq!(urlencode::<&str, &str>(&[]), "");
}

#[test]
fn cve_2019_9740_and_cve_2019_11236_fields_cannot_break_the_line() {
    let hostile = fields(&[("a HTTP/1.1\r\nX-Injected: y", "\r\n\r\nGET / HTTP/1.1")]);
    let sent = encoded("GET", URL, hostile, &[], FieldsIn::ByMethod).unwrap();
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    assert!(sent.url.target().bytes().all(is_plain), "{:?}", sent.url);
}
