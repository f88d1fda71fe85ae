//! Credentials for a proxy, and the caller's for servers behind it: who gets them, and that nobody is shown them.

use std::fmt::Debug;

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Content, Credentials, Error, Headers, LastOutcome, PoolSettings, Proxies, ProxySettings,
    RequestOptions, Retries,
};

use crate::common::{
    GRANTED5, TestProxy, World, answer, answering, ask, connect, found, get, has_field, in_turn,
    lines, ok, proxy, target, through, trust, tunnelling, with_headers,
};

/// `user:hunter2`.
const BASIC: &str = "Basic dXNlcjpodW50ZXIy";
const URL: &str = "http://user:hunter2@p.test:8080";
const SECRETS: [(&str, &str); 4] = [
    ("aUtHoRiZaTiOn", "Bearer t"),
    ("Cookie", "a=b"),
    ("Proxy-Authorization", "Basic x"),
    ("X-Kept", "1"),
];

fn following(settings: PoolSettings) -> PoolSettings {
    PoolSettings {
        retries: Retries::total(3),
        ..settings
    }
}

fn values<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let fields = lines(request).into_iter().filter_map(|line| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then_some(value)
    });
    fields.collect()
}

/// The requests on a connection without TLS, write by write.
fn requests(world: &World, connection: usize) -> Vec<String> {
    let writes = world.net.writes(connection).into_iter();
    writes
        .map(|write| String::from_utf8(write).unwrap())
        .collect()
}

#[test]
fn who_we_are_to_a_proxy_comes_from_one_place() {
    let headers = |fields: &[(&str, &str)]| Headers::parse(fields.iter().copied()).ok();
    let credentials = |name: &str| {
        Some(Credentials {
            username: name.into(),
            password: "b".into(),
        })
    };
    for (case, settings, own, expected) in [
        ("nothing", proxy("http://p.test:8080"), &[][..], vec![]),
        ("userinfo", proxy(URL), &[], vec![BASIC]),
        (
            "credentials before userinfo",
            ProxySettings {
                credentials: credentials("a"),
                ..proxy(URL)
            },
            &[],
            vec!["Basic YTpi"],
        ),
        (
            "headers before both",
            ProxySettings {
                credentials: credentials("a"),
                headers: headers(&[("proxy-authorization", "Bearer p")]),
                ..proxy(URL)
            },
            &[],
            vec!["Bearer p"],
        ),
        (
            "any of them before the request's",
            proxy(URL),
            &[("PROXY-AUTHORIZATION", "Basic mine")],
            vec![BASIC],
        ),
        (
            "the request's",
            proxy("http://p.test:8080"),
            &[("Proxy-Authorization", "Basic mine")],
            vec!["Basic mine"],
        ),
    ] {
        let world = World::of_pools(through(settings));
        let listener = Listener::Accept(vec![in_turn(&[ok("a")])]);
        world.listen("p.test", 8080, listener);
        for _ in 0..2 {
            ask(&world, "GET", "http://a.test/", "", with_headers(own)).unwrap();
        }
        for sent in requests(&world, 0) {
            assert_eq!(values(&sent, "proxy-authorization"), expected, "{case}");
        }
    }
}

#[test]
fn credentials_for_a_proxy_reach_no_server() {
    let (authority, server) = target();
    let world = World::of_pools(following(PoolSettings {
        tls: trust(&authority),
        proxies: Some(Proxies {
            no_proxy: vec!["d.test".into()],
            ..Proxies::all_through(ProxySettings {
                headers: Some(Headers::parse([("X-Proxy", "hunter2")]).unwrap()),
                ..proxy(URL)
            })
        }),
        ..PoolSettings::default()
    }));
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    let scripts = vec![
        in_turn(&[found("http://d.test/y")]),
        tunnelling(&[ok("a"), found("http://d.test/z")]),
    ];
    world.listen("p.test", 8080, proxy.listener(scripts));
    world.listen("d.test", 80, Listener::Accept(vec![in_turn(&[ok("d")])]));
    for (url, last) in [
        ("http://d.test/x", "http://d.test/x"),
        ("http://a.test/x", "http://d.test/y"),
        ("https://a.test/x", "https://a.test/x"),
        ("https://a.test/x", "http://d.test/z"),
    ] {
        let reply = get(&world, url).unwrap();
        assert_eq!((reply.0, &*reply.1), (200, last));
    }
    let direct = world.sent(0);
    assert_eq!(direct.matches("GET /").count(), 3, "{direct}");
    let heard = heard();
    for text in [direct, heard[1].inside()] {
        for name in ["proxy-authorization", "x-proxy", "accept"] {
            assert!(!has_field(&text, name), "{text}");
        }
        assert!(!text.contains("hunter2") && !text.contains(BASIC), "{text}");
    }
    for heard in heard {
        let text = heard.outside();
        assert_eq!(values(&text, "proxy-authorization"), [BASIC], "{text}");
        assert_eq!(values(&text, "x-proxy"), ["hunter2"], "{text}");
    }
}

#[test]
fn cve_2018_20060_secrets_stay_within_the_origin_through_tunnels() {
    let (authority, server) = target();
    let world = World::of_pools(following(PoolSettings {
        tls: trust(&authority),
        ..through(proxy(URL))
    }));
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    let scripts = vec![
        tunnelling(&[found("/y"), found("https://b.test/z")]),
        tunnelling(&[ok("b")]),
    ];
    world.listen("p.test", 8080, proxy.listener(scripts));
    let options = with_headers(&SECRETS);
    let reply = ask(&world, "GET", "https://a.test/x", "", options).unwrap();
    assert_eq!(reply.1, "https://b.test/z");
    let (first, second) = (heard()[0].inside(), heard()[1].inside());
    for (name, _) in SECRETS {
        assert_eq!(values(&first, name).len(), 2, "within the origin: {first}");
        assert_eq!(has_field(&second, name), name == "X-Kept", "{second}");
    }
}

#[test]
fn upstream_5126_origins_of_targets_count_and_not_the_proxys() {
    for (case, location, stays) in [
        ("another host", "http://b.test/y", false),
        ("another port", "http://a.test:81/y", false),
        ("the proxy itself", "http://p.test:8080/y", false),
        ("the same origin", "http://a.test/y", true),
        ("a path", "/y", true),
    ] {
        let world = World::of_pools(following(through(proxy(URL))));
        let script = in_turn(&[found(location), ok("b")]);
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        let own = [&SECRETS[..], &[("Host", "named.test")]].concat();
        let options = with_headers(&own);
        let reply = ask(&world, "GET", "http://a.test/x", "", options).unwrap();
        assert_eq!(reply.0, 200, "{case}");
        let sent = requests(&world, 0);
        let [first, second] = &sent[..] else {
            panic!("{case}: {sent:?}");
        };
        assert_eq!(
            lines(second)[0],
            format!("GET {} HTTP/1.1", reply.1),
            "{case}"
        );
        for name in ["authorization", "cookie"] {
            assert!(has_field(first, name), "{case}: {first}");
            assert_eq!(has_field(second, name), stays, "{case}: {second}");
        }
        assert!(has_field(second, "x-kept"), "{case}: {second}");
        let authority = reply.1.split('/').nth(2).unwrap();
        let expected = if stays { "named.test" } else { authority };
        assert_eq!(values(second, "host"), [expected], "{case}");
        // The proxy still hears who we are, from its own settings.
        for sent in [first, second] {
            assert_eq!(values(sent, "proxy-authorization"), [BASIC], "{case}");
        }
    }
}

#[test]
fn cve_2024_37891_a_requests_own_credentials_for_a_proxy_stay_within_the_origin() {
    let world = World::of_pools(following(through(proxy("http://p.test:8080"))));
    let script = in_turn(&[found("http://b.test/y"), ok("b")]);
    world.listen("p.test", 8080, Listener::Accept(vec![script]));
    ask(&world, "GET", "http://a.test/x", "", with_headers(&SECRETS)).unwrap();
    let sent = requests(&world, 0);
    assert_eq!(values(&sent[0], "proxy-authorization"), ["Basic x"]);
    assert!(!has_field(&sent[1], "proxy-authorization"), "{sent:?}");
}

#[test]
fn cve_2026_44431_a_pool_behind_a_proxy_keeps_secrets_within_the_origin_too() {
    for (location, stays) in [("http://b.test/y", false), ("/y", true)] {
        let world = World::of_pools(following(through(proxy(URL))));
        let script = in_turn(&[found(location), ok("b")]);
        world.listen("p.test", 8080, Listener::Accept(vec![script]));
        let pool = world
            .manager
            .connection_from_url("http://a.test", None)
            .unwrap();
        let options = RequestOptions {
            may_leave_host: true,
            ..with_headers(&SECRETS)
        };
        let request = pool.request("GET", "/x", Content::Empty, options);
        assert_eq!(world.net.run(request).unwrap().head().status, 200);
        let sent = requests(&world, 0);
        for name in ["authorization", "cookie"] {
            assert_eq!(has_field(&sent[1], name), stays, "{location}: {sent:?}");
        }
        let host = if stays { "a.test" } else { "b.test" };
        assert_eq!(values(&sent[1], "host"), [host]);
        assert_eq!(values(&sent[1], "proxy-authorization"), [BASIC]);
    }
}

/// Whether something shows a secret.
fn leaks(value: &impl Debug) -> bool {
    let shown = format!("{value:?} {value:#?}");
    ["hunter2", "dXNlcjpodW50ZXIy"]
        .iter()
        .any(|secret| shown.contains(secret))
}

#[test]
fn nobody_is_shown_credentials_whatever_happens() {
    let accept = |script: Script| Listener::Accept(vec![script]);
    let socks_refusal = Script::new().anything().send(&b"\x05\x02"[..]);
    let socks_refusal = socks_refusal.anything().send(&b"\x01\x01"[..]);
    let socks_open = Script::new().anything().send(&b"\x05\x02"[..]);
    let socks_open = socks_open.anything().send(&b"\x01\0"[..]);
    let socks_open = socks_open.anything().send(GRANTED5).request().send(ok("a"));
    let refusing = || {
        let fields = ["Proxy-Authenticate: Basic", "Set-Cookie: s=hunter2"];
        answering(answer("407 No", &fields, "who?"))
    };
    for (case, scheme, target, listener, outcome) in [
        (
            "forwarded",
            "http",
            "http",
            accept(in_turn(&[ok("a")])),
            "none",
        ),
        ("refused", "http", "http", Listener::Refuse, "proxy"),
        ("denied", "http", "https", Listener::Deny, "denied"),
        ("no tunnel", "http", "https", accept(refusing()), "proxy"),
        (
            "garbage",
            "http",
            "https",
            accept(answering("what?\r\n\r\n")),
            "proxy",
        ),
        (
            "no answer",
            "http",
            "https",
            accept(Script::new()),
            "connect-timeout",
        ),
        (
            "no TLS",
            "https",
            "http",
            accept(Script::new().anything().send("what?")),
            "proxy",
        ),
        (
            "a wrong login",
            "socks5",
            "http",
            accept(socks_refusal),
            "proxy",
        ),
        (
            "a right login",
            "socks5h",
            "http",
            accept(socks_open),
            "none",
        ),
        (
            "no SOCKS",
            "socks4a",
            "http",
            accept(Script::new().anything().send("what?")),
            "proxy",
        ),
    ] {
        let settings = PoolSettings {
            timeouts: connect(3),
            retries: Retries::total(1),
            ..through(proxy(&format!("{scheme}://user:hunter2@p.test:8080")))
        };
        assert!(!leaks(&settings), "{case}: {settings:?}");
        let world = World::of_pools(settings);
        world.net.name("a.test", &[[192, 0, 2, 97].into()]);
        world.listen("p.test", 8080, listener);
        let reply = world.get(&format!("{target}://a.test/"));
        let kind = match &reply {
            Ok(_) => "none",
            Err(Error::RetriesExhausted(exhausted)) => match &exhausted.last {
                LastOutcome::Failed(error) => error.kind(),
                LastOutcome::Status(_) => "status",
            },
            Err(error) => error.kind(),
        };
        assert_eq!(kind, outcome, "{case}");
        assert!(!leaks(&reply), "{case}: {reply:?}");
        let events = world.manager.take_events();
        assert!(!leaks(&events), "{case}: {events:?}");
        let written = (0..world.net.connections()).flat_map(|index| world.net.writes(index));
        let written = String::from_utf8_lossy(&written.flatten().collect::<Vec<_>>()).into_owned();
        let is_sent = ["hunter2", BASIC]
            .iter()
            .any(|secret| written.contains(secret));
        let is_due = !matches!(case, "refused" | "denied" | "no TLS" | "no SOCKS");
        assert_eq!(is_sent, is_due, "{case}: the proxy itself must hear them");
    }
}
