//! What goes wrong goes wrong in the same way through every door: its own kind on one line, an exit status, in bounded time, no crash.

use urlpool_tests::{Authority, Origin, Outcome, Peer, RefusingPort, Server, Step};

use super::{Door, consumers};
use crate::common::{NO_SUCH_NAME, SOON};

/// An option that every door has, if under another name.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Method(&'static str),
    Header(&'static str),
    /// The three timeouts are of 200 ms.
    ConnectTimeout,
    ReadTimeout,
    Deadline,
}

impl Ask {
    fn typed(self, door: Door) -> [&'static str; 2] {
        if door.is_command() {
            match self {
                Self::Method(method) => ["-X", method],
                Self::Header(header) => ["-H", header],
                Self::ConnectTimeout => ["--connect-timeout", "0.2"],
                Self::ReadTimeout => ["--read-timeout", "0.2"],
                Self::Deadline => ["--timeout", "0.2"],
            }
        } else {
            match self {
                Self::Method(method) => ["--method", method],
                Self::Header(header) => ["--header", header],
                Self::ConnectTimeout => ["--connect-timeout", "200"],
                Self::ReadTimeout => ["--read-timeout", "200"],
                Self::Deadline => ["--deadline", "200"],
            }
        }
    }
}

/// A request that fails.
struct Row {
    case: &'static str,
    ask: Option<Ask>,
    url: String,
    /// The exit status of the commands. That of the consumers is always 1.
    status: i32,
    kind: &'static str,
}

impl Row {
    /// Refused before anything is sent.
    fn usage(case: &'static str, ask: Option<Ask>, url: &str, kind: &'static str) -> Self {
        let (url, status) = (url.to_owned(), 2);
        Self {
            case,
            ask,
            url,
            status,
            kind,
        }
    }

    /// Tried in vain.
    fn failure(case: &'static str, ask: Option<Ask>, url: &str, kind: &'static str) -> Self {
        let (url, status) = (url.to_owned(), 1);
        Self {
            case,
            ask,
            url,
            status,
            kind,
        }
    }

    fn typed(&self, door: Door) -> Vec<String> {
        // The consumers never try again.
        let once: &[&str] = if door.is_command() {
            &["--retries", "false"]
        } else {
            &[]
        };
        self.ask
            .iter()
            .flat_map(|ask| ask.typed(door))
            .chain(once.iter().copied())
            .chain([self.url.as_str()])
            .map(str::to_owned)
            .collect()
    }
}

/// What is refused before anything is sent; `url` is that of a healthy server.
fn usage_errors(url: &str) -> Vec<Row> {
    let urls = [
        ("unknown scheme", "ftp://127.0.0.1/", "unsupported-scheme"),
        ("no scheme", "127.0.0.1/", "invalid-url"),
        ("no host", "http:///x", "invalid-url"),
        ("bad port", "http://127.0.0.1:65536/", "invalid-url"),
        (
            "control in the scheme",
            "ht\x01tp://127.0.0.1/",
            "invalid-url",
        ),
        (
            "control in the host",
            "http://127.0.0.1\x01/",
            "invalid-url",
        ),
        (
            "line break in the host",
            "http://127.0.0.1\r\nX: y/",
            "invalid-url",
        ),
    ];
    let asks = [
        ("empty method", Ask::Method("")),
        ("control in the method", Ask::Method("GE\tT")),
        ("a tunnel", Ask::Method("CONNECT")),
        (
            "line break in the method",
            Ask::Method("GET / HTTP/1.1\r\nX:"),
        ),
        ("control in a header", Ask::Header("X: a\x01b")),
        ("line break in a header", Ask::Header("X: a\r\nY: b")),
        ("line break in a name", Ask::Header("X\r\nY: b")),
        ("control in a name", Ask::Header("X\x7f: b")),
    ];
    urls.into_iter()
        .map(|(case, url, kind)| Row::usage(case, None, url, kind))
        .chain(
            asks.into_iter()
                .map(|(case, ask)| Row::usage(case, Some(ask), url, "invalid-request")),
        )
        .collect()
}

/// Servers that fail, and what to ask to meet them.
async fn failures() -> (Vec<Server>, RefusingPort, Vec<Row>) {
    let refusing = RefusingPort::new();
    let mut rows = vec![
        Row::failure("refused", None, &refusing.url("/"), "connection-failed"),
        Row::failure("no such name", None, NO_SUCH_NAME, "name-resolution"),
    ];
    let mut servers = Vec::new();
    let silence = || Peer::always([Step::Hold]);
    for (case, peer, ask, kind) in [
        (
            "closed unanswered",
            Peer::always([Step::Request]),
            None,
            "protocol",
        ),
        (
            "reset",
            Peer::always([Step::Request, Step::Reset]),
            None,
            "protocol",
        ),
        (
            "garbage",
            Peer::answering("garbage\r\n\r\n"),
            None,
            "protocol",
        ),
        (
            "half a head",
            Peer::answering("HTTP/1.1 200 O"),
            None,
            "protocol",
        ),
        (
            "cut short",
            Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
            None,
            "incomplete-body",
        ),
        (
            "bad chunk",
            Peer::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            None,
            "invalid-chunk",
        ),
        (
            "silence, read timeout",
            silence(),
            Some(Ask::ReadTimeout),
            "read-timeout",
        ),
        (
            "silence, deadline",
            silence(),
            Some(Ask::Deadline),
            "deadline-exceeded",
        ),
    ] {
        let server = peer.start().await;
        rows.push(Row::failure(case, ask, &server.url("/"), kind));
        servers.push(server);
    }
    for (case, peer, ask, kind) in [
        (
            "silent handshake",
            silence(),
            Some(Ask::ConnectTimeout),
            "connect-timeout",
        ),
        (
            "plain HTTP behind https",
            Peer::always([
                Step::Bytes,
                Step::send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            ]),
            None,
            "tls",
        ),
    ] {
        let server = peer.start().await;
        let secure = server.url("/").replace("http:", "https:");
        rows.push(Row::failure(case, ask, &secure, kind));
        servers.push(server);
    }
    let identity = Authority::new().issue(&["127.0.0.1"]);
    let server = Origin::new().tls(identity.tls()).start().await;
    rows.push(Row::failure(
        "wrong certificate",
        None,
        &server.url("/"),
        "tls",
    ));
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

async fn check(door: Door) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let healthy = Origin::new().start().await;
    let (_servers, _refusing, failing) = failures().await;
    // Compiling the component is not what is timed below.
    door.run(&[healthy.url("/")], scratch.path()).await;
    for row in usage_errors(&healthy.url("/")).into_iter().chain(failing) {
        let outcome = door.run(&row.typed(door), scratch.path()).await;
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
    check(Door::Native).await;
}

#[tokio::test]
async fn the_command_component_fails_with_a_line_and_a_status() {
    check(Door::Component).await;
}

#[tokio::test]
async fn a_composed_consumer_gets_an_error_it_can_tell() {
    for door in consumers() {
        check(door).await;
    }
}
