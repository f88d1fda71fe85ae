//! An HTTP proxy that tunnels what CONNECT asks for and answers everything else itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::authority::Tls;
use crate::origin::Origin;
use crate::reply::{Reply, Then};
use crate::request::Request;
use crate::server::{Conversation, Link, Server};
use crate::tunnel::{Tunnel, Tunnels};

/// What a proxy will do. Tunnels come in the order given, whatever the connection; the last is repeated.
///
/// A name that CONNECT asks for stands for the loopback. The heads of all requests, CONNECT's too, are among the server's
/// [`requests`](Server::requests), what went through a tunnel in [`Connection::tunnelled`](crate::Connection::tunnelled).
#[derive(Default)]
pub struct HttpProxy {
    tunnels: Tunnels,
    origin: Origin,
    tls: Option<Tls>,
    credentials: Option<String>,
}

impl HttpProxy {
    /// A proxy that opens every tunnel and answers other requests with 200 and an empty body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Speaks TLS with its clients: an `https` proxy.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Asks for these credentials (RFC 7617) and answers 407 to requests without them.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.credentials = Some(format!("Basic {pair}"));
        self
    }

    /// Adds what becomes of a CONNECT.
    #[must_use]
    pub fn tunnel(self, tunnel: Tunnel) -> Self {
        self.tunnels.add(tunnel);
        self
    }

    /// Adds a reply to a request that is to be forwarded.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.origin = self.origin.reply(reply);
        self
    }

    /// Answers requests for this absolute URL with this and nothing else.
    #[must_use]
    pub fn at(mut self, url: impl Into<String>, reply: Reply) -> Self {
        self.origin = self.origin.at(url, reply);
        self
    }

    /// Starts to listen.
    pub async fn start(mut self) -> Server {
        let tls = self.tls.take();
        Server::start(self, tls, false).await
    }

    fn knows(&self, request: &Request) -> bool {
        self.credentials
            .as_ref()
            .is_none_or(|wanted| request.field("proxy-authorization").as_ref() == Some(wanted))
    }
}

impl Conversation for HttpProxy {
    async fn talk(&self, mut link: Link) {
        for served in 0.. {
            let ledger = link.ledger.clone();
            let next = ledger.until(link.number, |connection| connection.requests.len() > served);
            if !link.unless_ended(next).await {
                return;
            }
            let (request, length) = ledger.request(link.number, served);
            let (method, target) = (request.method(), request.target());
            if !self.knows(&request) {
                if !link.send(&unknown()).await {
                    return;
                }
                if method == "CONNECT" {
                    break;
                }
            } else if method == "CONNECT" {
                let port = target.rsplit(':').next().and_then(|port| port.parse().ok());
                let tunnel = match port {
                    Some(_) => self.tunnels.next(),
                    None => Tunnel::refusing_with(response("400 Bad Request", "")),
                };
                let good = || b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec();
                let refusal = |_| response("502 Bad Gateway", "");
                let port = port.unwrap_or_default();
                return tunnel.answer(&mut link, port, length, good, refusal).await;
            } else {
                match self.origin.answer(&mut link, &method, &target).await {
                    Then::Next => {}
                    Then::Finish => break,
                    Then::Drop => return,
                }
            }
        }
        link.finish().await;
        link.drained().await;
    }
}

fn unknown() -> Vec<u8> {
    let field = "Proxy-Authenticate: Basic realm=\"test\"\r\n";
    response("407 Proxy Authentication Required", field)
}

fn response(status: &str, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: 7\r\n\r\nrefused").into_bytes()
}
