//! Conversations with SOCKS proxies, each reply split at every byte.

use proptest::prelude::*;

use super::*;
use SocksVersion::{V4, V5};

const NAME: &str = "origin.test";
const GRANTED4: &[u8] = b"\0\x5a\0\0\0\0\0\0";
const GRANTED5: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

fn login(username: &[u8], password: &[u8]) -> Login {
    Login {
        username: username.to_vec(),
        password: password.to_vec(),
    }
}

fn host(name: &str) -> Host {
    Host::parse(name).unwrap()
}

/// What we write until the connection is there, where each reply comes in pieces of `cut` bytes.
fn talk(
    version: SocksVersion,
    to: &str,
    login: Option<&Login>,
    replies: &[&[u8]],
    cut: usize,
) -> Result<Vec<Vec<u8>>, SocksError> {
    let host = host(to);
    let (mut socks, first) = Socks::new(version, Destination::of(&host), 443, login)?;
    let mut written = vec![first];
    for (number, reply) in replies.iter().enumerate() {
        let mut pieces = reply.chunks(cut).peekable();
        while let Some(piece) = pieces.next() {
            let step = socks.feed(piece)?;
            if pieces.peek().is_some() {
                assert_eq!(step, Step::More);
            } else if number + 1 == replies.len() {
                assert_eq!(step, Step::Open, "after the last reply");
            } else {
                let Step::Write(bytes) = step else {
                    panic!("{step:?} after reply {number}")
                };
                written.push(bytes);
            }
        }
    }
    Ok(written)
}

/// What is wrong with these replies, however they are split.
fn refused(version: SocksVersion, login: Option<&Login>, replies: &[&[u8]]) -> SocksError {
    let errors = [1, 2, 3, 300].map(|cut| talk(version, NAME, login, replies, cut).unwrap_err());
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    let [error, ..] = errors;
    error
}

#[test]
fn what_is_said_is_byte_for_byte_the_protocols() {
    let user = login(b"user", b"secret");
    let longest = login(&[b'u'; 255], &[b'p'; 255]);
    let longest_written = [&b"\x01\xff"[..], &[b'u'; 255], b"\xff", &[b'p'; 255]].concat();
    let by_name = b"\x05\x01\0\x03\x0borigin.test\x01\xbb";
    type Row<'a> = (
        &'a str,
        SocksVersion,
        &'a str,
        Option<&'a Login>,
        &'a [&'a [u8]],
        &'a [&'a [u8]],
    );
    let rows: [Row<'_>; 13] = [
        (
            "4, an address",
            V4,
            "192.0.2.1",
            None,
            &[GRANTED4],
            &[b"\x04\x01\x01\xbb\xc0\0\x02\x01\0"],
        ),
        (
            "4, a user id and no password",
            V4,
            "192.0.2.1",
            Some(&user),
            &[GRANTED4],
            &[b"\x04\x01\x01\xbb\xc0\0\x02\x01user\0"],
        ),
        (
            "4A, a name",
            V4,
            NAME,
            None,
            &[GRANTED4],
            &[b"\x04\x01\x01\xbb\0\0\0\x01\0origin.test\0"],
        ),
        (
            "4A, a user id",
            V4,
            NAME,
            Some(&user),
            &[GRANTED4],
            &[b"\x04\x01\x01\xbb\0\0\0\x01user\0origin.test\0"],
        ),
        (
            "4, an address bound",
            V4,
            "192.0.2.1",
            None,
            &[b"\0\x5a\x04\x38\xc0\0\x02\x07"],
            &[b"\x04\x01\x01\xbb\xc0\0\x02\x01\0"],
        ),
        (
            "5, a name",
            V5,
            NAME,
            None,
            &[b"\x05\0", GRANTED5],
            &[b"\x05\x01\0", by_name],
        ),
        (
            "5, an IPv4 address",
            V5,
            "192.0.2.1",
            None,
            &[b"\x05\0", GRANTED5],
            &[b"\x05\x01\0", b"\x05\x01\0\x01\xc0\0\x02\x01\x01\xbb"],
        ),
        (
            "5, an IPv6 address",
            V5,
            "[2001:db8::1]",
            None,
            &[b"\x05\0", GRANTED5],
            &[
                b"\x05\x01\0",
                b"\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
            ],
        ),
        (
            "5, an IPv6 address bound",
            V5,
            NAME,
            None,
            &[
                b"\x05\0",
                b"\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x38",
            ],
            &[b"\x05\x01\0", by_name],
        ),
        (
            "5, a name bound",
            V5,
            NAME,
            None,
            &[b"\x05\0", b"\x05\0\0\x03\x05proxy\x04\x38"],
            &[b"\x05\x01\0", by_name],
        ),
        (
            "5, a name of no bytes bound",
            V5,
            NAME,
            None,
            &[b"\x05\0", b"\x05\0\0\x03\0\x04\x38"],
            &[b"\x05\x01\0", by_name],
        ),
        (
            "5, a password offered and not wanted",
            V5,
            NAME,
            Some(&user),
            &[b"\x05\0", GRANTED5],
            &[b"\x05\x02\0\x02", by_name],
        ),
        (
            "5, the longest name and password",
            V5,
            NAME,
            Some(&longest),
            &[b"\x05\x02", b"\x01\0", GRANTED5],
            &[b"\x05\x02\0\x02", &longest_written, by_name],
        ),
    ];
    for (case, version, to, login, replies, expected) in rows {
        for cut in (1..=22).chain([300]) {
            let written = talk(version, to, login, replies, cut).unwrap();
            assert_eq!(written, expected, "{case} by {cut}");
        }
    }
}

#[test]
fn each_code_has_its_own_words() {
    let user = login(b"user", b"secret");
    let mut seen = std::collections::BTreeSet::new();
    for (code, expected) in [
        (0x5b, "0x5b: Request rejected or failed"),
        (
            0x5c,
            "0x5c: Request rejected because SOCKS server cannot connect to identd on the client",
        ),
        (
            0x5d,
            "0x5d: Request rejected because the client program and identd report different user-ids",
        ),
        (0x5e, "0x5e: Unknown error"),
        (0, "0x00: Unknown error"),
    ] {
        let reply = [0, code, 0, 0, 0, 0, 0, 0];
        assert_eq!(refused(V4, None, &[&reply]), expected);
        assert!(seen.insert(expected));
    }
    for (code, expected) in [
        (1, "0x01: General SOCKS server failure"),
        (2, "0x02: Connection not allowed by ruleset"),
        (3, "0x03: Network unreachable"),
        (4, "0x04: Host unreachable"),
        (5, "0x05: Connection refused"),
        (6, "0x06: TTL expired"),
        (7, "0x07: Command not supported, or protocol error"),
        (8, "0x08: Address type not supported"),
        (9, "0x09: Unknown error"),
        (0xff, "0xff: Unknown error"),
    ] {
        let reply = [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(refused(V5, None, &[b"\x05\0", &reply]), expected);
        assert!(seen.insert(expected));
    }
    for (login, method, expected) in [
        (
            None,
            0xff,
            "all offered SOCKS5 authentication methods were rejected",
        ),
        (
            Some(&user),
            0xff,
            "all offered SOCKS5 authentication methods were rejected",
        ),
        (
            None,
            2,
            "the proxy picked the SOCKS5 authentication method 0x02, which was not offered",
        ),
        (
            Some(&user),
            1,
            "the proxy picked the SOCKS5 authentication method 0x01, which was not offered",
        ),
    ] {
        assert_eq!(refused(V5, login, &[&[5, method]]), expected);
    }
    for status in [1, 2, 0xff] {
        let replies: [&[u8]; 2] = [b"\x05\x02", &[1, status]];
        let error = refused(V5, Some(&user), &replies);
        assert_eq!(error, "SOCKS5 authentication failed");
    }
}

#[test]
fn what_is_no_socks_is_refused_with_its_first_byte() {
    let user = login(b"user", b"secret");
    let rows: [(&str, SocksVersion, &[&[u8]], &str); 8] = [
        (
            "HTTP for 5",
            V5,
            &[b"H"],
            "SOCKS5: its reply begins with 0x48",
        ),
        (
            "HTTP for 4",
            V4,
            &[b"H"],
            "SOCKS4: its reply begins with 0x48",
        ),
        (
            "4 for 5",
            V5,
            &[b"\0"],
            "SOCKS5: its reply begins with 0x00",
        ),
        (
            "5 for 4",
            V4,
            &[b"\x05"],
            "SOCKS4: its reply begins with 0x05",
        ),
        (
            "4 says 4",
            V4,
            &[b"\x04"],
            "SOCKS4: its reply begins with 0x04",
        ),
        (
            "5 where a status should be",
            V5,
            &[b"\x05\x02", b"\x05"],
            "SOCKS5: its reply begins with 0x05",
        ),
        (
            "1 where a reply should be",
            V5,
            &[b"\x05\0", b"\x01"],
            "SOCKS5: its reply begins with 0x01",
        ),
        (
            "an unknown type of address",
            V5,
            &[b"\x05\0", b"\x05\0\0\x02"],
            "the proxy's reply has an address of the unknown type 0x02",
        ),
    ];
    for (case, version, replies, expected) in rows {
        let error = refused(version, Some(&user), replies);
        assert!(error.ends_with(expected), "{case}: {error}");
    }
}

#[test]
fn what_follows_a_reply_is_never_taken_for_the_servers() {
    let user = login(b"user", b"secret");
    let rows: [(&str, SocksVersion, &[&[u8]]); 6] = [
        ("4", V4, &[GRANTED4]),
        ("the method", V5, &[b"\x05\0"]),
        ("the method, then a password", V5, &[b"\x05\x02"]),
        ("the status", V5, &[b"\x05\x02", b"\x01\0"]),
        ("5", V5, &[b"\x05\0", GRANTED5]),
        ("a name bound", V5, &[b"\x05\0", b"\x05\0\0\x03\x01p\0\0"]),
    ];
    for (case, version, replies) in rows {
        let (last, before) = replies.split_last().unwrap();
        let last = [*last, b"\x16\x03\x03"].concat();
        let replies = [before, &[&last]].concat();
        let error = talk(version, NAME, Some(&user), &replies, 300).unwrap_err();
        assert_eq!(error, "the proxy sent 3 bytes behind its reply", "{case}");
    }
}

#[test]
fn what_socks_cannot_say_is_refused_before_anything_is_sent() {
    let long = format!("{}test", "a.".repeat(126));
    let (fits, too_long) = (host(&long[1..]), host(&long));
    assert_eq!(fits.as_str().len(), 255);
    let address = |text: &str| Destination::Address(text.parse().unwrap());
    let user = |username: &[u8], password: &[u8]| Some(login(username, password));
    let name = host(NAME);
    for (case, version, to, login, is_fine) in [
        ("4, IPv4", V4, address("192.0.2.1"), None, true),
        ("4, IPv6", V4, address("::1"), None, false),
        (
            "4, zero in the user id",
            V4,
            Destination::Name(&name),
            user(b"a\0b", b""),
            false,
        ),
        ("4A, the longest", V4, Destination::Name(&fits), None, true),
        (
            "4A, too long",
            V4,
            Destination::Name(&too_long),
            None,
            false,
        ),
        ("5, the longest", V5, Destination::Name(&fits), None, true),
        ("5, too long", V5, Destination::Name(&too_long), None, false),
        (
            "5, zero in a password",
            V5,
            Destination::Name(&name),
            user(b"a", b"\0"),
            true,
        ),
        (
            "5, a long user name",
            V5,
            Destination::Name(&name),
            user(&[b'a'; 256], b"b"),
            false,
        ),
        (
            "5, a long password",
            V5,
            Destination::Name(&name),
            user(b"a", &[b'b'; 256]),
            false,
        ),
        (
            "5, no user name",
            V5,
            Destination::Name(&name),
            user(b"", b"b"),
            false,
        ),
        (
            "5, no password",
            V5,
            Destination::Name(&name),
            user(b"a", b""),
            false,
        ),
    ] {
        let outcome = Socks::new(version, to, 443, login.as_ref());
        assert_eq!(outcome.is_ok(), is_fine, "{case}");
    }
    // A host with a zero byte does not exist, so none can end a name early.
    assert!(Host::parse("a\0b.test").is_err() && Host::parse("a%00b.test").is_err());
}

proptest! {
    /// Whatever a proxy sends, in whatever pieces, nothing panics and no more is kept than the longest reply.
    #[test]
    fn any_bytes_end_well(
        is_five: bool,
        has_login: bool,
        start in prop::sample::select(vec![&b""[..], b"\x05\0", b"\x05\x02\x01\0", b"\x05\0\x05\0\0"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cut in 1_usize..8,
    ) {
        let login = has_login.then(|| login(b"user", b"secret"));
        let version = if is_five { V5 } else { V4 };
        let host = host(NAME);
        let destination = Destination::of(&host);
        let (mut socks, _) = Socks::new(version, destination, 80, login.as_ref()).unwrap();
        for piece in [start, &bytes].concat().chunks(cut) {
            match socks.feed(piece) {
                Ok(Step::Open) | Err(_) => break,
                Ok(Step::More | Step::Write(_)) => prop_assert!(socks.bytes.len() < 7 + 255),
            }
        }
    }
}
