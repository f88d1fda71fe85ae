//! Whom both commands trust over TLS, and who they are to a server, as their options say.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use urlpool_tests::{Authority, Identity, Origin, Outcome, Reply, Server, Tls};

use super::{Door, commands};

async fn run(door: Door, folder: &Path, arguments: &[&str]) -> Outcome {
    let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    door.run(&arguments, folder).await
}

async fn origin(tls: Tls) -> Server {
    let origin = Origin::new().reply(Reply::ok("fine"));
    origin.tls(tls).start().await
}

fn file(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file in a fresh folder");
    path
}

fn fingerprint(identity: &Identity) -> String {
    let digits = Sha256::digest(identity.der());
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_server_is_verified_as_asked() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let authority = Authority::new();
    let identity = authority.issue(&["a.test"]);
    let right = fingerprint(&identity);
    let wrong = "00".repeat(32);
    let new = origin(identity.tls13()).await;
    let old = origin(identity.tls12()).await;
    let (new, old) = (new.url("/"), old.url("/"));
    let roots = file(folder.path(), "roots.pem", authority.pem());
    let roots = roots.display().to_string();
    let trusting = |typed: &[&'static str]| [&["--cacert", roots.as_str()], typed].concat();
    let insecure = |typed: &[&'static str]| [&["-k"], typed].concat();
    for door in commands() {
        for (case, url, typed, outcome) in [
            ("a foreign root", &new, vec![], Err("tls")),
            ("anybody", &new, insecure(&[]), Ok(1)),
            ("anybody, twice", &new, insecure(&["--repeat", "2"]), Ok(2)),
            ("another name", &new, trusting(&[]), Err("tls")),
            (
                "any name",
                &new,
                trusting(&["--assert-hostname", "false"]),
                Ok(0),
            ),
            (
                "its name",
                &new,
                trusting(&["--assert-hostname", "a.test"]),
                Ok(0),
            ),
            (
                "its name from the start",
                &new,
                trusting(&["--server-hostname", "a.test"]),
                Ok(0),
            ),
            (
                "not its name",
                &new,
                trusting(&["--assert-hostname", "b.test"]),
                Err("tls"),
            ),
            (
                "its fingerprint",
                &new,
                vec!["-k", "--fingerprint", &right],
                Ok(0),
            ),
            (
                "not its fingerprint",
                &new,
                vec!["-k", "--fingerprint", &wrong],
                Err("tls"),
            ),
            (
                "no fingerprint",
                &new,
                vec!["--fingerprint", "abc"],
                Err("invalid-settings"),
            ),
            ("too new", &new, insecure(&["--tls-max", "1.2"]), Err("tls")),
            ("too old", &old, insecure(&["--tls-min", "1.3"]), Err("tls")),
            ("old", &old, insecure(&["--tls-max", "1.2"]), Ok(1)),
            (
                "no version",
                &new,
                vec!["--tls-min", "1.3", "--tls-max", "1.2"],
                Err("invalid-settings"),
            ),
        ] {
            let arguments = [&["--retries", "false"], &typed[..], &[url.as_str()]].concat();
            let ran = run(door, folder.path(), &arguments).await;
            let told = ran.stderr_text();
            let warnings = told
                .matches("urlpool: warning: Unverified HTTPS request")
                .count();
            match outcome {
                Ok(expected) => {
                    assert_eq!(ran.status, 0, "{door:?}, {case}: {told}");
                    assert_eq!(warnings, expected, "{door:?}, {case}: {told}");
                    assert_eq!(told.lines().count(), expected, "{door:?}, {case}: {told}");
                }
                Err(kind) => {
                    let status = if kind == "tls" { 1 } else { 2 };
                    assert_eq!(ran.status, status, "{door:?}, {case}: {told}");
                    assert_eq!(told.lines().count(), 1, "{door:?}, {case}: {told}");
                    assert!(
                        told.contains(&format!("({kind})")),
                        "{door:?}, {case}: {told}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_for_members_is_shown_the_certificate_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let authority = Authority::new();
    let here = authority.issue(&["127.0.0.1"]);
    let origin = origin(here.tls_for_members(&authority)).await;
    let url = origin.url("/");
    let member = authority.issue(&["member.test"]);
    let pem = member.pem();
    let (certificate, key) = pem.split_at(pem.find("-----BEGIN PRIVATE").expect("a key"));
    let path = |name, bytes: &[u8]| file(folder.path(), name, bytes).display().to_string();
    let roots = path("roots.pem", &authority.pem());
    let both = path("both.pem", pem.as_bytes());
    let der = path("certificate.der", member.der());
    let certificate = path("certificate.pem", certificate.as_bytes());
    let key = path("key.pem", key.as_bytes());
    for door in commands() {
        for (case, typed, status) in [
            ("nobody", vec![], 1),
            ("one file", vec!["--cert", &both], 0),
            ("two files", vec!["--cert", &certificate, "--key", &key], 0),
            ("DER", vec!["--cert", &der, "--key", &key], 0),
            ("no key", vec!["--cert", &certificate], 2),
            (
                "a needless password",
                vec!["--cert", &both, "--key-password", "hunter2"],
                2,
            ),
            ("a key for a certificate", vec!["--cert", &key], 2),
        ] {
            let fixed = ["--retries", "false", "--cacert", roots.as_str()];
            let arguments = [&fixed[..], &typed, &[&url]].concat();
            let outcome = run(door, folder.path(), &arguments).await;
            let told = outcome.stderr_text();
            assert_eq!(outcome.status, status, "{door:?}, {case}: {told}");
            assert!(!told.contains("hunter2"), "{door:?}, {case}: {told}");
        }
    }
}

#[tokio::test]
async fn secrets_are_appended_to_the_file_that_asks_for_them() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let authority = Authority::new();
    let origin = origin(authority.issue(&["127.0.0.1"]).tls12()).await;
    let url = origin.url("/");
    let roots = file(folder.path(), "roots.pem", authority.pem());
    let roots = roots.display().to_string();
    let keys = folder.path().join("keys");
    let named = keys.display().to_string();
    let mut expected = 0;
    for door in commands() {
        let silent = ["-v", "--cacert", &roots, &url];
        let outcome = run(door, folder.path(), &silent).await;
        assert_eq!(outcome.status, 0, "{door:?}");
        assert!(!outcome.stderr_text().contains("CLIENT_RANDOM"), "{door:?}");
        assert_eq!(keys.exists(), expected > 0, "{door:?}");
        let asked = ["-v", "--key-log", &named, "--cacert", &roots, &url];
        let outcome = run(door, folder.path(), &asked).await;
        assert_eq!(outcome.status, 0, "{door:?}");
        assert!(!outcome.stderr_text().contains("CLIENT_RANDOM"), "{door:?}");
        expected += 1;
        let lines = std::fs::read_to_string(&keys).expect("a key log");
        let well_formed = lines.lines().filter(|line| {
            let words: Vec<_> = line.split(' ').map(str::len).collect();
            line.starts_with("CLIENT_RANDOM ") && words == [13, 64, 96]
        });
        assert_eq!(well_formed.count(), expected, "{door:?}: {lines}");
    }
}
