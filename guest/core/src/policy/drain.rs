//! How much of a body nobody wants is read, so that its connection can serve the next request.
//!
//! Reading on is worth it as long as it costs less than a new connection would; a peer that sends for ever, or nothing, must not hold up the
//! request that goes on without it.

use std::time::Duration;

use super::reuse::Reuse;

/// Bytes of the body, without its framing.
pub const MAX_BYTES: u64 = 64 * 1024;
/// From when the body is not wanted any more to its end.
pub const MAX_WAIT: Duration = Duration::from_secs(1);

/// Whether to read a body of which `left` bytes are announced, `None` where the peer has not said, over a connection with this future.
#[must_use]
pub fn is_worth_it(left: Option<u64>, reuse: Reuse) -> bool {
    reuse == Reuse::Keep && left.is_none_or(|left| left <= MAX_BYTES)
}

/// Whether to read on where the content has ended, but not the body that it is in: `left` as for [`is_worth_it`], `passed` bytes in vain already.
///
/// The end of the framing is worth a wait, since trailers and the next response come behind it. The end of the connection is not, and neither
/// is more than a little garbage.
#[must_use]
pub const fn is_worth_passing(is_chunked: bool, left: Option<u64>, passed: u64) -> bool {
    match left {
        Some(left) => passed.saturating_add(left) <= MAX_BYTES,
        None => is_chunked && passed <= MAX_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_framing_is_waited_for_and_that_of_the_connection_is_not() {
        for (case, is_chunked, left, passed, expected) in [
            ("a little more", false, Some(MAX_BYTES), 0, true),
            ("too much more", false, Some(MAX_BYTES + 1), 0, false),
            ("too much altogether", false, Some(1), MAX_BYTES, false),
            ("so much that it overflows", false, Some(u64::MAX), 1, false),
            ("chunks", true, None, 0, true),
            ("as many chunks as may be", true, None, MAX_BYTES, true),
            ("too many chunks", true, None, MAX_BYTES + 1, false),
            ("until close", false, None, 0, false),
        ] {
            assert_eq!(
                is_worth_passing(is_chunked, left, passed),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn only_short_bodies_are_read_for_nothing() {
        for (left, expected) in [
            (None, true),
            (Some(0), true),
            (Some(MAX_BYTES), true),
            (Some(MAX_BYTES + 1), false),
            (Some(u64::MAX), false),
        ] {
            assert_eq!(is_worth_it(left, Reuse::Keep), expected, "{left:?}");
            let closing = Reuse::Close("the server asked for it");
            assert!(!is_worth_it(left, closing), "{left:?}, for nothing");
        }
    }
}
