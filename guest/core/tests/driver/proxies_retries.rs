//! How often what goes wrong with a proxy is tried again, and what is told of it in the end.

use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Budget, Event, LastOutcome, PoolSettings, RequestOptions, Retries, Timeouts,
};

use crate::common::{
    SECOND, TestProxy, World, answer, answering, ask, connect, deadline, exhausted, ok, proxy,
    read, target, through, trust, tunnelling,
};

const PORT: u16 = 8080;

/// Budgets that a failure tells apart by how many attempts there were.
fn telling() -> Retries {
    Retries {
        total: Some(Budget::AtMost(10)),
        connect: Some(Budget::AtMost(1)),
        read: Some(Budget::AtMost(2)),
        other: Some(Budget::AtMost(3)),
        ..Retries::default()
    }
}

#[test]
fn each_failure_takes_its_own_budget() {
    let (connects, reads, others) = (2, 3, 4);
    let accept = |script: Script| Listener::Accept(vec![script]);
    let refusing = || accept(answering(answer("407 No", &[], "")));
    let silent = || accept(Script::new());
    let alert = || {
        accept(
            Script::new()
                .anything()
                .send(&b"\x15\x03\x03\0\x02\x02\x28"[..]),
        )
    };
    let plain = || accept(Script::new().anything().send("HTTP/1.1 400 Bad\r\n\r\n"));
    let socks = |reply: &'static [u8]| accept(Script::new().anything().send(reply));
    for (case, url, target, listener, attempts, class) in [
        (
            "refused",
            "http",
            "http",
            Listener::Refuse,
            connects,
            "ProxyError",
        ),
        (
            "refused, a tunnel",
            "http",
            "https",
            Listener::Refuse,
            connects,
            "ProxyError",
        ),
        (
            "refused, SOCKS",
            "socks5h",
            "http",
            Listener::Refuse,
            connects,
            "ProxyError",
        ),
        (
            "a black hole",
            "http",
            "http",
            Listener::BlackHole,
            connects,
            "ConnectTimeoutError",
        ),
        (
            "silent, TLS",
            "https",
            "http",
            silent(),
            connects,
            "ConnectTimeoutError",
        ),
        (
            "silent, CONNECT",
            "http",
            "https",
            silent(),
            connects,
            "ConnectTimeoutError",
        ),
        (
            "silent, SOCKS",
            "socks5h",
            "http",
            silent(),
            connects,
            "ConnectTimeoutError",
        ),
        (
            "a refusal",
            "http",
            "https",
            refusing(),
            others,
            "ProxyError",
        ),
        (
            "garbage",
            "http",
            "https",
            accept(answering("what?\r\n\r\n")),
            others,
            "ProxyError",
        ),
        (
            "closed",
            "http",
            "https",
            accept(Script::new().request().close()),
            others,
            "ProxyError",
        ),
        (
            "a refusal, SOCKS",
            "socks5h",
            "http",
            socks(b"\x05\xff"),
            others,
            "ProxyError",
        ),
        (
            "closed, SOCKS",
            "socks4a",
            "http",
            accept(Script::new().anything().close()),
            others,
            "ProxyError",
        ),
        ("an alert", "https", "http", alert(), others, "ProxyError"),
        (
            "plain HTTP",
            "https",
            "https",
            plain(),
            others,
            "ProxyError",
        ),
        (
            "closed, forwarding",
            "http",
            "http",
            accept(Script::new().request().close()),
            reads,
            "ProtocolError",
        ),
        (
            "silent, forwarding",
            "http",
            "http",
            silent(),
            reads,
            "ReadTimeoutError",
        ),
    ] {
        let world = World::of_pools(PoolSettings {
            retries: telling(),
            timeouts: Timeouts {
                read: read(3).read,
                ..connect(3)
            },
            ..through(proxy(&format!("{url}://p.test:8080")))
        });
        world.listen("p.test", PORT, listener);
        let error = world.get(&format!("{target}://a.test/x")).expect_err(case);
        let exhausted = exhausted(error);
        assert_eq!(
            exhausted.attempts, attempts,
            "{case}: {}",
            exhausted.message
        );
        let words = format!("Max retries exceeded with url: /x (Caused by {class}(\"");
        assert!(
            exhausted.message.starts_with(&words),
            "{case}: {}",
            exhausted.message
        );
        assert_eq!(exhausted.history.len(), attempts as usize, "{case}");
        let LastOutcome::Failed(last) = exhausted.last else {
            panic!("{case}: there was no response");
        };
        let is_proxys = class == "ProxyError";
        assert_eq!(last.kind() == "proxy", is_proxys, "{case}: {last}");
    }
}

#[test]
fn used_up_attempts_tell_of_the_proxy_and_its_refusal() {
    let world = World::of_pools(PoolSettings {
        retries: Retries::total(1),
        ..through(proxy("http://p.test:8080"))
    });
    let refusing = answering(answer("407 Proxy Authentication Required", &[], "who?"));
    world.listen("p.test", PORT, Listener::Accept(vec![refusing]));
    let error = world.get("https://a.test/x").unwrap_err();
    assert_eq!(
        error.message(),
        "Max retries exceeded with url: /x (Caused by ProxyError(\"Unable to connect to proxy: Tunnel connection failed: 407 Proxy Authentication Required\"))"
    );
    let refusal = error.failure().unwrap().refusal.as_ref().unwrap();
    assert_eq!(refusal.body, b"who?");
    let told: Vec<_> = error
        .history()
        .iter()
        .map(|entry| entry.error.clone().unwrap())
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].message().contains("407"), "{told:?}");
    assert_eq!(world.net.connections(), 2);
}

#[test]
fn a_request_of_which_no_server_has_heard_is_tried_again_whatever_its_method() {
    let (authority, server) = target();
    let world = World::of_pools(PoolSettings {
        retries: Retries::total(3),
        tls: trust(&authority),
        ..through(proxy("http://p.test:8080"))
    });
    let refusing = || answering(answer("503 Busy", &["Retry-After: 99"], ""));
    let scripts = vec![refusing(), refusing(), tunnelling(&[ok("a")])];
    let proxy = TestProxy::to(server);
    let heard = proxy.heard();
    world.listen("p.test", PORT, proxy.listener(scripts));
    let options = RequestOptions::default();
    let (outcome, took) =
        world.timed_by(|| ask(&world, "POST", "https://a.test/x", "body", options));
    assert_eq!(outcome.unwrap().0, 200);
    assert!(took < SECOND, "a proxy's Retry-After is not the server's");
    assert!(heard()[2].inside().ends_with("\r\n\r\nbody"));
    let retried = |event: &Event| matches!(event, Event::Retried { .. });
    let events = world.manager.take_events();
    assert_eq!(events.iter().filter(|event| retried(event)).count(), 2);
}

#[test]
fn what_no_other_attempt_could_change_is_handed_out_at_once() {
    for (case, listener, timeouts, kind) in [
        ("denied", Listener::Deny, Timeouts::default(), "denied"),
        (
            "the deadline",
            Listener::Accept(vec![Script::new()]),
            deadline(3),
            "deadline-exceeded",
        ),
    ] {
        let world = World::of_pools(PoolSettings {
            retries: telling(),
            timeouts,
            ..through(proxy("http://p.test:8080"))
        });
        world.listen("p.test", PORT, listener);
        let error = world.get("https://a.test/").unwrap_err();
        assert_eq!(error.kind(), kind, "{case}");
        assert!(
            error.message().starts_with("Unable to connect to proxy: "),
            "{case}: {error}"
        );
        assert_eq!(world.net.attempts().len(), 1, "{case}");
    }
}
