//! A request by the native command, and its report.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use urlpool_tests::Outcome;

use crate::doors::native;

/// What the command reports of its only request.
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    /// `null` where none was printed.
    line: Value,
}

impl Report {
    /// Runs the command with these arguments and `--report json`.
    pub(crate) async fn of(arguments: &[&str], input: &[u8]) -> Self {
        Self::with(&[], arguments, input).await
    }

    /// The same with these variables in its environment.
    pub(crate) async fn with(variables: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> Self {
        let outcome = variables
            .iter()
            .fold(native(), |program, (name, value)| program.env(name, value))
            .args(["--report", "json"])
            .args(arguments)
            .input(input)
            .run()
            .await;
        let line = if outcome.stdout.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&outcome.stdout).expect("one JSON object")
        };
        Self { outcome, line }
    }

    /// The response's status; `None` where none came.
    pub(crate) fn status(&self) -> Option<u64> {
        self.value("/status").as_u64()
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.value("/headers").as_array()?;
        headers.iter().find_map(|header| {
            let is_it = header.get(0)?.as_str()?.eq_ignore_ascii_case(name);
            is_it.then(|| header.get(1)?.as_str()).flatten()
        })
    }

    /// The version of TLS that was spoken with the first hop; `None` without TLS.
    pub(crate) fn tls(&self) -> Option<&str> {
        self.value("/connection/tls").as_str()
    }

    /// How many responses and failures came before the last.
    pub(crate) fn history(&self) -> usize {
        self.value("/history").as_array().map_or(0, Vec::len)
    }

    /// The error's kind; empty where there is none.
    pub(crate) fn kind(&self) -> &str {
        self.value("/error/kind").as_str().unwrap_or_default()
    }

    /// The error's message; empty where there is none.
    pub(crate) fn message(&self) -> &str {
        self.value("/error/message").as_str().unwrap_or_default()
    }

    /// Asserts a whole response with this status and, where it is known, this body.
    #[track_caller]
    pub(crate) fn assert_answered(&self, status: u64, body: Option<&[u8]>) {
        assert_eq!(self.message(), "", "error");
        assert_eq!(self.outcome.status, 0, "exit status");
        assert_eq!(self.status(), Some(status), "status");
        if let Some(body) = body {
            let length = u64::try_from(body.len()).ok();
            assert_eq!(self.value("/body_bytes").as_u64(), length, "bytes");
            let sum = self.value("/body_sha256").as_str().unwrap_or_default();
            assert!(sum == sha256(body), "the bytes are not those served");
        }
    }

    /// Asserts a failure of this kind whose message has this word, and no response.
    #[track_caller]
    pub(crate) fn assert_failed(&self, kind: &str, word: &str) {
        assert_eq!(
            (self.kind(), self.status()),
            (kind, None),
            "kind and status"
        );
        assert_eq!(self.outcome.status, 1, "exit status");
        assert!(
            self.message().to_lowercase().contains(&word.to_lowercase()),
            "{word:?} is not in {:?}",
            self.message()
        );
    }

    /// Asserts that the settings were refused before anything was sent.
    #[track_caller]
    pub(crate) fn assert_unusable(&self) {
        assert_eq!(self.outcome.status, 2, "exit status");
        assert_eq!(self.status(), None, "status");
        assert_ne!(self.outcome.stderr_text(), "", "standard error");
    }

    /// Asserts that none of these is anywhere in what was printed.
    #[track_caller]
    pub(crate) fn assert_silent_about(&self, secrets: &[&str]) {
        let printed = self.outcome.stdout_text() + &self.outcome.stderr_text();
        for secret in secrets {
            assert!(!printed.contains(secret), "a secret was printed");
        }
    }

    fn value(&self, at: &str) -> &Value {
        self.line.pointer(at).unwrap_or(&Value::Null)
    }
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> String {
    path.display().to_string()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
