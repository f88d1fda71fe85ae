//! Requests through a pool of one's own.

use urlpool_core::driver::ConnectionPool;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{Content, Error, Headers, PoolSettings, RequestOptions};

use crate::common::{World, found, has_field, leading, lines, ok, with_headers};

fn pool(world: &World) -> ConnectionPool<SimNet> {
    let settings = PoolSettings {
        headers: Some(Headers::parse([("X-Pool", "1")]).unwrap()),
        ..PoolSettings::default()
    };
    world
        .manager
        .connection_from_host("a.test", None, None, Some(settings))
        .unwrap()
}

/// The status and the URL that answered.
fn send(
    world: &World,
    pool: &ConnectionPool<SimNet>,
    url: &str,
    options: RequestOptions,
) -> Result<(u16, String), Error> {
    let request = pool.request("get", url, Content::Empty, options);
    let mut response = world.net.run(request)?;
    world.net.run(response.drain())?;
    let head = response.head();
    Ok((head.status, head.url.clone()))
}

fn leaving(fields: &[(&str, &str)]) -> RequestOptions {
    RequestOptions {
        may_leave_host: true,
        ..with_headers(fields)
    }
}

#[test]
fn a_path_is_asked_for_as_it_is() {
    for (url, target) in [
        ("/x?y=z", "/x?y=z"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("//x", "//x"),
        ("/a b#top", "/a%20b"),
        ("http://a.test/x", "/x"),
        ("http://A.TEST:80/a/../x", "/x"),
    ] {
        let world = leading(&[ok("a")]);
        let (status, answered) =
            send(&world, &pool(&world), url, RequestOptions::default()).unwrap();
        assert_eq!(status, 200, "{url}");
        assert_eq!(answered, format!("http://a.test{target}"), "{url}");
        let sent = world.sent(0);
        assert_eq!(lines(&sent)[0], format!("GET {target} HTTP/1.1"), "{url}");
        assert!(has_field(&sent, "X-Pool"), "{sent}");
    }
}

#[test]
fn another_host_is_refused_also_where_a_redirect_leads_there() {
    let world = leading(&[found("http://b.test/y")]);
    let pool = pool(&world);
    for (url, connections) in [
        ("http://b.test/x", 0),
        ("https://a.test/x", 0),
        ("http://a.test:81/x", 0),
        ("/x", 1),
    ] {
        let refused = send(&world, &pool, url, RequestOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), "host-changed", "{url}");
        assert_eq!(world.net.connections(), connections, "{url}");
    }
    let error = send(&world, &pool, "nonsense", RequestOptions::default()).unwrap_err();
    assert_eq!(error.kind(), "invalid-url");
}

#[test]
fn a_redirect_within_the_host_is_followed() {
    let world = leading(&[found("y"), ok("a")]);
    let answered = send(&world, &pool(&world), "/dir/x", RequestOptions::default()).unwrap();
    assert_eq!(answered, (200, "http://a.test/dir/y".to_owned()));
    assert_eq!(world.net.connections(), 1);
}

#[test]
fn cve_2026_44431_secrets_stay_within_the_origin_of_the_target_through_a_pool_too() {
    let world = leading(&[found("http://b.test/y"), ok("a")]);
    let secrets = [
        ("Authorization", "Bearer t"),
        ("Cookie", "a=b"),
        ("Proxy-Authorization", "Basic x"),
        ("X-Kept", "1"),
    ];
    let answered = send(&world, &pool(&world), "/x", leaving(&secrets)).unwrap();
    assert_eq!(answered, (200, "http://b.test/y".to_owned()));
    assert_eq!(
        world.net.connections(),
        1,
        "all of it goes to the pool's host"
    );
    let writes = world.net.writes(0);
    let second = String::from_utf8(writes[1].clone()).unwrap();
    let lines = lines(&second);
    assert_eq!(lines[0], "GET http://b.test/y HTTP/1.1");
    assert!(lines.contains(&"Host: b.test"), "{second}");
    for (name, _) in &secrets[..3] {
        assert!(!has_field(&second, name), "{second}");
    }
    assert!(has_field(&second, "X-Kept"), "{second}");
}

#[test]
fn a_closed_pool_refuses_and_its_manager_goes_on() {
    let world = leading(&[ok("a")]);
    let pool = pool(&world);
    send(&world, &pool, "/x", RequestOptions::default()).unwrap();
    pool.close();
    let refused = send(&world, &pool, "/x", RequestOptions::default()).unwrap_err();
    assert_eq!(refused.kind(), "pool-closed");
    world.serve(
        "a.test",
        vec![urlpool_core::sim::Script::always(ok("again"))],
    );
    assert_eq!(world.get("http://a.test/").unwrap().status, 200);
}
