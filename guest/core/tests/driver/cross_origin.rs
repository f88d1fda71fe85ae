//! What a redirect carries from one origin to another.

use rustls::version::TLS13;
use urlpool_core::sim::Listener;
use urlpool_core::types::{
    Event, Headers, ManagerSettings, PoolSettings, RequestOptions, Retries, TlsSettings,
};

use crate::common::{
    Authority, World, ask, found, get, has_field, in_turn, leading, lines, ok, origin_of, plain,
    with_headers,
};

const ELSEWHERE: [&str; 3] = ["http://b.test/y", "//www.a.test/y", "http://a.test:8080/y"];

/// Which of these fields the second request has, when `a.test` redirects the first one.
fn kept(location: &str, fields: &[(&str, &str)], retries: Retries) -> Vec<bool> {
    let world = leading(&[found(location), ok("a")]);
    for (host, port) in [("a.test", 8080), ("www.a.test", 80)] {
        world.listen(host, port, Listener::Accept(origin_of("there")));
    }
    let options = RequestOptions {
        retries,
        ..with_headers(fields)
    };
    let outcome = ask(&world, "GET", "http://a.test/x", "", options);
    assert_eq!(outcome.unwrap().0, 200);
    let writes = (0..world.net.connections()).flat_map(|at| world.net.writes(at));
    let sent: Vec<String> = writes
        .map(|write| String::from_utf8(write).unwrap())
        .collect();
    let [first, second] = sent.as_slice() else {
        panic!("there are not two requests: {sent:?}");
    };
    let line = |(name, value): &(&str, &str)| format!("\r\n{name}: {value}\r\n");
    assert!(fields.iter().all(|field| first.contains(&line(field))));
    let is_kept = |field: &(&str, &str)| second.contains(&line(field));
    let named = |(name, _): &(&str, &str)| has_field(second, name) && *name != "Host";
    for field in fields {
        assert!(is_kept(field) || !named(field), "changed: {field:?}");
    }
    fields.iter().map(is_kept).collect()
}

#[test]
fn cve_2018_20060_authorization_stays_within_its_origin() {
    let fields = [("Authorization", "Bearer t"), ("X-Kept", "1")];
    for location in ELSEWHERE {
        let kept = kept(location, &fields, Retries::default());
        assert_eq!(kept, [false, true], "{location}");
    }
    for location in ["/y", "//a.test/y", "HTTP://A.TEST:80/y"] {
        let kept = kept(location, &fields, Retries::default());
        assert_eq!(kept, [true, true], "{location}");
    }
}

#[test]
fn cve_2018_25091_the_case_of_a_name_does_not_matter() {
    let fields = [
        ("aUtHoRiZaTiOn", "Bearer t"),
        ("COOKIE", "c=1"),
        ("proxy-authorization", "Basic eA=="),
    ];
    for location in ELSEWHERE {
        let kept = kept(location, &fields, Retries::default());
        assert_eq!(kept, [false, false, false], "{location}");
    }
}

#[test]
fn cve_2023_43804_cookies_stay_within_their_origin() {
    let fields = [("Cookie", "c=1"), ("Cookie", "d=2"), ("X-Kept", "1")];
    for location in ELSEWHERE {
        let kept = kept(location, &fields, Retries::default());
        assert_eq!(kept, [false, false, true], "{location}");
    }
}

#[test]
fn cve_2024_37891_proxy_authorization_stays_within_its_origin() {
    let fields = [("Proxy-Authorization", "Basic eA=="), ("X-Kept", "1")];
    for location in ELSEWHERE {
        let kept = kept(location, &fields, Retries::default());
        assert_eq!(kept, [false, true], "{location}");
    }
}

/// urllib3's `test_redirect_cross_host_no_remove_headers` and `test_redirect_cross_host_set_removed_headers`.
#[test]
fn what_is_removed_is_what_the_retries_name() {
    let fields = [("Authorization", "Bearer t"), ("X-API-Secret", "s")];
    for (names, expected) in [
        (vec![], [true, true]),
        (vec!["x-api-secret"], [true, false]),
        (vec!["X-API-SECRET", "authorization"], [false, false]),
    ] {
        let removed = names.iter().copied().map(str::to_owned).collect();
        let retries = Retries {
            remove_headers_on_redirect: Some(removed),
            ..Retries::default()
        };
        let kept = kept("http://b.test/y", &fields, retries);
        assert_eq!(kept, expected, "{names:?}");
    }
}

/// urllib3 sends a `Host` of the caller's to every origin.
#[test]
fn a_host_written_by_hand_names_the_first_origin_alone() {
    let fields = [("Host", "virtual.test")];
    for (location, host) in [
        ("/y", "virtual.test"),
        ("http://b.test/y", "b.test"),
        ("http://a.test:8080/y", "a.test:8080"),
    ] {
        let world = leading(&[found(location), ok("a")]);
        world.listen("a.test", 8080, Listener::Accept(origin_of("there")));
        let options = with_headers(&fields);
        ask(&world, "GET", "http://a.test/x", "", options).unwrap();
        let connection = world.net.connections() - 1;
        let sent = world.net.writes(connection).pop().unwrap();
        let sent = String::from_utf8(sent).unwrap();
        let hosts: Vec<_> = lines(&sent)
            .into_iter()
            .filter(|line| line.starts_with("Host:"))
            .collect();
        assert_eq!(hosts, [format!("Host: {host}")], "{location}");
    }
}

#[test]
fn secrets_that_were_left_behind_do_not_come_back() {
    let world = leading(&[found("http://b.test/y"), ok("home again")]);
    world.serve("b.test", vec![in_turn(&[found("http://a.test/z")])]);
    let options = with_headers(&[("Cookie", "c=1"), ("Host", "virtual.test")]);
    let outcome = ask(&world, "GET", "http://u:p@a.test/x", "", options);
    assert_eq!(outcome.unwrap().2, "home again");
    let sent = String::from_utf8(world.net.writes(0)[1].clone()).unwrap();
    assert_eq!(sent, plain("/z", "a.test"));
    assert_eq!(world.sent(1), plain("/y", "b.test"));
}

#[test]
fn the_managers_headers_are_no_less_secret_than_a_requests() {
    let world = World::with(ManagerSettings {
        headers: Some(Headers::parse([("Cookie", "c=1"), ("X-Kept", "1")]).unwrap()),
        pool: PoolSettings {
            retries: Retries::total(3),
            ..PoolSettings::default()
        },
        ..ManagerSettings::default()
    });
    world.serve("a.test", vec![in_turn(&[found("http://b.test/y")])]);
    world.serve("b.test", origin_of("b"));
    get(&world, "http://a.test/x").unwrap();
    assert!(has_field(&world.sent(0), "Cookie"));
    assert!(!has_field(&world.sent(1), "Cookie"));
    assert!(has_field(&world.sent(1), "X-Kept"));
}

#[test]
fn userinfo_in_a_location_is_nobodys() {
    for (location, connection) in [
        ("http://me:hunter2@b.test/y", 1),
        ("//me:hunter2@a.test/y", 0),
    ] {
        let world = leading(&[found(location), ok("a")]);
        let response = world.open("http://a.test/x");
        let told = format!("{:?} {}", response.history(), response.head().url);
        assert!(!told.contains("hunter2"), "{told}");
        drop(response);
        let sent = world.net.writes(connection).pop().unwrap();
        let host = ["a.test", "b.test"][connection];
        assert_eq!(String::from_utf8(sent).unwrap(), plain("/y", host));
        let events = format!("{:?}", world.manager.take_events());
        assert!(!events.contains("hunter2"), "{events}");
    }
    let world = leading(&[found("http://me:x@a.test/y"), ok("a")]);
    get(&world, "http://u:p@a.test/x").unwrap();
    let writes = world.net.writes(0);
    let credentials = "Authorization: Basic dTpw\r\n";
    for write in &writes {
        let sent = String::from_utf8(write.clone()).unwrap();
        assert!(sent.contains(credentials), "the request's own: {sent}");
    }
}

#[test]
fn a_redirect_may_lead_to_tls_and_back() {
    let authority = Authority::new();
    let world = World::of_pools(PoolSettings {
        retries: Retries::total(3),
        tls: TlsSettings {
            roots: Some(authority.pem()),
            ..TlsSettings::default()
        },
        ..PoolSettings::default()
    });
    world.serve(
        "a.test",
        vec![in_turn(&[found("https://a.test/y"), ok("plain")])],
    );
    let server = authority.server(&["a.test"], &[&TLS13]);
    let back = in_turn(&[found("http://a.test/z")]);
    world.listen("a.test", 443, server.listener(vec![back]));
    let options = with_headers(&[("Cookie", "c=1")]);
    let outcome = ask(&world, "GET", "http://a.test/x", "", options).unwrap();
    assert_eq!(outcome, (200, "http://a.test/z".into(), "plain".into()));
    let heads: Vec<_> = world
        .manager
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Sent { head, .. } => Some((
                head.lines().next().map(str::to_owned),
                has_field(&head, "cookie"),
            )),
            _ => None,
        })
        .collect();
    let line = |target| Some(format!("GET {target} HTTP/1.1"));
    let expected = [(line("/x"), true), (line("/y"), false), (line("/z"), false)];
    assert_eq!(heads, expected);
}
