//! Completions and the man page, as the native command prints them. `make interop` has other shells read them.

use urlpool_tests::{Command, Program, dist};

async fn generated(kind: &str) -> String {
    let outcome = Program::urlpool().args(["--generate", kind]).run().await;
    assert_eq!(
        (outcome.status, outcome.stderr_text().as_str()),
        (0, ""),
        "{kind}"
    );
    outcome.stdout_text()
}

/// The long options that `--help all` shows.
async fn options() -> Vec<String> {
    let help = Program::urlpool().args(["--help", "all"]).run().await;
    let text = help.stdout_text();
    let words = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().take(2);
        words.find(|word| line.starts_with("  ") && word.starts_with("--"))
    });
    words.map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_every_option() {
    let (script, options) = (generated("bash").await, options().await);
    assert!(options.len() > 40, "{options:?}");
    for (typed, expected) in [
        ("--", options),
        ("--tls-m", vec!["--tls-min".into(), "--tls-max".into()]),
        ("--no-such", Vec::new()),
    ] {
        let complete = format!(
            "set -eu; source /dev/stdin; COMP_WORDS=(urlpool {typed}); COMP_CWORD=1; \
             _urlpool urlpool {typed} urlpool || true; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let bash = Program::from_file("bash").args(["-c", &complete]);
        let outcome = bash.input(script.clone()).run().await;
        assert_eq!(outcome.stderr_text(), "", "{typed}");
        let text = outcome.stdout_text();
        let mut found: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{typed}");
    }
}

#[tokio::test]
async fn every_option_is_in_what_is_generated() {
    let options = options().await;
    for kind in ["zsh", "fish", "man"] {
        let text = generated(kind).await;
        for option in &options {
            let expected = match kind {
                "zsh" => vec![format!("{option}["), format!("{option}=[")],
                "fish" => vec![option.replacen("--", " -l ", 1) + " "],
                _ => vec![option.replace('-', "\\-")],
            };
            let is_there = expected.iter().any(|expected| text.contains(expected));
            assert!(is_there, "{kind}: {option}");
        }
    }
}

#[tokio::test]
async fn a_component_has_nothing_to_complete() {
    let command = Command::from_file(&dist("urlpool-cli.wasm"));
    let outcome = command.args(["--generate", "bash"]).run().await;
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr_text().contains("--generate"));
}
