//! The bound on every wait of a test.

use std::fmt::Display;
use std::time::Duration;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What `future` gives.
///
/// # Panics
/// Where that takes longer than [`PATIENCE`]; `what` says what was waited for.
pub async fn within<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    within_span(PATIENCE, what, future).await
}

/// The same for what takes longer.
///
/// # Panics
/// Where that takes longer than `span`.
pub async fn within_span<T>(
    span: Duration,
    what: impl Display,
    future: impl Future<Output = T>,
) -> T {
    tokio::time::timeout(span, future)
        .await
        .unwrap_or_else(|_| fail(&format!("waited {span:?} in vain for {what}")))
}

/// Fails the test, saying why.
///
/// # Panics
/// Always.
#[expect(clippy::panic, reason = "this is how a test fails")]
#[track_caller]
pub fn fail(why: &str) -> ! {
    panic!("{why}")
}
