//! The program in JavaScript that has urlpool inside.

use urlpool_tests::nginx::{AccessLog, Nginx};
use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Program, Reply};

use super::workshop::{PATIENCE, Workshop};
use crate::tally::Row;

const FOLDER: &str = "examples/javascript";
/// More than the program may use.
const LARGE: u64 = 640 << 20;
/// It uses 150 MB, however much it reads.
const MEMORY: u64 = 480 << 20;
/// Where the server is faster than the program, jco's sockets read ahead without end. On a busy machine any server would be.
const PACE: &str = "limit_rate 64m;";
/// Ends with how many bytes the program used at most, on a line of its own.
const MEASURE: &str = "data:text/javascript,process.on('exit', () => \
                       console.error(process.resourceUsage().maxRSS * 1024))";

/// Its only row.
pub(super) fn row() -> Row {
    let name = "examples: the host in JavaScript fetches by a proxy, tries again, streams 640 MB, and is denied the network";
    Row::new(name, hosts())
}

async fn hosts() {
    let workshop = Workshop::open().await;
    workshop.install(FOLDER);
    workshop.follow(FOLDER).await;
    fetches(&workshop).await;
    streams(&workshop).await;
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
        ("--output=x", "retries-exhausted: "),
    ] {
        let got = run(workshop, &[option, &url]).await;
        assert_eq!(got.status, 1, "exit status with {option}");
        assert!(got.stderr_text().starts_with(kind), "{option}");
    }
    assert_eq!(origin.requests().len(), 3, "requests at the origin");
}

async fn streams(workshop: &Workshop) {
    let nginx = Nginx::configured(AccessLog::Off, &[], PACE);
    nginx.serve_zeros("large", LARGE);
    let file = workshop.path("large");
    let output = file.display().to_string();

    let got = run(workshop, &["--output", &output, &nginx.http("/large")]).await;

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
        "{used:?} bytes of memory"
    );
}

async fn run(workshop: &Workshop, arguments: &[&str]) -> Outcome {
    Program::from_file("node")
        .args(["--import", MEASURE, "fetch.js"])
        .args(arguments)
        .directory(workshop.path(FOLDER))
        .patience(PATIENCE)
        .run()
        .await
}
