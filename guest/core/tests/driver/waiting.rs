//! Pools that block: who gets the next connection, when, and for how long the others wait.

use std::cell::RefCell;
use std::time::Duration;

use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Error, Event, Limit, ManagerSettings, Phase, PoolSettings, Retries, Timeouts,
};

use crate::common::{
    Boxed, SECOND, World, after, all, connect, deadline, ok, origin_of, poll_once, slow, to, total,
    within,
};

const URL: &str = "http://a.test/";
const EMPTY: &str = "Pool is empty and a new connection can't be opened due to blocking mode.";
/// Looking up a name and opening a connection.
const OPENING: Duration = Duration::from_millis(2);

/// How a pool is let go.
type LetGo<'a> = (&'a str, &'a dyn Fn(&World));

fn blocking(maxsize: u32) -> PoolSettings {
    PoolSettings {
        block: Some(true),
        maxsize: Some(maxsize),
        ..PoolSettings::default()
    }
}

fn blocking_world(maxsize: u32, scripts: Vec<Script>) -> World {
    let world = World::of_pools(blocking(maxsize));
    world.serve("a.test", scripts);
    world
}

/// A world in which a request for the only connection waits no longer than this.
fn patient(pool_timeout: Option<Limit>, timeouts: Timeouts) -> World {
    let world = World::of_pools(PoolSettings {
        pool_timeout,
        timeouts,
        ..blocking(1)
    });
    world.serve("a.test", slow());
    world
}

/// A request and its body; the path is noted in `order` once that is there.
fn fetch<'a>(
    world: &'a World,
    url: &'a str,
    order: &'a RefCell<Vec<&'a str>>,
) -> Boxed<'a, Result<u64, Error>> {
    Box::pin(async move {
        let mut response = world.start(url).await?;
        response.drain().await?;
        order.borrow_mut().push(&url[url.len() - 1..]);
        Ok(response.head().connection.number)
    })
}

fn kind_of<T>(outcome: Result<T, Error>) -> Option<&'static str> {
    outcome.err().map(|error| error.kind())
}

#[test]
fn one_connection_serves_all_in_the_order_in_which_they_came() {
    let world = blocking_world(1, slow());
    let order = RefCell::default();
    let urls = ["http://a.test/1", "http://a.test/2", "http://a.test/3"];
    let requests = urls.map(|url| fetch(&world, url, &order)).into();
    let (outcomes, took) = world.timed_by(|| world.net.run(all(requests)));
    assert_eq!(outcomes, [Ok(1), Ok(1), Ok(1)]);
    assert_eq!(took, OPENING + SECOND * 3);
    assert_eq!(*order.borrow(), ["1", "2", "3"]);
    assert_eq!(world.net.connections(), 1);
    let pool = world.manager.connection_from_url(URL, None).unwrap();
    assert_eq!(
        (pool.num_requests(), pool.num_connections(), pool.num_idle()),
        (3, 1, 1)
    );
    let checked = |event: &&Event| {
        matches!(
            event,
            Event::CheckedIn { number: 1 } | Event::CheckedOut { number: 1 }
        )
    };
    let events = world.manager.take_events();
    assert_eq!(events.iter().filter(checked).count(), 5);
}

#[test]
fn as_many_are_served_at_once_as_there_may_be_connections() {
    for (maxsize, rounds) in [(1, 6), (2, 3), (3, 2), (6, 1), (7, 1)] {
        let world = blocking_world(maxsize, slow());
        let order = RefCell::default();
        let requests = (0..6).map(|_| fetch(&world, URL, &order)).collect();
        let (outcomes, took) = world.timed_by(|| world.net.run(all(requests)));
        assert!(outcomes.iter().all(Result::is_ok), "maxsize {maxsize}");
        assert_eq!(took, OPENING + SECOND * rounds, "maxsize {maxsize}");
        let expected = usize::try_from(maxsize).unwrap().min(6);
        assert_eq!(world.net.connections(), expected, "maxsize {maxsize}");
    }
}

#[test]
fn a_wait_ends_when_the_pool_timeout_or_the_deadline_does() {
    let none = Timeouts::default();
    let zero = Some(Limit::After(Duration::ZERO));
    for (case, pool_timeout, timeouts, kind, message, span) in [
        (
            "pool timeout",
            after(3),
            none,
            "pool-timeout",
            EMPTY,
            SECOND * 3,
        ),
        (
            "no wait at all",
            zero,
            none,
            "pool-timeout",
            EMPTY,
            Duration::ZERO,
        ),
        (
            "before the deadline",
            after(3),
            deadline(4),
            "pool-timeout",
            EMPTY,
            SECOND * 3,
        ),
        (
            "deadline",
            after(5),
            deadline(4),
            "deadline-exceeded",
            "Waiting for a connection to a.test timed out. (deadline)",
            SECOND * 4,
        ),
        (
            "neither total",
            after(3),
            total(1),
            "pool-timeout",
            EMPTY,
            SECOND * 3,
        ),
        (
            "nor connect",
            after(3),
            connect(1),
            "pool-timeout",
            EMPTY,
            SECOND * 3,
        ),
    ] {
        let world = patient(pool_timeout, timeouts);
        let held = world.open(URL);
        let pool = world.manager.connection_from_url(URL, None).unwrap();
        let (outcome, took) = world.timed_by(|| world.get(URL));
        let error = outcome.expect_err(case);
        let failure = error.failure().expect(case);
        assert_eq!((error.kind(), error.message()), (kind, message), "{case}");
        assert_eq!(failure.phase, Phase::Checkout, "{case}");
        assert!(!failure.may_have_been_acted_on && !failure.reused, "{case}");
        assert_eq!((took, world.net.connections()), (span, 1), "{case}");
        assert_eq!(pool.num_requests(), 1, "{case}");
        drop(held);
        assert_eq!(world.get(URL).map(|reply| reply.status), Ok(200), "{case}");
    }
}

#[test]
fn a_wait_that_only_its_caller_can_end_says_which_request_it_was() {
    let world = World::with(ManagerSettings {
        pool: PoolSettings {
            retries: Retries::total(3),
            ..blocking(1)
        },
        ..ManagerSettings::default()
    });
    world.serve("a.test", slow());
    let moved = to("302 Found", "http://user:secret@a.test/x");
    world.serve("b.test", vec![Script::always(moved)]);
    let held = world.open(URL);
    let mut waiting = world.start("http://b.test/");
    let waited = within(&world.net, SECOND, waiting.as_mut());
    assert!(world.net.run(waited).is_none());
    world.net.stand_still();
    let error = world.net.run(waiting).err().unwrap();
    let failure = error.failure().unwrap();
    assert_eq!(error.kind(), "pool-timeout");
    assert!(error.message().starts_with(&EMPTY[..EMPTY.len() - 1]));
    assert_eq!(
        (failure.method.as_str(), failure.url.as_str()),
        ("GET", "http://a.test/x")
    );
    assert_eq!((failure.phase, failure.attempt), (Phase::Checkout, 2));
    drop(held);
}

#[test]
fn the_clocks_of_an_attempt_start_after_the_wait() {
    for (case, timeouts) in [("total", total(1)), ("connect", connect(1))] {
        let world = patient(None, timeouts);
        let held = world.open(URL);
        let mut waiting = world.start(URL);
        assert!(poll_once(&world.net, &mut waiting).is_none(), "{case}");
        world.net.pass(SECOND * 60);
        drop(held);
        let outcome = world.net.run(waiting);
        assert_eq!(
            outcome.map(|response| response.head().status),
            Ok(200),
            "{case}"
        );
    }
}

#[test]
fn who_no_longer_waits_is_passed_over() {
    // Whether the second had been given the connection already, without having looked.
    for was_granted in [false, true] {
        let world = blocking_world(1, origin_of("a"));
        world.serve("a.test", slow());
        let held = world.open(URL);
        let mut waiting = [(); 3].map(|()| world.start(URL));
        for request in &mut waiting {
            assert!(poll_once(&world.net, request).is_none());
        }
        let [second, third, mut fourth] = waiting;
        if was_granted {
            world.finish(held).unwrap();
            drop(second);
        } else {
            drop(second);
            world.finish(held).unwrap();
        }
        assert!(poll_once(&world.net, &mut fourth).is_none());
        let third = world.net.run(third).unwrap();
        assert_eq!(third.head().connection.number, 1);
        drop(third);
        assert_eq!(world.net.run(fourth).unwrap().head().connection.number, 2);
    }
}

#[test]
fn who_gives_up_after_being_woken_wakes_the_next() {
    for has_connection in [false, true] {
        let world = blocking_world(1, slow());
        let mut held = world.open(URL);
        let mut second = world.start(URL);
        assert!(poll_once(&world.net, &mut second).is_none());
        let third: Boxed<'_, _> = Box::pin(async { world.start(URL).await.map(|_| ()) });
        let give_up: Boxed<'_, _> = Box::pin(async {
            if has_connection {
                held.drain().await?;
            }
            drop((held, second));
            Ok(())
        });
        let outcomes = world.net.run(all(vec![third, give_up]));
        assert_eq!(outcomes, [Ok(()), Ok(())]);
    }
}

#[test]
fn a_wait_that_times_out_passes_nothing_by() {
    let world = patient(after(3), Timeouts::default());
    let held = world.open(URL);
    let order = RefCell::default();
    let mut late = fetch(&world, "http://a.test/2", &order);
    assert!(poll_once(&world.net, &mut late).is_none());
    world.net.pass(SECOND * 2);
    let mut next = fetch(&world, "http://a.test/3", &order);
    assert!(poll_once(&world.net, &mut next).is_none());
    assert_eq!(kind_of(world.net.run(late)), Some("pool-timeout"));
    let (outcomes, took) = world.timed_by(|| {
        let give_back = Box::pin(async {
            drop(held);
            Ok(0)
        });
        world.net.run(all(vec![next, give_back]))
    });
    assert_eq!(outcomes, [Ok(2), Ok(0)]);
    assert_eq!(took, OPENING + SECOND);
}

#[test]
fn whatever_ends_a_lease_lets_the_next_one_go_on() {
    let bad_length = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n";
    let close = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na";
    for (case, script) in [
        ("the server asks to close", Script::always(close)),
        ("no HTTP", Script::always("nonsense\r\n\r\n")),
        ("no length", Script::always(bad_length)),
        ("no answer", Script::new().request().close()),
        ("a reset", Script::new().request().reset()),
        (
            "half a body",
            Script::new().request().send(&ok("whole")[..40]).close(),
        ),
    ] {
        let world = blocking_world(1, vec![script]);
        let order = RefCell::default();
        let requests = (0..4).map(|_| fetch(&world, URL, &order)).collect();
        let outcomes = world.net.run(all(requests));
        assert_eq!(outcomes.len(), 4, "{case}");
        assert_eq!(world.net.connections(), 4, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn a_connection_that_does_not_come_about_lets_the_next_one_try() {
    for (case, listener) in [("refused", Listener::Refuse), ("denied", Listener::Deny)] {
        let world = World::of_pools(blocking(1));
        world.listen("a.test", 80, listener);
        let order = RefCell::default();
        let requests = (0..3).map(|_| fetch(&world, URL, &order)).collect();
        let outcomes = world.net.run(all(requests));
        assert!(outcomes.iter().all(Result::is_err), "{case}");
    }

    let world = World::of_pools(blocking(1));
    world.listen("a.test", 80, Listener::BlackHole);
    let mut first = world.start(URL);
    assert!(poll_once(&world.net, &mut first).is_none());
    let mut second = world.start(URL);
    assert!(poll_once(&world.net, &mut second).is_none());
    assert!(world.net.run(within(&world.net, SECOND, first)).is_none());
    world.serve("a.test", origin_of("a"));
    assert_eq!(world.net.run(second).unwrap().head().status, 200);
}

#[test]
fn a_response_that_is_dropped_makes_room() {
    let world = blocking_world(1, slow());
    let held = world.open(URL);
    let mut waiting = world.start(URL);
    assert!(poll_once(&world.net, &mut waiting).is_none());
    drop(held);
    assert_eq!(world.net.open_connections(), 0);
    let (outcome, took) = world.timed_by(|| world.net.run(waiting));
    assert_eq!(outcome.unwrap().head().connection.number, 2);
    assert_eq!(took, OPENING);
}

#[test]
fn a_dead_connection_is_worth_a_new_one_to_whom_it_was_given() {
    // The server closes without having said so, when the one who waits has the connection already.
    let dying = Script::new().request().send(ok("a")).close();
    let world = blocking_world(1, vec![dying]);
    let order = RefCell::default();
    let requests = (0..3).map(|_| fetch(&world, URL, &order)).collect();
    let outcomes = world.net.run(all(requests));
    assert_eq!(outcomes, [Ok(1), Ok(2), Ok(3)]);
    let dead = |number| (number, "it was no longer alive".to_owned());
    assert_eq!(world.closings(), [dead(1), dead(2)]);
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn a_dead_idle_connection_gives_way_to_one_that_lives() {
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    let dying = Script::new()
        .request()
        .send(body)
        .pause(SECOND)
        .send("dead")
        .close();
    let world = blocking_world(2, vec![Script::always(ok("live")), dying]);
    let (first, second) = (world.start(URL), world.start(URL));
    let responses = world.net.run(all(vec![first, second]));
    for response in responses {
        world.finish(response.unwrap()).unwrap();
    }
    for number in [1, 1] {
        assert_eq!(world.get(URL).unwrap().connection.number, number);
    }
    assert_eq!(world.net.open_connections(), 1);
    let (first, second) = (world.start(URL), world.start(URL));
    let outcomes = world.net.run(all(vec![first, second]));
    assert!(outcomes.iter().all(Result::is_ok), "there is room for both");
}

#[test]
fn a_request_that_is_sent_again_takes_no_more_than_its_share() {
    let fickle = Script::new().request().send(ok("a")).request().reset();
    let world = blocking_world(1, vec![fickle]);
    let order = RefCell::default();
    let requests = (0..4).map(|_| fetch(&world, URL, &order)).collect();
    let outcomes = world.net.run(all(requests));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(world.net.open_connections() <= 1);
    let events = world.manager.take_events();
    let replayed = events.iter().filter_map(|event| match event {
        Event::Replayed { number } => Some(*number),
        _ => None,
    });
    assert_eq!(replayed.collect::<Vec<_>>(), [1, 2], "each but once");
    let closed = Event::Closed {
        number: 3,
        reason: "its request needs a new one".into(),
    };
    assert!(events.contains(&closed));
}

#[test]
fn a_pool_that_is_let_go_serves_those_who_wait_in_it() {
    let clear = |world: &World| world.manager.clear();
    let evict = |world: &World| drop(world.get("http://b.test/").unwrap());
    let close = |world: &World| {
        let pool = world.manager.connection_from_url(URL, None);
        pool.unwrap().close();
    };
    let cases: [LetGo<'_>; 3] = [("clear", &clear), ("evict", &evict), ("close", &close)];
    for (case, let_go) in cases {
        let world = World::with(ManagerSettings {
            num_pools: Some(1),
            pool: blocking(1),
            ..ManagerSettings::default()
        });
        world.serve("a.test", slow());
        world.serve("b.test", origin_of("b"));
        let held = world.open(URL);
        let mut waiting = [world.start(URL), world.start(URL)];
        for request in &mut waiting {
            assert!(poll_once(&world.net, request).is_none(), "{case}");
        }
        let_go(&world);
        for request in &mut waiting {
            assert!(poll_once(&world.net, request).is_none(), "{case}");
        }
        let fresh = world.get(URL).unwrap();
        assert!(!fresh.connection.reused, "{case}: it has a pool of its own");
        world.finish(held).unwrap();
        for request in waiting {
            let response = world.net.run(request).unwrap();
            assert_eq!(response.head().connection.number, 1, "{case}");
            world.finish(response).unwrap();
        }
        assert!(
            world.closings().iter().any(|(number, _)| *number == 1),
            "{case}: it is closed once nobody waits"
        );
    }
}

#[test]
fn who_stops_waiting_in_a_pool_that_was_let_go_leaves_nothing_open() {
    let world = blocking_world(1, slow());
    let held = world.open(URL);
    let mut waiting = world.start(URL);
    assert!(poll_once(&world.net, &mut waiting).is_none());
    world.manager.clear();
    world.finish(held).unwrap();
    assert_eq!(world.net.open_connections(), 1, "it is kept for who waits");
    drop(waiting);
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn a_pool_that_does_not_block_opens_as_many_as_are_asked_for() {
    let world = World::of_pools(PoolSettings {
        pool_timeout: Some(Limit::After(Duration::ZERO)),
        ..PoolSettings::default()
    });
    world.serve("a.test", slow());
    let open = [(); 5].map(|()| world.open(URL));
    assert_eq!(world.net.open_connections(), 5);
    for response in open {
        world.finish(response).unwrap();
    }
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn a_pool_that_could_never_open_a_connection_is_refused() {
    let net = SimNet::new;
    let manager = |settings| urlpool_core::driver::Manager::new(net(), settings).err();
    let refused = [
        ManagerSettings {
            pool: blocking(0),
            ..ManagerSettings::default()
        },
        ManagerSettings {
            max_connections: Some(0),
            ..ManagerSettings::default()
        },
    ];
    for settings in refused {
        let error = manager(settings).expect("it is refused");
        assert_eq!(error.kind(), "invalid-settings");
        assert!(error.message().contains("could"), "{error}");
    }
    let world = World::new();
    let pool = world.manager.connection_from_url(URL, Some(blocking(0)));
    assert_eq!(kind_of(pool), Some("invalid-settings"));
}
