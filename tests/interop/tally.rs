//! Runs rows and counts how they end.

use std::process::ExitCode;

/// How many rows passed and failed so far.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    /// Runs a row: it fails by panicking, as a test does.
    pub(crate) async fn row(&mut self, name: &str, row: impl Future<Output = ()> + Send + 'static) {
        let passed = tokio::spawn(row).await.is_ok();
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        println!("{} {name}", if passed { "ok    " } else { "FAILED" });
    }

    /// Prints the last line.
    pub(crate) fn report(self) -> ExitCode {
        println!("interop: {} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
