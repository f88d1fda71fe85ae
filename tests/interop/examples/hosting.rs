//! The program in JavaScript that has urlpool inside.
//!
//! What it shows is held by the program itself, and what an instance leaves behind by `steady.mjs`, which stands beside it for that.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Program, Reply};

use super::workshop::{PATIENCE, Workshop};
use crate::tally::Row;

const FOLDER: &str = "examples/javascript";
/// In bytes; more than the program may use.
const LARGE: u64 = 640 << 20;
/// In kibibytes. It uses 150 MB, however much it reads.
const MEMORY: u64 = 480 << 10;
/// How far the server is ahead of the file. jco's sockets read ahead without end, and would bring all that a faster server has.
const AHEAD: u64 = 32 << 20;
/// How often the server looks at the file.
const LOOK: Duration = Duration::from_millis(5);
/// Ends with how many kibibytes the program used at most, on a line of its own. The peak that `getrusage` tells would be ours
/// where ours is the larger, as the peak of a process goes on through `exec`.
const MEASURE: &str = "data:text/javascript,import { readFileSync } from 'node:fs';\
                       process.on('exit', () => console.error(/VmHWM:\\s*(\\d+)/\
                       .exec(readFileSync('/proc/self/status', 'utf8'))[1]))";

/// Blocks of deflate that are stored, not the last, and empty: never a byte comes out, so one call reads on and on.
const NOTHING: [u8; 5] = [0, 0, 0, 0xff, 0xff];

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "examples: the host in JavaScript fetches by a proxy, tries again, streams 640 MB, and is denied what it may not reach",
            hosts(),
        ),
        Row::new(
            "examples: the host in JavaScript stops a call that never ends",
            stops(),
        ),
        Row::new(
            "examples: the host in JavaScript has what it had before after 10,000 requests and 1,000 dropped, and no memory beyond its limit",
            is_steady(),
        ),
    ]
}

async fn workshop() -> Workshop {
    let workshop = Workshop::open().await;
    workshop.install(FOLDER, "host");
    workshop.follow(FOLDER).await;
    workshop
}

async fn hosts() {
    let workshop = workshop().await;
    fetches(&workshop).await;
    streams(&workshop).await;
}

async fn stops() {
    let workshop = workshop().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let url = format!("http://127.0.0.1:{port}/");
    let arguments = ["--seconds", "1", &url];
    let got = tokio::select! {
        got = run(&workshop, &arguments) => got,
        failure = send_nothing(listener) => match failure {},
    };
    assert_eq!(got.status, 1, "exit status");
    assert!(got.stderr_text().starts_with("stopped after 1 seconds\n"));

    // What ends in time is not disturbed.
    let origin = Origin::new().reply(Reply::ok("fine")).start().await;
    let got = run(&workshop, &["--seconds", "3600", &origin.url("/")]).await;
    assert_eq!((got.status, &*got.stdout_text()), (0, "fine"));
}

/// Sends a body out of which nothing comes, to the first client, as long as it lives.
async fn send_nothing(listener: TcpListener) -> Infallible {
    let (mut client, _) = listener.accept().await.expect("a client");
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c";
    client.write_all(head).await.expect("a reader");
    let blocks = NOTHING.repeat(10_000);
    while client.write_all(&blocks).await.is_ok() {}
    std::future::pending().await
}

async fn is_steady() {
    let workshop = workshop().await;
    let script = include_str!("steady.mjs");
    std::fs::write(workshop.path(FOLDER).join("steady.mjs"), script).expect("a file in the folder");
    let origin = Origin::new()
        .at("/small", Reply::ok("0123456789"))
        .at("/large", Reply::ok(vec![0; 300_000]))
        .at("/huge", Reply::ok(vec![0; 10_000_000]))
        .start()
        .await;
    let url = origin.url("");
    // A collector that waits until it has much to do would look like a leak.
    let arguments = ["--expose-gc", "--max-semi-space-size=1", "steady.mjs", &url];
    let got = node(&workshop, &arguments).await;
    assert_eq!(got.status, 0, "exit status");
}

async fn fetches(workshop: &Workshop) {
    let authority = Authority::new();
    let origin = Origin::new()
        .tls(authority.issue(&["localhost"]).tls())
        .reply(Reply::new(503, "not yet"))
        .reply(Reply::ok("one "))
        .reply(Reply::ok("two"))
        .start()
        .await;
    let proxy = HttpProxy::new().start().await;
    let url = origin.url_as("localhost", "/");
    let roots = authority.file();
    let roots = roots.path().display().to_string();

    let through = proxy.proxy_url("http");
    let got = run(workshop, &["--ca", &roots, "--proxy", &through, &url, &url]).await;
    assert_eq!(got.stdout_text(), "one two");
    let told = got.stderr_text();
    let told: Vec<&str> = told.lines().take(2).collect();
    assert_eq!(
        told.join("\n"),
        "200 over connection 1 after 1 other answers\n200 over connection 1 after 0 other answers"
    );
    assert_eq!(got.status, 0, "exit status");
    assert_eq!(origin.requests().len(), 3, "requests at the origin");
    assert_eq!(origin.accepted(), 1, "connections at the origin");
    let asked = proxy.request();
    assert_eq!(asked.method(), "CONNECT");
    assert_eq!(asked.target(), format!("localhost:{}", origin.port()));

    for (option, kind) in [
        ("--offline", "denied: "),
        ("--allow=192.0.2.1", "denied: "),
        ("--allow=127.0.0.1", "retries-exhausted: "),
    ] {
        let got = run(workshop, &[option, &url]).await;
        assert_eq!(got.status, 1, "exit status with {option}");
        assert!(got.stderr_text().starts_with(kind), "{option}");
    }
    assert_eq!(origin.requests().len(), 3, "requests at the origin");
}

async fn streams(workshop: &Workshop) {
    let file = workshop.path("large");
    let output = file.display().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let url = format!("http://127.0.0.1:{port}/large");

    let arguments = ["--output", &output, &url];
    let got = tokio::select! {
        got = run(workshop, &arguments) => got,
        failure = serve(listener, &file) => match failure {},
    };

    assert_eq!(got.status, 0, "exit status");
    let told = got.stderr_text();
    let used = told
        .lines()
        .last()
        .and_then(|line| line.parse::<u64>().ok());
    let written = std::fs::metadata(file).expect("the file that --output names");
    assert_eq!(written.len(), LARGE, "bytes");
    assert!(
        used.is_some_and(|used| used < MEMORY),
        "{used:?} KiB of memory"
    );
}

/// Sends zeros to one client, no further than [`AHEAD`] of what it has written to the file, and holds the connection.
async fn serve(listener: TcpListener, file: &Path) -> Infallible {
    let (mut client, _) = listener.accept().await.expect("a client");
    let mut request = Vec::with_capacity(4096);
    client.read_buf(&mut request).await.expect("a request");
    assert!(request.ends_with(b"\r\n\r\n"), "a whole request");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
    client.write_all(head.as_bytes()).await.expect("a reader");
    let piece = vec![0; 1 << 20];
    for sent in (0..LARGE).step_by(piece.len()) {
        while sent >= written(file) + AHEAD {
            tokio::time::sleep(LOOK).await;
        }
        client.write_all(&piece).await.expect("a reader");
    }
    std::future::pending().await
}

fn written(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

async fn run(workshop: &Workshop, arguments: &[&str]) -> Outcome {
    let program = ["--import", MEASURE, "fetch.js"];
    node(workshop, &[&program, arguments].concat()).await
}

async fn node(workshop: &Workshop, arguments: &[&str]) -> Outcome {
    Program::from_file("node")
        .args(arguments.iter().copied())
        .directory(workshop.path(FOLDER))
        .patience(PATIENCE)
        .run()
        .await
}
