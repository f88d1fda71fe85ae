//! What happened at a server, and waiting for it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::guard::{PATIENCE, fail};
use crate::request::Request;
use crate::socks::SocksRequest;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The client closed or reset it.
    Client,
    /// The server did, before the client.
    Server,
}

/// One accepted connection.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// All that the client sent, decrypted.
    pub received: Vec<u8>,
    /// The lengths of the reads that brought it, below TLS. A peer that is waiting to read sees one read for each write.
    pub reads: Vec<usize>,
    /// The whole requests among the bytes received.
    pub requests: Vec<Request>,
    /// What a SOCKS server was asked for.
    pub socks: Option<SocksRequest>,
    /// Who ended it; `None` while it is open.
    pub end: Option<End>,
    /// Why there was no TLS, where there should have been.
    pub handshake_error: Option<String>,
    /// Whether the server's end is on its way.
    pub(crate) is_finished: bool,
    /// Whether the client's end has been read.
    pub(crate) is_drained: bool,
    parsed: usize,
    /// Where the bytes begin that are not requests to this server.
    tunnel: Option<usize>,
}

impl Connection {
    /// What the client sent through the tunnel that a proxy opened; empty where there was none.
    #[must_use]
    pub fn tunnelled(&self) -> &[u8] {
        self.tunnel
            .and_then(|start| self.received.get(start..))
            .unwrap_or_default()
    }
}

/// All connections of a server, in the order accepted.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<watch::Sender<Vec<Connection>>>);

impl Ledger {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    /// A new connection's number, counted from 0.
    pub(crate) fn accepted(&self) -> usize {
        let mut number = 0;
        self.0.send_modify(|connections| {
            number = connections.len();
            connections.push(Connection::default());
        });
        number
    }

    pub(crate) fn read(&self, number: usize, length: usize) {
        self.change(number, |connection| connection.reads.push(length));
    }

    pub(crate) fn received(&self, number: usize, bytes: &[u8]) {
        self.change(number, |connection| {
            connection.received.extend_from_slice(bytes);
            while connection.tunnel.is_none()
                && let Some((request, length)) = connection
                    .received
                    .get(connection.parsed..)
                    .and_then(Request::first_in)
            {
                connection.parsed += length;
                // What follows is for whoever the proxy is asked for.
                let has_tunnel = request.method() == "CONNECT";
                connection.tunnel = has_tunnel.then_some(connection.parsed);
                connection.requests.push(request);
            }
        });
    }

    /// No byte of this connection is a request of HTTP to this server.
    pub(crate) fn opaque(&self, number: usize) {
        self.change(number, |connection| connection.tunnel = Some(0));
    }

    /// A SOCKS server has been asked, and what follows the first `length` bytes goes through it.
    pub(crate) fn asked(&self, number: usize, request: SocksRequest, length: usize) {
        self.change(number, |connection| {
            connection.socks = Some(request);
            connection.tunnel = Some(length);
        });
    }

    /// The first end counts.
    pub(crate) fn ended(&self, number: usize, end: End) {
        self.change(number, |connection| {
            connection.end.get_or_insert(end);
        });
    }

    /// The server's end was sent.
    pub(crate) fn finished(&self, number: usize) {
        self.change(number, |connection| connection.is_finished = true);
    }

    /// The client's end was read.
    pub(crate) fn drained(&self, number: usize) {
        self.change(number, |connection| {
            connection.is_drained = true;
            connection.end.get_or_insert(End::Client);
        });
    }

    pub(crate) fn handshake_failed(&self, number: usize, why: String) {
        self.change(number, |connection| connection.handshake_error = Some(why));
    }

    pub(crate) fn snapshot(&self) -> Vec<Connection> {
        self.0.borrow().clone()
    }

    /// Looks without copying what was received.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&[Connection]) -> T) -> T {
        at(&self.0.borrow())
    }

    /// What a connection brought from `start` on.
    pub(crate) fn received_from(&self, number: usize, start: usize) -> Vec<u8> {
        self.look(|connections| {
            connections
                .get(number)
                .and_then(|connection| connection.received.get(start..))
                .unwrap_or_default()
                .to_vec()
        })
    }

    /// A request that has arrived, and where the bytes behind the last that did begin.
    pub(crate) fn request(&self, number: usize, index: usize) -> (Request, usize) {
        self.look(|connections| {
            let connection = connections.get(number).expect("an accepted connection");
            let request = connection
                .requests
                .get(index)
                .expect("a request that arrived");
            (request.clone(), connection.parsed)
        })
    }

    /// Waits until `condition` holds of a connection, without bound: only for a server's own tasks.
    pub(crate) async fn until(&self, number: usize, condition: impl Fn(&Connection) -> bool) {
        self.0
            .subscribe()
            .wait_for(|connections| connections.get(number).is_some_and(&condition))
            .await
            .expect("the ledger itself keeps the sender");
    }

    /// Waits until `condition` holds, for a test.
    pub(crate) async fn wait(&self, what: &str, condition: impl Fn(&[Connection]) -> bool) {
        let mut receiver = self.0.subscribe();
        let reached = receiver.wait_for(|connections| condition(connections));
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            fail(&format!(
                "waited {PATIENCE:?} in vain for {what}; the connections are {:#?}",
                self.summary()
            ));
        }
    }

    fn summary(&self) -> Vec<String> {
        self.look(|connections| {
            connections
                .iter()
                .map(|connection| {
                    format!(
                        "{} requests, {} bytes in {} reads, end {:?}, handshake error {:?}",
                        connection.requests.len(),
                        connection.received.len(),
                        connection.reads.len(),
                        connection.end,
                        connection.handshake_error
                    )
                })
                .collect()
        })
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Connection)) {
        self.0.send_modify(|connections| {
            change(connections.get_mut(number).expect("an accepted connection"));
        });
    }
}
