//! Settings with nothing left to inherit.
//!
//! Invariant: a profile is the whole of what distinguishes two pools of one origin. Its equality and hash are derived, so a setting that is
//! added here becomes part of every pool's key by itself.

use std::time::Duration;

use super::timeout::Spans;
use crate::types::{Error, Limit, PoolSettings};

/// urllib3's `maxsize`.
const DEFAULT_MAXSIZE: u32 = 1;
/// As long as hyper-util's and Go's; urllib3 has no such limit.
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// What the connections of one pool have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Profile {
    /// How many idle connections are kept.
    pub maxsize: u32,
    /// How long a connection may be idle and still be used; `None` without limit.
    pub idle_timeout: Option<Duration>,
    /// What a request takes where it names no timeout.
    pub spans: Spans,
    /// A PEM bundle; `None` means the built-in roots.
    pub roots: Option<Vec<u8>>,
}

impl Profile {
    /// What `settings` come to once the defaults fill what they leave open.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where a limit is 0.
    pub fn resolve(settings: PoolSettings) -> Result<Self, Error> {
        let idle_timeout = match settings.idle_timeout {
            None => Some(DEFAULT_IDLE_TIMEOUT),
            Some(Limit::Unlimited) => None,
            Some(Limit::After(span)) => Some(span),
        };
        Ok(Self {
            maxsize: settings.maxsize.unwrap_or(DEFAULT_MAXSIZE),
            idle_timeout,
            spans: Spans::default().overridden(settings.timeouts)?,
            roots: settings.tls.roots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Timeouts, TlsSettings};

    #[test]
    fn what_is_left_open_comes_from_the_default() {
        let profile = Profile::resolve(PoolSettings::default()).unwrap();
        assert_eq!(
            (profile.maxsize, profile.idle_timeout),
            (1, Some(Duration::from_secs(90)))
        );
        let spelled_out = PoolSettings {
            maxsize: Some(1),
            ..PoolSettings::default()
        };
        assert_eq!(Profile::resolve(spelled_out).unwrap(), profile);
    }

    #[test]
    fn any_difference_makes_another_profile() {
        let plain = Profile::resolve(PoolSettings::default()).unwrap();
        let second = Limit::After(Duration::from_secs(1));
        for (case, other) in [
            (
                "maxsize",
                PoolSettings {
                    maxsize: Some(2),
                    ..PoolSettings::default()
                },
            ),
            (
                "idle timeout",
                PoolSettings {
                    idle_timeout: Some(second),
                    ..PoolSettings::default()
                },
            ),
            (
                "timeout",
                PoolSettings {
                    timeouts: Timeouts {
                        read: Some(second),
                        ..Timeouts::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "roots",
                PoolSettings {
                    tls: TlsSettings {
                        roots: Some(vec![1]),
                    },
                    ..PoolSettings::default()
                },
            ),
        ] {
            assert_ne!(Profile::resolve(other).unwrap(), plain, "{case}");
        }
    }
}
