//! Bodies and how their ends are told.

use super::*;
use crate::types::{Segment, Streamed};

type Fields = &'static [(&'static str, &'static str)];

fn headers(fields: Fields) -> Headers {
    Headers::parse(fields.iter().copied()).unwrap()
}

#[test]
fn requests_say_how_long_they_are() {
    use RequestFraming::{Absent, Chunked, Length};
    const ASKED: bool = true;
    let none = || Payload::None;
    let bytes = |text: &str| Payload::Bytes(text.into());
    let streamed = |length| {
        Payload::Streamed(Streamed {
            length,
            can_rewind: false,
        })
    };
    let segments = |length| Payload::Segments {
        segments: [Segment::Bytes(b"ab".to_vec()), Segment::Streamed(length)].into(),
        can_rewind: false,
    };
    type Row = (
        &'static str,
        &'static str,
        Payload,
        Fields,
        bool,
        Option<RequestFraming>,
    );
    let rows: [Row; 33] = [
        ("GET", "GET", none(), &[], false, Some(Absent)),
        ("empty POST", "POST", none(), &[], false, Some(Length(0))),
        ("empty PUT", "PUT", none(), &[], false, Some(Length(0))),
        (
            "unknown method",
            "BREW",
            none(),
            &[],
            false,
            Some(Length(0)),
        ),
        (
            "empty GET, length by hand",
            "GET",
            none(),
            &[("Content-Length", "0")],
            false,
            Some(Length(0)),
        ),
        (
            "GET with a body",
            "GET",
            bytes("abc"),
            &[],
            false,
            Some(Length(3)),
        ),
        (
            "GET with a body of no bytes",
            "GET",
            bytes(""),
            &[],
            false,
            Some(Length(0)),
        ),
        (
            "fitting length by hand",
            "POST",
            bytes("abc"),
            &[("content-length", "3")],
            false,
            Some(Length(3)),
        ),
        (
            "wrong length by hand",
            "POST",
            bytes("abc"),
            &[("Content-Length", "4")],
            false,
            None,
        ),
        (
            "two lengths by hand",
            "POST",
            bytes("abc"),
            &[("Content-Length", "3"), ("Content-Length", "3")],
            false,
            None,
        ),
        (
            "a list of lengths by hand",
            "POST",
            bytes("abc"),
            &[("Content-Length", "3, 3")],
            false,
            None,
        ),
        (
            "chunked by hand",
            "POST",
            bytes("abc"),
            &[("Transfer-Encoding", "chunked")],
            false,
            Some(Chunked),
        ),
        (
            "nothing chunked by hand",
            "POST",
            none(),
            &[("Transfer-Encoding", "chunked")],
            false,
            Some(Chunked),
        ),
        (
            "chunked on request",
            "POST",
            bytes("abc"),
            &[],
            ASKED,
            Some(Chunked),
        ),
        (
            "nothing chunked on request",
            "GET",
            none(),
            &[],
            ASKED,
            Some(Chunked),
        ),
        (
            "chunked on request and by hand",
            "POST",
            bytes("abc"),
            &[("transfer-encoding", "Chunked")],
            ASKED,
            Some(Chunked),
        ),
        (
            "chunked on request, length by hand",
            "POST",
            bytes("abc"),
            &[("Content-Length", "3")],
            ASKED,
            None,
        ),
        (
            "streamed",
            "POST",
            streamed(None),
            &[],
            false,
            Some(Chunked),
        ),
        (
            "streamed GET",
            "GET",
            streamed(None),
            &[],
            false,
            Some(Chunked),
        ),
        (
            "streamed, announced",
            "POST",
            streamed(Some(3)),
            &[],
            false,
            Some(Length(3)),
        ),
        (
            "streamed GET, nothing announced",
            "GET",
            streamed(Some(0)),
            &[],
            false,
            Some(Length(0)),
        ),
        (
            "streamed, announced, chunked on request",
            "POST",
            streamed(Some(3)),
            &[],
            ASKED,
            Some(Chunked),
        ),
        (
            "streamed, announced, chunked by hand",
            "POST",
            streamed(Some(3)),
            &[("Transfer-Encoding", "chunked")],
            false,
            Some(Chunked),
        ),
        (
            "streamed, chunked by hand",
            "POST",
            streamed(None),
            &[("Transfer-Encoding", "chunked")],
            false,
            Some(Chunked),
        ),
        (
            "streamed, length by hand",
            "POST",
            streamed(None),
            &[("Content-Length", "5")],
            false,
            Some(Length(5)),
        ),
        (
            "streamed, no length by hand",
            "POST",
            streamed(None),
            &[("Content-Length", "x")],
            false,
            None,
        ),
        (
            "streamed, announced, another length by hand",
            "POST",
            streamed(Some(3)),
            &[("Content-Length", "5")],
            false,
            None,
        ),
        (
            "streamed, both by hand",
            "POST",
            streamed(None),
            &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            false,
            None,
        ),
        (
            "another coding",
            "POST",
            streamed(None),
            &[("Transfer-Encoding", "gzip, chunked")],
            false,
            None,
        ),
        (
            "chunked twice",
            "POST",
            streamed(None),
            &[
                ("Transfer-Encoding", "chunked"),
                ("Transfer-Encoding", "chunked"),
            ],
            false,
            None,
        ),
        (
            "no coding",
            "POST",
            streamed(None),
            &[("Transfer-Encoding", "")],
            false,
            None,
        ),
        (
            "a form with an announced part",
            "POST",
            segments(Some(3)),
            &[],
            false,
            Some(Length(5)),
        ),
        (
            "a form with a part that is not",
            "POST",
            segments(None),
            &[],
            false,
            Some(Chunked),
        ),
    ];
    for (case, method, payload, fields, is_chunked, expected) in rows {
        let method = Method::parse(method).unwrap();
        assert_eq!(
            of_request(&method, &payload, &headers(fields), is_chunked).ok(),
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
