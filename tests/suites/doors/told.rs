//! What `--verbose` tells of a run that has everything: a name, a retry, a redirect, TLS, a connection that is new and one that is not.

use urlpool_tests::{Authority, Origin, Reply};

use super::commands;

#[tokio::test]
async fn everything_that_happens_is_told_in_order_and_without_secrets() {
    let authority = Authority::new();
    let roots = authority.file();
    let named = roots.path().display().to_string();
    let folder = roots.path().parent().expect("a file is in a folder");
    for door in commands() {
        let secure = Origin::new()
            .reply(Reply::ok("fine").header("Set-Cookie", "id=hunter2"))
            .tls(authority.issue(&["127.0.0.1"]).tls13())
            .start()
            .await;
        let there = secure.url("/there");
        let plain = Origin::new()
            .reply(Reply::new(503, "later"))
            .reply(Reply::new(302, "").header("Location", there.clone()))
            .start()
            .await;
        let here = plain.url_as("localhost", "/here");
        let arguments = [
            "-v",
            "--cacert",
            &named,
            "--retry-on",
            "503",
            "-u",
            "me:hunter2",
            "-H",
            "Cookie: id=hunter2",
            &here,
            &there,
        ];
        let outcome = door.run(&arguments.map(str::to_owned), folder).await;
        let told = outcome.stderr_text();
        assert_eq!(outcome.status, 0, "{door:?}: {told}");
        let remote = format!("open to {}", secure.authority());
        let mut rest = told.as_str();
        for expected in [
            "* localhost has the addresses ",
            "* connection 1: open to 127.0.0.1:",
            "> GET /here HTTP/1.1\n> Host: localhost:",
            "> Authorization: [redacted]",
            "< HTTP/1.1 503 ",
            "* trying again",
            "* connection 1: used again",
            "> GET /here HTTP/1.1",
            "< HTTP/1.1 302 ",
            "* following the redirect from http://localhost:",
            "* connection 2: ",
            &remote,
            "* connection 2: TLS 1.3 with ",
            "> GET /there HTTP/1.1",
            "< HTTP/1.1 200 ",
            "* connection 2: kept for the next request",
            "* connection 2: used again",
            "> GET /there HTTP/1.1",
            "< HTTP/1.1 200 ",
        ] {
            let Some(place) = rest.find(expected) else {
                panic!("{door:?}: {expected:?} is not, or not in its place, in {told}");
            };
            rest = &rest[place + expected.len()..];
        }
        for secret in ["hunter2", "bWU6aHVudGVyMg=="] {
            assert!(!told.contains(secret), "{door:?}: {told}");
        }
        assert!(!told.contains('\x1b'), "{door:?}: {told}");
    }
}
