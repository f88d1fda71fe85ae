//! Runs a native binary of the workspace.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::guard::fail;
use crate::outcome::Outcome;

/// The first run on a machine compiles the component.
const PATIENCE: Duration = Duration::from_secs(30);

/// A binary and its arguments.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// The `urlpool` binary of the same profile as the running test.
    ///
    /// # Panics
    /// Where it has not been built.
    #[must_use]
    pub fn urlpool() -> Self {
        let test = std::env::current_exe().expect("a test knows its own path");
        let path = test
            .ancestors()
            .nth(2)
            .map(|profile| profile.join("urlpool"))
            .expect("tests are in target/PROFILE/deps");
        if !path.is_file() {
            fail(&format!(
                "{} is missing: `cargo build -p urlpool-host` makes it, and so does `make test`",
                path.display()
            ));
        }
        Self::from_file(path)
    }

    /// The executable in a file.
    #[must_use]
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it to its end, without standard input.
    ///
    /// # Panics
    /// Where it takes longer than 30 seconds.
    pub async fn run(self) -> Outcome {
        let started = Instant::now();
        let running = tokio::process::Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let command = format!("{} {:?}", self.path.display(), self.arguments);
        let Ok(ended) = tokio::time::timeout(PATIENCE, running).await else {
            fail(&format!("{command} was still running after {PATIENCE:?}"));
        };
        let ended = ended.expect("an executable file runs");
        let status = ended.status;
        Outcome {
            command,
            status: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: ended.stdout,
            stderr: ended.stderr,
            took: started.elapsed(),
        }
    }
}
