//! Pools: which requests share one, what it keeps, and what becomes of connections when it goes.

use std::time::Duration;

use urlpool_core::driver::ConnectionPool;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{Content, Event, Limit, ManagerSettings, PoolSettings, RequestOptions};

use crate::common::{SECOND, World, both, origin_of, slow};

/// How a manager lets go of its pools; how many pools and open connections it then has.
type LetGo<'a> = (&'a str, &'a dyn Fn(&World), usize, usize);

fn with_num_pools(num_pools: u32) -> World {
    let world = World::with(ManagerSettings {
        num_pools: Some(num_pools),
        ..ManagerSettings::default()
    });
    for host in ["a.test", "b.test", "c.test"] {
        world.serve(host, origin_of(host));
    }
    world
}

fn with_maxsize(maxsize: u32) -> World {
    let world = World::of_pools(PoolSettings {
        maxsize: Some(maxsize),
        ..PoolSettings::default()
    });
    world.serve("a.test", slow());
    world
}

#[test]
fn one_host_twice_and_another_once_take_two_pools_and_two_connections() {
    let world = with_num_pools(2);
    for (url, reused) in [
        ("http://a.test/1", false),
        ("http://a.test/2", true),
        ("http://b.test/", false),
    ] {
        let reply = world.get(url).unwrap();
        assert_eq!(
            (reply.status, reply.connection.reused),
            (200, reused),
            "{url}"
        );
    }
    assert_eq!(world.manager.num_pools(), 2);
    assert_eq!(world.net.connections(), 2);
    assert_eq!(world.net.open_connections(), 2);
}

#[test]
fn a_third_host_evicts_the_pool_used_longest_ago_and_closes_what_is_idle_there() {
    let world = with_num_pools(2);
    for url in ["http://a.test/", "http://b.test/", "http://a.test/"] {
        world.get(url).unwrap();
    }
    drop(world.manager.take_events());
    world.get("http://c.test/").unwrap();
    assert_eq!(world.manager.num_pools(), 2);
    assert_eq!(world.net.connections(), 3);
    assert_eq!(world.net.open_connections(), 2);
    let events = world.manager.take_events();
    let evicted: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Evicted { origin } => Some(origin.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(evicted, ["http://b.test:80"]);
    assert!(events.contains(&Event::Closed {
        number: 2,
        reason: "its pool was evicted".into()
    }));
    assert!(world.get("http://a.test/").unwrap().connection.reused);
}

#[test]
fn without_room_for_any_pool_every_request_has_its_own_connection() {
    let world = with_num_pools(0);
    for _ in 0..2 {
        assert!(!world.get("http://a.test/").unwrap().connection.reused);
    }
    assert_eq!(world.manager.num_pools(), 0);
    assert_eq!(world.net.connections(), 2);
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn ten_pools_are_kept_unless_told_otherwise() {
    let world = World::new();
    for host in b'a'..b'l' {
        let host = format!("{}.test", char::from(host));
        world.serve(&host, origin_of(&host));
        world.get(&format!("http://{host}/")).unwrap();
    }
    assert_eq!(world.manager.num_pools(), 10);
    assert_eq!(world.net.open_connections(), 10);
}

#[test]
fn a_pool_keeps_as_many_idle_connections_as_it_was_told() {
    for (maxsize, kept) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)] {
        let world = with_maxsize(maxsize);
        let open = [(); 3].map(|()| world.open("http://a.test/"));
        assert_eq!(world.net.open_connections(), 3, "maxsize {maxsize}");
        for response in open {
            assert_eq!(world.finish(response).unwrap().body, b"slow");
        }
        assert_eq!(world.net.open_connections(), kept, "maxsize {maxsize}");
        let no_room = (u64::try_from(kept).unwrap() + 1..=3)
            .map(|number| (number, "its pool keeps no more connections".to_owned()));
        assert_eq!(
            world.closings(),
            Vec::from_iter(no_room),
            "maxsize {maxsize}"
        );
    }
}

#[test]
fn the_connection_used_last_is_used_next() {
    let world = with_maxsize(2);
    let (first, second) = (world.open("http://a.test/"), world.open("http://a.test/"));
    world.finish(second).unwrap();
    world.finish(first).unwrap();
    for expected in [1, 1] {
        let reply = world.get("http://a.test/").unwrap();
        assert_eq!(reply.connection.number, expected);
    }
    let first = world.open("http://a.test/");
    assert_eq!(world.get("http://a.test/").unwrap().connection.number, 2);
    world.finish(first).unwrap();
    assert_eq!(world.net.connections(), 2);
}

#[test]
fn requests_in_flight_at_once_do_not_wait_for_each_other() {
    let world = with_maxsize(2);
    let fetch = || async {
        let options = RequestOptions::default();
        let response = world
            .manager
            .request("GET", "http://a.test/", Content::Empty, options);
        response.await.unwrap().read_all(9).await.unwrap()
    };
    let (bodies, took) = world.timed_by(|| world.net.run(both(fetch(), fetch())));
    assert_eq!(bodies, (b"slow".to_vec(), b"slow".to_vec()));
    assert_eq!(took, SECOND + Duration::from_millis(2));
    assert_eq!(world.net.connections(), 2);
}

#[test]
fn an_idle_connection_is_used_until_its_time_is_up() {
    let default = Duration::from_secs(90);
    let nano = Duration::from_nanos(1);
    let after = |span| Some(Limit::After(span));
    for (case, idle_timeout, pause, reused) in [
        ("default, in time", None, default - nano, true),
        ("default, too late", None, default, false),
        ("own, in time", after(SECOND), SECOND - nano, true),
        ("own, too late", after(SECOND), SECOND, false),
        ("zero", after(Duration::ZERO), Duration::ZERO, false),
        ("unlimited", Some(Limit::Unlimited), SECOND * 86_400, true),
    ] {
        let world = World::of_pools(PoolSettings {
            idle_timeout,
            ..PoolSettings::default()
        });
        world.serve("a.test", origin_of("a"));
        world.get("http://a.test/").unwrap();
        world.net.pass(pause);
        let reply = world.get("http://a.test/").unwrap();
        assert_eq!(reply.connection.reused, reused, "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
        let closed = [(1, "it was idle for too long".to_owned())];
        assert_eq!(world.closings(), &closed[..usize::from(!reused)], "{case}");
    }
}

#[test]
fn dropping_the_manager_closes_what_is_idle() {
    let World { net, manager } = with_num_pools(10);
    for url in ["http://a.test/", "http://b.test/"] {
        let options = RequestOptions::default();
        let request = async { manager.request("GET", url, Content::Empty, options).await };
        net.run(async { request.await.unwrap().drain().await })
            .unwrap();
    }
    assert_eq!(net.open_connections(), 2);
    drop(manager);
    assert_eq!(net.open_connections(), 0);
}

#[test]
fn a_response_outlives_its_manager_and_then_closes_its_connection() {
    let World { net, manager } = with_maxsize(1);
    let request = manager.request(
        "GET",
        "http://a.test/",
        Content::Empty,
        RequestOptions::default(),
    );
    let mut response = net.run(request).unwrap();
    drop(manager);
    assert_eq!(net.open_connections(), 1);
    assert_eq!(net.run(response.read_all(4)).unwrap(), b"slow");
    assert_eq!(net.open_connections(), 0);
}

#[test]
fn an_exchange_that_runs_while_its_pool_is_let_go_ends_well_and_its_connection_closes() {
    let clear = |world: &World| world.manager.clear();
    let evict = |world: &World| drop(world.get("http://b.test/").unwrap());
    let cases: [LetGo<'_>; 2] = [("clear", &clear, 0, 1), ("evict", &evict, 1, 2)];
    for (case, let_go, pools, open) in cases {
        let world = with_num_pools(1);
        world.serve("a.test", slow());
        let running = world.open("http://a.test/");
        let_go(&world);
        assert_eq!(world.manager.num_pools(), pools, "{case}");
        assert_eq!(world.net.open_connections(), open, "{case}");
        assert_eq!(world.finish(running).unwrap().body, b"slow", "{case}");
        assert_eq!(world.net.open_connections(), open - 1, "{case}");
        let closed = (1, "its pool keeps no more connections".to_owned());
        assert_eq!(world.closings(), [closed], "{case}");
        assert!(
            !world.get("http://a.test/").unwrap().connection.reused,
            "{case}"
        );
    }
}

#[test]
fn clear_closes_what_is_idle_and_forgets_every_pool() {
    let world = with_num_pools(10);
    for url in ["http://a.test/", "http://b.test/"] {
        world.get(url).unwrap();
    }
    world.manager.clear();
    assert_eq!(world.manager.num_pools(), 0);
    assert_eq!(world.net.open_connections(), 0);
    let reason = || "its manager was cleared".to_owned();
    assert_eq!(world.closings(), [(1, reason()), (2, reason())]);
    assert!(!world.get("http://a.test/").unwrap().connection.reused);
}

#[test]
fn a_closed_pool_closes_what_is_idle_and_what_comes_back_and_a_fresh_one_takes_its_place() {
    let world = with_maxsize(2);
    world.get("http://a.test/").unwrap();
    let idle = world.open("http://a.test/");
    let running = world.open("http://a.test/");
    world.finish(idle).unwrap();
    let pool = world
        .manager
        .connection_from_url("http://a.test/", None)
        .unwrap();
    assert_eq!((pool.num_idle(), pool.num_connections()), (1, 2));
    pool.close();
    assert_eq!(world.net.open_connections(), 1);
    world.finish(running).unwrap();
    assert_eq!(world.net.open_connections(), 0);
    assert_eq!(pool.num_idle(), 0);

    let reply = world.get("http://a.test/").unwrap();
    assert_eq!(
        (reply.connection.number, reply.connection.reused),
        (3, false)
    );
    let fresh = world
        .manager
        .connection_from_url("http://a.test/", None)
        .unwrap();
    assert_eq!((fresh.num_connections(), fresh.num_idle()), (1, 1));
    assert_eq!(pool.num_connections(), 2);
    assert_eq!(world.manager.num_pools(), 1);
}

#[test]
fn a_pool_counts_its_requests_and_connections() {
    let world = with_num_pools(10);
    let pool = world
        .manager
        .connection_from_url("http://a.test/x?y", None)
        .unwrap();
    assert_eq!(pool.origin().to_string(), "http://a.test:80");
    let counts = |pool: &ConnectionPool<SimNet>| {
        (pool.num_requests(), pool.num_connections(), pool.num_idle())
    };
    assert_eq!(counts(&pool), (0, 0, 0));
    let response = world.open("http://a.test/");
    assert_eq!(counts(&pool), (1, 1, 1), "the body came with the head");
    drop(response);
    for _ in 0..3 {
        world.get("http://a.test/").unwrap();
    }
    assert_eq!(counts(&pool), (4, 1, 1));
    world.get("http://b.test/").unwrap();
    assert_eq!(counts(&pool), (4, 1, 1));
}

#[test]
fn what_is_idle_closes_at_once_although_somebody_still_holds_the_pool() {
    let clear = |world: &World| world.manager.clear();
    let evict = |world: &World| drop(world.get("http://b.test/").unwrap());
    let cases: [LetGo<'_>; 2] = [("clear", &clear, 0, 0), ("evict", &evict, 1, 1)];
    for (case, let_go, pools, open) in cases {
        let world = with_num_pools(1);
        world.get("http://a.test/").unwrap();
        let held = world
            .manager
            .connection_from_url("http://a.test/", None)
            .unwrap();
        assert_eq!(held.num_idle(), 1, "{case}");
        let_go(&world);
        assert_eq!(world.manager.num_pools(), pools, "{case}");
        assert_eq!(held.num_idle(), 0, "{case}");
        assert_eq!(world.net.open_connections(), open, "{case}");
    }
}
