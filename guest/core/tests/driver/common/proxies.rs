//! Proxies that act by a script, and what they hear.

use std::cell::RefCell;
use std::rc::Rc;

use rustls::version::TLS13;
use urlpool_core::sim::{Codec, Listener, Plain, Script};
use urlpool_core::types::{CertReqs, Event, PoolSettings, Proxies, ProxySettings, TlsSettings};

use super::{Authority, TlsServer, World, in_turn};

/// What opens a tunnel.
pub(crate) const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
/// What opens a connection through SOCKS 4.
pub(crate) const GRANTED4: &[u8] = b"\0\x5a\0\0\0\0\0\0";
/// The same for SOCKS 5, once the method of authentication is agreed on.
pub(crate) const GRANTED5: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

/// What is said to a proxy on one connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Heard {
    /// To the proxy itself.
    pub(crate) outside: Vec<u8>,
    /// To the server behind it.
    pub(crate) inside: Vec<u8>,
}

impl Heard {
    pub(crate) fn outside(&self) -> String {
        super::text(&self.outside)
    }

    pub(crate) fn inside(&self) -> String {
        super::text(&self.inside)
    }
}

/// A proxy. A connection on which it is asked for a tunnel leads to the server inside as soon as the proxy has sent `opening` bytes.
#[derive(Default)]
pub(crate) struct TestProxy {
    outer: Option<TlsServer>,
    inner: Option<TlsServer>,
    opening: usize,
    heard: Rc<RefCell<Vec<Heard>>>,
}

impl TestProxy {
    /// One that forwards, or that leads to servers without TLS.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One whose tunnels, opened by `OPEN`, lead to this server.
    pub(crate) fn to(server: TlsServer) -> Self {
        Self {
            inner: Some(server),
            opening: OPEN.len(),
            ..Self::default()
        }
    }

    /// Takes so many bytes to open a tunnel.
    pub(crate) fn opening(self, opening: usize) -> Self {
        Self { opening, ..self }
    }

    /// Is spoken to over TLS.
    pub(crate) fn behind(self, server: TlsServer) -> Self {
        Self {
            outer: Some(server),
            ..self
        }
    }

    /// What it will have heard, connection by connection.
    pub(crate) fn heard(&self) -> impl Fn() -> Vec<Heard> + use<> {
        let heard = Rc::clone(&self.heard);
        move || heard.borrow().clone()
    }

    /// Puts it to work.
    pub(crate) fn listener(self, scripts: Vec<Script>) -> Listener {
        let mut outer = sessions(self.outer);
        let mut inner = sessions(self.inner);
        let (opening, heard) = (self.opening, self.heard);
        let make = move || -> Box<dyn Codec> {
            heard.borrow_mut().push(Heard::default());
            Box::new(Passage {
                outer: outer(),
                inner: inner(),
                left: opening,
                number: heard.borrow().len() - 1,
                heard: Rc::clone(&heard),
            })
        };
        Listener::Through(scripts, Box::new(make))
    }
}

fn sessions(server: Option<TlsServer>) -> Box<dyn FnMut() -> Box<dyn Codec>> {
    match server {
        None => Box::new(|| Box::new(Plain)),
        Some(server) => server.sessions(),
    }
}

struct Passage {
    outer: Box<dyn Codec>,
    inner: Box<dyn Codec>,
    /// How many bytes the proxy has yet to send before what it carries is the server's.
    left: usize,
    number: usize,
    heard: Rc<RefCell<Vec<Heard>>>,
}

impl Passage {
    /// Whether it was asked for a tunnel.
    fn is_tunnel(&self) -> bool {
        let heard = &self.heard.borrow()[self.number].outside;
        heard.starts_with(b"CONNECT ") || matches!(heard.first(), Some(4 | 5))
    }
}

impl Codec for Passage {
    fn incoming(&mut self, wire: &[u8], plain: &mut Vec<u8>, reply: &mut Vec<u8>) {
        let mut said = Vec::new();
        self.outer.incoming(wire, &mut said, reply);
        if self.left > 0 || !self.is_tunnel() {
            let heard = &mut self.heard.borrow_mut()[self.number];
            heard.outside.extend_from_slice(&said);
            plain.append(&mut said);
            return;
        }
        let (mut inside, mut answer) = (Vec::new(), Vec::new());
        self.inner.incoming(&said, &mut inside, &mut answer);
        if !answer.is_empty() {
            reply.append(&mut self.outer.outgoing(&answer));
        }
        let heard = &mut self.heard.borrow_mut()[self.number];
        heard.inside.extend_from_slice(&inside);
        plain.append(&mut inside);
    }

    fn outgoing(&mut self, plain: &[u8]) -> Vec<u8> {
        if self.left > 0 || !self.is_tunnel() {
            self.left = self.left.saturating_sub(plain.len());
            return self.outer.outgoing(plain);
        }
        let wire = self.inner.outgoing(plain);
        self.outer.outgoing(&wire)
    }

    fn farewell(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        if self.left == 0 && self.is_tunnel() {
            let farewell = self.inner.farewell();
            wire = self.outer.outgoing(&farewell);
        }
        wire.append(&mut self.outer.farewell());
        wire
    }
}

/// A proxy that opens a tunnel, in which these are answered in turn and the last one over and over.
pub(crate) fn tunnelling(responses: &[Vec<u8>]) -> Script {
    let opening = Script::new().request().send(OPEN);
    opening.followed_by(in_turn(responses))
}

/// A proxy that answers whatever it is asked first like this, and nothing more.
pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Script {
    Script::new().request().send(answer)
}

/// What is granted without a login.
pub(crate) const METHOD: &[u8] = b"\x05\0";
/// What asks for name and password.
pub(crate) const PASSWORD: &[u8] = b"\x05\x02";
/// The schemes of SOCKS.
pub(crate) const SOCKS: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

/// A proxy that says these, each once something has come.
pub(crate) fn saying(replies: &[&[u8]]) -> Script {
    replies.iter().fold(Script::new(), |script, reply| {
        script.anything().send(*reply)
    })
}

/// What a proxy of a kind says where all goes well.
pub(crate) fn granting(scheme: &str) -> &'static [&'static [u8]] {
    if scheme.starts_with("socks4") {
        &[GRANTED4]
    } else {
        &[METHOD, GRANTED5]
    }
}

pub(crate) fn proxy(url: &str) -> ProxySettings {
    ProxySettings {
        url: url.into(),
        ..ProxySettings::default()
    }
}

/// Settings of pools all of whose requests go through a proxy.
pub(crate) fn through(proxy: ProxySettings) -> PoolSettings {
    PoolSettings {
        proxies: Some(Proxies::all_through(proxy)),
        ..PoolSettings::default()
    }
}

pub(crate) fn trust(authority: &Authority) -> TlsSettings {
    TlsSettings {
        roots: Some(authority.pem()),
        ..TlsSettings::default()
    }
}

/// A world whose requests all go through the proxy `p.test` with this URL, and that trusts an authority.
pub(crate) fn proxied(url: &str, authority: &Authority) -> World {
    World::of_pools(PoolSettings {
        tls: trust(authority),
        ..through(proxy(url))
    })
}

/// A world with this trust in servers and that in proxies.
pub(crate) fn trusting(
    url: &str,
    servers: TlsSettings,
    proxys: Option<TlsSettings>,
    forwards: bool,
) -> World {
    World::of_pools(PoolSettings {
        tls: servers,
        ..through(ProxySettings {
            tls: proxys,
            use_forwarding_for_https: Some(forwards),
            ..proxy(url)
        })
    })
}

pub(crate) fn unverified() -> TlsSettings {
    TlsSettings {
        cert_reqs: Some(CertReqs::None),
        ..TlsSettings::default()
    }
}

/// An authority, and a server for `a.test` and `b.test` that it vouches for.
pub(crate) fn target() -> (Authority, TlsServer) {
    let authority = Authority::new();
    let server = authority.server(&["a.test", "b.test"], &[&TLS13]);
    (authority, server)
}

/// The names that were looked up.
pub(crate) fn resolved(events: &[Event]) -> Vec<&str> {
    let hosts = events.iter().filter_map(|event| match event {
        Event::Resolved { host, .. } => Some(host.as_str()),
        _ => None,
    });
    hosts.collect()
}
