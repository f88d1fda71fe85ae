//! What both commands send from standard input and from files, and how they deliver several bodies.

use std::path::PathBuf;

use serde_json::{Value, json};
use urlpool_tests::{Command, Gate, Origin, RefusingPort, Reply, Server, dist};

use super::commands;

const LARGE: usize = 20 << 20;
/// What the command may use of it: far less than it sends.
const MEMORY: usize = 8 << 20;

fn bytes(count: usize) -> Vec<u8> {
    let byte = |number: usize| (number.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0];
    (0..count).map(byte).collect()
}

fn typed(arguments: &[&str]) -> Vec<String> {
    arguments.iter().copied().map(str::to_owned).collect()
}

/// A folder and a file in it that is read as it is sent.
fn file() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (path, body) = (folder.path().join("body"), bytes(300_000));
    std::fs::write(&path, &body).expect("a file in a fresh folder");
    (folder, path, body)
}

async fn moved() -> Server {
    let moved = Reply::new(307, "").header("Location", "/there");
    let origin = Origin::new().at("/here", moved);
    origin.reply(Reply::ok("fine")).start().await
}

#[tokio::test]
async fn standard_input_arrives_whole() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let body = bytes(LARGE);
    for door in commands() {
        let origin = Origin::new().reply(Reply::ok("fine")).start().await;
        let arguments = typed(&["-d", "@-", &origin.url("/")]);
        let outcome = door.run_with(&arguments, scratch.path(), &body).await;
        assert_eq!(
            (outcome.status, outcome.stdout_text().as_str()),
            (0, "fine"),
            "{door:?}"
        );
        let sent = &origin.requests()[0];
        let coding = sent.field("transfer-encoding");
        assert_eq!(coding.as_deref(), Some("chunked"), "{door:?}");
        assert!(sent.content() == body, "{door:?}: other bytes");
    }
}

#[tokio::test]
async fn an_upload_takes_little_memory() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let (body, path) = (bytes(LARGE), scratch.path().join("large"));
    std::fs::write(&path, &body).expect("a file in a fresh folder");
    let (origin, at_file) = (
        Origin::new().reply(Reply::ok("fine")).start().await,
        format!("@{}", path.display()),
    );
    for (number, data) in ["@-", &at_file].into_iter().enumerate() {
        let command = Command::from_file(&dist("urlpool-cli.wasm")).memory(MEMORY);
        let command = command.directory(scratch.path()).input(body.clone());
        let outcome = command.args(["-d", data, &origin.url("/")]).run().await;
        assert_eq!(outcome.status, 0, "{data}");
        assert!(origin.requests()[number].content() == body, "{data}");
    }
}

#[tokio::test]
async fn a_file_is_sent_again_where_a_redirect_asks_for_it() {
    let (folder, path, body) = file();
    let (at_file, part) = (
        format!("@{}", path.display()),
        format!("f=@{}", path.display()),
    );
    for door in commands() {
        for data in [["-d", &at_file], ["--json", &at_file], ["-F", &part]] {
            let origin = moved().await;
            let here = origin.url("/here");
            let arguments = typed(&[data[0], data[1], &here]);
            let outcome = door.run(&arguments, folder.path()).await;
            assert_eq!(outcome.status, 0, "{door:?}, {data:?}");
            let sent = origin.requests();
            let targets: Vec<String> = sent.iter().map(|request| request.target()).collect();
            assert_eq!(targets, ["/here", "/there"], "{door:?}, {data:?}");
            assert!(sent[0].body == sent[1].body, "{door:?}, {data:?}");
            let is_there = sent[1].body.windows(body.len()).any(|there| there == body);
            assert!(is_there, "{door:?}, {data:?}");
            let length = sent[1].body.len().to_string();
            assert_eq!(sent[1].field("content-length"), Some(length), "{door:?}");
        }
    }
}

#[tokio::test]
async fn standard_input_cannot_be_sent_again() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for door in commands() {
        let origin = moved().await;
        let here = origin.url("/here");
        let arguments = typed(&["-d", "@-", "--report", "json", &here]);
        let outcome = door.run_with(&arguments, scratch.path(), b"once").await;
        assert_eq!(outcome.status, 1, "{door:?}");
        let line: Value = serde_json::from_str(&outcome.stdout_text()).expect("a line of JSON");
        assert_eq!(line["error"]["kind"], "body-not-replayable", "{door:?}");
        let there = origin.url("/there");
        let entry =
            json!({"method": "POST", "url": here, "status": 307, "location": there, "error": null});
        assert_eq!(line["history"], json!([entry]), "{door:?}");
        assert_eq!(origin.requests().len(), 1, "{door:?}");
    }
}

#[tokio::test]
async fn any_failure_tells_what_came_before_it() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let refusing = RefusingPort::new();
    for door in commands() {
        let silent = Gate::new();
        let origin = Origin::new()
            .at(
                "/refused",
                Reply::new(302, "").header("Location", refusing.url("/")),
            )
            .at("/silent", Reply::new(302, "").header("Location", "/never"))
            .reply(Reply::ok("late").after(&silent))
            .start()
            .await;
        for (path, options, kind, before) in [
            ("/refused", ["--retries", "1"], "retries-exhausted", 2),
            ("/silent", ["--timeout", "0.2"], "deadline-exceeded", 1),
        ] {
            let url = origin.url(path);
            let arguments = typed(&[options[0], options[1], "--report", "json", &url]);
            let outcome = door.run(&arguments, scratch.path()).await;
            let line: Value = serde_json::from_str(&outcome.stdout_text()).expect("a line");
            assert_eq!(line["error"]["kind"], kind, "{door:?}");
            let history = line["history"].as_array().expect("a list");
            assert_eq!(history.len(), before, "{door:?}, {path}");
            assert_eq!(history[0]["status"], 302, "{door:?}, {path}");
        }
    }
}

#[tokio::test]
async fn a_slow_body_holds_up_no_other() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for door in commands() {
        let gate = Gate::new();
        let origin = Origin::new()
            .at("/slow", Reply::ok("slow").body_after(&gate))
            .reply(Reply::ok("fast"))
            .start()
            .await;
        let (slow, fast) = (origin.url("/slow"), origin.url("/fast"));
        let arguments = typed(&["--parallel", "2", &slow, &fast, &fast, &fast]);
        // The slow body comes only once all of the others were asked for.
        let allow = async {
            origin.requested(4).await;
            gate.open();
        };
        let run = door.run(&arguments, scratch.path());
        let (outcome, ()) = tokio::join!(run, allow);
        assert_eq!(outcome.status, 0, "{door:?}");
        let output = outcome.stdout_text();
        assert!(output.starts_with("fastfast"), "{door:?}: {output}");
        assert_eq!(output.matches("slow").count(), 1, "{door:?}: {output}");
    }
}

#[tokio::test]
async fn several_uploads_share_one_connection() {
    let (folder, path, body) = file();
    let large = bytes(3 << 20);
    let path_of = |name: &str| folder.path().join(name).display().to_string();
    let (at_file, one, two) = (format!("@{}", path.display()), path_of("1"), path_of("2"));
    for door in commands() {
        let origin = Origin::new().reply(Reply::ok(large.clone())).start().await;
        let bound = ["--block", "--maxsize", "1", "--parallel", "2"];
        let (to, urls) = (
            ["-o", &one, "-o", &two],
            [origin.url("/1"), origin.url("/2")],
        );
        let arguments = [&bound[..], &["-d", &at_file], &to, &[&urls[0], &urls[1]]].concat();
        let outcome = door.run(&typed(&arguments), folder.path()).await;
        let told = outcome.stderr_text();
        assert_eq!((outcome.status, told.as_str()), (0, ""), "{door:?}");
        for (request, file) in origin.requests().iter().zip([&one, &two]) {
            assert!(request.content() == body, "{door:?}: other bytes");
            let delivered = std::fs::read(file).expect("a file");
            assert!(delivered == large, "{door:?}: other bytes");
        }
        let count = (origin.accepted(), origin.requests().len());
        assert_eq!(count, (1, 2), "{door:?}");
    }
}

#[tokio::test]
async fn an_upload_of_another_length_than_announced_is_no_usage_error() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for door in commands() {
        let origin = Origin::new().reply(Reply::ok("fine")).start().await;
        let announced = "Content-Length: 9";
        let url = origin.url("/");
        let arguments = typed(&["-H", announced, "-d", "@-", "--report", "json", &url]);
        let outcome = door.run_with(&arguments, scratch.path(), b"once").await;
        assert_eq!(outcome.status, 1, "{door:?}");
        let line: Value = serde_json::from_str(&outcome.stdout_text()).expect("a line of JSON");
        assert_eq!(line["error"]["kind"], "invalid-request", "{door:?}");
    }
}
