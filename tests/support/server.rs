//! A listener on the loopback whose connections a [`Conversation`] serves and a [`Ledger`] records.
//!
//! Each connection is read by a task of its own, so that the client's end is seen whatever the conversation waits for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::authority::Tls;
use crate::ledger::{Connection, End, Ledger};
use crate::request::Request;

/// How many clients may connect before the first is accepted. One more would have to try again a second later.
const QUEUE: u32 = 1024;

/// What a server does with a connection.
pub(crate) trait Conversation: Send + Sync + 'static {
    /// Serves one connection; returning closes it.
    fn talk(&self, link: Link) -> impl Future<Output = ()> + Send;

    /// Whether what arrives are requests of HTTP.
    fn reads_requests(&self) -> bool {
        true
    }

    /// Whether that connection is to end in a reset instead of an orderly close.
    fn resets(&self, _number: usize) -> bool {
        false
    }
}

/// One connection, as its conversation sees it.
pub(crate) struct Link {
    pub(crate) ledger: Ledger,
    pub(crate) number: usize,
    writer: Box<dyn AsyncWrite + Send + Sync + Unpin>,
}

impl Link {
    /// Sends bytes; false where the client is gone.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        let is_sent = sent.await.is_ok();
        if !is_sent {
            // The reading task may not have got round to noticing.
            self.ledger.ended(self.number, End::Client);
        }
        is_sent
    }

    /// Waits for `event` or the client's end, whichever comes first; false where it was the end.
    pub(crate) async fn unless_ended(&self, event: impl Future<Output = ()>) -> bool {
        tokio::select! {
            () = event => true,
            () = self.ended() => false,
        }
    }

    /// Waits for the client to close.
    pub(crate) async fn ended(&self) {
        let is_ended = |connection: &Connection| connection.end == Some(End::Client);
        self.ledger.until(self.number, is_ended).await;
    }

    /// Waits, after [`finish`](Self::finish), for the client to close too: closing before it would reset what it has not yet read.
    pub(crate) async fn drained(&self) {
        self.ledger
            .until(self.number, |connection| connection.is_drained)
            .await;
    }

    /// Says that no more bytes follow; the client may still send.
    pub(crate) async fn finish(&mut self) {
        self.ledger.ended(self.number, End::Server);
        // A client that has gone away has been recorded as such.
        let _ = self.writer.shutdown().await;
        self.ledger.finished(self.number);
    }
}

/// A running server. Dropping it closes everything.
pub struct Server {
    ledger: Ledger,
    address: SocketAddr,
    scheme: &'static str,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(
        conversation: impl Conversation,
        tls: Option<Tls>,
        on_ipv6: bool,
    ) -> Self {
        let (socket, address): (_, IpAddr) = if on_ipv6 {
            (TcpSocket::new_v6(), Ipv6Addr::LOCALHOST.into())
        } else {
            (TcpSocket::new_v4(), Ipv4Addr::LOCALHOST.into())
        };
        let socket = socket.expect("this machine has TCP");
        socket
            .bind((address, 0).into())
            .expect("the loopback has a free port");
        let listener = socket.listen(QUEUE).expect("a bound socket listens");
        let address = listener.local_addr().expect("a bound listener");
        let ledger = Ledger::new();
        Self {
            scheme: if tls.is_some() { "https" } else { "http" },
            task: tokio::spawn(accept(listener, ledger.clone(), conversation, tls)),
            ledger,
            address,
        }
    }

    /// The absolute URL of a path here, by address.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The same under another name for the loopback.
    #[must_use]
    pub fn url_as(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.port())
    }

    /// The URL of a proxy here, under a scheme that says how it is to be used.
    #[must_use]
    pub fn proxy_url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// `address:port`, as it stands in `Host`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections have been accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.ledger.look(<[Connection]>::len)
    }

    /// How many connections the client has closed.
    #[must_use]
    pub fn closed_by_client(&self) -> usize {
        self.ledger.look(ended_by_client)
    }

    /// All connections so far.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.ledger.snapshot()
    }

    /// All requests so far, connection by connection.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.connections()
            .into_iter()
            .flat_map(|connection| connection.requests)
            .collect()
    }

    /// The only request so far.
    ///
    /// # Panics
    /// Where there is none, or more than one.
    #[must_use]
    pub fn request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "requests at the server");
        requests.remove(0)
    }

    /// Waits until that many connections have been accepted.
    pub async fn connected(&self, count: usize) {
        let what = format!("{count} connections");
        self.ledger
            .wait(&what, |connections| connections.len() >= count)
            .await;
    }

    /// Waits until that many connections have been closed by the client.
    pub async fn closed(&self, count: usize) {
        let what = format!("the client to close {count} connections");
        self.ledger
            .wait(&what, |connections| ended_by_client(connections) >= count)
            .await;
    }

    /// Waits until that many connections have been closed by this server.
    pub async fn hung_up(&self, count: usize) {
        let what = format!("the server to close {count} connections");
        let by_server = |connection: &&Connection| connection.is_finished;
        self.ledger
            .wait(&what, |connections| {
                connections.iter().filter(by_server).count() >= count
            })
            .await;
    }

    /// Waits until that many whole requests have arrived.
    pub async fn requested(&self, count: usize) {
        let what = format!("{count} requests");
        let requests = |connections: &[Connection]| -> usize {
            connections.iter().map(|each| each.requests.len()).sum()
        };
        self.ledger
            .wait(&what, |connections| requests(connections) >= count)
            .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn ended_by_client(connections: &[Connection]) -> usize {
    connections
        .iter()
        .filter(|connection| connection.end == Some(End::Client))
        .count()
}

async fn accept(
    listener: TcpListener,
    ledger: Ledger,
    conversation: impl Conversation,
    tls: Option<Tls>,
) {
    let conversation = Arc::new(conversation);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (ledger, conversation) = (ledger.clone(), Arc::clone(&conversation));
        let tls = tls.clone();
        let number = ledger.accepted();
        if !conversation.reads_requests() {
            ledger.opaque(number);
        }
        connections.spawn(async move {
            if conversation.resets(number) {
                stream.set_zero_linger().expect("an open socket");
            }
            stream.set_nodelay(true).expect("an open socket");
            let tap = Tap {
                stream,
                ledger: ledger.clone(),
                number,
            };
            match tls {
                None => serve(tap, ledger, number, &*conversation).await,
                Some(tls) => match TlsAcceptor::from(tls.config()).accept(tap).await {
                    Ok(stream) => serve(stream, ledger, number, &*conversation).await,
                    Err(error) => {
                        ledger.handshake_failed(number, error.to_string());
                        ledger.ended(number, End::Client);
                    }
                },
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    ledger: Ledger,
    number: usize,
    conversation: &impl Conversation,
) {
    let (reader, writer) = tokio::io::split(stream);
    let mut reading = JoinSet::new();
    reading.spawn(read(reader, ledger.clone(), number));
    let link = Link {
        ledger: ledger.clone(),
        number,
        writer: Box::new(writer),
    };
    conversation.talk(link).await;
    ledger.ended(number, End::Server);
}

/// Reads until the client's end. The socket closes when this and the conversation are both over.
async fn read(mut reader: impl AsyncRead + Unpin, ledger: Ledger, number: usize) {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match reader.read(&mut buffer).await {
            Ok(length @ 1..) => {
                ledger.received(number, buffer.get(..length).unwrap_or_default());
            }
            Ok(0) | Err(_) => return ledger.drained(number),
        }
    }
}

/// A socket that records the length of each read.
struct Tap {
    stream: TcpStream,
    ledger: Ledger,
    number: usize,
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let length = buffer.filled().len() - before;
        if length > 0 {
            self.ledger.read(self.number, length);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
