//! Plugins that speak `wasi:http`, 0.2 by wstd and 0.3 by wasip3, in a host with our hooks: they know nothing of urlpool.

use std::time::Duration;

use urlpool_host::wasi_http::{Hooks, Settings};
use urlpool_host::{
    Grants, Limit, ManagerSettings, PoolSettings, ProxySettings, Redirects, Retries, Timeouts,
    TlsSettings,
};
use urlpool_tests::{
    Authority, DeafListener, Gate, HttpProxy, Origin, Peer, RefusingPort, Reply, Server, Step,
    Tunnel, fail,
};

use crate::common::{NO_SUCH_NAME, trusting};
use crate::decoding::gzip;
use crate::speaking::{Outcome, Run, refused};

/// The plugins, of WASI 0.2 and 0.3.
const PLUGINS: [&str; 2] = ["http02", "http03"];
const BOTH: [&str; 2] = ["localhost", "127.0.0.1"];
/// Runs a plugin in a store of its own.
async fn run<A: Into<String>>(
    name: &str,
    hooks: &Hooks,
    arguments: impl IntoIterator<Item = A>,
) -> Outcome {
    Run::new(name, hooks).arguments(arguments).end().await
}

fn hooks_with(manager: ManagerSettings) -> Hooks {
    hooks(Settings {
        manager,
        grants: Grants::all(),
        ..Settings::default()
    })
}

fn hooks_with_pools(pool: PoolSettings) -> Hooks {
    hooks_with(ManagerSettings {
        pool,
        ..ManagerSettings::default()
    })
}

fn hooks(settings: Settings) -> Hooks {
    Hooks::new(settings).expect("settings that fit")
}

fn open() -> Hooks {
    hooks_with(ManagerSettings::default())
}

async fn get(name: &str, hooks: &Hooks, url: &str) -> Outcome {
    run(name, hooks, [url]).await
}

async fn answering(reply: Reply) -> Server {
    Origin::new().reply(reply).start().await
}

#[tokio::test]
async fn a_hundred_requests_in_turn_are_one_connection() {
    for name in PLUGINS {
        let (hooks, origin) = (open(), answering(Reply::ok("hello")).await);
        let url = origin.url("/a?b=c");
        let printed = run(name, &hooks, [&url, "count=100"]).await.unwrap();
        assert!(printed.contains("\ntotal 100 500 bytes "), "{printed}");
        // Another instance finds the same connection.
        get(name, &hooks, &url).await.unwrap();
        assert_eq!((origin.accepted(), origin.requests().len()), (1, 101));
    }
}

#[tokio::test]
async fn eight_requests_at_a_time_are_at_most_eight_connections() {
    for name in PLUGINS {
        let origin = answering(Reply::ok("hello").delayed(Duration::from_millis(2))).await;
        let arguments = [&origin.url("/"), "count=200", "parallel=8", "print=total"];
        let printed = run(name, &open(), arguments).await.unwrap();
        assert!(printed.starts_with("total 200 1000 bytes "), "{printed}");
        assert_eq!(origin.requests().len(), 200, "{name}");
        assert!(origin.accepted() <= 8, "{name}: {}", origin.accepted());
    }
}

#[tokio::test]
async fn nothing_is_added_to_a_request_and_no_body_is_decoded() {
    let packed = gzip(&[b'x'; 1000]);
    for name in PLUGINS {
        let reply = Reply::ok(packed.clone())
            .header("Content-Encoding", "gzip")
            .header("Keep-Alive", "timeout=5")
            .header("X-Hop", "1")
            .header("Connection", "X-Hop, keep-alive");
        let origin = answering(reply).await;
        let url = origin.url("/p%20q/?r=%C3%A9&s");
        let printed = run(name, &open(), [&url, "header=X-A: 1"]).await.unwrap();
        let sum: u64 = packed.iter().copied().map(u64::from).sum();
        let body = format!("\nbody {} sum {sum}\n", packed.len());
        assert!(printed.contains(&body), "{printed}");
        assert!(printed.contains("header content-encoding: gzip\n"));
        for hidden in ["keep-alive", "x-hop", "connection"] {
            let line = format!("header {hidden}:");
            assert!(!printed.contains(&line), "{printed}");
        }
        let expected = format!(
            "GET /p%20q/?r=%C3%A9&s HTTP/1.1\r\nHost: {}\r\nx-a: 1\r\n\r\n",
            origin.authority()
        );
        assert_eq!(
            origin.request().head_text().to_lowercase(),
            expected.to_lowercase()
        );
    }
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways() {
    let reply = || {
        Reply::ok(vec![7; 300_000])
            .chunked(10_000)
            .trailer("X-Sum", "42")
    };
    for name in PLUGINS {
        for (method, length) in [
            ("POST", Some("length=announced")),
            ("PUT", None),
            ("GET", None),
        ] {
            let (hooks, origin) = (open(), answering(reply()).await);
            let url = origin.url("/");
            let method = format!("method={method}");
            let arguments = [&url, method.as_str(), "body=1000000", "trailer=X-End: 9"];
            let printed = run(name, &hooks, arguments.into_iter().chain(length))
                .await
                .unwrap();
            assert!(printed.contains("\nbody 300000 sum 2100000\n"), "{printed}");
            assert!(printed.contains("\ntrailer x-sum: 42\n"), "{printed}");
            let sent = origin.request();
            let expected: Vec<u8> = (0..1_000_000)
                .map(|place: u32| (place % 251) as u8)
                .collect();
            assert!(sent.content() == expected, "{name} {method}");
            let is_chunked = sent.field("Transfer-Encoding").as_deref() == Some("chunked");
            let announced = sent.field("Content-Length");
            assert_eq!(
                announced.as_deref(),
                length.map(|_| "1000000"),
                "{name} {method}"
            );
            assert_eq!(is_chunked, length.is_none(), "{name} {method}");
            let received = origin.connections()[0].received.clone();
            let end = b"\r\n0\r\nx-end: 9\r\n\r\n";
            assert_eq!(
                received.to_ascii_lowercase().ends_with(end),
                is_chunked,
                "{name} {method}"
            );
        }
        let origin = answering(reply()).await;
        let url = origin.url("/");
        for method in ["POST", "GET", "HEAD"] {
            run(name, &open(), [&url, &format!("method={method}")])
                .await
                .unwrap();
        }
        let lengths = origin
            .requests()
            .iter()
            .map(|sent| sent.field("Content-Length"))
            .collect::<Vec<_>>();
        assert_eq!(lengths, [Some("0".into()), None, None], "{name}");
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_body_is_an_answer() {
    for name in PLUGINS {
        let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!";
        let origin = Peer::always([Step::Bytes, Step::send(refusal), Step::Hold])
            .start()
            .await;
        let url = origin.url("/");
        let arguments = [&url, "method=POST", "body=50000000"];
        let printed = run(name, &open(), arguments).await.unwrap();
        assert!(printed.starts_with("status 413\n"), "{name}: {printed}");
        assert!(printed.contains("\nbody 3 "), "{name}: {printed}");
        origin.closed(1).await;
    }
}

#[tokio::test]
async fn a_connection_that_died_idle_costs_no_request() {
    let ok = || Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for name in PLUGINS {
        for body in ["method=GET", "body=1000"] {
            let origin = Peer::new()
                .connection([Step::Request, ok(), Step::Request])
                .connection([Step::Request, ok()])
                .start()
                .await;
            let url = origin.url("/");
            let arguments = [&url, "method=PUT", body, "count=2"];
            let printed = run(name, &open(), arguments).await.unwrap();
            assert!(
                printed.contains("\ntotal 2 4 bytes "),
                "{name} {body}: {printed}"
            );
            let sent = origin.requests();
            assert_eq!((origin.accepted(), sent.len()), (2, 3), "{name} {body}");
            assert_eq!(sent[1].content(), sent[2].content(), "{name} {body}");
        }
        // Too much was sent to be sent again.
        let origin = Peer::new()
            .connection([Step::Request, ok(), Step::Request])
            .connection([Step::Request, ok()])
            .start()
            .await;
        let url = origin.url("/");
        let hooks = open();
        get(name, &hooks, &url).await.unwrap();
        let arguments = [&url, "method=PUT", "body=200000"];
        refused(
            name,
            run(name, &hooks, arguments).await,
            "ConnectionTerminated",
        );
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_and_our_certificate_is_shown() {
    let authority = Authority::new();
    let identity = authority.issue(&BOTH);
    let reply = || Origin::new().reply(Reply::ok("secret"));
    let trusted = hooks_with_pools(trusting(&authority));
    let member = TlsSettings {
        client_certificates: Some(authority.issue(&["member.test"]).pem().into()),
        ..trusting(&authority).tls
    };
    let member = hooks_with_pools(PoolSettings {
        tls: member,
        ..PoolSettings::default()
    });
    for name in PLUGINS {
        let origin = reply().tls(identity.tls()).start().await;
        let url = origin.url("/");
        run(name, &trusted, [&url, "count=10"]).await.unwrap();
        assert_eq!((origin.accepted(), origin.requests().len()), (1, 10));
        refused(name, get(name, &open(), &url).await, "TlsCertificateError");

        let origin = reply()
            .tls(identity.tls_for_members(&authority))
            .start()
            .await;
        let url = origin.url("/");
        run(name, &member, [&url, "count=2"]).await.unwrap();
        assert_eq!(origin.accepted(), 1, "{name}");
        refused(name, get(name, &trusted, &url).await, "TlsAlertReceived");
    }
}

#[tokio::test]
async fn all_goes_through_the_proxy_which_needs_no_grant() {
    let authority = Authority::new();
    let origin = Origin::new()
        .reply(Reply::ok("secret"))
        .tls(authority.issue(&["far.test"]).tls())
        .start()
        .await;
    for name in PLUGINS {
        let proxy = HttpProxy::new().reply(Reply::ok("plain")).start().await;
        let settings = |proxy: &Server, grants| Settings {
            manager: ManagerSettings {
                pool: trusting(&authority),
                ..ManagerSettings::default()
            }
            .through(ProxySettings {
                url: proxy.url(""),
                ..ProxySettings::default()
            }),
            grants,
            ..Settings::default()
        };
        let grants = Grants::none()
            .allow("far.test", origin.port())
            .allow("near.test", 80);
        let granted = hooks(settings(&proxy, grants));
        let far = origin.url_as("far.test", "/");
        run(name, &granted, [&far, "count=3"]).await.unwrap();
        get(name, &granted, "http://near.test/x").await.unwrap();
        let asked: Vec<String> = proxy
            .requests()
            .iter()
            .map(|sent| format!("{} {}", sent.method(), sent.target()))
            .collect();
        let tunnel = format!("CONNECT far.test:{}", origin.port());
        assert_eq!(asked, [tunnel.as_str(), "GET http://near.test/x"], "{name}");
        // What is not granted is not asked of the proxy either, and the proxy is nobody's to talk to.
        let itself = proxy.url("/");
        for url in ["https://other.test/", "http://near.test:81/", &itself] {
            refused(url, get(name, &granted, url).await, "HttpRequestDenied");
        }
        assert_eq!(proxy.requests().len(), 2, "{name}");
        assert_eq!(granted.take_denials().len(), 3, "{name}");

        let refusal = "HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n\r\n";
        let strict = HttpProxy::new()
            .tunnel(Tunnel::refusing_with(refusal))
            .start()
            .await;
        let strict = hooks(settings(&strict, Grants::all()));
        refused(name, get(name, &strict, &far).await, "HttpRequestDenied");
    }
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_not_reached() {
    let origin = answering(Reply::ok("hello")).await;
    let (address, port) = (origin.url("/"), origin.port());
    let local = origin.url_as("localhost", "/");
    for (case, grants, url, is_granted) in [
        ("nothing", Grants::none(), &address, false),
        (
            "its address",
            Grants::none().allow("127.0.0.1", port),
            &address,
            true,
        ),
        (
            "its name",
            Grants::none().allow("localhost", port),
            &local,
            true,
        ),
        (
            "its name alone",
            Grants::none().allow("localhost", port),
            &address,
            false,
        ),
        (
            "another port",
            Grants::none().allow("127.0.0.1", 1),
            &address,
            false,
        ),
        ("public", Grants::none().allow_public(None), &address, false),
        (
            "public by name",
            Grants::none().allow_public(None),
            &local,
            false,
        ),
        ("all", Grants::all(), &address, true),
    ] {
        for name in PLUGINS {
            let hooks = hooks(Settings {
                grants: grants.clone(),
                ..Settings::default()
            });
            let before = origin.accepted();
            let outcome = get(name, &hooks, url).await;
            if is_granted {
                outcome.expect(case);
                continue;
            }
            refused(case, outcome, "HttpRequestDenied");
            assert_eq!(origin.accepted(), before, "{case}");
            assert_eq!(hooks.take_denials().len(), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn what_runs_out_of_time_says_of_what() {
    let Some(deaf) = DeafListener::start().await else {
        return;
    };
    let silent = Peer::always([Step::Request, Step::Hold]).start().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let stopped = || Peer::always([Step::Request, Step::send(head), Step::Hold]);
    let stopped = stopped().start().await;
    let deadline = hooks_with_pools(PoolSettings {
        timeouts: Timeouts {
            deadline: Some(Limit::After(Duration::from_millis(100))),
            ..Timeouts::default()
        },
        ..PoolSettings::default()
    });
    let (deaf, silent, stopped) = (deaf.url("/"), silent.url("/"), stopped.url("/"));
    for name in PLUGINS {
        for (hooks, url, option, code) in [
            (
                &open(),
                &deaf,
                "connect=100",
                "response: ErrorCode::ConnectionTimeout",
            ),
            (
                &open(),
                &silent,
                "first=100",
                "response: ErrorCode::ConnectionReadTimeout",
            ),
            (&open(), &stopped, "between=100", "ConnectionReadTimeout"),
            (
                &deadline,
                &silent,
                "first=5000",
                "response: ErrorCode::HttpResponseTimeout",
            ),
        ] {
            let outcome = run(name, hooks, [url, option]).await;
            let case = format!("{name} {option}");
            let is_body = option.starts_with("between");
            // wstd shows what breaks a body as the host's own text.
            let code = if is_body && name == "http02" {
                "read timeout"
            } else {
                code
            };
            refused(&case, outcome, code);
        }
    }
}

#[tokio::test]
async fn the_timeout_for_the_body_is_not_for_the_head() {
    let slow = Reply::ok("slow").delayed(Duration::from_millis(300));
    let origin = answering(slow).await;
    for name in PLUGINS {
        let arguments = [&origin.url("/"), "between=100"];
        run(name, &open(), arguments).await.unwrap();
    }
}

#[tokio::test]
async fn failures_have_the_codes_of_wasi() {
    let bytes = |bytes: &str| Peer::answering(bytes.to_owned());
    let garbled = bytes("SSH-2.0\r\n\r\n").start().await;
    let cut = bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        .start()
        .await;
    let refusing = RefusingPort::new();
    let (garbled, cut, refusing) = (garbled.url("/"), cut.url("/"), refusing.url("/"));
    for name in PLUGINS {
        let incomplete = match name {
            "http02" => "incomplete HTTP response",
            _ => "body: ErrorCode::HttpResponseIncomplete",
        };
        // Bindings of 0.3 check an authority when it is set.
        let userinfo = match name {
            "http02" => "HttpRequestUriInvalid",
            _ => "the authority is refused",
        };
        for (url, code) in [
            (refusing.as_str(), "ConnectionRefused"),
            (NO_SUCH_NAME, "DnsError"),
            (&garbled, "HttpProtocolError"),
            (&cut, incomplete),
            ("http://user:word@localhost/", userinfo),
        ] {
            let outcome = get(name, &open(), url).await;
            refused(&format!("{name} {url}"), outcome, code);
        }
    }
}

#[tokio::test]
async fn what_belongs_to_a_connection_is_not_for_plugins_to_write() {
    let origin = answering(Reply::ok("hello")).await;
    let url = origin.url("/");
    for name in PLUGINS {
        for header in [
            "Connection: close",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: close",
            "Proxy-Authenticate: Basic",
            "Proxy-Authorization: Basic bWU6d29yZA==",
            "Transfer-Encoding: chunked",
            "Upgrade: h2c",
            "HTTP2-Settings: x",
            "Host: other.test",
            "Content-Length: +1",
        ] {
            let outcome = run(name, &open(), [&url, &format!("header={header}")]).await;
            assert!(outcome.is_err(), "{name} {header}: {outcome:?}");
        }
        let trailer = ["method=PUT", "body=5", "trailer=Content-Length: 1"];
        let outcome = run(name, &open(), [url.as_str()].into_iter().chain(trailer)).await;
        assert!(outcome.is_err(), "{name}: {outcome:?}");
    }
    assert!(origin.requests().is_empty(), "{:?}", origin.requests());
}

#[tokio::test]
async fn dropping_a_response_closes_its_connection_and_no_other() {
    for name in PLUGINS {
        let gate = Gate::new();
        let origin = Origin::new()
            .at("/slow", Reply::ok("slow").body_after(&gate))
            .at("/large", Reply::ok(vec![0; 50_000_000]))
            .start()
            .await;
        let hooks = open();
        let (slow, large) = (origin.url("/slow"), origin.url("/large"));
        let dropping = async {
            origin.requested(1).await;
            let printed = run(name, &hooks, [&large, "keep=1000", "count=3"]).await;
            assert!(printed.unwrap().contains("total 3 "), "{name}");
            origin.closed(3).await;
            gate.open();
        };
        let (answer, ()) = tokio::join!(get(name, &hooks, &slow), dropping);
        assert!(answer.unwrap().contains("\nbody 4 "), "{name}");
        get(name, &hooks, &slow).await.unwrap();
        assert_eq!(
            (origin.accepted(), origin.closed_by_client()),
            (4, 3),
            "{name}"
        );
    }
}

#[tokio::test]
async fn giving_a_request_up_closes_its_connection_and_no_other() {
    for name in PLUGINS {
        let origin = Origin::new()
            .at("/never", Reply::ok("").after(&Gate::new()))
            .at("/", Reply::ok("hello"))
            .start()
            .await;
        let hooks = open();
        get(name, &hooks, &origin.url("/")).await.unwrap();
        let never = origin.url("/never");
        let waiting = run(name, &hooks, [&never, "count=2", "parallel=2"]);
        tokio::select! {
            outcome = waiting => fail(&format!("{name}: {outcome:?}")),
            () = origin.requested(3) => {}
        }
        origin.closed(2).await;
        get(name, &hooks, &origin.url("/")).await.unwrap();
        assert_eq!(origin.accepted(), 3, "{name}");
    }
}

#[tokio::test]
async fn the_last_hooks_close_what_is_idle() {
    let origin = answering(Reply::ok("hello")).await;
    let hooks = open();
    for name in PLUGINS {
        get(name, &hooks.clone(), &origin.url("/")).await.unwrap();
    }
    assert_eq!((origin.accepted(), origin.closed_by_client()), (1, 0));
    drop(hooks);
    origin.closed(1).await;
}

#[tokio::test]
async fn redirects_and_retries_are_for_hosts_that_ask_for_them() {
    for name in PLUGINS {
        let origin = Origin::new()
            .at("/moved", Reply::new(302, "").header("Location", "/there"))
            .at("/there", Reply::ok("there"))
            .at("/loop", Reply::new(302, "").header("Location", "/loop"))
            .at("/busy", Reply::new(503, "busy"))
            .start()
            .await;
        let following = |grants| Settings {
            grants,
            redirects: Redirects::Follow,
            ..Settings::default()
        };
        let near = Grants::none().allow("127.0.0.1", origin.port());
        let retrying = hooks_with_pools(PoolSettings {
            retries: Retries {
                statuses: Some(vec![503]),
                ..Retries::total(3)
            },
            ..PoolSettings::default()
        });
        let following = hooks(following(near));
        for (hooks, path, status) in [
            (&open(), "/moved", 302),
            (&following, "/moved", 200),
            (&following, "/loop", 302),
            (&open(), "/busy", 503),
            (&retrying, "/moved", 302),
        ] {
            let printed = get(name, hooks, &origin.url(path)).await.unwrap();
            let expected = format!("status {status}\n");
            assert!(printed.starts_with(&expected), "{name} {path}: {printed}");
        }
        let busy = Origin::new()
            .reply(Reply::new(503, "busy"))
            .reply(Reply::ok("fine"))
            .start()
            .await;
        let printed = get(name, &retrying, &busy.url("/")).await.unwrap();
        assert!(printed.starts_with("status 200\n"), "{name}: {printed}");
        // A redirect leads no further than the grants do.
        let elsewhere = answering(Reply::ok("private")).await;
        let lure = Origin::new()
            .reply(Reply::new(302, "").header("Location", elsewhere.url("/")))
            .start()
            .await;
        let strict = hooks(Settings {
            grants: Grants::none().allow("127.0.0.1", lure.port()),
            redirects: Redirects::Follow,
            ..Settings::default()
        });
        refused(
            name,
            get(name, &strict, &lure.url("/")).await,
            "HttpRequestDenied",
        );
        assert_eq!(elsewhere.accepted(), 0, "{name}");
    }
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let through = |url: &str| {
        ManagerSettings::default().through(ProxySettings {
            url: url.into(),
            ..ProxySettings::default()
        })
    };
    let none = ManagerSettings {
        max_connections: Some(0),
        ..ManagerSettings::default()
    };
    for (case, manager, redirects, kind) in [
        (
            "a limit of 0",
            none,
            Redirects::HandOver,
            "invalid-settings",
        ),
        (
            "a proxy's scheme",
            through("ftp://p.test"),
            Redirects::HandOver,
            "unsupported-proxy-scheme",
        ),
        (
            "past the grants",
            through("http://p.test"),
            Redirects::Follow,
            "invalid-settings",
        ),
    ] {
        let settings = Settings {
            manager,
            redirects,
            ..Settings::default()
        };
        let error = Hooks::new(settings).expect_err(case);
        assert_eq!(
            error.client().map(|error| error.kind()),
            Some(kind),
            "{case}"
        );
    }
}
