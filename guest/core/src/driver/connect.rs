//! Opening a connection: name lookup, TCP to one address after another, TLS.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};

use super::bounded::bounded;
use super::connection::Connection;
use super::pool::Pool;
use super::shared::Shared;
use super::transport::{Tls, Transport};
use super::{ConnectError, IoError, IoKind, Net, ResolveError};
use crate::policy::{Clocks, share};
use crate::types::{AttemptError, Cause, Event, Phase, Sent};

/// Opens a connection to the pool's origin.
pub(super) async fn open<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
) -> Result<Connection<N>, AttemptError> {
    let addresses = resolve(pool, clocks).await?;
    let (tcp, remote) = dial(pool, clocks, &addresses).await?;
    let number = pool.shared.next_number();
    pool.count_connection();
    pool.shared.tell(|| Event::Connected {
        number,
        remote: remote.to_string(),
    });
    let transport = secure(pool, clocks, tcp, number).await?;
    Ok(Connection {
        transport,
        number,
        remote: remote.to_string(),
        inbox: Vec::new(),
        reused: false,
    })
}

async fn resolve<N: Net>(pool: &Pool<N>, clocks: &Clocks) -> Result<Vec<IpAddr>, AttemptError> {
    let host = pool.key.origin.host();
    if let Some(address) = host.address() {
        return Ok(vec![address]);
    }
    let net = &pool.shared.net;
    let bound = clocks.bound(Phase::Resolve, || net.now());
    let cause = match bounded(net, bound, net.resolve(host.as_str())).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => {
            let shown = || addresses.iter().map(IpAddr::to_string).collect();
            pool.shared.tell(|| Event::Resolved {
                host: host.as_str().to_owned(),
                addresses: shown(),
            });
            return Ok(addresses);
        }
        Ok(Ok(_)) => Cause::Unresolved("the name has no address".into()),
        Ok(Err(ResolveError::Denied(what))) => Cause::Denied(what),
        Ok(Err(ResolveError::Failed(why))) => Cause::Unresolved(why),
        Err(expiry) => Cause::TimedOut(expiry),
    };
    Err(failed(Phase::Resolve, cause))
}

/// Tries every address in turn, each with its share of the time; what the last one says is what the caller hears.
async fn dial<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
    addresses: &[IpAddr],
) -> Result<(N::Tcp, SocketAddr), AttemptError> {
    let net = &pool.shared.net;
    let mut last = Cause::Unresolved("the name has no address".into());
    for (tried, address) in addresses.iter().enumerate() {
        let remote = SocketAddr::new(*address, pool.key.origin.port());
        let bound = clocks.bound(Phase::Connect, || net.now());
        let own = bound.and_then(|_| share(bound, net.now(), addresses.len() - tried));
        last = match bounded(net, own, net.connect(remote)).await {
            Ok(Ok(tcp)) => return Ok((tcp, remote)),
            Ok(Err(ConnectError::Denied(what))) => Cause::Denied(format!("{remote}: {what}")),
            Ok(Err(ConnectError::Failed(why))) => Cause::NotConnected(format!("{remote}: {why}")),
            Err(expiry) => Cause::TimedOut(expiry),
        };
    }
    Err(failed(Phase::Connect, last))
}

async fn secure<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
    tcp: N::Tcp,
    number: u64,
) -> Result<Transport<N>, AttemptError> {
    let Some(config) = &pool.tls else {
        return Ok(Transport::Tcp(tcp));
    };
    let mut opening = Opening {
        shared: &pool.shared,
        number,
        is_done: false,
    };
    let net = &pool.shared.net;
    pool.shared.wall_clock.set(net.wall_clock());
    let shake_hands = async {
        let mut tls = Tls::new(tcp, config, pool.key.origin.host())?;
        poll_fn(|context| tls.poll_handshake(context)).await?;
        Ok(tls)
    };
    let bound = clocks.bound(Phase::Handshake, || net.now());
    let outcome = bounded(net, bound, shake_hands).await;
    let cause = match outcome {
        Ok(Ok(tls)) => {
            opening.is_done = true;
            pool.shared.tell(|| Event::Secured {
                number,
                version: tls.version(),
                suite: tls.suite(),
            });
            return Ok(Transport::Tls(Box::new(tls)));
        }
        Ok(Err(IoError {
            kind: IoKind::Tls(reason),
            message,
        })) => Cause::Tls(reason, message),
        Ok(Err(error)) => Cause::Broken(error.message),
        Err(expiry) => Cause::TimedOut(expiry),
    };
    Err(failed(Phase::Handshake, cause))
}

/// A connection over which TLS is not agreed on yet. Whatever ends that, also a caller that gives up, ends the connection.
struct Opening<'a, N: Net> {
    shared: &'a Shared<N>,
    number: u64,
    is_done: bool,
}

impl<N: Net> Drop for Opening<'_, N> {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.tell(|| Event::Closed {
                number: self.number,
                reason: "TLS could not be agreed on".into(),
            });
        }
    }
}

const fn failed(phase: Phase, cause: Cause) -> AttemptError {
    AttemptError {
        phase,
        sent: Sent::Nothing,
        reused: false,
        cause,
    }
}
