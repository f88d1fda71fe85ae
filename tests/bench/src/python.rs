//! CPython's urllib3, in processes of its own that time themselves.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use wasmtime::{Result, bail, format_err};

use crate::place::Place;
use crate::rounds::{Contender, Round};

/// Arguments `URL ROOTS [PROXY]`: sequential GETs.
pub(crate) const GETS: &str = include_str!("python/gets.py");
/// Arguments `URL LENGTH`: downloads whose decoded body has that length.
pub(crate) const DOWNLOADS: &str = include_str!("python/downloads.py");
/// Arguments `URL COUNT`: that many GETs at once, each in a thread.
pub(crate) const THREADS: &str = include_str!("python/threads.py");

/// Arguments `FOLDER LENGTH`.
const BODIES: &str = include_str!("python/bodies.py");

/// A script that says who it is on its first line, and then answers each number of pieces of work with the nanoseconds they took.
pub(crate) struct Urllib3 {
    name: String,
    numbers: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl Urllib3 {
    pub(crate) async fn start(place: &Place, script: &str, arguments: &[&str]) -> Result<Self> {
        let mut process = command(place, script, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(numbers), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("python3 has no pipes");
        };
        let mut urllib3 = Self {
            name: String::new(),
            numbers,
            answers: BufReader::new(answers).lines(),
            process,
        };
        urllib3.name = urllib3.line().await?;
        Ok(urllib3)
    }

    /// Its process, to look at.
    pub(crate) fn process(&self) -> &Child {
        &self.process
    }

    /// Asks for that many pieces of work, and does not wait for them.
    pub(crate) async fn ask(&mut self, count: u32) -> Result<()> {
        let line = format!("{count}\n");
        Ok(self.numbers.write_all(line.as_bytes()).await?)
    }

    /// Waits for what was asked for; how long it took.
    pub(crate) async fn answer(&mut self) -> Result<Duration> {
        Ok(Duration::from_nanos(self.line().await?.parse()?))
    }

    async fn line(&mut self) -> Result<String> {
        let line = self.answers.next_line().await?;
        line.ok_or_else(|| format_err!("python3 ended early"))
    }
}

impl Contender for Urllib3 {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            self.ask(count).await?;
            self.answer().await
        })
    }
}

/// One body in the codings `gzip`, `br` and `zstd`.
pub(crate) struct Bodies {
    /// How long it is when it is decoded.
    pub(crate) length: u64,
    folder: tempfile::TempDir,
}

impl Bodies {
    /// Makes a body of about that length.
    pub(crate) async fn make(place: &Place, length: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let name = folder.path().display().to_string();
        let made = command(place, BODIES, &[&name, &length.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .await?;
        if !made.status.success() {
            bail!("python3 ended with {}", made.status);
        }
        let length = String::from_utf8_lossy(&made.stdout).trim().parse()?;
        Ok(Self { length, folder })
    }

    /// The body in a coding.
    pub(crate) fn coded(&self, coding: &str) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.folder.path().join(coding))?)
    }
}

fn command(place: &Place, script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-c", script])
        .args(arguments)
        .env("PYTHONPATH", place.python())
        .kill_on_drop(true);
    command
}
