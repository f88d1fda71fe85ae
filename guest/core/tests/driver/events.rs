//! What a manager reports of what it does.

use rustls::version::TLS13;
use urlpool_core::sim::Script;
use urlpool_core::types::{
    Content, Event, Headers, ManagerSettings, PoolSettings, RequestOptions, TlsSettings,
};

use crate::common::{Authority, World, ok, origin_of};

/// The names of events in order, with their connection's number.
fn told(world: &World) -> Vec<String> {
    let name = |event: Event| match event {
        Event::Resolved { host, addresses } => format!("resolved {host} {}", addresses.join(" ")),
        Event::Connected { number, remote } => format!("connected {number} {remote}"),
        Event::Secured { number, .. } => format!("secured {number}"),
        Event::Tunnelled { number, origin } => format!("tunnelled {number} to {origin}"),
        Event::CheckedOut { number } => format!("checked out {number}"),
        Event::Sent { number, .. } => format!("sent {number}"),
        Event::Received { number, .. } => format!("received {number}"),
        Event::CheckedIn { number } => format!("checked in {number}"),
        Event::Closed { number, .. } => format!("closed {number}"),
        Event::Evicted { origin } => format!("evicted {origin}"),
        Event::Replayed { number } => format!("replayed {number}"),
        Event::Retried { delay } => format!("retried after {delay:?}"),
        Event::Redirected { from, to } => format!("redirected from {from} to {to}"),
        Event::Warned(text) => format!("warned {text}"),
        Event::KeyLog(line) => format!("key log {line}"),
    };
    world.manager.take_events().into_iter().map(name).collect()
}

#[test]
fn a_first_and_a_second_request_are_told_in_order() {
    let world = World::serving(origin_of("a"));
    world.get("http://a.test/").unwrap();
    let first = [
        "resolved a.test 192.0.2.97",
        "connected 1 192.0.2.97:80",
        "sent 1",
        "received 1",
        "checked in 1",
    ];
    assert_eq!(told(&world), first);
    world.get("http://a.test/").unwrap();
    assert_eq!(
        told(&world),
        ["checked out 1", "sent 1", "received 1", "checked in 1"]
    );
    world.manager.clear();
    assert_eq!(told(&world), ["closed 1"]);
    assert!(told(&world).is_empty());
}

#[test]
fn a_request_over_tls_is_told_in_order() {
    let authority = Authority::new();
    let tls = TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    };
    let world = World::of_pools(PoolSettings {
        tls,
        ..PoolSettings::default()
    });
    world.listen(
        "a.test",
        443,
        authority
            .server(&["a.test"], &[&TLS13])
            .listener(origin_of("a")),
    );
    world.get("https://a.test/").unwrap();
    let expected = [
        "resolved a.test 192.0.2.97",
        "connected 1 192.0.2.97:443",
        "secured 1",
        "sent 1",
        "received 1",
        "checked in 1",
    ];
    assert_eq!(told(&world), expected);
}

#[test]
fn what_goes_wrong_is_told_in_order() {
    let interim = [b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), ok("two")].concat();
    let dies = Script::new().request().send(ok("one")).request().close();
    let world = World::serving(vec![dies, Script::new().request().send(interim).close()]);
    world.get("http://a.test/").unwrap();
    drop(world.manager.take_events());
    world.get("http://a.test/").unwrap();
    let replay = [
        "checked out 1",
        "sent 1",
        "replayed 1",
        "closed 1",
        "resolved a.test 192.0.2.97",
        "connected 2 192.0.2.97:80",
        "sent 2",
        "received 2",
        "received 2",
        "checked in 2",
    ];
    assert_eq!(told(&world), replay);
    world.get("http://a.test/").unwrap();
    assert_eq!(
        told(&world)[..2],
        ["closed 2", "resolved a.test 192.0.2.97"]
    );
}

#[test]
fn heads_are_told_line_by_line() {
    let world = World::serving(vec![Script::always(
        "HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 0\r\n\r\n",
    )]);
    world.get("http://a.test/x?y").unwrap();
    let heads: Vec<String> = world
        .manager
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Sent { head, .. } | Event::Received { head, .. } => Some(head),
            _ => None,
        })
        .collect();
    assert!(
        heads[0].starts_with(
            "GET /x?y HTTP/1.1\nHost: a.test\nAccept-Encoding: identity\nUser-Agent: "
        )
    );
    assert_eq!(heads[1], "HTTP/1.1 200 Fine\nX-A: b\nContent-Length: 0");
}

#[test]
fn secrets_are_sent_and_not_told() {
    let response = "HTTP/1.1 200 OK\r\nSet-Cookie: id=hunter2\r\nContent-Length: 0\r\n\r\n";
    let world = World::serving(vec![Script::always(response)]);
    let pairs = [
        ("authorization", "Bearer hunter2"),
        ("Cookie", "id=hunter2"),
        ("Proxy-Authorization", "Basic hunter2"),
    ];
    let options = RequestOptions {
        headers: Some(Headers::parse(pairs).unwrap()),
        ..RequestOptions::default()
    };
    let request = world
        .manager
        .request("GET", "http://a.test/", Content::Empty, options);
    let response = world.net.run(request).unwrap();
    world.get("http://user:hunter2@a.test/").unwrap();
    let sent = String::from_utf8(world.net.writes(0).concat()).unwrap();
    assert_eq!(sent.matches("hunter2").count(), 3);
    assert!(sent.contains("Authorization: Basic dXNlcjpodW50ZXIy\r\n"));
    let told = format!("{:?} {:?}", world.manager.take_events(), response.head());
    assert!(
        !told.contains("hunter2") && !told.contains("dXNlcjpodW50ZXIy"),
        "{told}"
    );
    assert_eq!(told.matches("[redacted]").count(), 7, "{told}");
}

#[test]
fn the_newest_events_are_kept_as_many_as_asked_for() {
    for (capacity, expected) in [
        (0, vec![]),
        (1, vec!["checked in 1"]),
        (3, vec!["sent 1", "received 1", "checked in 1"]),
    ] {
        let world = World::with(ManagerSettings {
            events: Some(capacity),
            ..ManagerSettings::default()
        });
        world.serve("a.test", origin_of("a"));
        for _ in 0..3 {
            world.get("http://a.test/").unwrap();
        }
        assert_eq!(told(&world), expected, "{capacity}");
    }
}

#[test]
fn nothing_is_recorded_unless_asked_for() {
    let net = urlpool_core::sim::SimNet::new();
    let settings = ManagerSettings::default();
    let manager = urlpool_core::driver::Manager::new(net.clone(), settings).unwrap();
    let options = RequestOptions::default();
    let outcome = net.run(manager.request("GET", "http://a.test/", Content::Empty, options));
    assert_eq!(outcome.err().unwrap().kind(), "retries-exhausted");
    assert!(manager.take_events().is_empty());
}
