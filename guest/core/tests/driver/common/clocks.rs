//! Timeouts, and what becomes of a request that exceeds them.

use std::time::Duration;

use urlpool_core::types::{Limit, Phase, Timeouts};

use super::World;

pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn after(seconds: u32) -> Option<Limit> {
    Some(Limit::After(SECOND * seconds))
}

pub(crate) fn connect(seconds: u32) -> Timeouts {
    Timeouts {
        connect: after(seconds),
        ..Timeouts::default()
    }
}

pub(crate) fn read(seconds: u32) -> Timeouts {
    Timeouts {
        read: after(seconds),
        ..Timeouts::default()
    }
}

pub(crate) fn total(seconds: u32) -> Timeouts {
    Timeouts {
        total: after(seconds),
        ..Timeouts::default()
    }
}

pub(crate) fn deadline(seconds: u32) -> Timeouts {
    Timeouts {
        deadline: after(seconds),
        ..Timeouts::default()
    }
}

/// What a request that runs out of time tells its caller, and after how long.
#[track_caller]
pub(crate) fn times_out(
    world: &World,
    url: &str,
    case: &str,
) -> (&'static str, Phase, String, Duration) {
    let (outcome, took) = world.timed_by(|| world.get(url));
    let error = outcome.expect_err(case);
    let failure = error.failure().expect("it got as far as an attempt");
    (error.kind(), failure.phase, failure.message.clone(), took)
}
