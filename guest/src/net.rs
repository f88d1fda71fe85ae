//! Core's `Net` over `wasi:sockets` and `wasi:clocks`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use urlpool_core::driver::{ConnectError, Net, ResolveError};
use urlpool_core::types::{Instant, Probes, SocketOptions};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::random::get_random_bytes;
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup::resolve_addresses;
use wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
    Network,
};
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::closing::sweep;
use crate::reactor::{self, Source, Turns, sleep_until};
use crate::stream::WasiStream;
use crate::tasks;

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

    async fn dial(
        &self,
        address: SocketAddr,
        options: &SocketOptions,
    ) -> Result<WasiStream, ConnectError> {
        if !sweep(address) {
            return Err(told(ErrorCode::NewSocketLimit));
        }
        let family = if address.is_ipv4() {
            IpAddressFamily::Ipv4
        } else {
            IpAddressFamily::Ipv6
        };
        let socket = create_tcp_socket(family).map_err(told)?;
        tell(&socket, options)?;
        if let Some(source) = options.source {
            self.bind(&socket, source)
                .await
                .map_err(|code| from_source(source, code))?;
        }
        socket
            .start_connect(&self.0, to_wasi(address))
            .map_err(told)?;
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
                Err(code) => return Err(told(code)),
            }
        }
    }

    async fn bind(&self, socket: &TcpSocket, source: SocketAddr) -> Result<(), ErrorCode> {
        socket.start_bind(&self.0, to_wasi(source))?;
        loop {
            match socket.finish_bind() {
                Err(ErrorCode::WouldBlock) => Source::new(socket.subscribe()).ready().await,
                outcome => return outcome,
            }
        }
    }
}

/// A socket that is being connected; dropped half-way, its pollable goes first.
struct Dialled {
    source: Source,
    socket: TcpSocket,
}

/// Sets what must be set before a socket connects.
fn tell(socket: &TcpSocket, options: &SocketOptions) -> Result<(), ConnectError> {
    let SocketOptions {
        source: _,
        keep_alive,
        receive_buffer,
        send_buffer,
        hop_limit,
    } = options;
    let refused = |what: &'static str| {
        move |code: ErrorCode| {
            ConnectError::Failed(format!("the {what} cannot be set: {}", words(code)))
        }
    };
    if let Some(Probes {
        idle,
        interval,
        count,
    }) = keep_alive
    {
        let nanos = |span: &Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        socket
            .set_keep_alive_enabled(true)
            .and_then(|()| socket.set_keep_alive_idle_time(nanos(idle)))
            .and_then(|()| socket.set_keep_alive_interval(nanos(interval)))
            .and_then(|()| socket.set_keep_alive_count(*count))
            .map_err(refused("TCP keep-alive"))?;
    }
    if let Some(size) = receive_buffer {
        socket
            .set_receive_buffer_size((*size).into())
            .map_err(refused("receive buffer"))?;
    }
    if let Some(size) = send_buffer {
        socket
            .set_send_buffer_size((*size).into())
            .map_err(refused("send buffer"))?;
    }
    if let Some(limit) = hop_limit {
        socket.set_hop_limit(*limit).map_err(refused("hop limit"))?;
    }
    Ok(())
}

/// What a failed connection is told as.
fn told(code: ErrorCode) -> ConnectError {
    match code {
        ErrorCode::AccessDenied => ConnectError::Denied("connecting is not allowed".into()),
        code => ConnectError::Failed(words(code)),
    }
}

/// The same where the address to come from is to blame.
fn from_source(source: SocketAddr, code: ErrorCode) -> ConnectError {
    match code {
        ErrorCode::AccessDenied => {
            ConnectError::Denied(format!("the source address {source} is not allowed"))
        }
        code => ConnectError::Failed(format!(
            "the source address {source} cannot be used: {}",
            words(code)
        )),
    }
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

    async fn connect(
        &self,
        address: SocketAddr,
        socket: &SocketOptions,
    ) -> Result<WasiStream, ConnectError> {
        self.dial(address, socket).await
    }

    async fn sleep_until(&self, instant: Instant) {
        sleep_until(instant).await;
    }

    /// By a timer, since the host says what else is ready only where it is waited for.
    async fn pause(&self) {
        if tasks::are_under_way() || Turns::are_taken() {
            sleep_until(self.now()).await;
        }
    }

    fn stands_still(&self) -> bool {
        reactor::stands_still()
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(monotonic_clock::now())
    }

    fn wall_clock(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    fn random(&self, into: &mut [u8]) {
        let drawn = get_random_bytes(into.len() as u64);
        into.iter_mut()
            .zip(drawn)
            .for_each(|(byte, random)| *byte = random);
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
        ErrorCode::AddressInUse => "Address already in use".into(),
        ErrorCode::AddressNotBindable => "Cannot assign requested address".into(),
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
