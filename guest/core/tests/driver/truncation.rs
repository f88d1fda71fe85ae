//! TLS that ends before it says so: anyone between us and the server could have cut it there (RFC 8446, section 6.1).

use rustls::version::{TLS12, TLS13};
use urlpool_core::sim::Script;
use urlpool_core::types::{Phase, PoolSettings, TlsSettings};

use crate::common::{Authority, World, chunked, ok};

const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nhello";

struct Bench(Authority);

impl Bench {
    fn new() -> Self {
        Self(Authority::new())
    }

    fn serving(&self, is_rude: bool, script: Script) -> World {
        self.serving_version(is_rude, script, &TLS13)
    }

    fn serving_version(
        &self,
        is_rude: bool,
        script: Script,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> World {
        let world = World::of_pools(PoolSettings {
            tls: TlsSettings {
                roots: Some(self.0.pem()),
                ..TlsSettings::default()
            },
            ..PoolSettings::default()
        });
        let server = self.0.server(&["a.test"], &[version]);
        let server = if is_rude { server.rude() } else { server };
        world.listen("a.test", 443, server.listener(vec![script]));
        world
    }
}

#[test]
fn a_cut_is_an_error_where_the_end_of_the_connection_is_the_end_of_the_body() {
    let bench = Bench::new();
    for version in [&TLS13, &TLS12] {
        let script = || Script::new().request().send(UNTIL_CLOSE).close();
        let world = bench.serving_version(false, script(), version);
        assert_eq!(world.get("https://a.test/").unwrap().body, b"hello");

        let world = bench.serving_version(true, script(), version);
        let mut response = world.open("https://a.test/");
        assert_eq!(world.read(&mut response, 9).unwrap(), b"hello");
        let error = world.read(&mut response, 9).unwrap_err();
        assert_eq!(error.kind(), "protocol");
        assert_eq!(
            error.message(),
            "Connection broken: TLS ended without close_notify"
        );
        assert_eq!(world.read(&mut response, 9), Err(error));
        assert_eq!(world.net.open_connections(), 0);
    }
}

#[test]
fn a_cut_after_a_body_of_known_end_is_none() {
    let bench = Bench::new();
    for (case, response) in [("length", ok("hello")), ("chunked", chunked(&["hello"]))] {
        for is_rude in [false, true] {
            let world = bench.serving(
                is_rude,
                Script::new().request().send(response.clone()).close(),
            );
            assert_eq!(
                world.get("https://a.test/").unwrap().body,
                b"hello",
                "{case}"
            );
        }
    }
}

#[test]
fn a_cut_within_a_body_of_known_end_says_what_is_missing() {
    let bench = Bench::new();
    for (case, response) in [("length", ok("hello")), ("chunked", chunked(&["hello"]))] {
        for is_rude in [false, true] {
            let (front, _) = response.split_at(response.len() - 3);
            let world = bench.serving(is_rude, Script::new().request().send(front).close());
            let error = world.get("https://a.test/").unwrap_err();
            assert_eq!(error.kind(), "incomplete-body", "{case}");
        }
    }
}

#[test]
fn chunks_whose_last_line_is_missing_are_whole_where_the_connection_ends_in_good_order() {
    let bench = Bench::new();
    let whole = chunked(&["hello"]);
    let (front, _) = whole.split_at(whole.len() - 2);
    let script = || Script::new().request().send(front).close();

    let world = bench.serving(false, script());
    for number in 1..3 {
        let reply = world.get("https://a.test/").unwrap();
        assert_eq!(reply.body, b"hello");
        assert_eq!(reply.connection.number, number);
    }
    let closed = "the server closed it".to_owned();
    assert_eq!(world.closings(), [(1, closed.clone()), (2, closed)]);

    let world = bench.serving(true, script());
    let error = world.get("https://a.test/").unwrap_err();
    assert_eq!(error.kind(), "protocol", "there may have been trailers");
}

#[test]
fn tls_that_is_cut_anywhere_never_passes_for_a_whole_response() {
    let bench = Bench::new();
    for (case, response) in [
        ("length", ok("hello")),
        ("chunked", chunked(&["hel", "lo"])),
        ("until close", UNTIL_CLOSE.to_vec()),
    ] {
        let script = || Script::new().request().send(response.clone()).close();
        let mut phases = Vec::new();
        // Certificates differ in length by a few bytes, so the end is where nothing is missing any more.
        for at in 0.. {
            let world = bench.serving(false, script());
            world.net.cut_after(Some(at));
            match world.get("https://a.test/") {
                Ok(reply) => {
                    assert_eq!(reply.body, b"hello", "{case} at {at}");
                    break;
                }
                Err(error) => {
                    let phase = error.failure().unwrap().phase;
                    let expected: &[&str] = match phase {
                        Phase::Handshake => &["tls"],
                        _ => &["protocol", "incomplete-body"],
                    };
                    assert!(
                        expected.contains(&error.kind()),
                        "{case} at {at}: {error:?}"
                    );
                    assert_eq!(world.net.open_connections(), 0, "{case} at {at}");
                    phases.push(phase);
                }
            }
        }
        assert!(phases.len() > 500, "{case}: a handshake is not that short");
        phases.dedup();
        assert!(
            phases.contains(&Phase::Handshake) && phases.contains(&Phase::AwaitHead),
            "{case}: {phases:?}"
        );
    }
}
