//! Runs a native binary of the workspace.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use crate::guard::fail;
use crate::outcome::Outcome;

/// The first run on a machine compiles the component.
const PATIENCE: Duration = Duration::from_secs(30);

/// What names proxies. Tests that need them say so, and those of the machine lead nowhere here.
const PROXIES: [&str; 7] = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// A binary, its arguments and its surroundings.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    input: Vec<u8>,
    patience: Duration,
}

impl Program {
    /// The `urlpool` binary of the same profile as the running test, with no proxies in its environment.
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
        PROXIES
            .into_iter()
            .fold(Self::from_file(path), Self::without_env)
    }

    /// The executable in a file.
    #[must_use]
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            directory: None,
            input: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    /// Keeps a variable of ours out of its environment.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// Runs it in a folder other than ours.
    #[must_use]
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.directory = Some(folder.into());
        self
    }

    /// Gives it these bytes as standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Has it run on a terminal of its own, by `script` of util-linux, so that both of its outputs are standard output.
    #[must_use]
    pub fn on_a_terminal(mut self) -> Self {
        let words = [self.path.as_os_str()];
        let words = words
            .into_iter()
            .chain(self.arguments.iter().map(|argument| &**argument));
        let quoted: Vec<String> = words
            .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
            .collect();
        self.path = "script".into();
        self.arguments = ["-q", "-e", "-c", &quoted.join(" "), "/dev/null"]
            .map(OsString::from)
            .into();
        self
    }

    /// How long it may run, where that is not 30 seconds.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// Where it takes longer than 30 seconds, or what [`Program::patience`] says.
    pub async fn run(self) -> Outcome {
        self.interrupted_after(std::future::pending()).await
    }

    /// Runs it until something has happened and then presses Ctrl-C, so to speak.
    ///
    /// # Panics
    /// As [`Program::run`] does.
    pub async fn interrupted_after(self, event: impl Future<Output = ()>) -> Outcome {
        let mut program = tokio::process::Command::new(&self.path);
        program.args(&self.arguments);
        program.stdin(Stdio::piped()).kill_on_drop(true);
        program.stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &self.variables {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            program.current_dir(directory);
        }
        let started = Instant::now();
        let mut child = program.spawn().expect("an executable file runs");
        let stdin = child.stdin.take();
        let id = child.id().unwrap_or_default();
        let interrupting = async {
            event.await;
            interrupt(id).await;
            std::future::pending::<Infallible>().await
        };
        let running = async {
            let feed = async {
                if let Some(mut stdin) = stdin {
                    // Whoever does not read it need not.
                    let _ = stdin.write_all(&self.input).await;
                }
            };
            tokio::join!(child.wait_with_output(), feed).0
        };
        let command = format!("{} {:?}", self.path.display(), self.arguments);
        let running = async {
            tokio::select! {
                ended = running => ended,
                never = interrupting => match never {},
            }
        };
        let Ok(ended) = tokio::time::timeout(self.patience, running).await else {
            fail(&format!(
                "{command} was still running after {:?}",
                self.patience
            ));
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

/// Sends what a terminal does for Ctrl-C.
async fn interrupt(id: u32) {
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", "kill -INT \"$1\"", "sh", &id.to_string()]);
    let status = shell.status().await.expect("a shell runs");
    assert!(status.success(), "there is no process {id} any more");
}
