//! Framing that two recipients may read in two ways, and framing that only looks so.

use urlpool_core::sim::Script;

use crate::common::World;

const URL: &str = "http://a.test/";

/// What two recipients may take for the end of one response in two places.
#[test]
fn framing_that_contradicts_itself_is_refused() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: 5,",
        "Content-Length: ,5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 5;",
        "Content-Length: 5.0",
        "Content-Length: \"5\"",
        "Content-Length:",
        "Content-Length: five",
        "Content-Length: 5\r\nContent-Length:",
        "Content-Length: 18446744073709551616",
        "Content-Length : 5",
        "Content-Length\t: 5",
        " Content-Length: 5",
        "X: y\r\n Content-Length: 5",
        "Content-Length: 5\0",
        "Content-Length: 5\rTransfer-Encoding: chunked",
        "Transfer-Encoding:",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: gzip\r\nContent-Length: 5",
        "Transfer-Encoding : chunked",
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let world = World::serving(vec![Script::new().request().send(response)]);
        let error = world.get(URL).expect_err(fields);
        assert_eq!(error.kind(), "protocol", "{fields:?}");
        assert_eq!(world.net.open_connections(), 0, "{fields:?}");
    }
}

#[test]
fn framing_that_says_one_thing_in_several_ways_is_taken() {
    for (fields, body, kept) in [
        ("Content-Length: 5, 5\r\nContent-Length: 005", "hello", 1),
        ("content-LENGTH:5", "hello", 1),
        (
            "Transfer-Encoding: , chunked ,",
            "5\r\nhello\r\n0\r\n\r\n",
            1,
        ),
        (
            "Transfer-Encoding: CHUNKED\r\nContent-Length: 5",
            "5\r\nhello\r\n0\r\n\r\n",
            0,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: x",
            "5\r\nhello\r\n0\r\n\r\n",
            0,
        ),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 5",
            "hello",
            0,
        ),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}");
        let world = World::serving(vec![Script::always(response)]);
        assert_eq!(world.get(URL).unwrap().body, b"hello", "{fields:?}");
        assert_eq!(world.net.open_connections(), kept, "{fields:?}");
    }
}
