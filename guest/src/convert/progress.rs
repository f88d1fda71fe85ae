//! What became of a piece of a body.

use urlpool_core::driver::Progress;

use crate::bindings::exports::urlpool::client::blocking as wit;

pub(crate) const fn progress(progress: Progress) -> wit::Progress {
    match progress {
        Progress::Accepted => wit::Progress::Accepted,
        Progress::Rewind => wit::Progress::Rewind,
        Progress::Answered => wit::Progress::Answered,
    }
}
