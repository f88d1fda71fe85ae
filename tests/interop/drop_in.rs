//! The rows of `urlpool-http.wasm`, plugged under consumers that know nothing of it and run by the stock `wasmtime`, which is what these
//! compare it with.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Program, Reply, Server, dist};

use crate::daemon::Daemon;
use crate::doors::{Network, built, native, run_with, wasmtime};
use crate::tally::Row;

/// How many requests there are, and how many of them at a time.
const COUNT: usize = 4000;
const AT_ONCE: usize = 8;

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let asks = "wasmtime run http03.wasm over urlpool-http.wasm";
    let serves = "wasmtime serve served03.wasm over urlpool-http.wasm";
    vec![
        Row::new(format!("{asks}: leaves nothing open but wasi:"), fits()),
        Row::new(
            format!("{asks}: 4,000 requests open at most 8 connections, and 4,000 without it"),
            keeps_connections(),
        ),
        Row::new(
            format!("{asks}: all goes through the proxy that is named"),
            goes_through_proxies(),
        ),
        Row::new(
            format!("{asks}: a private authority is trusted where it is named"),
            trusts(),
        ),
        Row::new(
            format!("{serves}: 4,000 requests open at most 8 connections an instance"),
            serves_over_few(),
        ),
        Row::new(
            format!("{serves}: connections live as long as their instance"),
            serves_anew(),
        ),
    ]
}

/// A consumer of `tests/consumers`, as it was built or composed.
struct Consumer {
    component: PathBuf,
    _folder: Option<TempDir>,
}

impl Consumer {
    fn bare(name: &str) -> Self {
        Self {
            component: built(&format!("wasm32-wasip2/component/{name}.wasm")),
            _folder: None,
        }
    }

    fn composed(name: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let component = folder.path().join("composed.wasm");
        let socket = std::fs::read(Self::bare(name).component).expect("a file that was built");
        std::fs::write(&component, plugged(&socket)).expect("a temporary folder takes files");
        Self {
            component,
            _folder: Some(folder),
        }
    }

    /// The stock `wasmtime` about to run it.
    fn asks(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Program {
        let component = self.component.display().to_string();
        asking(variables)
            .args([component])
            .args(arguments.iter().copied())
    }

    /// The stock `wasmtime` that serves it, and its URL.
    fn serves(&self, upstream: &Server, options: &[&str]) -> (Daemon, String) {
        let log = TempDir::new().expect("a temporary folder");
        let upstream = upstream.url("");
        let started = Daemon::listening(&log.path().join("log"), |[port]: [u16; 1]| {
            let mut command = Command::new(wasmtime());
            command
                .args(["serve", "--addr", &format!("127.0.0.1:{port}")])
                .args(["-S", "cli", "-S", "inherit-network"])
                .args(["-S", "allow-ip-name-lookup"])
                .args(["--env", &format!("UPSTREAM={upstream}")])
                .args(options)
                .arg(&self.component);
            command
        });
        let (daemon, [port]) = started.expect("wasmtime serves");
        (daemon, format!("http://127.0.0.1:{port}"))
    }
}

/// `urlpool-http.wasm` plugged under a consumer, which leaves nothing open that a host does not have.
pub(crate) fn plugged(socket: &[u8]) -> Vec<u8> {
    let plug = std::fs::read(dist("urlpool-http.wasm")).expect("a file that was built");
    let composed = urlpool_compose::plug(socket, &[&plug]).expect("they fit");
    let found = urlpool_compose::interface(&composed).expect("it is a component");
    for import in &found.imports {
        let is_open = !import.starts_with("wasi:") || import.starts_with("wasi:http/client");
        assert!(!is_open, "{import} is left open");
    }
    composed
}

/// The stock `wasmtime` about to run the component that the arguments that follow name, which has these variables.
pub(crate) fn asking(variables: &[(&str, &str)]) -> Program {
    let variables = variables
        .iter()
        .flat_map(|(name, value)| ["--env".to_owned(), format!("{name}={value}")]);
    run_with(Network::Granted)
        .args(["-S", "http"])
        .args(variables)
}

async fn fits() {
    let consumer = std::fs::read(Consumer::bare("http03").component).expect("a file");
    let imports = urlpool_compose::interface(&consumer).expect("it is a component");
    // Not the version that ours exports.
    let asked = "wasi:http/client@0.3.2".to_owned();
    assert!(imports.imports.contains(&asked), "{:?}", imports.imports);
    plugged(&consumer);
}

async fn keeps_connections() {
    for (consumer, most) in [
        (Consumer::composed("http03"), AT_ONCE),
        (Consumer::bare("http03"), COUNT),
    ] {
        let origin = answering().await;
        let count = format!("count={COUNT}");
        let parallel = format!("parallel={AT_ONCE}");
        let arguments = [&*origin.url("/"), &count, &parallel, "print=total"];
        let got = consumer.asks(&[], &arguments).run().await;
        assert_total(&got, COUNT);
        assert_eq!(origin.requests().len(), COUNT, "requests");
        let accepted = origin.accepted();
        let expected = if most == COUNT {
            COUNT..=COUNT
        } else {
            1..=most
        };
        assert!(expected.contains(&accepted), "{accepted} connections");
    }
}

async fn goes_through_proxies() {
    let consumer = Consumer::composed("http03");
    let authority = Authority::new();
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let far = Origin::new()
        .tls(authority.issue(&["far.test"]).tls())
        .reply(Reply::ok("hello"))
        .start()
        .await;
    for variables in [&["URLPOOL_PROXY"][..], &["http_proxy", "https_proxy"]] {
        let proxy = HttpProxy::new().reply(Reply::ok("hello")).start().await;
        let url = proxy.proxy_url("http");
        let mut environment = vec![("URLPOOL_CA_BUNDLE", &*roots)];
        environment.extend(variables.iter().map(|name| (*name, &*url)));
        for (url, count) in [
            ("http://near.test/x".to_owned(), "count=100"),
            (far.url_as("far.test", "/"), "count=50"),
        ] {
            let arguments = [&*url, count, "print=total"];
            let got = consumer.asks(&environment, &arguments).run().await;
            assert_eq!((got.status, &*got.stderr_text()), (0, ""));
        }
        let asked: Vec<_> = proxy.requests();
        assert_eq!(asked.len(), 101, "requests at the proxy");
        let (tunnels, plain): (Vec<_>, Vec<_>) =
            asked.iter().partition(|sent| sent.method() == "CONNECT");
        assert!(
            plain
                .iter()
                .all(|sent| sent.target() == "http://near.test/x")
        );
        let target = format!("far.test:{}", far.port());
        assert!(tunnels.iter().all(|sent| sent.target() == target));
        assert_eq!((tunnels.len(), proxy.accepted()), (1, 2), "{variables:?}");
    }
    assert_eq!((far.accepted(), far.requests().len()), (2, 100));
}

async fn trusts() {
    let consumer = Consumer::composed("http03");
    let authority = Authority::new();
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let origin = Origin::new()
        .tls(authority.issue(&["localhost"]).tls())
        .reply(Reply::ok("hello"))
        .start()
        .await;
    let url = origin.url_as("localhost", "/");
    let arguments = [&*url, "count=200", "print=total"];
    let variables = [("URLPOOL_CA_BUNDLE", &*roots)];
    let got = consumer.asks(&variables, &arguments).run().await;
    assert_total(&got, 200);
    assert_eq!((origin.accepted(), origin.requests().len()), (1, 200));

    // Nor does it trust what nobody named, and what it replaces cannot be told.
    for (consumer, variables) in [
        (&consumer, &[][..]),
        (&Consumer::bare("http03"), &variables),
    ] {
        let got = consumer.asks(variables, &arguments).run().await;
        assert_eq!(got.status, 1, "exit status");
        let told = got.stderr_text();
        assert!(told.contains("ErrorCode::Tls"), "{told}");
    }
    assert_eq!(origin.requests().len(), 200);
}

async fn serves_over_few() {
    let consumer = Consumer::composed("served03");
    let origin = answering().await;
    let count = COUNT.to_string();
    let (_daemon, url) = consumer.serves(&origin, &["--max-instance-reuse-count", &count]);
    let each = (COUNT / AT_ONCE).to_string();
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|_| tokio::spawn(native().args(["--repeat", &*each, &*url]).run()))
        .collect();
    for client in clients {
        let got = client.await.expect("a program that ends");
        assert_eq!((got.status, &*got.stderr_text()), (0, ""));
        assert_eq!(got.stdout.len(), 5 * COUNT / AT_ONCE, "bytes");
    }
    assert_eq!(origin.requests().len(), COUNT, "requests");
    // A request that finds all instances busy gets another: at first there may be as many as there are requests at a time.
    let most = AT_ONCE * AT_ONCE;
    let accepted = origin.accepted();
    assert!((1..=most).contains(&accepted), "{accepted} connections");
}

async fn serves_anew() {
    for (consumer, reuse, accepted) in [
        (Consumer::composed("served03"), "1", 100),
        (Consumer::composed("served03"), "100", 1),
        (Consumer::bare("served03"), "100", 100),
    ] {
        let origin = answering().await;
        let (_daemon, url) = consumer.serves(&origin, &["--max-instance-reuse-count", reuse]);
        let got = native().args(["--repeat", "100", &*url]).run().await;
        assert_eq!(got.stdout, b"hello".repeat(100));
        assert_eq!(origin.requests().len(), 100, "requests");
        assert_eq!(origin.accepted(), accepted, "reused {reuse} times");
    }
}

async fn answering() -> Server {
    Origin::new().reply(Reply::ok("hello")).start().await
}

#[track_caller]
fn assert_total(got: &Outcome, count: usize) {
    assert_eq!((got.status, &*got.stderr_text()), (0, ""));
    let expected = format!("total {count} {} bytes ", 5 * count);
    let told = got.stdout_text();
    assert!(told.starts_with(&expected), "{told}");
}
