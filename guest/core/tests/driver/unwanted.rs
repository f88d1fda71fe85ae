//! Bodies that nobody wants, of redirects and of responses that are asked for again: what they may cost.

use urlpool_core::sim::Script;
use urlpool_core::types::{PoolSettings, Retries};

use crate::common::{DIAL, MILLI, SECOND, World, answer, deadline, get, leading, listing, ok};

#[test]
fn a_body_that_drips_holds_up_the_next_request_for_a_second_at_most() {
    let head = b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 20\r\n\r\n";
    for (case, pause, took, connections) in [
        ("fast enough", MILLI * 40, MILLI * 800, 1),
        ("too slow", MILLI * 60, SECOND, 2),
        ("stalled", SECOND * 3600, SECOND, 2),
    ] {
        let world = World::retrying(Retries::total(3));
        let dripping = Script::new()
            .request()
            .send(head.as_slice())
            .drip(&[b'x'; 20], pause)
            .request()
            .send(ok("a"));
        world.serve("a.test", vec![dripping, Script::always(ok("a"))]);
        let (outcome, elapsed) = world.timed_by(|| get(&world, "http://a.test/x"));
        assert_eq!(outcome.unwrap().2, "a", "{case}");
        let dials = DIAL * u32::try_from(connections).unwrap();
        assert_eq!(elapsed, dials + took, "{case}");
        assert_eq!(world.net.connections(), connections, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn a_body_nobody_wants_is_not_waited_for_past_the_deadline() {
    let world = World::of_pools(PoolSettings {
        retries: Retries::total(3),
        timeouts: deadline(1),
        ..PoolSettings::default()
    });
    let head = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 20\r\n\r\n";
    let slow = Script::new().request().pause(MILLI * 900).send(head);
    world.serve("a.test", vec![slow]);
    let (outcome, took) = world.timed_by(|| get(&world, "http://a.test/x"));
    assert_eq!(outcome.unwrap_err().kind(), "deadline-exceeded");
    assert_eq!(took, SECOND);
    assert_eq!(world.net.writes(0).len(), 1);
}

/// Each read gives 1 KiB and takes a millisecond, so time tells how much was read.
#[test]
fn a_body_without_end_is_not_read_to_its_end() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let head = |fields: &str| format!("HTTP/1.1 302 Found\r\nLocation: /y\r\n{fields}\r\n\r\n");
    let chunks = format!(
        "{}{}",
        head("Transfer-Encoding: chunked"),
        chunk.repeat(1000)
    );
    let garbage = "x".repeat(4_000_000);
    let endless = format!("{}{garbage}", head("Content-Length: 4000000"));
    let keepless = format!("{}{garbage}", head("Connection: close"));
    let extensions = format!(
        "{}{}",
        head("Transfer-Encoding: chunked"),
        "1;x=y\r\nx\r\n".repeat(400_000)
    );
    for (case, response, most) in [
        ("chunks", chunks, 70),
        ("more extensions than data", extensions, 1000),
        ("a length", endless, 10),
        ("until the connection closes", keepless, 10),
    ] {
        let world = World::retrying(Retries::total(3));
        let scripts = vec![
            Script::new().request().send(response),
            Script::always(ok("a")),
        ];
        world.serve("a.test", scripts);
        world.net.limit_reads(1024);
        world.net.take_time(MILLI);
        let (outcome, took) = world.timed_by(|| get(&world, "http://a.test/x"));
        assert_eq!(outcome.unwrap().2, "a", "{case}");
        assert!(took <= DIAL * 2 + MILLI * most, "{case}: {took:?}");
        assert_eq!(world.net.connections(), 2, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn a_body_whose_connection_is_of_no_further_use_is_not_waited_for() {
    for (case, head) in [
        ("no length", "HTTP/1.1 302 Found\r\nLocation: /y\r\n\r\n"),
        (
            "closing",
            "HTTP/1.1 302 Found\r\nLocation: /y\r\nConnection: close\r\nContent-Length: 20\r\n\r\n",
        ),
        (
            "HTTP/1.0",
            "HTTP/1.0 302 Found\r\nLocation: /y\r\nContent-Length: 20\r\n\r\n",
        ),
    ] {
        let world = World::retrying(Retries::total(3));
        let slow = Script::new().request().send(head);
        world.serve("a.test", vec![slow, Script::always(ok("a"))]);
        let (outcome, took) = world.timed_by(|| get(&world, "http://a.test/x"));
        assert_eq!(outcome.unwrap().2, "a", "{case}");
        assert_eq!(took, DIAL * 2, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn how_a_body_nobody_wants_fares_is_nobodys_business() {
    let head = |fields: &str| format!("HTTP/1.1 302 Found\r\nLocation: /y\r\n{fields}\r\n\r\n");
    let script = || Script::new().request();
    for (case, first) in [
        (
            "cut short",
            script().send(head("Content-Length: 9")).send("x").close(),
        ),
        ("reset", script().send(head("Content-Length: 9")).reset()),
        (
            "malformed",
            script()
                .send(head("Transfer-Encoding: chunked"))
                .send("z\r\n"),
        ),
        (
            "too much",
            script()
                .send(head("Content-Length: 1"))
                .send("xHTTP/1.1 200 OK\r\n\r\n"),
        ),
    ] {
        let world = World::retrying(Retries::total(3));
        world.serve("a.test", vec![first, Script::always(ok("a"))]);
        assert_eq!(get(&world, "http://a.test/x").unwrap().2, "a", "{case}");
        assert_eq!(world.net.connections(), 2, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

/// What is no gzip at all is read like anything else, and the connection goes on to serve.
#[test]
fn cve_2026_21441_the_body_of_a_redirect_is_never_decoded() {
    for coding in [
        "gzip",
        "deflate",
        "br",
        "zstd",
        "gzip, gzip, gzip, gzip, gzip, gzip",
    ] {
        let fields = ["Location: /y", &format!("Content-Encoding: {coding}")];
        let redirect = answer("302 Found", &fields, "this was never compressed");
        let world = leading(&[redirect, ok("a")]);
        assert_eq!(get(&world, "http://a.test/x").unwrap().2, "a", "{coding}");
        assert_eq!(world.net.connections(), 1, "{coding}");
    }
}

#[test]
fn a_short_body_is_read_to_keep_the_connection_and_a_long_one_costs_it() {
    let long = "x".repeat(64 * 1024 + 1);
    for (case, body, connections) in [
        ("none", "", 1),
        ("short", "oops", 1),
        ("as long as may be", &long[1..], 1),
        ("long", &long, 2),
    ] {
        let world = World::retrying(listing(&[500], Retries::total(3)));
        let oops = answer("500 Oops", &[], body);
        let head = oops.len() - body.len();
        // What has not arrived with the head would have to be waited for.
        let first = Script::new()
            .request()
            .send(&oops[..head])
            .pause(MILLI)
            .send(&oops[head..])
            .request()
            .send(ok("done"));
        world.serve("a.test", vec![first, Script::always(ok("done"))]);
        let reply = world.get("http://a.test/").unwrap();
        assert_eq!(reply.body, b"done", "{case}");
        assert_eq!(world.net.connections(), connections, "{case}");
        assert_eq!(reply.connection.reused, connections == 1, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}
