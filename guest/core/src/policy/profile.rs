//! Settings with nothing left to inherit.
//!
//! Invariant: a profile is the whole of what distinguishes two pools of one origin. Its equality and hash are derived, so a setting that is
//! added here becomes part of every pool's key by itself.

use std::rc::Rc;
use std::time::Duration;

use super::addresses::Pace;
use super::retry::RetryRules;
use super::route::Routes;
use super::timeout::Spans;
use crate::types::{
    AddressFamily, Error, Headers, Limit, Limits, PoolSettings, Retries, SocketOptions,
    SocketSettings, TcpKeepAlive, TlsSettings,
};

/// urllib3's `maxsize`.
const DEFAULT_MAXSIZE: u32 = 1;
/// As long as hyper-util's and Go's; urllib3 has no such limit.
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// What the connections of one pool have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Profile {
    /// How many idle connections are kept.
    pub maxsize: u32,
    /// Whether no more than that are open at once.
    pub is_blocking: bool,
    /// How long a connection may be idle and still be used; `None` without limit.
    pub idle_timeout: Option<Duration>,
    /// How old a connection may be and still be used; `None` without limit.
    pub max_lifetime: Option<Duration>,
    /// What a request through the pool itself sends where it names no headers.
    pub headers: Headers,
    /// What a request takes where it names no timeout.
    pub spans: Spans,
    /// When a request is tried again where it says nothing itself.
    pub retries: Rc<RetryRules>,
    /// Whom TLS trusts and how it is agreed on.
    pub tls: Rc<TlsSettings>,
    /// Which requests go through which proxy.
    pub routes: Rc<Routes>,
    /// What each socket is told before it connects.
    pub socket: SocketOptions,
    /// How soon one address of a name follows another.
    pub pace: Pace,
    /// Which addresses of a name are used.
    pub family: AddressFamily,
    /// How much is buffered of a response around its body.
    pub limits: Limits,
}

impl Profile {
    /// What `settings` come to once the defaults fill what they leave open.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where a timeout is 0, or where requests would wait for connections of a pool that may have none.
    pub fn resolve(settings: PoolSettings) -> Result<Self, Error> {
        let idle_timeout = match settings.idle_timeout {
            None => Some(DEFAULT_IDLE_TIMEOUT),
            Some(Limit::Unlimited) => None,
            Some(Limit::After(span)) => Some(span),
        };
        let max_lifetime = match settings.max_lifetime {
            None | Some(Limit::Unlimited) => None,
            Some(Limit::After(span)) => Some(span),
        };
        let maxsize = settings.maxsize.unwrap_or(DEFAULT_MAXSIZE);
        let is_blocking = settings.block.unwrap_or(false);
        if is_blocking && maxsize == 0 {
            return Err(Error::InvalidSettings(
                "A pool that blocks with a maxsize of 0 could never open a connection.".into(),
            ));
        }
        let spans = Spans::default().with_pool_timeout(settings.pool_timeout);
        let socket = SocketOptions {
            source: settings.source_address,
            ..socket_options(settings.socket)?
        };
        Ok(Self {
            maxsize,
            is_blocking,
            idle_timeout,
            max_lifetime,
            headers: settings.headers.unwrap_or_default(),
            spans: spans.overridden(settings.timeouts)?,
            retries: Rc::new(RetryRules::default().overridden(settings.retries)),
            tls: Rc::new(settings.tls),
            routes: Rc::new(Routes::parse(settings.proxies)?),
            socket,
            pace: Pace::of(settings.address_delay)?,
            family: settings.family.unwrap_or_default(),
            limits: Limits::default().overridden(settings.limits),
        })
    }

    /// When a request is tried again that names these.
    #[must_use]
    pub fn retries_with(&self, retries: &Retries) -> Rc<RetryRules> {
        if *retries == Retries::default() {
            Rc::clone(&self.retries)
        } else {
            Rc::new(self.retries.overridden(retries.clone()))
        }
    }
}

/// What sockets are told where nothing is said about their source.
fn socket_options(settings: SocketSettings) -> Result<SocketOptions, Error> {
    let SocketSettings {
        keep_alive,
        receive_buffer,
        send_buffer,
        hop_limit,
    } = settings;
    let keep_alive = match keep_alive {
        None | Some(TcpKeepAlive::Off) => None,
        Some(TcpKeepAlive::On(probes)) => Some(probes),
    };
    let probes = keep_alive.as_ref();
    let zero = [
        (
            "idle time of the TCP keep-alive",
            probes.is_some_and(|probes| probes.idle.is_zero()),
        ),
        (
            "interval of the TCP keep-alive",
            probes.is_some_and(|probes| probes.interval.is_zero()),
        ),
        (
            "count of the TCP keep-alive",
            probes.is_some_and(|probes| probes.count == 0),
        ),
        ("receive buffer", receive_buffer == Some(0)),
        ("send buffer", send_buffer == Some(0)),
        ("hop limit", hop_limit == Some(0)),
    ];
    if let Some((what, _)) = zero.iter().find(|(_, is_zero)| *is_zero) {
        return Err(Error::InvalidSettings(format!("The {what} cannot be 0.")));
    }
    Ok(SocketOptions {
        source: None,
        keep_alive,
        receive_buffer,
        send_buffer,
        hop_limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Probes, Timeouts};

    #[test]
    fn what_is_left_open_comes_from_the_default() {
        let profile = Profile::resolve(PoolSettings::default()).unwrap();
        assert_eq!(
            (profile.maxsize, profile.idle_timeout),
            (1, Some(Duration::from_secs(90)))
        );
        let spelled_out = PoolSettings {
            maxsize: Some(1),
            block: Some(false),
            pool_timeout: Some(Limit::Unlimited),
            max_lifetime: Some(Limit::Unlimited),
            headers: Some(Headers::default()),
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
                "block",
                PoolSettings {
                    block: Some(true),
                    ..PoolSettings::default()
                },
            ),
            (
                "pool timeout",
                PoolSettings {
                    pool_timeout: Some(second),
                    ..PoolSettings::default()
                },
            ),
            (
                "maximum lifetime",
                PoolSettings {
                    max_lifetime: Some(second),
                    ..PoolSettings::default()
                },
            ),
            (
                "headers",
                PoolSettings {
                    headers: Some(Headers::parse([("X", "y")]).unwrap()),
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
                "retries",
                PoolSettings {
                    retries: Retries::total(5),
                    ..PoolSettings::default()
                },
            ),
            (
                "roots",
                PoolSettings {
                    tls: TlsSettings {
                        roots: Some(vec![1]),
                        ..TlsSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "source address",
                PoolSettings {
                    source_address: Some("192.0.2.1:0".parse().unwrap()),
                    ..PoolSettings::default()
                },
            ),
            (
                "address delay",
                PoolSettings {
                    address_delay: Some(second),
                    ..PoolSettings::default()
                },
            ),
            (
                "family",
                PoolSettings {
                    family: Some(AddressFamily::Ipv4),
                    ..PoolSettings::default()
                },
            ),
            (
                "receive buffer",
                PoolSettings {
                    socket: SocketSettings {
                        receive_buffer: Some(1),
                        ..SocketSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "send buffer",
                PoolSettings {
                    socket: SocketSettings {
                        send_buffer: Some(1),
                        ..SocketSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "hop limit",
                PoolSettings {
                    socket: SocketSettings {
                        hop_limit: Some(1),
                        ..SocketSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "keep-alive",
                PoolSettings {
                    socket: SocketSettings {
                        keep_alive: Some(TcpKeepAlive::On(PROBES)),
                        ..SocketSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
        ] {
            assert_ne!(Profile::resolve(other).unwrap(), plain, "{case}");
        }
    }

    #[test]
    fn a_pool_that_blocks_has_at_least_one_connection() {
        for (block, maxsize, accepted) in [
            (Some(true), Some(0), false),
            (Some(true), Some(1), true),
            (Some(true), None, true),
            (Some(false), Some(0), true),
            (None, Some(0), true),
        ] {
            let settings = PoolSettings {
                block,
                maxsize,
                ..PoolSettings::default()
            };
            let kind = Profile::resolve(settings).err().map(|error| error.kind());
            let expected = (!accepted).then_some("invalid-settings");
            assert_eq!(kind, expected, "block {block:?}, maxsize {maxsize:?}");
        }
    }

    const PROBES: Probes = Probes {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(10),
        count: 3,
    };

    #[test]
    fn what_says_the_same_makes_the_same_profile() {
        let plain = Profile::resolve(PoolSettings::default()).unwrap();
        for (case, settings) in [
            (
                "the default delay",
                PoolSettings {
                    address_delay: Some(Limit::After(Duration::from_millis(250))),
                    ..PoolSettings::default()
                },
            ),
            (
                "no keep-alive",
                PoolSettings {
                    socket: SocketSettings {
                        keep_alive: Some(TcpKeepAlive::Off),
                        ..SocketSettings::default()
                    },
                    ..PoolSettings::default()
                },
            ),
            (
                "any family",
                PoolSettings {
                    family: Some(AddressFamily::Any),
                    ..PoolSettings::default()
                },
            ),
        ] {
            assert_eq!(Profile::resolve(settings).unwrap(), plain, "{case}");
        }
    }

    #[test]
    fn zero_is_refused() {
        let probing = |probes| SocketSettings {
            keep_alive: Some(TcpKeepAlive::On(probes)),
            ..SocketSettings::default()
        };
        for (case, socket) in [
            (
                "idle time",
                probing(Probes {
                    idle: Duration::ZERO,
                    ..PROBES
                }),
            ),
            (
                "interval",
                probing(Probes {
                    interval: Duration::ZERO,
                    ..PROBES
                }),
            ),
            ("count", probing(Probes { count: 0, ..PROBES })),
            (
                "receive buffer",
                SocketSettings {
                    receive_buffer: Some(0),
                    ..SocketSettings::default()
                },
            ),
            (
                "send buffer",
                SocketSettings {
                    send_buffer: Some(0),
                    ..SocketSettings::default()
                },
            ),
            (
                "hop limit",
                SocketSettings {
                    hop_limit: Some(0),
                    ..SocketSettings::default()
                },
            ),
        ] {
            let settings = PoolSettings {
                socket,
                ..PoolSettings::default()
            };
            let refused = Profile::resolve(settings).unwrap_err();
            assert_eq!(refused.kind(), "invalid-settings", "{case}");
            assert!(refused.to_string().contains(case), "{case}: {refused}");
        }
    }
}
