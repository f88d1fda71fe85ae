//! Limits over all pools of a manager, the age of connections, and pools whose settings depend on their host.

use std::cell::RefCell;
use std::time::Duration;

use urlpool_core::driver::Manager;
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::{
    Budget, Content, Error, HostRule, Limit, LimitSettings, ManagerSettings, PoolContext,
    PoolSettings, RequestOptions, Retries, Timeouts,
};

use crate::common::{
    Boxed, DIAL, SECOND, World, after, all, answer, deadline, origin_of, poll_once, read, slow, to,
    total,
};

const A: &str = "http://a.test/";
const B: &str = "http://b.test/";
const C: &str = "http://c.test/";

fn capped(max_connections: u32, pool: PoolSettings) -> World {
    let world = World::with(ManagerSettings {
        max_connections: Some(max_connections),
        pool,
        ..ManagerSettings::default()
    });
    for host in ["a.test", "b.test", "c.test"] {
        world.serve(host, slow());
    }
    world
}

fn made_room(number: u64) -> (u64, String) {
    (number, "another request needed its place".to_owned())
}

#[test]
fn at_the_cap_the_connection_that_was_idle_longest_makes_room() {
    let world = capped(2, PoolSettings::default());
    for url in [A, B] {
        world.get(url).unwrap();
    }
    assert_eq!(world.net.open_connections(), 2);
    world.get(C).unwrap();
    assert_eq!(world.net.open_connections(), 2);
    assert_eq!(world.closings(), [made_room(1)]);
    assert!(
        world.get(B).unwrap().connection.reused,
        "it was idle for less"
    );
    world.get(A).unwrap();
    assert_eq!(world.closings(), [made_room(3)]);
    assert_eq!(world.net.open_connections(), 2);
}

#[test]
fn at_the_cap_requests_wait_in_order_whatever_their_origin() {
    let world = capped(1, PoolSettings::default());
    let order = RefCell::new(Vec::new());
    let fetch = |url: &'static str| -> Boxed<'_, Result<u64, Error>> {
        let (world, order) = (&world, &order);
        Box::pin(async move {
            let mut response = world.start(url).await?;
            response.drain().await?;
            order.borrow_mut().push(url);
            Ok(response.head().connection.number)
        })
    };
    let requests = [A, B, B, A, A, C].map(fetch).into();
    let outcomes = world.net.run(all(requests));
    assert_eq!(*order.borrow(), [A, B, B, A, A, C]);
    // What comes back goes to the next in line where that is for the same origin.
    let numbers = [1, 2, 2, 3, 3, 4].map(Ok);
    assert_eq!(outcomes, numbers);
    assert_eq!(world.closings(), [made_room(1), made_room(2), made_room(3)]);
    assert_eq!(world.net.open_connections(), 1);
}

#[test]
fn a_pool_that_blocks_does_not_hold_up_others_under_the_cap() {
    let world = capped(
        2,
        PoolSettings {
            block: Some(true),
            ..PoolSettings::default()
        },
    );
    let held = world.open(A);
    let mut waiting = world.start(A);
    assert!(poll_once(&world.net, &mut waiting).is_none());
    assert_eq!(
        world.get(B).unwrap().status,
        200,
        "there is room for one more"
    );
    world.finish(held).unwrap();
    assert_eq!(world.net.run(waiting).unwrap().head().connection.number, 1);
}

#[test]
fn a_wait_at_the_cap_is_bounded() {
    for (case, pool_timeout, timeouts, kind, span) in [
        (
            "pool timeout",
            after(3),
            Timeouts::default(),
            "pool-timeout",
            SECOND * 3,
        ),
        (
            "deadline",
            None,
            deadline(4),
            "deadline-exceeded",
            SECOND * 4,
        ),
    ] {
        let settings = PoolSettings {
            pool_timeout,
            timeouts,
            ..PoolSettings::default()
        };
        let world = capped(1, settings);
        let held = world.open(A);
        let (outcome, took) = world.timed_by(|| world.get(B));
        assert_eq!(outcome.expect_err(case).kind(), kind, "{case}");
        assert_eq!(took, span, "{case}");
        drop(held);
        assert_eq!(world.net.open_connections(), 0, "{case}");
        assert_eq!(world.get(B).map(|reply| reply.status), Ok(200), "{case}");
    }
}

#[test]
fn what_is_let_go_no_longer_counts() {
    let world = capped(1, PoolSettings::default());
    world.get(A).unwrap();
    world.manager.clear();
    drop(world.manager.take_events());
    world.get(B).unwrap();
    assert_eq!(world.closings(), [], "nobody had to make room");
    drop(world.open(A));
    let pool = world.manager.connection_from_url(A, None).unwrap();
    pool.close();
    assert_eq!(world.get(C).unwrap().status, 200);
}

#[test]
fn a_connection_is_used_until_its_lifetime_is_over() {
    let nano = Duration::from_nanos(1);
    for (case, max_lifetime, pause, reused) in [
        ("default", None, SECOND * 80, true),
        ("unlimited", Some(Limit::Unlimited), SECOND * 80, true),
        ("in time", after(10), SECOND * 10 - nano, true),
        ("too late", after(10), SECOND * 10, false),
    ] {
        let world = World::of_pools(PoolSettings {
            max_lifetime,
            ..PoolSettings::default()
        });
        world.serve("a.test", origin_of("a"));
        world.get(A).unwrap();
        world.net.pass(pause);
        assert_eq!(world.get(A).unwrap().connection.reused, reused, "{case}");
        let closed = [(1, "it was open for too long".to_owned())];
        assert_eq!(world.closings(), &closed[..usize::from(!reused)], "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn use_does_not_prolong_a_lifetime_and_what_is_over_is_not_kept() {
    let world = World::of_pools(PoolSettings {
        max_lifetime: after(10),
        ..PoolSettings::default()
    });
    world.serve("a.test", slow());
    for reused in [false, true, true, true] {
        assert_eq!(world.get(A).unwrap().connection.reused, reused);
        world.net.pass(SECOND * 2);
    }
    let response = world.open(A);
    assert_eq!(
        response.head().connection.number,
        2,
        "twelve seconds are over"
    );
    world.net.pass(SECOND * 10);
    drop(world.manager.take_events());
    assert_eq!(world.finish(response).unwrap().body, b"slow");
    assert_eq!(
        world.closings(),
        [(2, "it was open for too long".to_owned())]
    );
    assert_eq!(world.net.open_connections(), 0);
}

fn rule(host: &str, port: Option<u16>, maxsize: u32) -> HostRule {
    let settings = PoolSettings {
        maxsize: Some(maxsize),
        ..PoolSettings::default()
    };
    HostRule {
        host: host.into(),
        port,
        settings,
    }
}

fn ruled(pool: PoolSettings, host_rules: Vec<HostRule>) -> World {
    let world = World::with(ManagerSettings {
        pool,
        host_rules,
        ..ManagerSettings::default()
    });
    for host in ["a.test", "b.a.test", "c.test"] {
        world.serve(host, slow());
    }
    world
}

/// How many connections stay idle of four that were open at once.
fn kept(world: &World, url: &str) -> usize {
    let open = [(); 4].map(|()| world.open(url));
    for response in open {
        world.finish(response).unwrap();
    }
    let pool = world.manager.connection_from_url(url, None).unwrap();
    assert_eq!(pool.num_requests(), 4, "requests go through the same pool");
    pool.num_idle()
}

#[test]
fn the_first_rule_that_matches_makes_the_pool() {
    let rules = vec![
        rule("a.test", Some(81), 0),
        rule("a.test", None, 2),
        rule("*.a.test", None, 3),
        rule("a.test", None, 4),
    ];
    for (url, expected) in [(A, 2), ("http://b.a.test/", 3), (C, 1)] {
        let world = ruled(PoolSettings::default(), rules.clone());
        assert_eq!(kept(&world, url), expected, "{url}");
    }
    let world = ruled(PoolSettings::default(), vec![rule("*", None, 4)]);
    assert_eq!(kept(&world, C), 4);
}

#[test]
fn a_rule_replaces_field_by_field_and_is_replaced_by_what_is_asked_for() {
    let pool = PoolSettings {
        maxsize: Some(2),
        max_lifetime: after(10),
        timeouts: read(2),
        retries: Retries::off(),
        ..PoolSettings::default()
    };
    let world = ruled(pool.clone(), vec![rule("a.test", None, 3)]);
    world.get(A).unwrap();
    let same = |settings: PoolSettings| {
        let context = PoolContext {
            scheme: "http".into(),
            host: "a.test".into(),
            port: None,
            settings,
        };
        let pool = world.manager.connection_from_context(context);
        pool.unwrap().num_requests() == 1
    };
    let of_rule = PoolSettings {
        maxsize: Some(3),
        ..pool.clone()
    };
    assert!(same(of_rule), "what the rule leaves open is the manager's");
    assert!(!same(pool), "a complete description knows no rules");

    let asked = PoolSettings {
        max_lifetime: Some(Limit::Unlimited),
        ..PoolSettings::default()
    };
    let world = ruled(PoolSettings::default(), vec![rule("a.test", None, 3)]);
    let pool = world.manager.connection_from_url(A, Some(asked)).unwrap();
    world.get(A).unwrap();
    assert_eq!(pool.num_requests(), 1, "it asks for what is so already");
    let other = rule("", None, 4).settings;
    let pool = world.manager.connection_from_url(A, Some(other)).unwrap();
    assert_eq!(pool.num_requests(), 0, "it asks for something else");
}

#[test]
fn a_rule_s_timeouts_are_those_of_its_requests() {
    let slow_to_one = HostRule {
        host: "a.test".into(),
        port: None,
        settings: PoolSettings {
            timeouts: read(3),
            ..PoolSettings::default()
        },
    };
    let pool = PoolSettings {
        timeouts: read(5),
        ..PoolSettings::default()
    };
    let world = ruled(pool, vec![slow_to_one]);
    for host in ["a.test", "c.test"] {
        world.serve(host, vec![Script::new()]);
    }
    for (url, seconds) in [(A, 3), (C, 5)] {
        let (outcome, took) = world.timed_by(|| world.get(url));
        assert_eq!(outcome.unwrap_err().kind(), "read-timeout", "{url}");
        assert_eq!(took.as_secs(), seconds, "{url}");
    }
}

/// A rule for `c.test`.
fn there(settings: PoolSettings) -> HostRule {
    HostRule {
        host: "c.test".into(),
        port: None,
        settings,
    }
}

/// How a request fares that `a.test` redirects to `c.test` for good, and how long it takes.
fn redirected(
    here: PoolSettings,
    there: HostRule,
    answers: Vec<Script>,
    options: RequestOptions,
) -> (Result<u16, Error>, Duration, usize) {
    let world = ruled(here, vec![there]);
    world.serve("a.test", vec![Script::always(to("302 Found", C))]);
    world.serve("c.test", answers);
    let request = world.manager.request("GET", A, Content::Empty, options);
    let (outcome, took) = world.timed_by(|| world.net.run(request));
    let sent = world.net.writes(1).len();
    (outcome.map(|response| response.head().status), took, sent)
}

#[test]
fn a_redirect_goes_on_by_the_rule_of_the_host_that_it_leads_to() {
    let opening = DIAL * 2;
    let silent = || vec![Script::new()];
    let timed = |timeouts| PoolSettings {
        timeouts,
        retries: Retries {
            read: Some(Budget::Off),
            ..Retries::total(1)
        },
        ..PoolSettings::default()
    };
    let asking = |timeouts| RequestOptions {
        timeouts,
        ..RequestOptions::default()
    };
    let none = Timeouts::default();
    for (case, here, rule, asked, kind, took) in [
        (
            "read",
            read(5),
            read(3),
            none,
            "read-timeout",
            SECOND * 3 + opening,
        ),
        (
            "read, set by the rule alone",
            none,
            read(3),
            none,
            "read-timeout",
            SECOND * 3 + opening,
        ),
        (
            "total",
            none,
            total(3),
            none,
            "read-timeout",
            SECOND * 3 + DIAL,
        ),
        (
            "what is asked for stays",
            read(5),
            read(3),
            read(4),
            "read-timeout",
            SECOND * 4 + opening,
        ),
        (
            "the deadline stays",
            deadline(5),
            deadline(3),
            none,
            "deadline-exceeded",
            SECOND * 5,
        ),
    ] {
        let (outcome, span, _) =
            redirected(timed(here), there(timed(rule)), silent(), asking(asked));
        assert_eq!(outcome.unwrap_err().kind(), kind, "{case}");
        assert_eq!(span, took, "{case}");
    }
}

#[test]
fn a_redirect_goes_on_with_what_is_left_of_its_retries() {
    let busy = || vec![Script::always(answer("503 Service Unavailable", &[], ""))];
    let retrying = |statuses: &[u16], total, factor| PoolSettings {
        retries: Retries {
            statuses: Some(statuses.to_vec()),
            backoff_factor: Some(SECOND * factor),
            ..Retries::total(total)
        },
        ..PoolSettings::default()
    };
    for (case, here, rule, asked, expected, sent, took) in [
        (
            "statuses and backoff",
            retrying(&[], 3, 0),
            retrying(&[503], 9, 1),
            None,
            Err("retries-exhausted"),
            3,
            SECOND * 2,
        ),
        (
            "no statuses",
            retrying(&[503], 3, 0),
            retrying(&[], 9, 0),
            None,
            Ok(503),
            1,
            Duration::ZERO,
        ),
        (
            "what is asked for stays",
            retrying(&[], 3, 0),
            retrying(&[503], 9, 0),
            Some(vec![]),
            Ok(503),
            1,
            Duration::ZERO,
        ),
    ] {
        let options = RequestOptions {
            retries: Retries {
                statuses: asked,
                ..Retries::default()
            },
            ..RequestOptions::default()
        };
        let (outcome, span, count) = redirected(here, there(rule), busy(), options);
        let outcome = outcome.map_err(|error| error.kind());
        assert_eq!((outcome, count), (expected, sent), "{case}");
        assert_eq!(span, took + DIAL * 2, "{case}");
    }
}

#[test]
fn a_redirect_goes_on_by_the_limits_of_the_host_that_it_leads_to() {
    let wide = || vec![Script::always(answer("200 OK", &["X: 1", "X: 2"], ""))];
    let limited = |fields| PoolSettings {
        limits: LimitSettings {
            fields: Some(fields),
            ..LimitSettings::default()
        },
        retries: Retries::total(1),
        ..PoolSettings::default()
    };
    for (here, rule, is_read) in [(9, 2, false), (2, 9, true)] {
        let options = RequestOptions::default();
        let (outcome, ..) = redirected(limited(here), there(limited(rule)), wide(), options);
        assert_eq!(outcome.is_ok(), is_read, "{here}, then {rule}: {outcome:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_applied_is_refused_at_once() {
    let blocks = PoolSettings {
        block: Some(true),
        ..PoolSettings::default()
    };
    for (case, pool, rule) in [
        ("pattern", PoolSettings::default(), rule("a.*", None, 1)),
        ("nothing", PoolSettings::default(), rule("", None, 1)),
        (
            "together with the manager's",
            blocks,
            rule("a.test", None, 0),
        ),
    ] {
        let settings = ManagerSettings {
            pool,
            host_rules: vec![rule],
            ..ManagerSettings::default()
        };
        let refused = Manager::new(SimNet::new(), settings).err();
        assert_eq!(
            refused.map(|error| error.kind()),
            Some("invalid-settings"),
            "{case}"
        );
    }
}
