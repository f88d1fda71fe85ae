//! What is sent to a proxy for a tunnel, and its answers, split at every byte.

use proptest::prelude::*;

use super::*;

fn request(host: &str, port: u16, headers: &[(&str, &str)]) -> String {
    let headers = Headers::parse(headers.iter().copied()).unwrap();
    let request = ConnectRequest::new(&Host::parse(host).unwrap(), port, &headers);
    String::from_utf8(request.write()).unwrap()
}

/// Feeds the pieces until there is an outcome, or what there is of a refusal once there are no more.
fn answer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Outcome, Malformed> {
    let mut reply = ConnectReply::new(Limits::default());
    for piece in pieces {
        let outcome = reply.feed(piece)?;
        if outcome != Outcome::More {
            return Ok(outcome);
        }
    }
    let cut_short = reply.into_refusal().map(Outcome::Refused);
    Ok(cut_short.unwrap_or(Outcome::More))
}

fn refusal(outcome: Result<Outcome, Malformed>) -> Refusal {
    match outcome {
        Ok(Outcome::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tunnel_is_asked_for_byte_for_byte() {
    for (case, host, port, headers, expected) in [
        (
            "a name",
            "Origin.test",
            443,
            &[][..],
            "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n",
        ),
        (
            "IPv6",
            "::1",
            8443,
            &[],
            "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n",
        ),
        (
            "IPv4",
            "192.0.2.1",
            0,
            &[],
            "CONNECT 192.0.2.1:0 HTTP/1.1\r\nHost: 192.0.2.1:0\r\n\r\n",
        ),
        (
            "no ASCII",
            "b\u{fc}cher.test",
            443,
            &[],
            "CONNECT xn--bcher-kva.test:443 HTTP/1.1\r\nHost: xn--bcher-kva.test:443\r\n\r\n",
        ),
        (
            "a root dot",
            "origin.test.",
            443,
            &[],
            "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n",
        ),
        (
            "headers, as they are written",
            "a.test",
            443,
            &[
                ("proxy-Authorization", "Basic eA=="),
                ("X", "1"),
                ("x", "2"),
            ],
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nproxy-Authorization: Basic eA==\r\nX: 1\r\nx: 2\r\n\r\n",
        ),
        (
            "a Host of the caller's",
            "a.test",
            443,
            &[("host", "b.test")],
            "CONNECT a.test:443 HTTP/1.1\r\nhost: b.test\r\n\r\n",
        ),
    ] {
        assert_eq!(request(host, port, headers), expected, "{case}");
    }
}

#[test]
fn cve_2026_1502_no_control_character_reaches_a_proxy() {
    for control in (0..=b' ').chain([0x7f]) {
        let control = char::from(control);
        let host = format!("a{control}b.test");
        assert!(Host::parse(&host).is_err(), "{host:?}");
        let escaped = format!("a%{:02x}b.test", u32::from(control));
        assert!(Host::parse(&escaped).is_err(), "{escaped:?}");
        let name = format!("X{control}Y");
        assert!(Headers::parse([(name, "z")]).is_err(), "{control:?}");
        if control != ' ' && control != '\t' {
            let value = format!("x{control}Y: z");
            assert!(Headers::parse([("X", value)]).is_err(), "{control:?}");
        }
    }
    for name in ["", "X:", ":X", "X\r\nY"] {
        assert!(Headers::parse([(name, "z")]).is_err(), "{name:?}");
    }
}

#[test]
fn any_2xx_opens_however_it_is_split() {
    for (case, bytes) in [
        ("200", "HTTP/1.1 200 Connection established\r\n\r\n"),
        ("no reason", "HTTP/1.1 200\r\n\r\n"),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n"),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("299", "HTTP/1.1 299 Odd\r\n\r\n"),
        ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("no length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (
            "a coding",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ),
        ("closing", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        (
            "100 first",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ),
        (
            "more of them",
            "HTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ),
        ("line feeds", "HTTP/1.1 200 OK\n\n"),
    ] {
        for cut in 1..=bytes.len() {
            let outcome = answer(bytes.as_bytes().chunks(cut));
            assert_eq!(outcome, Ok(Outcome::Open), "{case} by {cut}");
        }
        for end in 0..bytes.len() {
            let outcome = answer([&bytes.as_bytes()[..end]]);
            assert_eq!(outcome, Ok(Outcome::More), "{case}, {end} bytes");
        }
    }
}

#[test]
fn bytes_behind_the_reply_are_never_taken_for_the_servers() {
    for (case, bytes, behind) in [
        ("one", "HTTP/1.1 200 OK\r\n\r\nx", 1),
        ("a record", "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03", 3),
        (
            "a body",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            2,
        ),
        (
            "another answer",
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            19,
        ),
    ] {
        let expected = format!("the proxy sent {behind} bytes behind its reply");
        assert_eq!(answer([bytes.as_bytes()]), Err(expected), "{case}");
    }
}

#[test]
fn a_refusal_says_what_it_says_however_it_is_split() {
    let head =
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n";
    let long = "x".repeat(5000);
    for (case, rest, body) in [
        ("no body", "Content-Length: 0\r\n\r\n", ""),
        ("a length", "Content-Length: 5\r\n\r\nhello", "hello"),
        (
            "more than that",
            "Content-Length: 5\r\n\r\nhello, world",
            "hello",
        ),
        ("less than that", "Content-Length: 50\r\n\r\nhello", "hello"),
        ("until the end", "\r\nhello", "hello"),
        ("nothing until the end", "\r\n", ""),
        (
            "chunks",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "hello",
        ),
        (
            "some chunks",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nll",
            "hell",
        ),
        (
            "chunks, then none",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nzzz",
            "he",
        ),
        ("no length", "Content-Length: x\r\n\r\nhello", ""),
        ("another coding", "Transfer-Encoding: gzip\r\n\r\nhello", ""),
        (
            "4 KiB of a length",
            &format!("Content-Length: 5000\r\n\r\n{long}"),
            &long[..4096],
        ),
        ("4 KiB without one", &format!("\r\n{long}"), &long[..4096]),
        (
            "4 KiB of a chunk",
            &format!("Transfer-Encoding: chunked\r\n\r\n1388\r\n{long}\r\n0\r\n\r\n"),
            &long[..4096],
        ),
    ] {
        let bytes = format!("{head}{rest}");
        for cut in (1..=head.len() + 40).chain([4096, 1 << 20]) {
            let refusal = refusal(answer(bytes.as_bytes().chunks(cut)));
            assert_eq!(refusal.status, 407);
            assert_eq!(refusal.reason, "Proxy Authentication Required");
            assert!(refusal.headers.has("proxy-authenticate"));
            assert_eq!(
                String::from_utf8(refusal.body).unwrap(),
                body,
                "{case} by {cut}"
            );
        }
    }
}

#[test]
fn a_refusal_does_not_wait_for_what_nobody_reads() {
    for (case, bytes) in [
        (
            "no body",
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
        ),
        (
            "a redirect",
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".into(),
        ),
        ("304", "HTTP/1.1 304 Not Modified\r\n\r\n".into()),
        (
            "no framing",
            "HTTP/1.1 502 Bad\r\nContent-Length: x\r\n\r\n".into(),
        ),
        (
            "4 KiB of more",
            format!(
                "HTTP/1.1 502 Bad\r\nContent-Length: 9999999\r\n\r\n{}",
                "x".repeat(4096)
            ),
        ),
    ] {
        let mut reply = ConnectReply::new(Limits::default());
        let outcome = reply.feed(bytes.as_bytes()).unwrap();
        assert!(
            matches!(outcome, Outcome::Refused(_)),
            "{case}: {outcome:?}"
        );
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for (case, bytes, expected) in [
        ("TLS", "\x16\x03\x01".to_owned(), "BadStatusLine"),
        ("SSH", "SSH-2.0-OpenSSH\r\n".into(), "BadStatusLine"),
        ("no status", "HTTP/1.1 OK\r\n\r\n".into(), "BadStatusLine"),
        (
            "HTTP/2",
            "HTTP/2.0 200 OK\r\n\r\n".into(),
            "UnknownProtocol",
        ),
        (
            "a folded line",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n".into(),
            "malformed",
        ),
        (
            "another protocol",
            "HTTP/1.1 101 Switching\r\n\r\n".into(),
            "101 Switching",
        ),
        (
            "garbage after a 1xx",
            format!("{interim}SSH-2.0"),
            "BadStatusLine",
        ),
        ("no end of 1xx", interim.repeat(65), "no end of interim"),
        (
            "a large head",
            format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(64 * 1024)),
            "more than 65536 bytes",
        ),
        (
            "many fields",
            format!("HTTP/1.1 407 No\r\n{}\r\n", "A: b\r\n".repeat(101)),
            "more than 100 headers",
        ),
    ] {
        for cut in [1, 7, 1 << 20] {
            let error = answer(bytes.as_bytes().chunks(cut)).unwrap_err();
            assert!(error.contains(expected), "{case} by {cut}: {error}");
        }
    }
    let most = format!("{}HTTP/1.1 200 OK\r\n\r\n", interim.repeat(64));
    assert_eq!(answer([most.as_bytes()]), Ok(Outcome::Open));
}

proptest! {
    /// Whatever a proxy sends, in whatever pieces, nothing panics and no refusal is larger than it may be.
    #[test]
    fn any_bytes_end_well(
        head in prop::sample::select(vec![&b""[..], b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..6000),
        cut in 1_usize..5000,
    ) {
        if let Ok(Outcome::Refused(refusal)) = answer([head, &bytes].concat().chunks(cut)) {
            prop_assert!(refusal.body.len() <= MAX_REFUSAL);
        }
    }
}
