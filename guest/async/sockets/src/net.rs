//! Core's `Net` over `wasi:sockets` and `wasi:clocks`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use urlpool_core::driver::{ConnectError, Net, ResolveError};
use urlpool_core::types::{Instant, Probes, SocketOptions};

use crate::bindings::wasi::clocks::{monotonic_clock, system_clock};
use crate::bindings::wasi::random::random::get_random_bytes;
use crate::bindings::wasi::sockets::ip_name_lookup::{ErrorCode as LookupError, resolve_addresses};
use crate::bindings::wasi::sockets::types::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
    TcpSocket,
};
use crate::stream::Tcp;

/// The network that the component's instance was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncNet;

impl Net for AsyncNet {
    type Tcp = Tcp;

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let addresses = resolve_addresses(name.to_owned()).await;
        let addresses = addresses.map_err(|code| unresolved(name, code))?;
        Ok(addresses.into_iter().map(to_std).collect())
    }

    async fn connect(
        &self,
        address: SocketAddr,
        options: &SocketOptions,
    ) -> Result<Tcp, ConnectError> {
        let family = if address.is_ipv4() {
            IpAddressFamily::Ipv4
        } else {
            IpAddressFamily::Ipv6
        };
        let socket = TcpSocket::create(family).map_err(told)?;
        tell(&socket, options)?;
        if let Some(source) = options.source {
            let bound = socket.bind(to_wasi(source));
            bound.map_err(|code| from_source(source, code))?;
        }
        let connected = socket.connect(to_wasi(address)).await;
        connected.map_err(told)?;
        Ok(Tcp::new(socket))
    }

    async fn sleep_until(&self, instant: Instant) {
        monotonic_clock::wait_until(instant.as_nanos()).await;
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(monotonic_clock::now())
    }

    fn wall_clock(&self) -> Duration {
        let now = system_clock::now();
        Duration::new(u64::try_from(now.seconds).unwrap_or(0), now.nanoseconds)
    }

    fn random(&self, into: &mut [u8]) {
        let mut rest = into;
        // A host may answer with fewer bytes than were asked for, though with one at least.
        while !rest.is_empty() {
            let drawn = get_random_bytes(rest.len() as u64);
            let (filled, left) = rest.split_at_mut(drawn.len().min(rest.len()));
            filled
                .iter_mut()
                .zip(drawn)
                .for_each(|(byte, random)| *byte = random);
            rest = left;
        }
    }
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
            ConnectError::Failed(format!("the {what} cannot be set: {}", words(&code)))
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

/// What a failed look-up is told as.
fn unresolved(name: &str, code: LookupError) -> ResolveError {
    match code {
        LookupError::AccessDenied => ResolveError::Denied(format!("looking up '{name}'")),
        // wasmtime says this, and nothing else, where name lookup as a whole is not allowed.
        LookupError::PermanentResolverFailure => {
            ResolveError::Denied(format!("looking up '{name}': name lookup is not allowed"))
        }
        LookupError::NameUnresolvable => ResolveError::Failed("Name or service not known".into()),
        LookupError::TemporaryResolverFailure => {
            ResolveError::Failed("Temporary failure in name resolution".into())
        }
        LookupError::InvalidArgument => ResolveError::Failed("Invalid name".into()),
        LookupError::Other(why) => ResolveError::Failed(why.unwrap_or_else(|| "unknown".into())),
    }
}

/// What a failed connection is told as.
fn told(code: ErrorCode) -> ConnectError {
    match code {
        ErrorCode::AccessDenied => ConnectError::Denied("connecting is not allowed".into()),
        code => ConnectError::Failed(words(&code)),
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
            words(&code)
        )),
    }
}

/// The words that people know from elsewhere.
pub(crate) fn words(code: &ErrorCode) -> String {
    let words = match code {
        ErrorCode::ConnectionRefused => "Connection refused",
        ErrorCode::ConnectionReset => "Connection reset by peer",
        ErrorCode::ConnectionAborted => "Connection aborted",
        ErrorCode::ConnectionBroken => "Broken pipe",
        ErrorCode::RemoteUnreachable => "Network is unreachable",
        ErrorCode::Timeout => "Connection timed out",
        ErrorCode::InvalidArgument => "Invalid address",
        ErrorCode::AddressInUse => "Address already in use",
        ErrorCode::AddressNotBindable => "Cannot assign requested address",
        ErrorCode::OutOfMemory => "Cannot allocate memory",
        ErrorCode::AccessDenied => "Permission denied",
        ErrorCode::NotSupported => "Operation not supported",
        ErrorCode::InvalidState => "the socket is in another state",
        ErrorCode::DatagramTooLarge => "Message too long",
        ErrorCode::Other(why) => why.as_deref().unwrap_or("unknown"),
    };
    words.to_owned()
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
