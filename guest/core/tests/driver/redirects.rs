//! Redirects: what is sent where, and how many are followed.

use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Budget, Content, Error, Event, LastOutcome, Phase, Redirects, RequestOptions, Retries,
};

use crate::common::{
    DIAL, SECOND, World, answer, ask, found, get, has_field, in_turn, leading, lines, listing, ok,
    plain, to, too_many, with_headers, with_retries,
};

#[test]
fn a_chain_is_followed_byte_for_byte() {
    let world = World::retrying(Retries::total(4));
    let hops = [
        found("y/z?q=1#part"),
        to("301 Moved Permanently", "http://a.test/../w x"),
        to("308 Permanent Redirect", "//b.test:81?deep"),
    ];
    world.serve("a.test", vec![in_turn(&hops)]);
    let there = in_turn(&[to("307 Temporary Redirect", "/end"), ok("b")]);
    world.listen("b.test", 81, Listener::Accept(vec![there]));
    let outcome = get(&world, "http://a.test/dir/x");
    let end = "http://b.test:81/end".to_owned();
    assert_eq!(outcome.unwrap(), (200, end, "b".into()));
    let expected = [
        plain("/dir/x", "a.test"),
        plain("/dir/y/z?q=1", "a.test"),
        plain("/w%20x", "a.test"),
    ];
    assert_eq!(world.sent(0), expected.concat());
    let expected = [plain("/?deep", "b.test:81"), plain("/end", "b.test:81")];
    assert_eq!(world.sent(1), expected.concat());
    assert_eq!(world.net.connections(), 2);
}

#[test]
fn only_303_loses_the_method_and_the_body() {
    let fields = [("Content-Type", "text/x"), ("X-A", "1")];
    for (status, method, location, becomes) in [
        ("301 Moved Permanently", "POST", "/y", "POST"),
        ("302 Found", "POST", "/y", "POST"),
        ("302 Found", "PUT", "http://b.test/y", "PUT"),
        ("307 Temporary Redirect", "POST", "http://b.test/y", "POST"),
        ("308 Permanent Redirect", "PATCH", "/y", "PATCH"),
        ("303 See Other", "POST", "/y", "GET"),
        ("303 See Other", "PUT", "http://b.test/y", "GET"),
        ("303 See Other", "DELETE", "/y", "GET"),
        ("303 See Other", "HEAD", "/y", "HEAD"),
        ("303 See Other", "HEAD", "http://b.test/y", "HEAD"),
        ("302 Found", "HEAD", "/y", "HEAD"),
    ] {
        let case = format!("{status}, {method}, {location}");
        let redirect = match method {
            "HEAD" => format!("HTTP/1.1 {status}\r\nLocation: {location}\r\n\r\n").into_bytes(),
            _ => to(status, location),
        };
        let done = "HTTP/1.1 204 No Content\r\n\r\n".as_bytes().to_vec();
        let world = leading(&[redirect, done.clone()]);
        world.serve("b.test", vec![Script::always(done)]);
        let body = if method == "HEAD" { "" } else { "a=b" };
        let outcome = ask(
            &world,
            method,
            "http://a.test/x",
            body,
            with_headers(&fields),
        );
        assert_eq!(outcome.unwrap().0, 204, "{case}");
        let sent = match location {
            "/y" => String::from_utf8(world.net.writes(0)[1].clone()).unwrap(),
            _ => world.sent(1),
        };
        let host = if location == "/y" { "a.test" } else { "b.test" };
        let mut expected = vec![
            format!("{becomes} /y HTTP/1.1"),
            format!("Host: {host}"),
            "Accept-Encoding: identity".into(),
            format!("User-Agent: {USER_AGENT}"),
        ];
        if becomes == method && !status.starts_with("303") {
            if !body.is_empty() {
                expected.insert(3, "Content-Length: 3".into());
            }
            expected.push("Content-Type: text/x".into());
        }
        expected.push("X-A: 1".into());
        if sent.contains("a=b") {
            expected.push("a=b".into());
        }
        assert_eq!(lines(&sent), expected, "{case}");
        let keeps_body = becomes == method && !body.is_empty();
        assert_eq!(sent.ends_with("\r\n\r\na=b"), keeps_body, "{case}");
    }
}

#[test]
fn a_large_body_goes_wherever_it_is_sent_on() {
    let body = "x".repeat(200_000);
    let world = leading(&[to("307 Temporary Redirect", "http://b.test/y")]);
    let options = RequestOptions::default();
    let outcome = ask(&world, "POST", "http://a.test/x", &body, options);
    assert_eq!(outcome.unwrap().2, "b");
    assert!(world.sent(0).ends_with(&format!("\r\n\r\n{body}")));
    assert!(world.sent(1).ends_with(&format!("\r\n\r\n{body}")));
}

/// What is written by hand about a body goes with it, framing above all.
#[test]
fn cve_2023_45803_303_leaves_the_body_and_all_that_describes_it_behind() {
    let fields = [
        ("Content-Type", "text/x"),
        ("content-LENGTH", "3"),
        ("Content-Encoding", "br"),
        ("Content-Language", "en"),
        ("Content-Location", "/c"),
        ("Digest", "sha-256=x"),
        ("Last-Modified", "Sun, 15 Jun 2025 15:07:10 GMT"),
        ("X-Kept", "1"),
    ];
    for location in ["/y", "http://b.test/y"] {
        let world = leading(&[to("303 See Other", location), ok("a")]);
        let options = with_headers(&fields);
        let outcome = ask(&world, "POST", "http://a.test/x", "a=b", options);
        assert_eq!(outcome.unwrap().0, 200);
        let sent = match location {
            "/y" => String::from_utf8(world.net.writes(0)[1].clone()).unwrap(),
            _ => world.sent(1),
        };
        assert!(sent.starts_with("GET /y HTTP/1.1\r\n"), "{sent}");
        assert!(sent.ends_with("X-Kept: 1\r\n\r\n"), "{sent}");
        for (name, _) in &fields[..7] {
            assert!(!has_field(&sent, name), "{name}");
        }
        assert!(!has_field(&sent, "Transfer-Encoding"), "{sent}");
    }
}

#[test]
fn a_loop_ends() {
    let redirects = |budget| Retries {
        redirect: Some(budget),
        ..Retries::total(3)
    };
    for (case, retries, attempts) in [
        ("the default", Retries::total(3), 4),
        ("none", Retries::total(0), 1),
        ("one redirect", redirects(Budget::AtMost(1)), 2),
        ("no redirect", redirects(Budget::AtMost(0)), 1),
        (
            "more redirects than in total",
            redirects(Budget::AtMost(9)),
            4,
        ),
        ("any number of redirects", redirects(Budget::Unlimited), 4),
    ] {
        for raises in [true, false] {
            let world = World::retrying(Retries {
                raise_on_redirect: Some(raises),
                ..retries.clone()
            });
            world.serve("a.test", vec![Script::always(found("/loop?again"))]);
            let outcome = world.send("GET", "http://a.test/loop?again", Content::Empty);
            assert_eq!(world.net.writes(0).len(), attempts, "{case}");
            assert_eq!(world.net.connections(), 1, "{case}");
            if !raises {
                let response = outcome.unwrap();
                assert_eq!(response.head().status, 302, "{case}");
                assert_eq!(response.history().len(), attempts - 1, "{case}");
                assert_eq!(world.finish(response).unwrap().body, b"moved", "{case}");
                continue;
            }
            let exhausted = too_many(outcome.err().unwrap());
            assert_eq!(exhausted.attempts as usize, attempts, "{case}");
            assert_eq!(exhausted.last, LastOutcome::Status(302), "{case}");
            assert_eq!(
                exhausted.message,
                "Max retries exceeded with url: /loop?again (Caused by ResponseError('too many redirects'))",
                "{case}"
            );
            assert_eq!(exhausted.history.len(), attempts, "{case}");
            for entry in &exhausted.history {
                let location = entry.location.as_deref();
                assert_eq!(location, Some("http://a.test/loop?again"), "{case}");
            }
        }
    }
}

/// A budget of the request's own, off and none, as the manager's settings and as the request's.
#[test]
fn cve_2025_50181_the_managers_retries_rule_redirects() {
    let redirects = |budget| Retries {
        redirect: Some(budget),
        ..Retries::total(3)
    };
    for (case, retries, is_error) in [
        ("0", Retries::total(0), true),
        ("off", Retries::off(), false),
        ("no redirects", redirects(Budget::AtMost(0)), true),
        ("redirects off", redirects(Budget::Off), false),
    ] {
        for of_the_manager in [true, false] {
            let (world, options) = if of_the_manager {
                (World::retrying(retries.clone()), RequestOptions::default())
            } else {
                let world = World::retrying(Retries::total(3));
                (world, with_retries(retries.clone()))
            };
            world.serve("a.test", vec![Script::always(found("http://b.test/"))]);
            let outcome = ask(&world, "GET", "http://a.test/x", "", options);
            if is_error {
                assert_eq!(too_many(outcome.unwrap_err()).attempts, 1, "{case}");
            } else {
                let handed_out = (302, "http://a.test/x".to_owned(), "moved".to_owned());
                assert_eq!(outcome.unwrap(), handed_out, "{case}");
            }
            assert_eq!(world.net.connections(), 1, "{case}");
        }
    }
}

#[test]
fn cve_2025_50182_a_redirect_is_handed_over_on_request() {
    for location in ["http://b.test/", "/x", "ftp://b.test/", "http://[::1"] {
        let world = World::retrying(Retries::total(3));
        world.serve("a.test", vec![Script::always(found(location))]);
        let options = RequestOptions {
            redirects: Redirects::HandOver,
            ..RequestOptions::default()
        };
        let outcome = ask(&world, "GET", "http://a.test/x", "", options);
        let handed_out = (302, "http://a.test/x".to_owned(), "moved".to_owned());
        assert_eq!(outcome.unwrap(), handed_out, "{location}");
        assert_eq!(world.net.writes(0).len(), 1, "{location}");
    }
}

#[test]
fn a_redirect_that_leads_nowhere_is_handed_out() {
    for response in [
        answer("302 Found", &[], "here"),
        answer("302 Found", &["Location:"], "here"),
        answer("300 Multiple Choices", &["Location: /y"], "here"),
        answer("305 Use Proxy", &["Location: /y"], "here"),
        answer("201 Created", &["Location: /y"], "here"),
    ] {
        let world = leading(&[response.clone(), ok("there")]);
        let (_, url, body) = get(&world, "http://a.test/x").unwrap();
        let shown = String::from_utf8(response).unwrap();
        let expected = ("http://a.test/x", "here");
        assert_eq!((url.as_str(), body.as_str()), expected, "{shown}");
    }
}

#[test]
fn a_location_that_cannot_be_asked_is_an_error_where_it_would_be_followed() {
    for location in [
        "ftp://b.test/",
        "javascript:alert(1)",
        "http://[::1",
        "http:///y",
        "http://b.test:99999/",
    ] {
        let world = leading(&[found(location)]);
        let error = get(&world, "http://u:p@a.test/x").unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!(
            (error.kind(), failure.phase, failure.url.as_str()),
            ("protocol", Phase::AwaitHead, "http://a.test/x"),
            "{location}"
        );
        assert!(failure.may_have_been_acted_on, "{location}");
        let says = "the redirect's Location cannot be followed: ";
        assert!(error.message().starts_with(says), "{error}");
        assert_eq!(world.net.connections(), 1, "{location}");
        for retries in [
            Retries::off(),
            Retries {
                redirect: Some(Budget::Off),
                ..Retries::default()
            },
            Retries {
                raise_on_redirect: Some(false),
                ..Retries::total(0)
            },
        ] {
            let world = leading(&[found(location)]);
            let options = with_retries(retries);
            let outcome = ask(&world, "GET", "http://a.test/x", "", options);
            assert_eq!(outcome.map(|reply| reply.0), Ok(302), "{location}");
        }
    }
}

#[test]
fn failures_behind_a_redirect_are_retried_there() {
    let world = leading(&[found("http://c.test/y")]);
    let dies = Script::new().request().close();
    world.serve("c.test", vec![dies, Script::always(ok("c"))]);
    let response = world.open("http://a.test/x");
    assert_eq!(response.head().url, "http://c.test/y");
    let history = response.history();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].location.as_deref(), Some("http://c.test/y"));
    let error = history[1].error.as_ref().unwrap();
    assert_eq!(
        (history[1].url.as_str(), error.kind()),
        ("http://c.test/y", "protocol")
    );
    assert_eq!(error.failure().unwrap().attempt, 2);
    assert_eq!(world.net.writes(0).len(), 1, "a.test is not asked again");

    let world = leading(&[found("http://c.test/y")]);
    world.listen("c.test", 80, Listener::Refuse);
    let Err(Error::RetriesExhausted(exhausted)) = get(&world, "http://a.test/x") else {
        panic!("the retries are not what is exhausted");
    };
    assert_eq!((exhausted.attempts, exhausted.history.len()), (4, 4));
    assert_eq!(exhausted.url, "http://c.test/y");
}

#[test]
fn a_failure_that_is_not_retried_tells_what_came_before_it() {
    for (case, method, retries, kind) in [
        ("not repeatable", "POST", Retries::default(), "protocol"),
        ("no reads", "GET", no_reads(), "protocol"),
    ] {
        let world = leading(&[found("http://c.test/y")]);
        world.serve("c.test", vec![Script::new().request().close()]);
        let options = with_retries(retries);
        let error = ask(&world, method, "http://a.test/x", "", options).unwrap_err();
        assert_eq!(error.kind(), kind, "{case}");
        let told: Vec<_> = error
            .history()
            .iter()
            .map(|entry| (entry.url.as_str(), entry.status))
            .collect();
        assert_eq!(told, [("http://a.test/x", Some(302))], "{case}");
    }
}

fn no_reads() -> Retries {
    Retries {
        read: Some(Budget::Off),
        ..Retries::default()
    }
}

/// urllib3's manager does not wait, and its pool waits although told not to heed the field.
#[test]
fn a_redirect_may_say_when_and_has_no_backoff() {
    let disrespectful = Retries {
        respect_retry_after: Some(false),
        ..Retries::default()
    };
    for (case, own, seconds) in [
        ("respected", Retries::default(), 7),
        ("not respected", disrespectful, 0),
    ] {
        let world = World::retrying(Retries {
            backoff_factor: Some(SECOND),
            ..Retries::total(3)
        });
        let fields = ["Location: /y", "Retry-After: 7"];
        let later = answer("302 Found", &fields, "");
        let script = in_turn(&[later.clone(), later, found("/z"), ok("a")]);
        world.serve("a.test", vec![script]);
        let options = with_retries(own);
        let (outcome, took) = world.timed_by(|| ask(&world, "GET", "http://a.test/x", "", options));
        assert_eq!(outcome.unwrap().2, "a", "{case}");
        assert_eq!(took, DIAL + SECOND * seconds * 2, "{case}");
    }
}

#[test]
fn redirects_are_told_as_such() {
    let world = leading(&[found("y"), found("http://b.test/z"), ok("a")]);
    let response = world.open("http://u:p@a.test/x");
    assert_eq!(response.head().url, "http://b.test/z");
    let events = world.manager.take_events();
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Retried { .. }))
    );
    let told: Vec<_> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Redirected { from, to } => Some((from, to)),
            _ => None,
        })
        .collect();
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let expected = [
        pair("http://a.test/x", "http://a.test/y"),
        pair("http://a.test/y", "http://b.test/z"),
    ];
    assert_eq!(told, expected);
    let locations: Vec<_> = response
        .history()
        .iter()
        .map(|entry| (entry.status, entry.location.as_deref()))
        .collect();
    let expected = [
        (Some(302), Some("http://a.test/y")),
        (Some(302), Some("http://b.test/z")),
    ];
    assert_eq!(locations, expected);
    assert_eq!(response.retries().total, Some(Budget::AtMost(1)));
}

#[test]
fn a_redirect_whose_status_is_listed_is_asked_for_again_and_counts_as_status() {
    let listed = listing(&[302], Retries::total(3));
    for (case, retries, is_answered, requests) in [
        ("as often as there are retries", listed.clone(), true, 3),
        (
            "no redirects",
            Retries {
                redirect: Some(Budget::AtMost(0)),
                ..listed.clone()
            },
            true,
            3,
        ),
        (
            "one status",
            Retries {
                status: Some(Budget::AtMost(1)),
                ..listed
            },
            false,
            2,
        ),
    ] {
        let world = World::retrying(retries);
        let moved = || to("302 Found", "/x");
        world.serve("a.test", vec![in_turn(&[moved(), moved(), ok("a")])]);
        let outcome = world.send("GET", "http://a.test/", Content::Empty);
        assert_eq!(world.net.writes(0).len(), requests, "{case}");
        assert!(!world.sent(0).contains("/x"), "{case}: nobody goes there");
        let error = match outcome {
            Ok(response) => {
                let tried = response.history();
                let tried: Vec<_> = tried
                    .iter()
                    .map(|entry| (entry.status, &entry.location))
                    .collect();
                assert_eq!(tried, [(Some(302), &None); 2], "{case}");
                None
            }
            Err(error) => Some(error.kind()),
        };
        let expected = (!is_answered).then_some("retries-exhausted");
        assert_eq!(error, expected, "{case}");
    }
}
