//! Every option of the command line, through every door, against servers that record what they are sent.
//!
//! A row a line: what is typed, the exit status, and what must then be found where. Rows of all doors share the servers; each has a path of
//! its own, `{row}`, by which its requests are told apart. A last row sees to it that `--help all` has no option that no row tries.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use urlpool_tests::{Authority, Gate, HttpProxy, Identity, Origin, Reply, Server, fail};

use crate::doors::{Door, native};
use crate::tally::Row;

/// What is typed | the status | `sent`, `out`, `err` or `file NAME`, and a text that is there; several are separated by semicolons.
const LINES: &str = "\
--request PUT --header X-One:1 {plain}/{row} | 0 | sent PUT /{row} HTTP/1.1; sent X-One: 1; out fine
--data text {plain}/{row} | 0 | sent POST /; sent text
--data @small {plain}/{row} | 0 | sent from a small file
--data @large {plain}/{row} | 0 | sent Content-Length: 100000
--data @- {plain}/{row} | 0 | sent typed in
--json [1] {plain}/{row} | 0 | sent application/json; sent [1]
--field a=b {plain}/{row} | 0 | sent GET /{row}?a=b
--form a=@small {plain}/{row} | 0 | sent filename=\"small\"; sent from a small file
--user me:hunter2 {plain}/{row} | 0 | sent Basic bWU6aHVudGVyMg==
--output {row}.got {plain}/{row} | 0 | file {row}.got fine
-O {plain}/{row} | 0 | file {row} fine
{coded}/{row} | 0 | out decoded
--no-decode --output {row}.got {coded}/{row} | 0 | file {row}.got \u{1f}
--include {plain}/{row} | 0 | out HTTP/1.1 200 Status; out fine
--verbose --user me:hunter2 {plain}/{row} | 0 | err * connection 1: open to 127.0.0.1:; err > GET /{row}; err < HTTP/1.1 200 Status; out fine
--report json {plain}/{row} | 0 | out \"status\":200
--fail {missing}/{row} | 22 | out gone
--connect-timeout 20 --read-timeout 0.05 --retries false {silent}/{row} | 1 | err (read-timeout)
--timeout 0.05 {silent}/{row} | 1 | err (deadline-exceeded)
--max-body 3 {plain}/{row} | 1 | err (body-too-large)
--retries 1 --retry-on 404 --retry-method GET --backoff 0.01 {missing}/{row} | 1 | err (retries-exhausted)
--redirects 0 {moved}/{row} | 1 | err (too-many-redirects)
--redirects false {moved}/{row} | 0 | sent GET /{row}
{moved}/{row} | 0 | out fine
--num-pools 1 --maxsize 1 --block --pool-timeout 20 --repeat 3 --parallel 3 {plain}/{row} | 0 | out finefinefine
--proxy {proxy} --proxy-user me:hunter2 --proxy-header X-Two:2 {plain}/{row} | 0 | out forwarded; sent X-Two: 2; sent Basic bWU6aHVudGVyMg==
--proxy {proxy} --noproxy * {plain}/{row} | 0 | out fine
--proxy {guard} --proxy-cacert roots --forward-https {secure}/{row} | 0 | out forwarded; sent GET https://
--proxy {guard} --proxy-insecure {plain}/{row} | 0 | out forwarded; err warning
--insecure {secure}/{row} | 0 | out fine; err warning
{secure}/{row} | 1 | err (retries-exhausted); err certificate
--cacert roots --tls-min 1.3 --verbose {secure}/{row} | 0 | out fine; err TLS 1.3
--cacert roots --tls-max 1.2 --verbose {secure}/{row} | 0 | out fine; err TLS 1.2
--cacert roots --cert certificate --key key --key-password hunter2 {members}/{row} | 0 | out fine
--fingerprint {fingerprint} --insecure {secure}/{row} | 0 | out fine
--cacert roots --assert-hostname b.test --retries false {secure}/{row} | 1 | err (tls)
--cacert roots --server-hostname b.test --retries false {secure}/{row} | 1 | err (tls)
--cacert roots --key-log {row}.keys {secure}/{row} | 0 | out fine; file {row}.keys CLIENT_
--version | 0 | out urlpool 0.
--help | 0 | out --output <FILE|->; out Request:
";

/// What gzip makes of `decoded`.
const CODED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x49\x4d\xce\x4f\x49\x4d\x01\x00\xf6\x9a\xf0\x1a\x07\x00\x00\x00";

/// The rows of these doors.
pub(crate) async fn rows(doors: &[Door]) -> Vec<Row> {
    let stage = Arc::new(Stage::start().await);
    let mut rows = Vec::new();
    for door in doors {
        for (number, line) in LINES.lines().enumerate() {
            let stage = Arc::clone(&stage);
            let (door, row) = (*door, format!("{door:?}-{number}"));
            let name = format!("{}: {}", door.name(), typed(line));
            rows.push(Row::new(name, async move {
                stage.attempt(door, &row, line).await;
            }));
        }
    }
    rows.push(Row::new("every option is tried", every_option()));
    rows
}

fn typed(line: &str) -> &str {
    line.split(" | ").next().unwrap_or_default()
}

/// The servers and files of all rows.
struct Stage {
    folder: TempDir,
    servers: Vec<Server>,
    names: BTreeMap<&'static str, String>,
}

impl Stage {
    async fn start() -> Self {
        let authority = Authority::new();
        let here = authority.issue(&["127.0.0.1"]);
        let folder = tempfile::tempdir().expect("a temporary folder");
        files(folder.path(), &authority);
        let fine = || Origin::new().reply(Reply::ok("fine"));
        let proxy = || HttpProxy::new().reply(Reply::ok("forwarded"));
        let plain = fine().start().await;
        let coded = Reply::ok(CODED).header("Content-Encoding", "gzip");
        let moved = Reply::new(302, "").header("Location", plain.url("/moved"));
        // Nobody opens it.
        let silent = Reply::ok("fine").after(&Gate::new());
        let mut stage = Self {
            folder,
            servers: Vec::new(),
            names: BTreeMap::from([("fingerprint", fingerprint(&here))]),
        };
        for (name, scheme, server) in [
            ("plain", "http", plain),
            ("coded", "http", Origin::new().reply(coded).start().await),
            ("missing", "http", gone().start().await),
            ("silent", "http", Origin::new().reply(silent).start().await),
            ("moved", "http", Origin::new().reply(moved).start().await),
            ("secure", "https", fine().tls(here.tls()).start().await),
            (
                "members",
                "https",
                fine().tls(here.tls_for_members(&authority)).start().await,
            ),
            ("proxy", "http", proxy().start().await),
            ("guard", "https", proxy().tls(here.tls()).start().await),
        ] {
            stage.names.insert(name, server.proxy_url(scheme));
            stage.servers.push(server);
        }
        stage
    }

    async fn attempt(&self, door: Door, row: &str, line: &str) {
        let mut filled = line.replace("{row}", row);
        for (name, value) in &self.names {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        let mut parts = filled.split(" | ");
        let mut part = || parts.next().expect("a line has three parts");
        let (typed, status, found) = (part(), part(), part());
        let folder = self.folder.path();
        let got = door
            .program(folder)
            .args(typed.split(' '))
            .input("typed in")
            .run()
            .await;
        assert_eq!(got.status.to_string(), status, "exit status");
        let all = got.stderr_text() + &got.stdout_text();
        assert!(!all.contains("hunter2"), "a secret is told: {all}");
        for expected in found.split("; ") {
            let (place, text) = expected.split_once(' ').expect("a place and a text");
            let (text, there) = match place {
                "out" => (text, got.stdout_text()),
                "err" => (text, got.stderr_text()),
                "sent" => (text, self.sent(row)),
                _ => {
                    let (name, text) = text.split_once(' ').expect("a name and a text");
                    let bytes = std::fs::read(folder.join(name)).expect("the file that is named");
                    (text, String::from_utf8_lossy(&bytes).into_owned())
                }
            };
            assert!(there.contains(text), "{place}: no {text:?} in {there}");
        }
        if !found.contains("err ") {
            assert_eq!(got.stderr_text(), "", "standard error");
        }
    }

    /// The heads and bodies of a row's requests.
    fn sent(&self, row: &str) -> String {
        let requests = self.servers.iter().flat_map(Server::requests);
        requests
            .filter(|request| {
                let target = request.target();
                let last = target.split(['/', '?']).find(|part| *part == row);
                last.is_some()
            })
            .map(|request| {
                request.head_text() + "\r\n" + &String::from_utf8_lossy(&request.content())
            })
            .collect()
    }
}

fn gone() -> Origin {
    Origin::new().reply(Reply::new(404, "gone"))
}

fn files(folder: &Path, authority: &Authority) {
    let member = authority.issue(&["member.test"]);
    let (certificate, key) = member
        .pem()
        .split_once("-----BEGIN PRIVATE")
        .map(|(certificate, rest)| (certificate, format!("-----BEGIN PRIVATE{rest}")))
        .expect("a certificate and its key");
    for (name, bytes) in [
        ("small", b"from a small file".to_vec()),
        ("large", b"l".repeat(100_000)),
        ("roots", authority.pem()),
        ("certificate", certificate.as_bytes().to_vec()),
        ("plain-key", key.into_bytes()),
    ] {
        std::fs::write(folder.join(name), bytes).expect("a temporary folder takes files");
    }
    let encrypted = Command::new("openssl")
        .args(
            "pkcs8 -topk8 -v2 aes-256-cbc -passout pass:hunter2 -in plain-key -out key".split(' '),
        )
        .current_dir(folder)
        .status()
        .expect("openssl is installed");
    assert!(encrypted.success(), "openssl does not encrypt a key");
}

fn fingerprint(identity: &Identity) -> String {
    let digits = Sha256::digest(identity.der());
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each line of the help that begins with an option names one that a row has typed, in one of its forms. `generated` has rows for the one
/// that only the native command has.
async fn every_option() {
    let help = native().args(["--help", "all"]).run().await;
    let typed: Vec<&str> = LINES
        .lines()
        .flat_map(|line| typed(line).split(' '))
        .collect();
    let tried = |form: &str| typed.contains(&form) || form == "--generate";
    let mut options = 0;
    for line in help.stdout_text().lines() {
        let named = line.split([' ', ',']).filter(|word| !word.is_empty());
        let forms: Vec<&str> = named.take_while(|word| word.starts_with('-')).collect();
        if !forms.is_empty() {
            options += 1;
            let is_tried = forms.iter().any(|form| tried(form));
            assert!(is_tried, "no row tries {forms:?}");
        }
    }
    if options < 40 {
        fail(&format!("the help shows only {options} options"));
    }
}
