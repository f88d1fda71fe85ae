//! What the options of both commands come to.

use std::path::Path;

use serde_json::{Value, json};
use urlpool_tests::{Gate, Origin, Outcome, Reply, Server};

use super::{Door, commands};
use crate::decoding::gzip;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

async fn run(door: Door, folder: &Path, arguments: &[&str]) -> Outcome {
    let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    door.run(&arguments, folder).await
}

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("fine")).start().await
}

fn report(outcome: &Outcome) -> Vec<Value> {
    let text = outcome.stdout_text();
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    text.lines().map(parse).collect()
}

#[tokio::test]
async fn requests_run_beside_each_other() {
    let scratch = scratch();
    for door in commands() {
        let gate = Gate::new();
        let reply = Reply::ok("fine").after(&gate);
        let origin = Origin::new().reply(reply).start().await;
        let url = origin.url("/");
        let arguments = [
            "--parallel",
            "4",
            "--repeat",
            "2",
            "--report",
            "json",
            &url,
            &url,
            &url,
        ];
        // Nobody is answered before there are four.
        let allow = async {
            origin.requested(4).await;
            gate.open();
        };
        let (outcome, ()) = tokio::join!(run(door, scratch.path(), &arguments), allow);
        assert_eq!(outcome.status, 0, "{door:?}");
        let statuses: Vec<Value> = report(&outcome)
            .iter()
            .map(|line| line["status"].clone())
            .collect();
        assert_eq!(statuses, vec![json!(200); 6], "{door:?}");
        assert_eq!(origin.requests().len(), 6, "{door:?}");
    }
}

#[tokio::test]
async fn forms_and_fields_are_sent() {
    let scratch = scratch();
    let file = scratch.path().join("x.txt");
    std::fs::write(&file, "text").expect("a file in a fresh folder");
    let typed = format!("f=@{}", file.display());
    for door in commands() {
        let origin = origin().await;
        let url = origin.url("/?q=1");
        for arguments in [
            vec!["-F", "a=b", "-F", &typed, &url],
            vec!["--field", "a=b c", &url],
            vec!["-X", "PUT", "--field", "a=b c", "--field", "d=&", &url],
        ] {
            let outcome = run(door, scratch.path(), &arguments).await;
            assert_eq!(outcome.status, 0, "{door:?}, {arguments:?}");
        }
        let sent = origin.requests();
        let kind = sent[0].field("content-type").unwrap_or_default();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=");
        let edge = boundary.unwrap_or_default();
        let body = format!(
            "--{edge}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n\
             --{edge}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\ntext\r\n\
             --{edge}--\r\n"
        );
        assert_eq!(String::from_utf8_lossy(&sent[0].body), body, "{door:?}");
        assert_eq!(sent[0].method(), "POST", "{door:?}");
        assert_eq!(sent[1].target(), "/?q=1&a=b+c", "{door:?}");
        assert_eq!(
            (sent[2].method(), sent[2].target()),
            ("PUT".into(), "/?q=1".into())
        );
        assert_eq!(sent[2].body, b"a=b+c&d=%26", "{door:?}");
    }
}

#[tokio::test]
async fn the_report_tells_of_every_attempt() {
    let scratch = scratch();
    for door in commands() {
        let last = origin().await;
        let there = last.url("/there");
        let moved = Reply::new(302, "").header("Location", there.clone());
        let origin = Origin::new()
            .reply(Reply::new(500, "no"))
            .reply(moved)
            .start()
            .await;
        let url = origin.url("/");
        let retrying = [
            "--retries",
            "3",
            "--retry-on",
            "500",
            "--report",
            "json",
            &url,
        ];
        let outcome = run(door, scratch.path(), &retrying).await;
        let lines = report(&outcome);
        assert_eq!((outcome.status, lines.len()), (0, 1), "{door:?}");
        let entry = |status: u16, location: Option<&str>| json!({"method": "GET", "url": url, "status": status, "location": location, "error": null});
        assert_eq!(
            lines[0]["history"],
            json!([entry(500, None), entry(302, Some(&there))]),
            "{door:?}"
        );
        assert_eq!(lines[0]["url"], there, "{door:?}");

        let handed = ["--redirects", "false", "--report", "json", &url];
        let outcome = run(door, scratch.path(), &handed).await;
        let line = &report(&outcome)[0];
        assert_eq!(
            (&line["status"], &line["history"]),
            (&json!(302), &json!([])),
            "{door:?}"
        );
    }
}

#[tokio::test]
async fn the_report_tells_of_attempts_that_were_used_up() {
    let scratch = scratch();
    for door in commands() {
        let origin = Origin::new().reply(Reply::new(500, "no")).start().await;
        let url = origin.url("/");
        let arguments = [
            "--retries",
            "2",
            "--retry-on",
            "429,500",
            "--backoff",
            "0.001",
            "--report",
            "json",
            &url,
        ];
        let outcome = run(door, scratch.path(), &arguments).await;
        let line = &report(&outcome)[0];
        assert_eq!(outcome.status, 1, "{door:?}");
        assert_eq!(line["status"], Value::Null, "{door:?}");
        assert_eq!(line["error"]["kind"], "retries-exhausted", "{door:?}");
        let entry =
            json!({"method": "GET", "url": url, "status": 500, "location": null, "error": null});
        assert_eq!(line["history"], json!([entry, entry, entry]), "{door:?}");
        assert_eq!(origin.requests().len(), 3, "{door:?}");
    }
}

#[tokio::test]
async fn codings_are_undone_unless_told_otherwise() {
    let scratch = scratch();
    let body = gzip(&b"text".repeat(1000));
    for door in commands() {
        let reply = Reply::ok(body.clone()).header("Content-Encoding", "gzip");
        let origin = Origin::new().reply(reply).start().await;
        let url = origin.url("/");
        for (arguments, status, expected) in [
            (vec![url.as_str()], 0, b"text".repeat(1000)),
            (vec!["--no-decode", &url], 0, body.clone()),
            (vec!["--max-body", "4000", &url], 0, b"text".repeat(1000)),
        ] {
            let outcome = run(door, scratch.path(), &arguments).await;
            assert_eq!(outcome.status, status, "{door:?}, {arguments:?}");
            assert!(outcome.stdout == expected, "{door:?}, {arguments:?}");
        }
        let outcome = run(door, scratch.path(), &["--max-body", "3999", &url]).await;
        assert_eq!(outcome.status, 1, "{door:?}");
    }
}
