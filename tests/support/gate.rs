//! Something that a server waits for until the test allows it.

use std::sync::Arc;

use tokio::sync::watch;

/// Closed when it is made; once open, open for good. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until the gate is open.
    pub async fn passed(&self) {
        self.open
            .subscribe()
            .wait_for(|open| *open)
            .await
            .expect("the gate itself keeps the sender");
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
