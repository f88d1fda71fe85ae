//! What a command left behind.

use std::time::Duration;

/// Exit status and output of a command. Where the test fails, they are printed.
#[derive(Debug)]
pub struct Outcome {
    /// What was run.
    pub command: String,
    /// The exit status; 128 and the signal's number where a signal ended it, 134 where a component trapped.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub took: Duration,
}

impl Outcome {
    /// Standard output as text.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{} ended with status {} after {:?}\n--- standard output\n{}\n--- standard error\n{}",
                self.command,
                self.status,
                self.took,
                String::from_utf8_lossy(self.stdout.get(..4096).unwrap_or(&self.stdout)),
                self.stderr_text()
            );
        }
    }
}
