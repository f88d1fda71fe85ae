//! Core's `Net` over tokio: the same client without a sandbox.
//!
//! Core is not `Send`: run it on one thread, for example in a `LocalSet` or under `Runtime::block_on`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv, sockopt};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::yield_now;
use tokio::time;
use urlpool_core::driver::{ByteStream, ConnectError, IoError, Net, ResolveError};
use urlpool_core::types::{Instant, Probes, SocketOptions};

/// What is read of an idle connection, where at most a session ticket should be.
const MAX_TRY: usize = 4 * 1024;
/// The longest that Linux lets a probe wait (`MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL`).
const MAX_PROBE_SECONDS: u64 = 32_767;
/// The most probes that Linux sends (`MAX_TCP_KEEPCNT`).
const MAX_PROBES: u32 = 127;

/// The network of this process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use urlpool_core::driver::Net as _;
/// use urlpool_host::net::TokioNet;
///
/// let addresses = TokioNet::new().resolve("localhost").await;
/// assert!(addresses.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioNet {
    start: time::Instant,
}

impl TokioNet {
    /// The network, with a clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: time::Instant::now(),
        }
    }
}

impl Default for TokioNet {
    fn default() -> Self {
        Self::new()
    }
}

impl Net for TokioNet {
    type Tcp = Tcp;

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let addresses = lookup_host((name, 0))
            .await
            .map_err(|cause| ResolveError::Failed(cause.to_string()))?;
        Ok(addresses.map(|address| address.ip()).collect())
    }

    async fn connect(
        &self,
        address: SocketAddr,
        socket: &SocketOptions,
    ) -> Result<Tcp, ConnectError> {
        let socket = prepared(address, socket)?;
        match socket.connect(address).await {
            Ok(stream) => Ok(Tcp(stream)),
            Err(cause) => Err(ConnectError::Failed(cause.to_string())),
        }
    }

    async fn sleep_until(&self, instant: Instant) {
        time::sleep_until(self.start + Duration::from_nanos(instant.as_nanos())).await;
    }

    async fn pause(&self) {
        yield_now().await;
    }

    fn now(&self) -> Instant {
        Instant::default().after(self.start.elapsed())
    }

    fn wall_clock(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }

    #[expect(
        clippy::expect_used,
        reason = "whatever needs it must not go on with bytes that can be guessed"
    )]
    fn random(&self, into: &mut [u8]) {
        getrandom::fill(into).expect("the system has a source of randomness");
    }
}

/// A socket that was told all that must be said before it connects.
fn prepared(address: SocketAddr, options: &SocketOptions) -> Result<TcpSocket, ConnectError> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.map_err(|cause| ConnectError::Failed(cause.to_string()))?;
    tell(&socket, address, options)?;
    if let Some(source) = options.source {
        // A port of the caller's choosing may still be remembered from its last connection; WASI hosts do the same.
        let may_reuse = source.port() != 0;
        socket
            .set_reuseaddr(may_reuse)
            .and_then(|()| socket.bind(source))
            .map_err(|cause| {
                ConnectError::Failed(format!(
                    "the source address {source} cannot be used: {cause}"
                ))
            })?;
    }
    Ok(socket)
}

/// Sets what must be set before a socket connects.
fn tell(
    socket: &TcpSocket,
    address: SocketAddr,
    options: &SocketOptions,
) -> Result<(), ConnectError> {
    let SocketOptions {
        source: _,
        keep_alive,
        receive_buffer,
        send_buffer,
        hop_limit,
    } = options;
    let refused = |what: &'static str| {
        move |cause: io::Error| ConnectError::Failed(format!("the {what} cannot be set: {cause}"))
    };
    socket
        .set_nodelay(true)
        .map_err(refused("no-delay option"))?;
    if let Some(probes) = keep_alive {
        probe(socket, probes).map_err(refused("TCP keep-alive"))?;
    }
    if let Some(size) = receive_buffer {
        socket
            .set_recv_buffer_size(*size)
            .map_err(refused("receive buffer"))?;
    }
    if let Some(size) = send_buffer {
        socket
            .set_send_buffer_size(*size)
            .map_err(refused("send buffer"))?;
    }
    if let Some(limit) = hop_limit {
        let outcome = if address.is_ipv4() {
            sockopt::set_ip_ttl(socket, (*limit).into())
        } else {
            sockopt::set_ipv6_unicast_hops(socket, Some(*limit))
        };
        outcome.map_err(|errno| refused("hop limit")(errno.into()))?;
    }
    Ok(())
}

/// Durations are set in whole seconds, of which there are at least 1 and at most [`MAX_PROBE_SECONDS`].
fn probe(socket: &TcpSocket, probes: &Probes) -> io::Result<()> {
    let whole = |span: Duration| {
        let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
        Duration::from_secs(seconds.clamp(1, MAX_PROBE_SECONDS))
    };
    socket.set_keepalive(true)?;
    sockopt::set_tcp_keepidle(socket, whole(probes.idle))?;
    sockopt::set_tcp_keepintvl(socket, whole(probes.interval))?;
    sockopt::set_tcp_keepcnt(socket, probes.count.clamp(1, MAX_PROBES))?;
    Ok(())
}

/// A TCP connection.
///
/// ```no_run
/// # async fn example() -> Result<(), urlpool_core::driver::ConnectError> {
/// use urlpool_core::driver::Net as _;
/// use urlpool_core::types::SocketOptions;
/// use urlpool_host::net::{Tcp, TokioNet};
///
/// let address = ([127, 0, 0, 1], 8080).into();
/// let tcp: Tcp = TokioNet::new().connect(address, &SocketOptions::default()).await?;
/// # drop(tcp);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Tcp(TcpStream);

impl ByteStream for Tcp {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        into.reserve(max);
        let mut limited = bytes::BufMut::limit(into, max);
        let read = pin!(self.0.read_buf(&mut limited));
        read.poll(context).map_err(gone)
    }

    /// Asks the socket itself: what tokio knows of it is as old as the last turn of its loop.
    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        let mut buffer = vec![0; max.min(MAX_TRY)];
        match recv(&self.0, &mut buffer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => None,
            Err(cause) => Some(Err(gone(cause.into()))),
            Ok((count, _)) => {
                into.extend(buffer.get(..count).unwrap_or_default());
                Some(Ok(count))
            }
        }
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        Pin::new(&mut self.0)
            .poll_write(context, bytes)
            .map_err(gone)
    }
}

fn gone(cause: io::Error) -> IoError {
    IoError::gone(cause.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use urlpool_core::driver::Manager;
    use urlpool_core::types::{Content, ManagerSettings, RequestOptions};

    use super::*;

    #[test]
    fn a_connection_that_its_server_has_written_to_is_not_quiet() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut tcp = runtime
            .block_on(TokioNet::new().connect(address, &SocketOptions::default()))
            .unwrap();
        assert_eq!(tcp.try_read(1, &mut Vec::new()), None);
        let (mut server, _) = listener.accept().unwrap();
        io::Write::write_all(&mut server, b"unasked").unwrap();
        // The loopback has delivered it once the write returned; the runtime has not run since.
        assert_eq!(tcp.try_read(1, &mut Vec::new()), Some(Ok(1)));
    }

    #[tokio::test]
    async fn a_socket_is_told_before_it_connects() {
        for home in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has IPv6.
            let Ok(listener) = TcpListener::bind(home).await else {
                continue;
            };
            let source = match listener.local_addr().unwrap() {
                SocketAddr::V4(_) => "127.0.0.2:0",
                SocketAddr::V6(_) => "[::1]:0",
            };
            let options = SocketOptions {
                source: Some(source.parse().unwrap()),
                keep_alive: Some(Probes {
                    idle: Duration::from_millis(59_001),
                    interval: Duration::from_millis(1),
                    count: 300,
                }),
                receive_buffer: Some(16_384),
                send_buffer: Some(16_384),
                hop_limit: Some(9),
            };
            let address = listener.local_addr().unwrap();
            let Tcp(stream) = TokioNet::new().connect(address, &options).await.unwrap();
            let (_, seen) = listener.accept().await.unwrap();
            assert_eq!(seen.ip(), options.source.unwrap().ip(), "{home}");
            assert!(stream.nodelay().unwrap(), "{home}");
            assert!(sockopt::socket_keepalive(&stream).unwrap(), "{home}");
            let probes = (
                sockopt::tcp_keepidle(&stream).unwrap(),
                sockopt::tcp_keepintvl(&stream).unwrap(),
                sockopt::tcp_keepcnt(&stream).unwrap(),
            );
            let seconds = Duration::from_secs;
            assert_eq!(probes, (seconds(60), seconds(1), MAX_PROBES), "{home}");
            // Linux doubles what it is told.
            let buffers = [
                sockopt::socket_recv_buffer_size(&stream).unwrap(),
                sockopt::socket_send_buffer_size(&stream).unwrap(),
            ];
            assert_eq!(buffers, [32_768; 2], "{home}");
            let hops = match address {
                SocketAddr::V4(_) => sockopt::ip_ttl(&stream).unwrap(),
                SocketAddr::V6(_) => sockopt::ipv6_unicast_hops(&stream).unwrap().into(),
            };
            assert_eq!(hops, 9, "{home}");
        }
    }

    #[tokio::test]
    async fn a_source_that_is_not_ours_is_to_blame() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = SocketOptions {
            source: Some("192.0.2.1:0".parse().unwrap()),
            ..SocketOptions::default()
        };
        let address = listener.local_addr().unwrap();
        let outcome = TokioNet::new().connect(address, &options).await;
        let Err(ConnectError::Failed(why)) = outcome else {
            panic!("nobody has an address that is kept for documentation");
        };
        assert!(
            why.starts_with("the source address 192.0.2.1:0 cannot be used: "),
            "{why}"
        );
    }

    #[test]
    fn random_bytes_differ() {
        let drawn = || {
            let mut bytes = [0; 32];
            TokioNet::new().random(&mut bytes);
            bytes
        };
        assert_ne!(drawn(), drawn());
    }

    #[tokio::test]
    async fn core_runs_over_tokio() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
                    .await
                    .unwrap();
            }
        };
        let client = async {
            let manager = Manager::new(TokioNet::new(), ManagerSettings::default()).unwrap();
            for is_reused in [false, true] {
                let mut response = manager
                    .request("GET", &url, Content::Empty, RequestOptions::default())
                    .await
                    .unwrap();
                assert_eq!(response.head().connection.reused, is_reused);
                assert_eq!(response.read_all(5).await.unwrap(), b"hello");
            }
        };
        tokio::join!(server, client);
    }
}
