//! Core's `Net` over `wasi:sockets` and `wasi:clocks`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use urlpool_core::driver::{ConnectError, Net, ResolveError};
use urlpool_core::types::Instant;
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
    Network,
};
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::closing::sweep;
use crate::reactor::{Source, sleep_until};
use crate::stream::WasiStream;

/// The network that the component's instance was given.
pub(crate) struct WasiNet(Network);

impl WasiNet {
    pub(crate) fn new() -> Self {
        Self(instance_network())
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ErrorCode> {
        let stream = resolve_addresses(&self.0, name)?;
        let source = Source::new(stream.subscribe());
        let mut addresses = Vec::new();
        let outcome = loop {
            match stream.resolve_next_address() {
                Ok(Some(address)) => addresses.push(to_std(address)),
                Ok(None) => break Ok(addresses),
                Err(ErrorCode::WouldBlock) => source.ready().await,
                Err(code) => break Err(code),
            }
        };
        drop(source);
        outcome
    }

    async fn dial(&self, address: SocketAddr) -> Result<WasiStream, ErrorCode> {
        if !sweep(address) {
            return Err(ErrorCode::NewSocketLimit);
        }
        let family = if address.is_ipv4() {
            IpAddressFamily::Ipv4
        } else {
            IpAddressFamily::Ipv6
        };
        let socket = create_tcp_socket(family)?;
        socket.start_connect(&self.0, to_wasi(address))?;
        let dialled = Dialled {
            source: Source::new(socket.subscribe()),
            socket,
        };
        loop {
            match dialled.socket.finish_connect() {
                Ok((input, output)) => {
                    let Dialled { source, socket } = dialled;
                    drop(source);
                    return Ok(WasiStream::new(socket, input, output, address));
                }
                Err(ErrorCode::WouldBlock) => dialled.source.ready().await,
                Err(code) => return Err(code),
            }
        }
    }
}

/// A socket that is being connected; dropped half-way, its pollable goes first.
struct Dialled {
    source: Source,
    socket: wasi::sockets::tcp::TcpSocket,
}

impl Net for WasiNet {
    type Tcp = WasiStream;

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.addresses(name).await.map_err(|code| match code {
            ErrorCode::AccessDenied => ResolveError::Denied(format!("looking up '{name}'")),
            // wasmtime says this, and nothing else, where name lookup as a whole is not allowed.
            ErrorCode::PermanentResolverFailure => {
                ResolveError::Denied(format!("looking up '{name}': name lookup is not allowed"))
            }
            code => ResolveError::Failed(words(code)),
        })
    }

    async fn connect(&self, address: SocketAddr) -> Result<WasiStream, ConnectError> {
        self.dial(address).await.map_err(|code| match code {
            ErrorCode::AccessDenied => ConnectError::Denied("connecting is not allowed".into()),
            code => ConnectError::Failed(words(code)),
        })
    }

    async fn sleep_until(&self, instant: Instant) {
        sleep_until(instant).await;
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(monotonic_clock::now())
    }

    fn wall_clock(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }
}

/// The words that people know from elsewhere.
fn words(code: ErrorCode) -> String {
    match code {
        ErrorCode::ConnectionRefused => "Connection refused".into(),
        ErrorCode::ConnectionReset => "Connection reset by peer".into(),
        ErrorCode::ConnectionAborted => "Connection aborted".into(),
        ErrorCode::RemoteUnreachable => "Network is unreachable".into(),
        ErrorCode::Timeout => "Connection timed out".into(),
        ErrorCode::NameUnresolvable => "Name or service not known".into(),
        ErrorCode::TemporaryResolverFailure => "Temporary failure in name resolution".into(),
        ErrorCode::InvalidArgument => "Invalid address".into(),
        ErrorCode::NewSocketLimit => {
            "too many connections are open whose peers take nothing".into()
        }
        other => other.name().to_owned(),
    }
}

fn to_std(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: address.port(),
                address: (a, b, c, d),
            })
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: v6.port(),
                flow_info: v6.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: v6.scope_id(),
            })
        }
    }
}
