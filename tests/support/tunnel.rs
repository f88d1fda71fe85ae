//! What a proxy does when it is asked for a tunnel.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gate::Gate;
use crate::ledger::Connection;
use crate::server::Link;

/// How much of an origin's bytes goes on at once.
const BUFFER: usize = 64 * 1024;

#[derive(Clone, Debug)]
enum Reply {
    /// The one that the protocol has for success.
    Good,
    /// These bytes.
    Raw(Vec<u8>),
    /// A refusal with this code of SOCKS.
    Code(u8),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Then {
    Relay,
    Close,
    Hold,
}

/// The answer to one request for a tunnel.
#[derive(Clone, Debug)]
pub struct Tunnel {
    reply: Reply,
    extra: Vec<u8>,
    then: Then,
    before: Option<Gate>,
    byte_by_byte: bool,
    most: usize,
}

impl Tunnel {
    /// Opens it, as asked.
    #[must_use]
    pub fn open() -> Self {
        Self::new(Reply::Good, Then::Relay)
    }

    /// Sends these bytes for a reply and goes on as if it were a good one.
    #[must_use]
    pub fn opening_with(reply: impl Into<Vec<u8>>) -> Self {
        Self::new(Reply::Raw(reply.into()), Then::Relay)
    }

    /// Sends these bytes for a reply and closes.
    #[must_use]
    pub fn refusing_with(reply: impl Into<Vec<u8>>) -> Self {
        Self::new(Reply::Raw(reply.into()), Then::Close)
    }

    /// Refuses with this code of SOCKS: 1 to 8 of version 5 (RFC 1928, section 6), 91 to 93 of version 4.
    #[must_use]
    pub fn code(code: u8) -> Self {
        Self::new(Reply::Code(code), Then::Close)
    }

    /// Closes without a word.
    #[must_use]
    pub fn closing() -> Self {
        Self::refusing_with("")
    }

    /// Opens it and closes once that many bytes of the target's have gone through.
    #[must_use]
    pub fn closing_after(bytes: usize) -> Self {
        Self {
            most: bytes,
            ..Self::open()
        }
    }

    /// Never answers.
    #[must_use]
    pub fn holding() -> Self {
        Self::new(Reply::Raw(Vec::new()), Then::Hold)
    }

    /// Sends these bytes behind the reply, in the same write.
    #[must_use]
    pub fn extra(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.extra = bytes.into();
        self
    }

    /// Answers only when the gate is open.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.before = Some(gate.clone());
        self
    }

    /// Sends each byte of the answer in a write of its own.
    #[must_use]
    pub fn byte_by_byte(mut self) -> Self {
        self.byte_by_byte = true;
        self
    }

    fn new(reply: Reply, then: Then) -> Self {
        Self {
            reply,
            extra: Vec::new(),
            then,
            before: None,
            byte_by_byte: false,
            most: usize::MAX,
        }
    }

    /// Answers a client that wants to reach `port` and whose bytes from `start` on are for whoever listens there. `good` and `refusal` make
    /// replies of the proxy's protocol.
    pub(crate) async fn answer(
        &self,
        link: &mut Link,
        port: u16,
        start: usize,
        good: impl FnOnce() -> Vec<u8>,
        refusal: impl Fn(u8) -> Vec<u8>,
    ) {
        if let Some(gate) = &self.before
            && !link.unless_ended(gate.passed()).await
        {
            return;
        }
        let upstream = match self.then {
            Then::Relay => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok(),
            Then::Close | Then::Hold => None,
        };
        let mut reply = match (&self.reply, self.then) {
            // What every protocol here has for a target that cannot be reached.
            (Reply::Good, _) if upstream.is_none() => refusal(UNREACHABLE),
            (Reply::Good, _) => good(),
            (Reply::Raw(bytes), _) => bytes.clone(),
            (Reply::Code(code), _) => refusal(*code),
        };
        reply.extend_from_slice(&self.extra);
        if !self.send(link, &reply).await {
            return;
        }
        match (self.then, upstream) {
            (Then::Hold, _) => link.ended().await,
            (_, Some(upstream)) => relay(link, start, upstream, self.most).await,
            (_, None) => {
                link.finish().await;
                link.drained().await;
            }
        }
    }

    async fn send(&self, link: &mut Link, bytes: &[u8]) -> bool {
        let size = if self.byte_by_byte {
            1
        } else {
            bytes.len().max(1)
        };
        for piece in bytes.chunks(size) {
            if !link.send(piece).await {
                return false;
            }
            // Whoever reads gets a turn, so that the pieces arrive as pieces.
            tokio::task::yield_now().await;
        }
        true
    }
}

/// Answers in the order given, whatever the connection; the last is repeated.
#[derive(Default)]
pub(crate) struct Tunnels(Mutex<VecDeque<Tunnel>>);

impl Tunnels {
    pub(crate) fn add(&self, tunnel: Tunnel) {
        self.queue().push_back(tunnel);
    }

    /// The next answer; without any it opens.
    pub(crate) fn next(&self) -> Tunnel {
        let mut queue = self.queue();
        let next = if queue.len() > 1 {
            queue.pop_front()
        } else {
            queue.front().cloned()
        };
        next.unwrap_or_else(Tunnel::open)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Tunnel>> {
        self.0.lock().expect("nobody panics meanwhile")
    }
}

/// "Connection refused" of SOCKS 5.
const UNREACHABLE: u8 = 5;

/// Carries bytes both ways until both have ended; to the client no more than `most`.
async fn relay(link: &mut Link, start: usize, upstream: TcpStream, most: usize) {
    let (mut reader, mut writer) = upstream.into_split();
    let (ledger, number) = (link.ledger.clone(), link.number);
    let to_origin = async move {
        let mut sent = start;
        loop {
            let news =
                |connection: &Connection| connection.received.len() > sent || connection.is_drained;
            ledger.until(number, news).await;
            let bytes = ledger.received_from(number, sent);
            sent += bytes.len();
            if bytes.is_empty() || writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // An origin that has gone away has said so in the other direction.
        let _ = writer.shutdown().await;
    };
    let to_client = async {
        let mut buffer = vec![0; BUFFER];
        let mut left = most;
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            let length = length.min(left);
            if !link.send(buffer.get(..length).unwrap_or_default()).await {
                return;
            }
            left -= length;
            if left == 0 {
                break;
            }
        }
        link.finish().await;
    };
    tokio::join!(to_origin, to_client);
}
