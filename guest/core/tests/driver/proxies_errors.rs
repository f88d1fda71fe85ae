//! What goes wrong with a proxy, told apart from what goes wrong with the server.

use urlpool_core::driver::{Manager, ResolveError};
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{ManagerSettings, Phase, PoolSettings};

use crate::common::{
    OPEN, TestProxy, World, answering, connect, origin_of, proxy, read, target, through, trust,
};

const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
const PORT: u16 = 8080;

/// What befalls whoever opens a connection.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Unknown,
    Homeless,
    LookupDenied,
    LookupStalled,
    Refused,
    Denied,
    BlackHole,
}

impl Mishap {
    /// Lets it befall those who look for `host`.
    fn befall(self, world: &World, host: &str, port: u16) {
        let listener = match self {
            Self::Unknown => return,
            Self::Homeless => return world.net.name(host, &[]),
            Self::LookupDenied => {
                let denied = ResolveError::Denied("lookup is not allowed here".into());
                return world.net.unname(host, denied);
            }
            Self::LookupStalled => return world.net.stall_name(host),
            Self::Refused => Listener::Refuse,
            Self::Denied => Listener::Deny,
            Self::BlackHole => Listener::BlackHole,
        };
        world.listen(host, port, listener);
    }
}

#[test]
fn a_proxy_that_cannot_be_reached_is_told_from_a_server_that_cannot() {
    for (mishap, kind, kind_through, phase, message) in [
        (
            Mishap::Unknown,
            "name-resolution",
            "proxy",
            Phase::Resolve,
            "Failed to resolve 'HOST' (Name or service not known)",
        ),
        (
            Mishap::Homeless,
            "name-resolution",
            "proxy",
            Phase::Resolve,
            "Failed to resolve 'HOST' (the name has no address)",
        ),
        (
            Mishap::LookupDenied,
            "denied",
            "denied",
            Phase::Resolve,
            "The host of this component does not allow it: lookup is not allowed here",
        ),
        (
            Mishap::LookupStalled,
            "connect-timeout",
            "connect-timeout",
            Phase::Resolve,
            "Looking up 'HOST' timed out. (connect timeout)",
        ),
        (
            Mishap::Refused,
            "connection-failed",
            "proxy",
            Phase::Connect,
            "Failed to establish a new connection: ADDRESS: Connection refused",
        ),
        (
            Mishap::Denied,
            "denied",
            "denied",
            Phase::Connect,
            "The host of this component does not allow it: ADDRESS: not allowed here",
        ),
        (
            Mishap::BlackHole,
            "connect-timeout",
            "connect-timeout",
            Phase::Connect,
            "Connection to HOST timed out. (connect timeout)",
        ),
    ] {
        for (target, port) in [("http://a.test/x", 80), ("https://a.test/x", 443)] {
            let world = World::timed(connect(3));
            mishap.befall(&world, "a.test", port);
            let error = world.get(target).unwrap_err();
            assert_eq!(error.kind(), kind, "{mishap:?}");
            let words = message.replace("HOST", "a.test");
            let words = words.replace("ADDRESS", &format!("192.0.2.97:{port}"));
            assert_eq!(error.message(), words);
            assert_eq!(error.failure().unwrap().phase, phase, "{mishap:?}");
            for scheme in SCHEMES {
                let case = format!("{mishap:?} of {scheme} for {target}");
                let world = World::of_pools(PoolSettings {
                    timeouts: connect(3),
                    ..through(proxy(&format!("{scheme}://p.test:{PORT}")))
                });
                world.net.name("a.test", &[[192, 0, 2, 97].into()]);
                mishap.befall(&world, "p.test", PORT);
                let error = world.get(target).unwrap_err();
                let words = message.replace("HOST", "p.test");
                let words = words.replace("ADDRESS", "192.0.2.112:8080");
                assert_eq!(error.kind(), kind_through, "{case}");
                assert_eq!(
                    error.message(),
                    format!("Unable to connect to proxy: {words}"),
                    "{case}"
                );
                let failure = error.failure().unwrap();
                assert_eq!(failure.phase, phase, "{case}");
                assert_eq!(failure.url, target, "{case}");
                assert!(!failure.may_have_been_acted_on, "{case}");
                assert_eq!(failure.refusal, None, "{case}");
            }
        }
    }
}

#[test]
fn what_happens_behind_a_proxy_is_the_servers() {
    for (case, script, kind, message) in [
        (
            "closed",
            Script::new().request().close(),
            "protocol",
            "Connection aborted. Remote end closed connection without response",
        ),
        (
            "silent",
            Script::new().request(),
            "read-timeout",
            "Read timed out. (read timeout)",
        ),
        (
            "cut",
            answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").close(),
            "incomplete-body",
            "Connection broken: IncompleteRead(2 bytes read, 3 more expected)",
        ),
        (
            "nonsense",
            answering("SSH-2.0\r\n"),
            "protocol",
            "Connection aborted. BadStatusLine(\"SSH-2.0\")",
        ),
    ] {
        let (authority, server) = target();
        let world = World::of_pools(PoolSettings {
            timeouts: read(3),
            tls: trust(&authority),
            ..through(proxy("http://p.test:8080"))
        });
        let opened = Script::new().request().send(OPEN);
        let scripts = vec![script.clone(), opened.followed_by(script)];
        let listener = TestProxy::to(server).listener(scripts);
        world.listen("p.test", PORT, listener);
        for url in ["http://a.test/", "https://a.test/"] {
            let error = world.get(url).unwrap_err();
            assert_eq!(error.kind(), kind, "{case}: {error}");
            assert_eq!(error.message(), message, "{case}");
            let failure = error.failure().unwrap();
            assert!(failure.may_have_been_acted_on, "{case}");
        }
    }
}

#[test]
fn a_servers_name_that_we_look_up_for_socks_is_not_the_proxys() {
    for scheme in ["socks4", "socks5"] {
        for (mishap, kind, message) in [
            (
                Mishap::Unknown,
                "name-resolution",
                "Failed to resolve 'a.test' (Name or service not known)",
            ),
            (
                Mishap::LookupStalled,
                "connect-timeout",
                "Looking up 'a.test' timed out. (connect timeout)",
            ),
            (
                Mishap::LookupDenied,
                "denied",
                "The host of this component does not allow it: lookup is not allowed here",
            ),
        ] {
            let world = World::of_pools(PoolSettings {
                timeouts: connect(3),
                ..through(proxy(&format!("{scheme}://p.test")))
            });
            mishap.befall(&world, "a.test", 80);
            world.listen("p.test", 1080, Listener::Accept(origin_of("p")));
            let error = world.get("http://a.test/").unwrap_err();
            assert_eq!((error.kind(), error.message()), (kind, message), "{scheme}");
            assert_eq!(error.failure().unwrap().phase, Phase::Resolve, "{scheme}");
            assert_eq!(world.net.connections(), 0, "{scheme}");
        }
    }
}

#[test]
fn a_proxy_that_makes_no_sense_is_refused_before_anything_is_sent() {
    for (url, kind, expected) in [
        (
            "p.test:8080",
            "unsupported-proxy-scheme",
            "Proxy URL had no scheme, should start with http:// or https://",
        ),
        (
            "p.test",
            "unsupported-proxy-scheme",
            "Proxy URL had no scheme, should start with http:// or https://",
        ),
        (
            "ftp://p.test",
            "unsupported-proxy-scheme",
            "Proxy URL had unsupported scheme ftp, should use",
        ),
        ("http://", "invalid-settings", ""),
        ("http://p.test:99999", "invalid-settings", ""),
    ] {
        let settings = ManagerSettings {
            pool: through(proxy(url)),
            ..ManagerSettings::default()
        };
        let net = SimNet::new();
        let error = Manager::new(net, settings).err().expect(url);
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(error.message().contains(expected), "{url}: {error}");
    }
}
