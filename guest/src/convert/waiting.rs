//! What becomes of a call that waits.

use urlpool_core::driver::Progress;
use urlpool_core::types as core;

use super::settings::limit;
use crate::bindings::exports::urlpool::client::{blocking, types as wit};

/// The error of a call that takes what was taken before.
pub(crate) fn taken() -> core::Error {
    core::Error::InvalidRequest("the response was taken before".into())
}

/// The error of a call that would wait for what only its caller could do.
pub(crate) fn stuck() -> core::Error {
    core::Error::Other("this would never end unless its caller did something else first".into())
}

/// When a wait ends that begins `now`, in nanoseconds of the monotonic clock; `None` for never.
pub(crate) fn end(timeout: wit::Limit, now: u64) -> Option<core::Instant> {
    match limit(timeout) {
        core::Limit::Unlimited => None,
        core::Limit::After(span) => Some(core::Instant::from_nanos(now).after(span)),
    }
}

pub(crate) const fn progress(progress: Progress) -> blocking::Progress {
    match progress {
        Progress::Accepted => blocking::Progress::Accepted,
        Progress::Rewind => blocking::Progress::Rewind,
        Progress::Answered => blocking::Progress::Answered,
    }
}
