//! The same through every door: the native command, the command component, and a composed consumer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use urlpool_tests::{
    Authority, Command, Origin, Outcome, Program, RefusingPort, Reply, Request, consumer, dist,
};

mod bad_input;
mod generated;
mod interrupted;
mod options;
mod proxies;
mod told;
mod trust;
mod uploads;

/// A way to run a command line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Native,
    Component,
    /// Has options of its own, and exits with 1 where the commands have a usage error.
    Fetch,
    /// The same over interface `pipe`.
    Copy,
}

impl Door {
    async fn run(self, arguments: &[String], directory: &Path) -> Outcome {
        self.run_with(arguments, directory, b"").await
    }

    /// The same with this on standard input.
    async fn run_with(self, arguments: &[String], directory: &Path, input: &[u8]) -> Outcome {
        self.run_in(arguments, directory, (input, &[])).await
    }

    /// The same with these variables too.
    async fn run_in(
        self,
        arguments: &[String],
        directory: &Path,
        (input, variables): (&[u8], &[(&str, String)]),
    ) -> Outcome {
        let component = match self {
            Self::Native => {
                let program = Program::urlpool().args(arguments).input(input);
                let set =
                    |program: Program, (name, value): &(&str, String)| program.env(name, value);
                return variables.iter().fold(program, set).run().await;
            }
            Self::Component => Command::from_file(&dist("urlpool-cli.wasm")),
            Self::Fetch => Command::from_bytes("fetch", &consumer("fetch")),
            Self::Copy => Command::from_bytes("copy", &consumer("copy")),
        };
        let arguments = arguments.iter().map(String::as_str);
        let component = component.directory(directory).input(input);
        let set = |component: Command, (name, value): &(&str, String)| component.env(*name, value);
        let component = variables.iter().fold(component, set);
        component.args(arguments).run().await
    }

    fn is_command(self) -> bool {
        matches!(self, Self::Native | Self::Component)
    }
}

/// Every one.
const DOORS: [Door; 4] = [Door::Native, Door::Component, Door::Fetch, Door::Copy];

fn commands() -> impl Iterator<Item = Door> {
    DOORS.into_iter().filter(|door| door.is_command())
}

fn consumers() -> impl Iterator<Item = Door> {
    DOORS.into_iter().filter(|door| !door.is_command())
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
    for door in DOORS {
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
async fn what_may_not_stand_in_a_path_or_query_is_sent_encoded_through_every_door() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for door in DOORS {
        let origin = Origin::new().reply(Reply::ok("fine")).start().await;
        let typed = [origin.url("/a\x01b\tc\r\nX: y?d\x7fe f\n")];
        let outcome = door.run(&typed, scratch.path()).await;
        assert_eq!(
            (outcome.status, outcome.stdout_text(), outcome.stderr_text()),
            (0, "fine".to_owned(), String::new()),
            "{door:?}"
        );
        let targets: Vec<String> = origin.requests().iter().map(Request::target).collect();
        assert_eq!(targets, ["/a%01b%09c%0D%0AX:%20y?d%7Fe%20f%0A"], "{door:?}");
    }
}

#[tokio::test]
async fn a_file_that_the_host_does_not_show_is_told_with_advice() {
    let shown = tempfile::tempdir().expect("a temporary directory");
    let origin = Origin::new().reply(Reply::ok("fine")).start().await;
    for (door, has_advice) in [(Door::Native, false), (Door::Component, true)] {
        for (option, status) in [("--cacert", 2), ("-o", 1)] {
            let typed = [option, "/nonexistent/file", &origin.url("/")].map(str::to_owned);
            let outcome = door.run(&typed, shown.path()).await;
            let told = outcome.stderr_text();
            assert_eq!(outcome.status, status, "{door:?}, {option}");
            assert!(told.contains("/nonexistent/file"), "{door:?}: {told}");
            assert_eq!(told.contains("--dir"), has_advice, "{door:?}: {told}");
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
    for door in commands() {
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
    for door in commands() {
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

#[tokio::test]
async fn compiled_code_is_kept_for_the_next_run() {
    let cache = tempfile::tempdir().expect("a temporary directory");
    let origin = Origin::new().reply(Reply::ok("fine")).start().await;
    let run = async || {
        let urlpool = Program::urlpool().env("URLPOOL_CACHE_DIR", cache.path());
        let outcome = urlpool.args([origin.url("/")]).run().await;
        assert_eq!(
            (outcome.status, outcome.stdout_text().as_str()),
            (0, "fine")
        );
        compiled(cache.path())
    };
    let kept = run().await;
    assert!(!kept.is_empty(), "nothing is in the folder");
    // Compiling again would replace the file.
    assert_eq!(run().await, kept);
}

/// The files of compiled code in a cache, each with the time it was written. Statistics, which have an ending, come and go meanwhile.
fn compiled(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the cache") {
        let path = entry.expect("a folder lists its files").path();
        if path.is_dir() {
            found.extend(compiled(&path));
        } else if path.extension().is_none() {
            let written = path.metadata().and_then(|file| file.modified());
            found.insert(path, written.expect("a file has a time"));
        }
    }
    found
}
