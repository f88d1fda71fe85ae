//! The component that speaks `wasi:http`, in Python, with urlpool in the place of the client that it knows.

use std::ops::RangeInclusive;
use std::path::Path;

use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Reply, Server};

use super::workshop::{PATIENCE, Workshop};
use crate::doors::compile;
use crate::drop_in::{asking, plugged};
use crate::tally::Row;

const FOLDER: &str = "examples/drop-in/python";
const COUNT: usize = 4000;
const AT_ONCE: usize = 8;
/// More than the memory that it may have.
const LARGE: usize = 100 << 20;
/// In bytes, for each memory of the composition: that of the interpreter is the largest.
const MEMORY: u32 = 48 << 20;

pub(super) fn rows() -> Vec<Row> {
    vec![Row::new(
        "examples: the component in Python that speaks wasi:http asks 4,000 times over 8 connections, by a proxy, and streams 100 MB",
        drops_in(),
    )]
}

async fn drops_in() {
    let workshop = Workshop::open().await;
    workshop.follow(FOLDER).await;
    let bare = workshop.path("fetch.wasm");
    let composed = workshop.path("composed.wasm");
    let socket = std::fs::read(&bare).expect("a file that was made");
    std::fs::write(&composed, plugged(&socket)).expect("a temporary folder takes files");
    for (component, accepted) in [(&bare, COUNT..=COUNT), (&composed, 1..=AT_ONCE)] {
        let compiled = component.with_extension("compiled");
        compile(component, &compiled, PATIENCE).await;
        keeps_connections(&compiled, accepted).await;
    }
    goes_where_it_is_told(&composed.with_extension("compiled")).await;
}

async fn keeps_connections(component: &Path, expected: RangeInclusive<usize>) {
    let origin = Origin::new().reply(Reply::ok("hello")).start().await;
    let urls = vec![origin.url("/a?b=c"); COUNT];
    let got = run(component, &[], &urls).await;
    assert_brought(&got, &"200 5 bytes\n".repeat(COUNT));
    assert!(origin.requests().iter().all(|it| it.target() == "/a?b=c"));
    assert_eq!(origin.requests().len(), COUNT, "requests");
    let accepted = origin.accepted();
    assert!(expected.contains(&accepted), "{accepted} connections");
}

async fn goes_where_it_is_told(component: &Path) {
    let authority = Authority::new();
    let origin = secured(&authority).await;
    let proxy = HttpProxy::new().start().await;
    let url = proxy.proxy_url("http");
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let variables = [("URLPOOL_PROXY", &*url), ("URLPOOL_CA_BUNDLE", &roots)];
    let large = [origin.url_as("localhost", "/large")];

    let got = run(component, &variables, &large).await;
    assert_brought(&got, &format!("200 {LARGE} bytes\n"));
    let asked = proxy.request();
    assert_eq!(asked.method(), "CONNECT");
    assert_eq!(asked.target(), format!("localhost:{}", origin.port()));

    let got = run(component, &[], &large).await;
    assert_eq!((got.status, &*got.stdout_text()), (1, ""));
    let told = got.stderr_text();
    assert!(told.contains("ErrorCode_TlsCertificateError"), "{told}");
    assert_eq!(origin.requests().len(), 1);
}

async fn secured(authority: &Authority) -> Server {
    Origin::new()
        .tls(authority.issue(&["localhost"]).tls())
        .at("/large", Reply::ok(vec![b'x'; LARGE]))
        .start()
        .await
}

async fn run(component: &Path, variables: &[(&str, &str)], urls: &[String]) -> Outcome {
    asking(variables)
        .args([
            "-W",
            &format!("max-memory-size={MEMORY}"),
            "--allow-precompiled",
        ])
        .args([component])
        .args(urls)
        .patience(PATIENCE)
        .run()
        .await
}

#[track_caller]
fn assert_brought(got: &Outcome, lines: &str) {
    assert_eq!((got.status, &*got.stderr_text()), (0, ""));
    assert!(got.stdout_text() == lines, "{}", got.stdout.len());
}
