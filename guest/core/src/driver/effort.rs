//! Work in moderation: whoever always finds something to do lets everybody else have a turn now and then.
//!
//! There is one thread. A body that arrives as fast as it is read, or that decodes to far more than arrives, would otherwise keep all other
//! requests and their clocks waiting until it ends.

use super::Net;

/// How many bytes are moved or decoded in a row. So many take milliseconds, which is nothing to who waits, and much to what a turn costs.
const MAX_IN_A_ROW: usize = 1024 * 1024;

/// What was done since the last turn of the others.
#[derive(Debug, Default)]
pub(super) struct Effort(usize);

impl Effort {
    /// Counts bytes that were moved or decoded.
    pub(super) const fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }

    /// Lets the others have their turn where it is time.
    pub(super) async fn pause<N: Net>(&mut self, net: &N) {
        if self.0 >= MAX_IN_A_ROW {
            self.0 = 0;
            net.pause().await;
        }
    }
}
