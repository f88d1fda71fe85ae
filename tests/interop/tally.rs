//! Runs rows and counts how they end.

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// How many rows of a table run at once.
const AT_ONCE: usize = 3;

/// One row of a table: its name and what it tries.
pub(crate) struct Row {
    name: String,
    attempt: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Row {
    /// A row that fails by panicking, as a test does.
    pub(crate) fn new(
        name: impl Into<String>,
        attempt: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            attempt: Box::pin(attempt),
        }
    }
}

/// How many rows passed and failed so far, and how many things there were none for.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u32,
    failed: u32,
    missing: u32,
}

impl Tally {
    /// Runs a row: it fails by panicking, as a test does.
    pub(crate) async fn row(&mut self, name: &str, row: impl Future<Output = ()> + Send + 'static) {
        let has_passed = tokio::spawn(row).await.is_ok();
        self.count(name, has_passed);
    }

    /// Runs rows that do not get in each other's way, several at once, and prints them in their order.
    pub(crate) async fn table(&mut self, rows: Vec<Row>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let running: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let places = Arc::clone(&places);
                let task = tokio::spawn(async move {
                    let _place = places.acquire().await.expect("nobody closes it");
                    row.attempt.await;
                });
                (row.name, task)
            })
            .collect();
        for (name, task) in running {
            let has_passed = task.await.is_ok();
            self.count(&name, has_passed);
        }
    }

    /// Notes that rows are missing because `what` is not to be had here.
    pub(crate) fn missing(&mut self, what: &str, why: &str) {
        self.missing += 1;
        println!("interop: not available: {what}: {why}");
    }

    /// Prints the last line.
    pub(crate) fn report(self) -> ExitCode {
        let missing = match self.missing {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        println!(
            "interop: {} passed, {} failed{missing}",
            self.passed, self.failed
        );
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn count(&mut self, name: &str, has_passed: bool) {
        if has_passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        println!("{} {name}", if has_passed { "ok    " } else { "FAILED" });
    }
}
