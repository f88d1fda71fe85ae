//! Which responses come before the final one.

use std::time::Duration;

/// Interim responses before the final one; nobody means more than a handful.
const MAX_INTERIM: u32 = 64;

/// How long a request that expects `100 Continue` waits for it before it sends its body all the same: as long as curl and Go. A server that
/// knows nothing of the expectation would let it wait for ever (RFC 9110, section 10.1.1).
pub const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// What a head that has arrived is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The answer.
    Final,
    /// Another head follows.
    Interim,
    /// Nothing that an answer to our request can be, for this reason.
    Wrong(&'static str),
}

/// Decides by the status and by how many interim responses came before (RFC 9110, section 15.2).
///
/// Every 1xx is interim, where urllib3 takes only 100 for that; 101 comes only to those who asked for another protocol, which we never do.
#[must_use]
pub const fn standing(status: u16, before: u32) -> Standing {
    match status {
        101 => Standing::Wrong("101 Switching Protocols, which nobody asked for"),
        100..200 if before >= MAX_INTERIM => {
            Standing::Wrong("there is no end of interim responses")
        }
        100..200 => Standing::Interim,
        _ => Standing::Final,
    }
}

/// Whether an interim response asks for the body that waits for it.
#[must_use]
pub const fn asks_for_the_body(status: u16) -> bool {
    status == 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_responses_are_passed_over_and_counted() {
        for (case, status, before, expected) in [
            ("the answer", 200, 0, Standing::Final),
            ("an answer after many", 404, MAX_INTERIM, Standing::Final),
            ("continue", 100, 0, Standing::Interim),
            ("early hints", 103, 3, Standing::Interim),
            (
                "the last that is taken",
                199,
                MAX_INTERIM - 1,
                Standing::Interim,
            ),
        ] {
            assert_eq!(standing(status, before), expected, "{case}");
        }
        assert!(matches!(standing(101, 0), Standing::Wrong(_)));
        assert!(matches!(standing(100, MAX_INTERIM), Standing::Wrong(_)));
    }
}
