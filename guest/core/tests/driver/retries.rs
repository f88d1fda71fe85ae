//! Requests that are tried again: what is sent, over how many connections, and how that ends.

use std::time::Duration;

use rustls::version::TLS13;
use urlpool_core::driver::{ResolveError, Response};
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Budget, Content, Error, Event, LastOutcome, RequestOptions, RetriedMethods, Retries, Timeouts,
};

use crate::common::{
    Authority, DIAL, SECOND, World, answer, connect, delays, exhausted, growing, in_turn, listing,
    ok, read, retrying,
};

fn open(world: &World, options: RequestOptions) -> Result<Response<SimNet>, Error> {
    let request = world
        .manager
        .request("GET", "http://a.test/", Content::Empty, options);
    world.net.run(request)
}

#[test]
fn a_connection_refused_four_times_exhausts_the_default() {
    let world = World::retrying(Retries::total(3));
    world.listen("a.test", 80, Listener::Refuse);
    let (outcome, took) = world.timed_by(|| world.get("http://user:secret@a.test/x?y"));
    let exhausted = exhausted(outcome.unwrap_err());
    assert_eq!((took, exhausted.attempts), (DIAL * 4, 4));
    assert_eq!(
        (exhausted.method.as_str(), exhausted.url.as_str()),
        ("GET", "http://a.test/x?y")
    );
    let why = "Failed to establish a new connection: 192.0.2.97:80: Connection refused";
    assert_eq!(
        exhausted.message,
        format!(
            "Max retries exceeded with url: /x?y (Caused by NewConnectionError({:?}))",
            why
        )
    );
    let LastOutcome::Failed(last) = &exhausted.last else {
        panic!("there was no response");
    };
    assert_eq!((last.kind(), last.message()), ("connection-failed", why));
    assert_eq!(exhausted.history.len(), 4);
    for (at, entry) in (1..).zip(&exhausted.history) {
        let error = entry.error.as_ref().unwrap();
        assert_eq!(error.failure().unwrap().attempt, at);
        assert_eq!(
            (entry.method.as_str(), entry.url.as_str()),
            ("GET", "http://a.test/x?y")
        );
        assert_eq!((entry.status, entry.location.as_ref()), (None, None));
    }
    assert_eq!(delays(&world), [Duration::ZERO; 3]);
}

/// What one kind of misfortune comes to, and after how many attempts: for every method, off, at most 0 and at most 2.
#[test]
fn misfortunes_end_in_their_own_error_or_in_that_of_the_retries() {
    let closing = || Listener::Accept(vec![Script::new().request().close()]);
    let silent = || Listener::Accept(vec![Script::new()]);
    let nonsense = || Listener::Accept(vec![Script::always("nonsense\r\n\r\n")]);
    type Make = fn() -> Listener;
    type Row = (
        &'static str,
        &'static str,
        Make,
        Timeouts,
        &'static str,
        &'static str,
        usize,
    );
    let none = Timeouts::default();
    let rows: [Row; 9] = [
        (
            "refused",
            "GET",
            || Listener::Refuse,
            none,
            "connection-failed",
            "retries-exhausted",
            3,
        ),
        (
            "POST refused",
            "POST",
            || Listener::Refuse,
            none,
            "connection-failed",
            "retries-exhausted",
            3,
        ),
        (
            "POST never connected",
            "POST",
            || Listener::BlackHole,
            connect(1),
            "connect-timeout",
            "retries-exhausted",
            3,
        ),
        (
            "denied",
            "GET",
            || Listener::Deny,
            none,
            "denied",
            "denied",
            1,
        ),
        (
            "closed",
            "GET",
            closing,
            none,
            "protocol",
            "retries-exhausted",
            3,
        ),
        (
            "POST closed",
            "POST",
            closing,
            none,
            "protocol",
            "protocol",
            1,
        ),
        (
            "silent",
            "GET",
            silent,
            read(1),
            "read-timeout",
            "retries-exhausted",
            3,
        ),
        (
            "POST silent",
            "POST",
            silent,
            read(1),
            "read-timeout",
            "read-timeout",
            1,
        ),
        (
            "nonsense",
            "GET",
            nonsense,
            none,
            "protocol",
            "retries-exhausted",
            3,
        ),
    ];
    for (case, method, listener, timeouts, bare, kind, attempts) in rows {
        let after_one = if attempts == 1 { bare } else { kind };
        for (retries, expected, attempts) in [
            (Retries::off(), bare, 1),
            (Retries::total(0), after_one, 1),
            (Retries::total(2), kind, attempts),
        ] {
            let world = retrying(retries, timeouts);
            world.listen("a.test", 80, listener());
            let sent = world.send(method, "http://a.test/", Content::Bytes(b"x".into()));
            let Err(error) = sent else {
                panic!("{case}: there is a response");
            };
            assert_eq!(error.kind(), expected, "{case}");
            let failure = error.failure().unwrap();
            assert_eq!(failure.attempt as usize, attempts, "{case}");
            assert_eq!(delays(&world).len(), attempts - 1, "{case}");
            assert_eq!(world.net.open_connections(), 0, "{case}");
            if let Error::RetriesExhausted(exhausted) = &error {
                let LastOutcome::Failed(last) = &exhausted.last else {
                    panic!("{case}: there was a response");
                };
                assert_eq!(last.kind(), bare, "{case}");
                assert_eq!(exhausted.history.len(), attempts, "{case}");
            }
        }
    }
}

#[test]
fn a_name_that_is_not_found_is_looked_up_again() {
    let world = World::retrying(Retries::total(1));
    let error = world.get("http://a.test/").unwrap_err();
    assert_eq!(error.kind(), "retries-exhausted");
    assert_eq!(
        error.message(),
        "Max retries exceeded with url: / (Caused by NameResolutionError(\"Failed to resolve 'a.test' (Name or service not known)\"))"
    );
    let failed = ResolveError::Failed("try again".into());
    world.net.unname("a.test", failed);
    assert_eq!(
        world.get("http://a.test/").unwrap_err().kind(),
        "retries-exhausted"
    );
    let denied = ResolveError::Denied("no names here".into());
    world.net.unname("a.test", denied);
    assert_eq!(world.get("http://a.test/").unwrap_err().kind(), "denied");
}

/// urllib3's `test_retry_ssl_error`: the certificate may be another one next time, and nothing was sent.
#[test]
fn tls_that_fails_is_tried_again_whatever_the_method() {
    for (method, other, connections) in [("GET", None, 3), ("POST", None, 3), ("GET", Some(0), 1)] {
        let retries = Retries {
            other: other.map(Budget::AtMost),
            ..Retries::total(2)
        };
        let world = World::retrying(retries);
        let stranger = Authority::new().server(&["a.test"], &[&TLS13]);
        world.listen("a.test", 443, stranger.listener(vec![Script::new()]));
        let sent = world.send(method, "https://a.test/", Content::Empty);
        let exhausted = exhausted(sent.err().unwrap());
        let LastOutcome::Failed(last) = &exhausted.last else {
            panic!("there was no response");
        };
        assert_eq!(last.kind(), "tls");
        assert!(exhausted.message.contains("(Caused by SSLError("));
        assert_eq!(world.net.connections(), connections, "{method} {other:?}");
        assert_eq!(world.net.open_connections(), 0, "{method} {other:?}");
    }
}

#[test]
fn what_is_sent_again_is_the_same_to_the_byte() {
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    let world = World::retrying(Retries::total(3));
    let dies = |script: Script| script.close();
    world.serve(
        "a.test",
        vec![
            dies(Script::new().request()),
            dies(Script::new().head()),
            dies(Script::new().request().send("HTTP/1.1 200 OK\r\nCon")),
            Script::always(ok("at last")),
        ],
    );
    let content = Content::Bytes(body.clone());
    let response = world.send("PUT", "http://a.test/x", content).unwrap();
    assert_eq!(response.head().connection.number, 4);
    assert_eq!(response.history().len(), 3);
    assert_eq!(response.retries().total, Some(Budget::AtMost(0)));
    assert_eq!(world.finish(response).unwrap().body, b"at last");
    let sent = |connection| world.net.writes(connection).concat();
    assert!(sent(3).starts_with(b"PUT /x HTTP/1.1\r\n"));
    assert!(sent(3).ends_with(&body));
    assert_eq!((sent(0) == sent(3), sent(2) == sent(3)), (true, true));
}

#[test]
fn a_status_too_many_is_an_error_or_a_response() {
    for (raises, total) in [(true, 2), (false, 2), (true, 0), (false, 0)] {
        let retries = Retries {
            raise_on_status: Some(raises),
            ..listing(&[500], Retries::total(total))
        };
        let world = World::retrying(retries);
        world.serve("a.test", vec![in_turn(&[answer("500 Oops", &[], "oops")])]);
        let outcome = world.send("GET", "http://a.test/", Content::Empty);
        let attempts = total as usize + 1;
        assert_eq!(world.net.writes(0).len(), attempts);
        if raises {
            let exhausted = exhausted(outcome.err().unwrap());
            assert_eq!(exhausted.last, LastOutcome::Status(500));
            assert_eq!(exhausted.history.len(), attempts);
            assert_eq!(
                exhausted.message,
                "Max retries exceeded with url: / (Caused by ResponseError('too many 500 error responses'))"
            );
            assert_eq!(world.net.open_connections(), 1, "it was read to its end");
            continue;
        }
        let response = outcome.unwrap();
        assert_eq!(response.head().status, 500);
        assert_eq!(response.history().len(), attempts - 1);
        assert_eq!(response.retries().total, Some(Budget::AtMost(0)));
        for entry in response.history() {
            assert_eq!((entry.status, entry.error.as_ref()), (Some(500), None));
        }
        assert_eq!(world.finish(response).unwrap().body, b"oops");
    }
}

/// urllib3's `test_retries_wrong_forcelist` and `test_default_method_forcelist_retried`.
#[test]
fn only_listed_statuses_of_listed_methods_are_asked_for_again() {
    let any = || Some(RetriedMethods::Any);
    for (case, method, listed, methods, requests) in [
        ("not listed", "GET", 404, None, 1),
        ("listed", "OPTIONS", 500, None, 2),
        ("POST", "POST", 500, None, 1),
        ("POST, allowed", "POST", 500, any(), 2),
    ] {
        let retries = Retries {
            methods,
            ..listing(&[listed], Retries::total(1))
        };
        let world = World::retrying(retries);
        let script = in_turn(&[answer("500 Oops", &[], ""), ok("done")]);
        world.serve("a.test", vec![script]);
        let content = Content::Bytes(b"body".to_vec());
        let response = world.send(method, "http://a.test/", content).unwrap();
        let expected = if requests == 1 { 500 } else { 200 };
        assert_eq!(response.head().status, expected, "{case}");
        let writes = world.net.writes(0);
        assert_eq!(writes.len(), requests, "{case}");
        assert!(writes.iter().all(|write| *write == writes[0]), "{case}");
    }
}

#[test]
fn a_dead_idle_connection_is_replaced_for_nothing() {
    for (case, retries, fails_too, expected) in [
        ("off", Retries::off(), false, Ok(2)),
        ("at most 0", Retries::total(0), false, Ok(2)),
        ("at most 1", Retries::total(1), true, Ok(3)),
        (
            "at most 0, then a failure",
            Retries::total(0),
            true,
            Err("retries-exhausted"),
        ),
        ("off, then a failure", Retries::off(), true, Err("protocol")),
    ] {
        let world = World::retrying(retries.clone());
        let dies = Script::new().request().close();
        let mut scripts = vec![
            Script::new().request().send(ok("one")).request().close(),
            Script::always(ok("two")),
        ];
        if fails_too {
            scripts.insert(1, dies);
        }
        world.serve("a.test", scripts);
        world.get("http://a.test/").unwrap();
        drop(world.manager.take_events());
        let outcome = world.send("GET", "http://a.test/", Content::Empty);
        let events = world.manager.take_events();
        assert!(events.contains(&Event::Replayed { number: 1 }), "{case}");
        match outcome {
            Ok(response) => {
                let failures = usize::from(fails_too);
                assert_eq!(Ok(response.head().connection.number), expected, "{case}");
                assert_eq!(response.history().len(), failures, "{case}");
                let left = if fails_too {
                    Some(Budget::AtMost(0))
                } else {
                    retries.total
                };
                assert_eq!(response.retries().total, left, "{case}");
            }
            Err(error) => {
                assert_eq!(Err(error.kind()), expected, "{case}");
                assert_eq!(world.net.connections(), 2, "{case}");
                if let Error::RetriesExhausted(exhausted) = &error {
                    assert_eq!(exhausted.history.len(), 1, "the replay is no failure");
                }
            }
        }
    }
}

#[test]
fn a_body_that_breaks_while_it_is_read_is_not_asked_for_again() {
    let world = World::retrying(Retries::total(3));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    world.serve("a.test", vec![Script::new().request().send(half).close()]);
    assert_eq!(
        world.get("http://a.test/").unwrap_err().kind(),
        "incomplete-body"
    );
    assert_eq!(world.net.connections(), 1);
}

/// urllib3's `test_retry_return_in_response` and `test_retry_redirect_history`.
#[test]
fn a_response_brings_its_history_and_what_is_left() {
    let world = World::retrying(listing(&[500], Retries::total(5)));
    let scripts = vec![
        Script::new().request().close(),
        in_turn(&[
            answer("500 Oops", &[], ""),
            answer("302 Found", &["Location: /y"], ""),
            ok("done"),
        ]),
    ];
    world.serve("a.test", scripts);
    let response = world.open("http://a.test/x");
    assert_eq!(response.head().url, "http://a.test/y");
    let told: Vec<_> = response
        .history()
        .iter()
        .map(|entry| {
            let error = entry.error.as_ref().map(|error| error.kind());
            (
                entry.url.as_str(),
                entry.status,
                entry.location.as_deref(),
                error,
            )
        })
        .collect();
    let expected = [
        ("http://a.test/x", None, None, Some("protocol")),
        ("http://a.test/x", Some(500), None, None),
        ("http://a.test/x", Some(302), Some("http://a.test/y"), None),
    ];
    assert_eq!(told, expected);
    assert_eq!(response.retries().total, Some(Budget::AtMost(2)));
    assert_eq!(response.retries().statuses, Some(vec![500]));
}

#[test]
fn a_request_replaces_what_it_names_and_inherits_the_rest() {
    let failing = || vec![in_turn(&[answer("500 Oops", &[], "")])];
    let listed = listing(&[500], Retries::total(2));
    for (case, own, requests) in [
        ("nothing named", Retries::default(), 3),
        ("more", Retries::total(5), 6),
        ("off", Retries::off(), 1),
        ("another list", listing(&[404], Retries::default()), 1),
        (
            "another budget",
            Retries {
                status: Some(Budget::AtMost(1)),
                ..Retries::default()
            },
            2,
        ),
    ] {
        let world = World::retrying(listed.clone());
        world.serve("a.test", failing());
        let options = RequestOptions {
            retries: own,
            ..RequestOptions::default()
        };
        drop(open(&world, options));
        assert_eq!(world.net.writes(0).len(), requests, "{case}");
        drop(open(&world, RequestOptions::default()));
        assert_eq!(world.net.writes(0).len(), requests + 3, "{case}: the next");
    }
}

#[test]
fn what_happens_between_attempts_is_told_in_order() {
    let world = World::retrying(growing(SECOND, listing(&[500], Retries::total(3))));
    let script = in_turn(&[
        answer("500 Oops", &[], ""),
        answer("500 Oops", &[], ""),
        ok("a"),
    ]);
    world.serve("a.test", vec![script]);
    world.get("http://a.test/").unwrap();
    let names: Vec<String> = world
        .manager
        .take_events()
        .into_iter()
        .map(|event| match event {
            Event::Retried { delay } => format!("retried after {delay:?}"),
            other => {
                let shown = format!("{other:?}");
                shown.split(' ').next().unwrap_or_default().to_owned()
            }
        })
        .collect();
    let expected = [
        "Resolved",
        "Connected",
        "Sent",
        "Received",
        "CheckedIn",
        "retried after 0ns",
        "CheckedOut",
        "Sent",
        "Received",
        "CheckedIn",
        "retried after 2s",
        "CheckedOut",
        "Sent",
        "Received",
        "CheckedIn",
    ];
    assert_eq!(names, expected);
}
