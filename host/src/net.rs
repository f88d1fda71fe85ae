//! Core's `Net` over tokio: the same client without a sandbox.
//!
//! Core is not `Send`: run it on one thread, for example in a `LocalSet` or under `Runtime::block_on`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time;
use urlpool_core::driver::{ByteStream, ConnectError, IoError, Net, ResolveError};
use urlpool_core::types::Instant;

/// What is read of an idle connection, where at most a session ticket should be.
const MAX_TRY: usize = 4 * 1024;

/// The network of this process.
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

    async fn connect(&self, address: SocketAddr) -> Result<Tcp, ConnectError> {
        let open = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            io::Result::Ok(Tcp(stream))
        };
        open.await
            .map_err(|cause| ConnectError::Failed(cause.to_string()))
    }

    async fn sleep_until(&self, instant: Instant) {
        time::sleep_until(self.start + Duration::from_nanos(instant.as_nanos())).await;
    }

    fn now(&self) -> Instant {
        Instant::default().after(self.start.elapsed())
    }

    fn wall_clock(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// A TCP connection.
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
        let mut tcp = runtime.block_on(TokioNet::new().connect(address)).unwrap();
        assert_eq!(tcp.try_read(1, &mut Vec::new()), None);
        let (mut server, _) = listener.accept().unwrap();
        io::Write::write_all(&mut server, b"unasked").unwrap();
        // The loopback has delivered it once the write returned; the runtime has not run since.
        assert_eq!(tcp.try_read(1, &mut Vec::new()), Some(Ok(1)));
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
