//! How long the next attempt waits, and which clock that counts for.

use std::time::Duration;

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{Budget, Content, Phase, Retries, Timeouts};

use crate::common::{
    DIAL, NOW, SECOND, World, after, answer, deadline, delays, exhausted, growing, in_turn,
    listing, ok, retrying, total,
};

const BUSY: &str = "503 Service Unavailable";

#[test]
fn a_response_that_says_when_is_asked_for_again_then() {
    assert_eq!(NOW.as_secs(), 1_750_000_000);
    for (case, value, seconds) in [
        ("seconds", "7", 7),
        ("a date", "Sun, 15 Jun 2025 15:07:10 GMT", 30),
        ("an old date", "Sunday, 15-Jun-25 15:07:10 GMT", 30),
        ("the past", "Sun, 15 Jun 2025 15:06:00 GMT", 0),
        ("no date", "tomorrow", 0),
        ("longer than a connection stays idle", "91", 91),
        ("longer than anybody waits", "99999999999", 6 * 3600),
    ] {
        let world = World::retrying(Retries::total(3));
        let later = answer(BUSY, &[&format!("Retry-After: {value}")], "busy");
        let script = in_turn(&[later, ok("done")]);
        world.serve("a.test", vec![script, Script::always(ok("done"))]);
        let (reply, took) = world.timed_by(|| world.get("http://a.test/"));
        assert_eq!(reply.unwrap().body, b"done", "{case}");
        let delay = SECOND * seconds;
        let connections: u32 = if seconds > 90 { 2 } else { 1 };
        assert_eq!(took, DIAL * connections + delay, "{case}");
        assert_eq!(delays(&world), [delay], "{case}");
        assert_eq!(world.net.connections(), connections as usize, "{case}");
        let first = world.net.writes(0)[0].clone();
        let second = world.net.writes(connections as usize - 1).pop();
        assert_eq!(second, Some(first), "{case}");
    }
}

#[test]
fn a_response_that_says_when_is_handed_out_where_nobody_may_ask_again() {
    let unlimited = Retries {
        total: Some(Budget::Unlimited),
        ..Retries::default()
    };
    let disrespectful = Retries {
        respect_retry_after: Some(false),
        ..Retries::total(3)
    };
    for (case, retries, method) in [
        ("off", Retries::off(), "GET"),
        ("at most 0", Retries::total(0), "GET"),
        ("no total", unlimited, "GET"),
        ("not respected", disrespectful, "GET"),
        ("POST", Retries::total(3), "POST"),
    ] {
        let world = World::retrying(retries.clone());
        let later = answer(BUSY, &["Retry-After: 7"], "busy");
        world.serve("a.test", vec![Script::always(later)]);
        let (sent, took) = world.timed_by(|| world.send(method, "http://a.test/", Content::Empty));
        let response = sent.unwrap();
        assert!(response.history().is_empty(), "{case}");
        assert_eq!(response.retries().total, retries.total, "{case}");
        assert_eq!((response.head().status, took), (503, DIAL), "{case}");
        assert_eq!(world.finish(response).unwrap().body, b"busy", "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}");
    }
}

#[test]
fn backoff_waits_nothing_then_twice_then_four_times_as_long() {
    for (case, scripts, connections) in [
        (
            "statuses, over one connection",
            vec![in_turn(&[answer("500 Oops", &[], "oops")])],
            1,
        ),
        ("failures", vec![Script::new().request().close()], 5),
    ] {
        let retries = growing(SECOND, listing(&[500], Retries::total(4)));
        let world = World::retrying(retries);
        world.serve("a.test", scripts);
        let (outcome, took) = world.timed_by(|| world.get("http://a.test/"));
        let exhausted = exhausted(outcome.unwrap_err());
        assert_eq!((exhausted.attempts, exhausted.history.len()), (5, 5));
        assert_eq!(world.net.connections(), connections, "{case}");
        let expected = [0, 2, 4, 8].map(|count| SECOND * count);
        assert_eq!(delays(&world), expected, "{case}");
        let dials = DIAL * u32::try_from(connections).unwrap();
        assert_eq!(took, dials + SECOND * 14, "{case}");
    }
}

#[test]
fn jitter_lengthens_each_delay_but_the_first() {
    let retries = Retries {
        backoff_jitter: Some(SECOND * 4),
        ..growing(SECOND, Retries::total(2))
    };
    let world = World::retrying(retries);
    world.listen("a.test", 80, Listener::Refuse);
    assert!(world.get("http://a.test/").is_err());
    let [first, second] = delays(&world).try_into().unwrap();
    assert_eq!(first, Duration::ZERO);
    assert!(second > SECOND * 2 && second <= SECOND * 6, "{second:?}");
}

#[test]
fn a_day_of_waiting_is_waited_for() {
    let day = SECOND * 24 * 3600;
    let patient = Retries {
        retry_after_max: Some(day),
        ..Retries::total(3)
    };
    let world = World::retrying(patient);
    let later = answer(BUSY, &["Retry-After: 86400"], "");
    let busy = Script::always(later);
    let scripts = vec![busy.clone(), busy.clone(), busy, Script::always(ok("done"))];
    world.serve("a.test", scripts);
    let (reply, took) = world.timed_by(|| world.get("http://a.test/"));
    assert_eq!(reply.unwrap().body, b"done");
    assert_eq!(delays(&world), [day; 3]);
    assert_eq!(took, day * 3 + DIAL * 4);
}

#[test]
fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
    for (case, seconds, in_time) in [
        ("much later", "3600", false),
        ("just too late", "5", false),
        ("in time", "4", true),
    ] {
        let world = retrying(Retries::total(3), deadline(5));
        let later = answer(BUSY, &[&format!("Retry-After: {seconds}")], "");
        world.serve("a.test", vec![in_turn(&[later, ok("done")])]);
        let (outcome, took) = world.timed_by(|| world.get("http://a.test/"));
        if in_time {
            assert_eq!(outcome.unwrap().body, b"done", "{case}");
            continue;
        }
        let error = outcome.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!(
            (error.kind(), failure.phase, failure.attempt),
            ("deadline-exceeded", Phase::Backoff, 1),
            "{case}"
        );
        assert_eq!(error.history()[0].status, Some(503), "{case}");
        assert_eq!(took, DIAL, "{case}");
        assert_eq!(world.net.writes(0).len(), 1, "{case}");
    }
}

#[test]
fn each_attempt_has_a_total_of_its_own_and_all_share_the_deadline() {
    let both = Timeouts {
        deadline: after(5),
        ..total(2)
    };
    for (case, timeouts, kind, seconds, connections) in [
        ("total", total(2), "retries-exhausted", 8, 4),
        ("deadline", deadline(5), "deadline-exceeded", 5, 1),
        ("both", both, "deadline-exceeded", 5, 3),
    ] {
        let world = retrying(Retries::total(3), timeouts);
        world.serve("a.test", vec![Script::new().request()]);
        let (outcome, took) = world.timed_by(|| world.get("http://a.test/"));
        assert_eq!(outcome.unwrap_err().kind(), kind, "{case}");
        assert_eq!(took, SECOND * seconds, "{case}");
        assert_eq!(world.net.connections(), connections, "{case}");
    }
}

#[test]
fn the_time_between_attempts_counts_for_the_deadline_alone() {
    let retries = growing(SECOND * 2, Retries::total(2));
    let world = retrying(retries, total(1));
    let silent = Script::new().request();
    let scripts = vec![silent.clone(), silent, Script::always(ok("done"))];
    world.serve("a.test", scripts);
    let (reply, took) = world.timed_by(|| world.get("http://a.test/"));
    assert_eq!(reply.unwrap().body, b"done");
    assert_eq!(took, SECOND * (1 + 1 + 4) + DIAL);
}
