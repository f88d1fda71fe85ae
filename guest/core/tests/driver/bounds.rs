//! How much a peer may send: bounds of heads, chunks, trailers and codings as settings, and of bodies as a request has them.

use urlpool_core::sim::Script;
use urlpool_core::types::{HostRule, LimitSettings, ManagerSettings, PoolSettings, Reading};

use crate::common::{FRAMINGS, Framing, MILLI, SECOND, World, gzip};

const URL: &str = "http://a.test/";

fn limited(limits: LimitSettings, response: &[u8]) -> World {
    let world = World::of_pools(PoolSettings {
        limits,
        ..PoolSettings::default()
    });
    world.serve("a.test", vec![Script::always(response)]);
    world
}

#[test]
fn what_may_surround_a_body_is_a_setting() {
    let none = LimitSettings::default();
    let fields = |count: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}\r\nhi",
            "A: b\r\n".repeat(count - 1)
        )
    };
    let head = |length: usize| {
        let frame = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: \r\n\r\n".len();
        let value = "x".repeat(length - frame);
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: {value}\r\n\r\nhi")
    };
    let chunks = |line: &str, trailers: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{line}\r\nhi\r\n0\r\n{trailers}\r\n"
        )
    };
    let line = |length: usize| chunks(&format!("2;{}", "x".repeat(length - 2)), "");
    let trailers = |length: usize| chunks("2", &format!("A: {}\r\n", "x".repeat(length - 5)));
    let trailer_fields = |count: usize| chunks("2", &"A: b\r\n".repeat(count));
    let some = Some;
    for (case, limits, fits, exceeds, kind) in [
        ("fields", none, fields(100), fields(101), "protocol"),
        (
            "300 fields",
            LimitSettings {
                fields: some(300),
                ..none
            },
            fields(300),
            fields(301),
            "protocol",
        ),
        (
            "2 fields",
            LimitSettings {
                fields: some(2),
                ..none
            },
            fields(2),
            fields(3),
            "protocol",
        ),
        ("head", none, head(65_536), head(65_537), "protocol"),
        (
            "a large head",
            LimitSettings {
                head: some(300_000),
                ..none
            },
            head(300_000),
            head(300_001),
            "protocol",
        ),
        (
            "a small head",
            LimitSettings {
                head: some(100),
                ..none
            },
            head(100),
            head(101),
            "protocol",
        ),
        ("chunk line", none, line(8192), line(8193), "invalid-chunk"),
        (
            "a long chunk line",
            LimitSettings {
                chunk_line: some(100_000),
                ..none
            },
            line(100_000),
            line(100_001),
            "invalid-chunk",
        ),
        (
            "a short chunk line",
            LimitSettings {
                chunk_line: some(4),
                ..none
            },
            line(4),
            line(5),
            "invalid-chunk",
        ),
        (
            "trailers",
            none,
            trailers(65_536),
            trailers(65_537),
            "invalid-chunk",
        ),
        (
            "large trailers",
            LimitSettings {
                trailers: some(300_000),
                ..none
            },
            trailers(300_000),
            trailers(300_001),
            "invalid-chunk",
        ),
        (
            "small trailers",
            LimitSettings {
                trailers: some(9),
                ..none
            },
            trailers(9),
            trailers(10),
            "invalid-chunk",
        ),
        (
            "trailer fields",
            none,
            trailer_fields(100),
            trailer_fields(101),
            "invalid-chunk",
        ),
        (
            "300 trailer fields",
            LimitSettings {
                trailer_fields: some(300),
                ..none
            },
            trailer_fields(300),
            trailer_fields(301),
            "invalid-chunk",
        ),
        (
            "no trailer fields",
            LimitSettings {
                trailer_fields: some(0),
                ..none
            },
            trailer_fields(0),
            trailer_fields(1),
            "invalid-chunk",
        ),
    ] {
        for limit in [100, 1 << 20] {
            let world = limited(limits, fits.as_bytes());
            world.net.limit_reads(limit);
            assert_eq!(
                world.get(URL).map(|reply| reply.body),
                Ok(b"hi".to_vec()),
                "{case}"
            );
            let world = limited(limits, exceeds.as_bytes());
            world.net.limit_reads(limit);
            assert_eq!(world.get(URL).unwrap_err().kind(), kind, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

#[test]
fn how_many_codings_are_undone_is_a_setting() {
    for (limit, count, is_fine) in [
        (None, 5, true),
        (None, 6, false),
        (Some(9), 9, true),
        (Some(9), 10, false),
        (Some(0), 1, false),
        (Some(0), 0, true),
    ] {
        let body = (0..count).fold(b"hi".to_vec(), |body, _| gzip(&body));
        let response = Framing::Length.respond(&vec!["gzip"; count].join(","), &body);
        let limits = LimitSettings {
            codings: limit,
            ..LimitSettings::default()
        };
        let outcome = limited(limits, &response).get(URL);
        assert_eq!(outcome.is_ok(), is_fine, "{limit:?} {count}");
        assert!(outcome.map_or_else(
            |error| error.kind() == "decode",
            |reply| reply.body == b"hi"
        ));
    }
}

#[test]
fn limits_are_inherited_one_by_one() {
    let rule = HostRule {
        host: "a.test".into(),
        port: None,
        settings: PoolSettings {
            limits: LimitSettings {
                codings: Some(1),
                ..LimitSettings::default()
            },
            ..PoolSettings::default()
        },
    };
    let world = World::with(ManagerSettings {
        pool: PoolSettings {
            limits: LimitSettings {
                fields: Some(3),
                ..LimitSettings::default()
            },
            ..PoolSettings::default()
        },
        host_rules: vec![rule],
        ..ManagerSettings::default()
    });
    let twice = Framing::Length.respond("gzip, gzip", &gzip(&gzip(b"hi")));
    let four = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (response, at_a, at_b) in [
        (twice, Some("decode"), None),
        (four, Some("protocol"), Some("protocol")),
    ] {
        for (host, expected) in [("a.test", at_a), ("b.test", at_b)] {
            world.serve(
                host,
                vec![Script::new().request().send(response.clone()).close()],
            );
            let outcome = world.get(&format!("http://{host}/"));
            assert_eq!(outcome.err().map(|error| error.kind()), expected, "{host}");
            world.manager.clear();
        }
    }
}

/// Each read gives 1000 bytes and takes a millisecond, so time tells how much was read.
#[test]
fn cve_2026_97689_an_endless_chunk_line_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = "x".repeat(4 << 20);
    for (case, body, most) in [
        ("an extension", format!("5;{endless}"), 10),
        ("digits", format!("5{}", "0".repeat(4 << 20)), 10),
        ("white space", format!("5{}", " ".repeat(4 << 20)), 10),
        ("later", format!("2\r\nhi\r\n5;{endless}"), 10),
        ("a trailer", format!("0\r\nX: {endless}"), 67),
        (
            "trailers",
            format!("0\r\n{}", "X: y\r\n".repeat(1 << 20)),
            2,
        ),
    ] {
        let script = Script::new().request().send(format!("{head}{body}"));
        for is_drained in [false, true] {
            let world = World::serving(vec![script.clone()]);
            world.net.limit_reads(1000);
            let mut opened = world.open(URL);
            world.net.take_time(MILLI);
            let (outcome, took) = world.timed_by(|| match is_drained {
                true => world.net.run(opened.drain()),
                false => world.net.run(opened.read_all(99)).map(drop),
            });
            assert_eq!(outcome.unwrap_err().kind(), "invalid-chunk", "{case}");
            assert!(took <= MILLI * most, "{case}: {took:?}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
        }
    }
}

fn at_most(max_body: u64) -> Reading {
    Reading {
        max_body: Some(max_body),
        ..Reading::default()
    }
}

#[test]
fn a_limit_of_the_body_counts_what_is_handed_out() {
    for framing in FRAMINGS {
        for (coding, body) in [
            ("identity", b"helloworld".to_vec()),
            ("gzip", gzip(b"helloworld")),
        ] {
            let is_announced = framing == Framing::Length && coding == "identity";
            for (limit, had) in [
                (0, ""),
                (9, "helloworl"),
                (10, "helloworld"),
                (11, "helloworld"),
            ] {
                for max in [1, 4, 99] {
                    let script = Script::new().request().send(framing.respond(coding, &body));
                    let world = World::serving(vec![script.close()]);
                    let mut opened = world.open_reading(URL, at_most(limit)).unwrap();
                    let (pieces, error) = world.pieces(&mut opened, max);
                    let case = format!("{framing:?} {coding} {limit} {max}");
                    let had = if is_announced && limit < 10 { "" } else { had };
                    assert_eq!(pieces.concat(), had.as_bytes(), "{case}");
                    let error = error.map(|error| (error.kind(), error.message().to_owned()));
                    let expected = (limit < 10).then(|| {
                        let message = format!("The body is larger than the {limit} bytes allowed");
                        ("body-too-large", message)
                    });
                    assert_eq!(error, expected, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let script = Script::new()
        .request()
        .send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
    for is_preloaded in [false, true] {
        let world = World::serving(vec![script.clone().pause(SECOND).send("world!")]);
        let reading = Reading {
            is_preloaded,
            ..at_most(10)
        };
        let (outcome, _) = world.timed_by(|| {
            let mut opened = world.open_reading(URL, reading)?;
            world.net.run(opened.read_full(1))
        });
        assert_eq!(outcome.unwrap_err().kind(), "body-too-large");
        assert!(world.net.elapsed() < SECOND);
        assert_eq!(world.net.open_connections(), 0);
    }
}

#[test]
fn a_limit_of_the_body_holds_for_every_kind_of_read() {
    for framing in FRAMINGS {
        let open = |coding: &str, body: &[u8]| {
            let script = Script::new().request().send(framing.respond(coding, body));
            let world = World::serving(vec![script.close()]);
            let opened = world.open_reading(URL, at_most(8)).unwrap();
            (world, opened)
        };
        let body = gzip(b"hello\nworld\n");
        let (world, mut opened) = open("gzip", &body);
        assert_eq!(world.net.run(opened.read_line(99)).unwrap(), b"hello\n");
        assert_eq!(world.net.run(opened.read_line(99)).unwrap(), b"wo");
        let error = world.net.run(opened.read_line(99)).unwrap_err();
        assert_eq!(error.kind(), "body-too-large", "{framing:?}");

        let (world, mut opened) = open("gzip", &body);
        assert_eq!(world.net.run(opened.read_all(99)), Err(error.clone()));
        let (world, mut opened) = open("gzip", &body);
        assert_eq!(world.net.run(opened.read_full(99)), Err(error.clone()));
        if framing == Framing::Chunked {
            let (world, mut opened) = open("gzip", &body);
            let mut had = Vec::new();
            let refused = loop {
                match world.net.run(opened.read_chunk(99)) {
                    Ok(chunk) => had.extend(chunk),
                    Err(error) => break error,
                }
            };
            assert_eq!((had.as_slice(), refused), (&b"hello\nwo"[..], error));
        }
        // What is only drained is handed out to nobody.
        let (world, mut opened) = open("gzip", &body);
        assert_eq!(world.net.run(opened.drain()), Ok(()), "{framing:?}");
        let (world, mut opened) = open("identity", &body);
        assert_eq!(world.net.run(opened.drain()), Ok(()), "{framing:?}");
    }
}
