//! Whether a request may be sent again because the connection it went out on had been dead all along.
//!
//! A server may close an idle connection at the moment a request is sent. That is no failure of the request, so it costs the caller nothing;
//! but a request that may have been acted on must not be sent twice unless doing so is harmless.

use crate::types::{AttemptError, Cause, Method, Sent};

/// Methods that may be sent twice with the effect of once (RFC 9110, section 9.2.2); urllib3's list of methods that are retried.
pub(super) const IDEMPOTENT: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"];

/// Decides (RFC 9112, section 9.3.1). Only a reused connection that ended before the first byte of an answer counts.
#[must_use]
pub fn is_due(failed: &AttemptError, method: &Method) -> bool {
    let died_idle = failed.reused && matches!(failed.cause, Cause::ClosedUnanswered(_));
    died_idle && (failed.sent == Sent::Nothing || IDEMPOTENT.iter().any(|name| method.is(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Expiry, Phase};

    #[test]
    fn only_a_dead_idle_connection_is_replayed() {
        let closed = || Cause::ClosedUnanswered("closed".into());
        let malformed = || Cause::Malformed("x".into());
        for (case, method, reused, sent, cause, due) in [
            (
                "GET on a dead connection",
                "GET",
                true,
                Sent::Something,
                closed(),
                true,
            ),
            (
                "PUT is idempotent",
                "PUT",
                true,
                Sent::Something,
                closed(),
                true,
            ),
            (
                "POST may have been acted on",
                "POST",
                true,
                Sent::Something,
                closed(),
                false,
            ),
            (
                "POST of which nothing was sent",
                "POST",
                true,
                Sent::Nothing,
                closed(),
                true,
            ),
            (
                "a new connection",
                "GET",
                false,
                Sent::Something,
                closed(),
                false,
            ),
            (
                "an answer had begun",
                "GET",
                true,
                Sent::Something,
                Cause::Broken("reset".into()),
                false,
            ),
            (
                "garbage came",
                "GET",
                true,
                Sent::Something,
                malformed(),
                false,
            ),
            (
                "time ran out",
                "GET",
                true,
                Sent::Something,
                Cause::TimedOut(Expiry::Read),
                false,
            ),
        ] {
            let failed = AttemptError {
                phase: Phase::AwaitHead,
                sent,
                reused,
                cause,
            };
            assert_eq!(
                is_due(&failed, &Method::parse(method).unwrap()),
                due,
                "{case}"
            );
        }
    }
}
