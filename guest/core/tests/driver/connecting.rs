//! Clocks while a connection is made: lookup, TCP and TLS have one between them.

use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use urlpool_core::driver::Net as _;
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Content, Event, Limit, Phase, PoolSettings, RequestOptions, Timeouts, TlsSettings,
};

use crate::common::{
    Authority, MILLI, SECOND, World, address, connect, deadline, ok, origin_of, times_out, total,
};

const URL: &str = "http://a.test/";

/// A world whose addresses are tried one after the other.
fn one_after_another(timeouts: Timeouts) -> World {
    World::of_pools(PoolSettings {
        timeouts,
        address_delay: Some(Limit::Unlimited),
        ..PoolSettings::default()
    })
}

/// A name that has several addresses, each with somebody behind it.
fn at_several(world: &World, listeners: Vec<Listener>) {
    let hosts = ["x", "y", "z"];
    world
        .net
        .name("a.test", &hosts.map(address)[..listeners.len()]);
    for (host, listener) in hosts.into_iter().zip(listeners) {
        world
            .net
            .listen(SocketAddr::new(address(host), 80), listener);
    }
}

#[test]
fn a_name_lookup_that_never_ends_is_bounded() {
    for (case, timeouts, kind, clock) in [
        ("connect", connect(3), "connect-timeout", "connect timeout"),
        ("total", total(3), "connect-timeout", "total timeout"),
        ("deadline", deadline(3), "deadline-exceeded", "deadline"),
    ] {
        let world = World::timed(timeouts);
        world.net.stall_name("a.test");
        let message = format!("Looking up 'a.test' timed out. ({clock})");
        let expected = (kind, Phase::Resolve, message, SECOND * 3);
        assert_eq!(times_out(&world, URL, case), expected, "{case}");
    }
}

#[test]
fn an_address_that_never_answers_is_bounded() {
    for (case, timeouts, kind, clock) in [
        ("connect", connect(3), "connect-timeout", "connect timeout"),
        ("total", total(3), "connect-timeout", "total timeout"),
        ("deadline", deadline(3), "deadline-exceeded", "deadline"),
    ] {
        let world = World::timed(timeouts);
        world.listen("a.test", 80, Listener::BlackHole);
        let message = format!("Connection to a.test timed out. ({clock})");
        let expected = (kind, Phase::Connect, message, SECOND * 3);
        assert_eq!(times_out(&world, URL, case), expected, "{case}");
    }
}

#[test]
fn addresses_that_never_answer_share_the_time_and_do_not_multiply_it() {
    for count in 1..=3 {
        let world = one_after_another(connect(3));
        at_several(&world, (0..count).map(|_| Listener::BlackHole).collect());
        let (kind, phase, _, took) = times_out(&world, URL, "black holes");
        assert_eq!(
            (kind, phase, took),
            ("connect-timeout", Phase::Connect, SECOND * 3),
            "{count}"
        );
    }
}

#[test]
fn an_address_that_answers_is_reached_once_those_before_it_have_had_their_share() {
    let lookup = MILLI;
    let holes = |count: u32| (0..count).map(|_| Listener::BlackHole);
    let good = || Listener::Accept(origin_of("here"));
    for (case, listeners, took) in [
        ("at once", vec![good()], lookup + MILLI),
        (
            "after a refusal",
            vec![Listener::Refuse, good()],
            lookup + MILLI * 2,
        ),
        (
            "after a denial",
            vec![Listener::Deny, good()],
            lookup + MILLI * 2,
        ),
        (
            "second of two",
            holes(1).chain([good()]).collect(),
            lookup + (SECOND * 3 - lookup) / 2 + MILLI,
        ),
        (
            "third of three",
            holes(2).chain([good()]).collect(),
            lookup + (SECOND * 3 - lookup) / 3 * 2 + MILLI,
        ),
        (
            "second of three",
            vec![Listener::BlackHole, good(), good()],
            lookup + (SECOND * 3 - lookup) / 3 + MILLI,
        ),
    ] {
        let world = one_after_another(connect(3));
        at_several(&world, listeners);
        let (reply, elapsed) = world.timed_by(|| world.get(URL).unwrap());
        assert_eq!(reply.body, b"here", "{case}");
        assert!(
            elapsed.abs_diff(took) <= Duration::from_nanos(1),
            "{case}: {elapsed:?}"
        );
    }
}

#[test]
fn the_last_address_has_the_last_word() {
    for (case, listeners, kind) in [
        (
            "refused, then silence",
            vec![Listener::Refuse, Listener::BlackHole],
            "connect-timeout",
        ),
        (
            "silence, then refused",
            vec![Listener::BlackHole, Listener::Refuse],
            "connection-failed",
        ),
        (
            "refused, then denied",
            vec![Listener::Refuse, Listener::Deny],
            "denied",
        ),
        (
            "refused twice",
            vec![Listener::Refuse, Listener::Refuse],
            "connection-failed",
        ),
    ] {
        let world = one_after_another(connect(3));
        at_several(&world, listeners);
        assert_eq!(times_out(&world, URL, case).0, kind, "{case}");
    }
}

#[test]
fn an_address_in_the_url_needs_no_lookup() {
    let world = World::new();
    world.serve("a.test", origin_of("a"));
    let (reply, took) = world.timed_by(|| world.get("http://192.0.2.97/").unwrap());
    assert_eq!(
        (reply.connection.remote.as_str(), took),
        ("192.0.2.97:80", MILLI)
    );
}

#[test]
fn a_handshake_that_is_never_answered_is_bounded() {
    let hello = || vec![Script::new()];
    for (case, timeouts, kind, clock) in [
        ("connect", connect(3), "connect-timeout", "connect timeout"),
        ("total", total(3), "connect-timeout", "total timeout"),
        ("deadline", deadline(3), "deadline-exceeded", "deadline"),
    ] {
        let world = World::timed(timeouts);
        world.listen("a.test", 443, Listener::Accept(hello()));
        let message = format!("The TLS handshake with a.test timed out. ({clock})");
        let expected = (kind, Phase::Handshake, message, SECOND * 3);
        assert_eq!(
            times_out(&world, "https://a.test/", case),
            expected,
            "{case}"
        );
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_handshake_that_its_caller_gives_up_is_told_as_a_connection_that_closed() {
    let world = World::serving(origin_of("a"));
    world.listen("a.test", 443, Listener::Accept(vec![Script::new()]));
    let caller = async {
        let options = RequestOptions::default();
        let request = world
            .manager
            .request("GET", "https://a.test/", Content::Empty, options);
        let patience = world.net.sleep_until(world.net.now().after(SECOND));
        let (mut request, mut patience) = (pin!(request), pin!(patience));
        poll_fn(|context| {
            assert!(
                request.as_mut().poll(context).is_pending(),
                "nothing answers"
            );
            patience.as_mut().poll(context)
        })
        .await;
    };
    world.net.run(caller);
    assert_eq!(world.net.open_connections(), 0);
    let events = world.manager.take_events();
    assert!(
        matches!(events.last(), Some(Event::Closed { number: 1, .. })),
        "{events:?}"
    );
}

#[test]
fn a_client_hello_that_is_never_taken_is_bounded() {
    let world = World::timed(connect(3));
    world.listen("a.test", 443, Listener::Accept(vec![Script::new()]));
    world.net.limit_writes(0);
    let (kind, phase, _, took) = times_out(&world, "https://a.test/", "hello");
    assert_eq!(
        (kind, phase, took),
        ("connect-timeout", Phase::Handshake, SECOND * 3)
    );
}

#[test]
fn connecting_has_one_clock_for_lookup_tcp_and_tls() {
    let authority = Authority::new();
    let pool = PoolSettings {
        timeouts: Timeouts {
            connect: Some(Limit::After(MILLI * 5)),
            ..Timeouts::default()
        },
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..Default::default()
    };
    for (pause, is_in_time) in [(MILLI * 2, true), (MILLI * 4, false)] {
        let world = World::of_pools(pool.clone());
        let server = authority.server(&["a.test"], &[&rustls::version::TLS13]);
        // The pause before its first word delays all that the server says.
        let script = Script::new().pause(pause).request().send(ok("hi"));
        world.listen("a.test", 443, server.listener(vec![script]));
        let (outcome, took) = world.timed_by(|| world.get("https://a.test/"));
        assert_eq!(outcome.is_ok(), is_in_time, "{pause:?}");
        assert_eq!(
            took,
            if is_in_time { MILLI * 4 } else { MILLI * 5 },
            "{pause:?}"
        );
    }
}

#[test]
fn a_connect_timeout_is_of_no_matter_to_an_open_connection() {
    let world = World::timed(connect(1));
    let slow = Script::new()
        .request()
        .pause(SECOND * 5)
        .send(ok("slow"))
        .again();
    world.serve("a.test", vec![slow]);
    for _ in 0..2 {
        assert_eq!(world.get(URL).unwrap().body, b"slow");
    }
    assert_eq!(world.net.connections(), 1);
}
