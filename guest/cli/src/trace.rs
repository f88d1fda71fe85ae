//! What a client did: the lines that `--verbose` tells in curl's manner, and the connection that a failed request had.

use std::collections::BTreeMap;
use std::mem;

use urlpool_core::types::{ConnectionInfo, Event};

use crate::text::{one_line, tls_version};

/// The lines for an event: `*` before facts, `>` before what was sent, `<` before what was received.
pub(crate) fn lines(event: &Event) -> Vec<String> {
    let fact = match event {
        Event::Sent { head, .. } => return marked('>', head),
        Event::Received { head, .. } => return marked('<', head),
        Event::Resolved { host, addresses } => {
            format!("{host} has the addresses {}", addresses.join(", "))
        }
        Event::Connected { number, remote } => format!("connection {number}: open to {remote}"),
        Event::Secured {
            number,
            version,
            suite,
            is_verified,
        } => format!(
            "connection {number}: TLS {} with {suite}{}",
            tls_version(*version),
            if *is_verified { "" } else { ", unverified" }
        ),
        Event::Tunnelled { number, origin } => {
            format!("connection {number}: the proxy opened a tunnel to {origin}")
        }
        Event::CheckedOut { number } => format!("connection {number}: used again"),
        Event::CheckedIn { number } => format!("connection {number}: kept for the next request"),
        Event::Closed { number, reason } => format!("connection {number}: closed: {reason}"),
        Event::Evicted { origin } => format!("the pool for {origin} made room for another"),
        Event::Replayed { number } => {
            format!("connection {number}: had died while idle; the request is sent again")
        }
        Event::Retried { delay } if delay.is_zero() => "trying again at once".into(),
        Event::Retried { delay } => format!("trying again after {} s", delay.as_secs_f64()),
        Event::Redirected { from, to } => format!("following the redirect from {from} to {to}"),
        // A warning is told without being asked for, and a secret has a file of its own.
        Event::Warned(_) | Event::KeyLog(_) => return Vec::new(),
    };
    vec![format!("* {}", one_line(&fact))]
}

/// The lines of a head, its empty line too.
fn marked(mark: char, head: &str) -> Vec<String> {
    head.trim_end_matches(['\r', '\n'])
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .chain([""])
        .map(|line| format!("{mark} {}", one_line(line)).trim_end().to_owned())
        .collect()
}

/// The connections of a run, as far as their events tell: an error does not say which one it had.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    known: BTreeMap<u64, ConnectionInfo>,
    /// Closed, but perhaps the one of the request that runs.
    closed: Vec<u64>,
    last: Option<u64>,
}

impl Connections {
    /// A request begins.
    pub(crate) fn begin(&mut self) {
        self.last = None;
        for number in self.closed.drain(..) {
            self.known.remove(&number);
        }
    }

    /// The connection that the request had last; `None` where it had none.
    pub(crate) fn last(&self) -> Option<ConnectionInfo> {
        self.known.get(&self.last?).cloned()
    }

    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::Connected { number, remote } => {
                let opened = ConnectionInfo {
                    number,
                    reused: false,
                    remote,
                    tls: None,
                    is_verified: false,
                    proxy_is_verified: false,
                };
                self.known.insert(number, opened);
                self.last = Some(number);
            }
            Event::Secured {
                number,
                version,
                is_verified,
                ..
            } => {
                if let Some(connection) = self.known.get_mut(&number) {
                    connection.tls = Some(version);
                    connection.is_verified = is_verified;
                }
            }
            // Whatever was agreed on before was agreed on with the proxy.
            Event::Tunnelled { number, .. } => {
                if let Some(connection) = self.known.get_mut(&number) {
                    connection.proxy_is_verified = mem::take(&mut connection.is_verified);
                    connection.tls = None;
                }
            }
            Event::CheckedOut { number } => {
                if let Some(connection) = self.known.get_mut(&number) {
                    connection.reused = true;
                }
                self.last = Some(number);
            }
            Event::Closed { number, .. } => self.closed.push(number),
            Event::Resolved { .. }
            | Event::Sent { .. }
            | Event::Received { .. }
            | Event::CheckedIn { .. }
            | Event::Evicted { .. }
            | Event::Replayed { .. }
            | Event::Retried { .. }
            | Event::Redirected { .. }
            | Event::Warned(_)
            | Event::KeyLog(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use urlpool_core::types::{TlsVersion, Url};

    use super::*;

    #[test]
    fn events_are_told_as_curl_does() {
        for (event, expected) in [
            (
                Event::Resolved {
                    host: "h".into(),
                    addresses: vec!["192.0.2.1".into(), "::1".into()],
                },
                "* h has the addresses 192.0.2.1, ::1",
            ),
            (
                Event::Secured {
                    number: 2,
                    version: TlsVersion::Tls13,
                    suite: "TLS13_AES_128_GCM_SHA256".into(),
                    is_verified: true,
                },
                "* connection 2: TLS 1.3 with TLS13_AES_128_GCM_SHA256",
            ),
            (
                Event::Secured {
                    number: 2,
                    version: TlsVersion::Tls12,
                    suite: "S".into(),
                    is_verified: false,
                },
                "* connection 2: TLS 1.2 with S, unverified",
            ),
            (
                tunnelled(3),
                "* connection 3: the proxy opened a tunnel to https://h:443",
            ),
            (Event::KeyLog("CLIENT_RANDOM secret".into()), ""),
            (
                Event::Sent {
                    number: 1,
                    head: "GET / HTTP/1.1\r\nHost: h\r\n\r\n".into(),
                },
                "> GET / HTTP/1.1\n> Host: h\n>",
            ),
            (
                Event::Received {
                    number: 1,
                    head: "HTTP/1.1 200 \x1b[2J\nA: b".into(),
                },
                "< HTTP/1.1 200 \\u{1b}[2J\n< A: b\n<",
            ),
            (
                Event::Closed {
                    number: 1,
                    reason: "one\ntwo".into(),
                },
                "* connection 1: closed: one\\ntwo",
            ),
            (
                Event::Retried {
                    delay: Duration::ZERO,
                },
                "* trying again at once",
            ),
            (
                Event::Retried {
                    delay: Duration::from_millis(1_500),
                },
                "* trying again after 1.5 s",
            ),
            (
                Event::Redirected {
                    from: "http://h/1".into(),
                    to: "http://h/2".into(),
                },
                "* following the redirect from http://h/1 to http://h/2",
            ),
        ] {
            assert_eq!(lines(&event).join("\n"), expected);
        }
    }

    fn connected(number: u64) -> Event {
        Event::Connected {
            number,
            remote: format!("192.0.2.{number}:80"),
        }
    }

    fn tunnelled(number: u64) -> Event {
        let url = Url::parse("https://h/").unwrap();
        Event::Tunnelled {
            number,
            origin: url.origin().clone(),
        }
    }

    fn closed(number: u64) -> Event {
        Event::Closed {
            number,
            reason: "test".into(),
        }
    }

    #[test]
    fn the_last_connection_is_known_though_it_is_closed() {
        let mut connections = Connections::default();
        connections.begin();
        assert_eq!(connections.last(), None);
        connections.note(connected(1));
        connections.note(Event::Secured {
            number: 1,
            version: TlsVersion::Tls12,
            suite: String::new(),
            is_verified: true,
        });
        connections.begin();
        connections.note(Event::CheckedOut { number: 1 });
        connections.note(closed(1));
        assert_eq!(
            connections.last(),
            Some(ConnectionInfo {
                number: 1,
                reused: true,
                remote: "192.0.2.1:80".into(),
                tls: Some(TlsVersion::Tls12),
                is_verified: true,
                proxy_is_verified: false,
            })
        );
        connections.note(Event::Replayed { number: 1 });
        connections.note(connected(2));
        assert_eq!(connections.last().map(|last| last.number), Some(2));
        connections.begin();
        assert_eq!(connections.last(), None);
        assert!(!connections.known.contains_key(&1));
    }

    #[test]
    fn the_tls_of_a_tunnel_is_not_the_one_inside() {
        let secured = |version| Event::Secured {
            number: 1,
            version,
            suite: String::new(),
            is_verified: true,
        };
        let mut connections = Connections::default();
        connections.begin();
        for (event, expected) in [
            (connected(1), (None, false, false)),
            (
                secured(TlsVersion::Tls13),
                (Some(TlsVersion::Tls13), true, false),
            ),
            (tunnelled(1), (None, false, true)),
            (
                secured(TlsVersion::Tls12),
                (Some(TlsVersion::Tls12), true, true),
            ),
        ] {
            connections.note(event);
            let last = connections.last().unwrap();
            let found = (last.tls, last.is_verified, last.proxy_is_verified);
            assert_eq!(found, expected);
        }
    }
}
