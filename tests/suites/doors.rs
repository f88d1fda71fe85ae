//! The same through every door: the native command, the command component, and a composed consumer.

use std::path::Path;

use urlpool_tests::{
    Authority, Command, Origin, Outcome, Peer, Program, RefusingPort, Reply, Server, Step,
    consumer, dist,
};

use crate::common::SOON;

/// A way to run a command line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Native,
    Component,
    /// Knows only `URL [--cacert FILE]`, and exits with 1 where others have a usage error.
    Fetch,
    /// The same over interface `pipe`.
    Copy,
}

impl Door {
    async fn run(self, arguments: &[String], directory: &Path) -> Outcome {
        let component = match self {
            Self::Native => return Program::urlpool().args(arguments).run().await,
            Self::Component => Command::from_file(&dist("urlpool-cli.wasm")),
            Self::Fetch => Command::from_bytes("fetch", &consumer("fetch")),
            Self::Copy => Command::from_bytes("copy", &consumer("copy")),
        };
        let arguments = arguments.iter().map(String::as_str);
        component.directory(directory).args(arguments).run().await
    }

    fn is_command(self) -> bool {
        matches!(self, Self::Native | Self::Component)
    }
}

/// A command line that fails.
struct Row {
    case: &'static str,
    arguments: Vec<String>,
    status: i32,
    kind: &'static str,
    /// Whether the consumers know its options.
    is_plain: bool,
}

/// One that needs options of the command.
fn row(case: &'static str, arguments: &[&str], status: i32, kind: &'static str) -> Row {
    Row {
        case,
        arguments: arguments.iter().copied().map(str::to_owned).collect(),
        status,
        kind,
        is_plain: false,
    }
}

/// One that is only a URL.
fn plain(case: &'static str, url: &str, status: i32, kind: &'static str) -> Row {
    Row {
        is_plain: true,
        ..row(case, &[url], status, kind)
    }
}

/// What is refused before anything is sent; `url` is that of a healthy server.
fn usage_errors(url: &str) -> Vec<Row> {
    vec![
        plain(
            "unknown scheme",
            "ftp://127.0.0.1/",
            2,
            "unsupported-scheme",
        ),
        plain("no host", "http:///x", 2, "invalid-url"),
        plain("bad port", "http://127.0.0.1:65536/", 2, "invalid-url"),
        plain(
            "control in the host",
            "http://127.0.0.1\x01/",
            2,
            "invalid-url",
        ),
        plain(
            "line break in the host",
            "http://127.0.0.1\r\nX: y/",
            2,
            "invalid-url",
        ),
        row(
            "control in the method",
            &["-X", "GE\tT", url],
            2,
            "invalid-request",
        ),
        row(
            "line break in the method",
            &["-X", "GET / HTTP/1.1\r\nX:", url],
            2,
            "invalid-request",
        ),
        row(
            "control in a header",
            &["-H", "X: a\x01b", url],
            2,
            "invalid-request",
        ),
        row(
            "line break in a header",
            &["-H", "X: a\r\nY: b", url],
            2,
            "invalid-request",
        ),
        row(
            "line break in a name",
            &["-H", "X\r\nY: b", url],
            2,
            "invalid-request",
        ),
    ]
}

/// Servers that fail, and what to type to meet them.
async fn failures() -> (Vec<Server>, RefusingPort, Vec<Row>) {
    let refusing = RefusingPort::new();
    let hold = || Peer::always([Step::Hold]);
    let answer = |bytes: &str| Peer::answering(bytes);
    let mut rows = vec![
        plain("refused", &refusing.url("/"), 1, "connection-failed"),
        plain(
            "no such name",
            "http://nonexistent.invalid/",
            1,
            "name-resolution",
        ),
    ];
    let mut servers = Vec::new();
    for (case, peer, kind) in [
        ("nothing", Peer::always([Step::Request]), "protocol"),
        (
            "reset",
            Peer::always([Step::Request, Step::Reset]),
            "protocol",
        ),
        ("garbage", answer("garbage\r\n\r\n"), "protocol"),
        ("half a head", answer("HTTP/1.1 200 O"), "protocol"),
        (
            "cut short",
            answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            "incomplete-body",
        ),
        (
            "bad chunk",
            answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            "invalid-chunk",
        ),
    ] {
        let server = peer.start().await;
        rows.push(plain(case, &server.url("/"), 1, kind));
        servers.push(server);
    }
    for (case, option, kind) in [
        ("silence, read timeout", "--read-timeout", "read-timeout"),
        ("silence, deadline", "--timeout", "deadline-exceeded"),
    ] {
        let server = hold().start().await;
        rows.push(row(case, &[option, "0.2", &server.url("/")], 1, kind));
        servers.push(server);
    }
    let server = hold().start().await;
    let secure = server.url("/").replace("http:", "https:");
    rows.push(row(
        "silent handshake",
        &["--connect-timeout", "0.2", &secure],
        1,
        "connect-timeout",
    ));
    servers.push(server);
    let identity = Authority::new().issue(&["127.0.0.1"]);
    let server = Origin::new().tls(identity.tls()).start().await;
    rows.push(plain("wrong certificate", &server.url("/"), 1, "tls"));
    servers.push(server);
    let refusal = Step::send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let server = Peer::always([Step::Bytes, refusal]).start().await;
    let secure = server.url("/").replace("http:", "https:");
    rows.push(plain("plain HTTP behind https", &secure, 1, "tls"));
    servers.push(server);
    (servers, refusing, rows)
}

/// One line that names the kind, and no sign of a crash.
fn assert_told(door: Door, row: &Row, outcome: &Outcome) {
    let case = format!("{door:?}, {}", row.case);
    let status = if door.is_command() { row.status } else { 1 };
    assert_eq!(outcome.status, status, "{case}");
    let told = outcome.stderr_text();
    assert_eq!(told.lines().count(), 1, "{case}: {told}");
    assert!(
        told.contains(row.kind) && told.ends_with('\n'),
        "{case}: {told}"
    );
    for sign in ["panicked", "trap", "wasm backtrace", "RUST_BACKTRACE"] {
        assert!(!told.contains(sign), "{case}: {told}");
    }
    assert!(outcome.took < SOON, "{case}: {:?}", outcome.took);
}

async fn check_failures(door: Door) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let healthy = Origin::new().start().await;
    let (_servers, _refusing, failing) = failures().await;
    // Compiling the component is not what is timed below.
    door.run(&[healthy.url("/")], scratch.path()).await;
    let rows = usage_errors(&healthy.url("/")).into_iter().chain(failing);
    for row in rows.filter(|row| row.is_plain || door.is_command()) {
        let outcome = door.run(&row.arguments, scratch.path()).await;
        assert_told(door, &row, &outcome);
    }
    assert_eq!(
        healthy.accepted(),
        1,
        "{door:?}: a refused request was sent"
    );
}

#[tokio::test]
async fn the_native_command_fails_with_a_line_and_a_status() {
    check_failures(Door::Native).await;
}

#[tokio::test]
async fn the_command_component_fails_with_a_line_and_a_status() {
    check_failures(Door::Component).await;
}

#[tokio::test]
async fn a_composed_consumer_gets_an_error_it_can_tell() {
    check_failures(Door::Fetch).await;
    check_failures(Door::Copy).await;
}

#[tokio::test]
async fn the_exact_bytes_come_through_every_door() {
    let body: Vec<u8> = (0..300_000_u32)
        .map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1])
        .collect();
    let authority = Authority::new();
    let roots = authority.file();
    let reply = || Reply::ok(body.clone());
    let secure = Origin::new()
        .reply(reply())
        .tls(authority.issue(&["127.0.0.1"]).tls())
        .start()
        .await;
    let chunked = Origin::new().reply(reply().chunked(7000)).start().await;
    let plain = Origin::new().reply(reply()).start().await;
    let roots_path = roots.path().display().to_string();
    let folder = roots.path().parent().unwrap();
    for door in [Door::Native, Door::Component, Door::Fetch, Door::Copy] {
        for arguments in [
            vec![plain.url("/")],
            vec![chunked.url("/")],
            vec!["--cacert".to_owned(), roots_path.clone(), secure.url("/")],
        ] {
            let outcome = door.run(&arguments, folder).await;
            assert_eq!(
                (outcome.status, outcome.stderr_text()),
                (0, String::new()),
                "{door:?}, {arguments:?}"
            );
            assert!(
                outcome.stdout == body,
                "{door:?}, {arguments:?}: other bytes"
            );
        }
    }
}

#[tokio::test]
async fn the_commands_end_with_0_1_2_and_22() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let found = Origin::new().reply(Reply::ok("body")).start().await;
    let missing = Origin::new().reply(Reply::new(404, "gone")).start().await;
    let refusing = RefusingPort::new();
    let (found, missing, refused) = (found.url("/"), missing.url("/"), refusing.url("/"));
    for door in [Door::Native, Door::Component] {
        for (arguments, status, stdout) in [
            (vec![found.as_str()], 0, "body"),
            (vec![&missing], 0, "gone"),
            (vec!["--fail", &found], 0, "body"),
            (vec!["--fail", &missing], 22, "gone"),
            (vec!["--fail", &found, &missing], 22, "bodygone"),
            (vec!["--fail", &missing, &refused], 1, "gone"),
            (vec![&refused], 1, ""),
            (vec![], 2, ""),
            (vec!["--nonsense", &found], 2, ""),
            (vec!["--cacert", "/nonexistent.pem", &found], 2, ""),
        ] {
            let typed: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
            let outcome = door.run(&typed, scratch.path()).await;
            assert_eq!(
                (outcome.status, outcome.stdout_text().as_str()),
                (status, stdout),
                "{door:?}, {arguments:?}"
            );
            let is_silent = matches!(status, 0 | 22);
            assert!(
                is_silent || !outcome.stderr_text().is_empty(),
                "{door:?}, {arguments:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_thousand_repetitions_take_one_connection() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for door in [Door::Native, Door::Component] {
        let origin = Origin::new().reply(Reply::ok("body")).start().await;
        let typed = ["--repeat", "1000", "--report", "json", &origin.url("/")].map(str::to_owned);
        let outcome = door.run(&typed, scratch.path()).await;
        assert_eq!(outcome.status, 0, "{door:?}");
        assert_eq!(
            (origin.accepted(), origin.requests().len()),
            (1, 1000),
            "{door:?}"
        );
        let report: Vec<serde_json::Value> = outcome
            .stdout_text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        assert_eq!(report.len(), 1000, "{door:?}");
        let last = &report[999];
        assert_eq!(
            (&last["status"], &last["body_bytes"]),
            (&200.into(), &4.into()),
            "{door:?}"
        );
        assert_eq!(last["connection"]["number"], 1, "{door:?}");
        assert_eq!(
            (
                &report[0]["connection"]["reused"],
                &last["connection"]["reused"]
            ),
            (&false.into(), &true.into())
        );
    }
}
