//! Ports on which nobody answers.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Whether this machine has the loopback address `::1`.
#[must_use]
pub fn has_ipv6() -> bool {
    std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// A port that refuses connections, and that nobody else can take meanwhile: it is bound, and nobody listens.
pub struct RefusingPort {
    socket: TcpSocket,
}

impl RefusingPort {
    /// Takes a free port.
    #[must_use]
    pub fn new() -> Self {
        Self { socket: bound() }
    }

    /// The absolute URL of a path there.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let address = self.socket.local_addr().expect("a bound socket");
        format!("http://{address}{path}")
    }
}

impl Default for RefusingPort {
    fn default() -> Self {
        Self::new()
    }
}

/// A listener whose queue is full, so that connecting to it neither succeeds nor fails.
pub struct DeafListener {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl DeafListener {
    /// Fills the queue; `None` where the kernel takes connections without end.
    pub async fn start() -> Option<Self> {
        let listener = bound().listen(0).expect("a bound socket listens");
        let address = listener.local_addr().expect("a bound listener");
        let mut queue = Vec::new();
        while queue.len() < 64 {
            let connecting = TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(100), connecting).await {
                Ok(stream) => queue.push(stream.ok()?),
                Err(_) => {
                    return Some(Self {
                        listener,
                        _queue: queue,
                    });
                }
            }
        }
        None
    }

    /// The absolute URL of a path there.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let address = self.listener.local_addr().expect("a bound listener");
        format!("http://{address}{path}")
    }
}

fn bound() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .expect("the loopback has a free port");
    socket
}
