//! A SOCKS proxy.

use crate::server::{Conversation, Link, Server};
use crate::socks::{Demands, Dialogue, good, refusal};
use crate::tunnel::{Tunnel, Tunnels};

/// What a proxy for SOCKS 4, 4a and 5 will do. Tunnels come in the order given, whatever the connection; the last is repeated.
///
/// It goes to the loopback, whatever host it is asked for. What it was asked is in [`Connection::socks`](crate::Connection::socks), what
/// went through the tunnel in [`Connection::tunnelled`](crate::Connection::tunnelled).
#[derive(Default)]
pub struct SocksProxy {
    tunnels: Tunnels,
    demands: Demands,
}

impl SocksProxy {
    /// A proxy that opens every tunnel.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for these credentials (RFC 1929); of version 4 for the user alone.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.demands.credentials = Some((user.into(), password.into()));
        self
    }

    /// Answers every greeting of version 5 with this method, offered or not; 255 accepts none.
    #[must_use]
    pub fn method(mut self, method: u8) -> Self {
        self.demands.method = Some(method);
        self
    }

    /// Adds what becomes of a request.
    #[must_use]
    pub fn tunnel(self, tunnel: Tunnel) -> Self {
        self.tunnels.add(tunnel);
        self
    }

    /// Starts to listen.
    pub async fn start(self) -> Server {
        Server::start(self, None, false).await
    }
}

impl Conversation for SocksProxy {
    async fn talk(&self, mut link: Link) {
        let mut dialogue = Dialogue::new(&mut link);
        let asked = dialogue.request(&self.demands).await;
        let length = dialogue.read;
        let Some(request) = asked else {
            link.finish().await;
            return link.drained().await;
        };
        let (version, port) = (request.version, request.port);
        link.ledger.asked(link.number, request, length);
        self.tunnels
            .next()
            .answer(
                &mut link,
                port,
                length,
                || good(version),
                |code| refusal(version, code),
            )
            .await;
    }

    fn reads_requests(&self) -> bool {
        false
    }
}
