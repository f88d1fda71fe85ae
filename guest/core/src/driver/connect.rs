//! Opening a connection: name lookup, TCP to whichever address answers, TLS.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use super::bounded::bounded;
use super::connection::Connection;
use super::pool::Pool;
use super::race::race;
use super::shared::Shared;
use super::transport::{Config, Tls, Transport};
use super::{IoError, IoKind, Net, ResolveError};
use crate::policy::{Clocks, Profile, addresses};
use crate::types::{AttemptError, Cause, Event, Host, Phase, Sent, TlsInfo};

/// Opens a connection to the pool's origin.
pub(super) async fn open<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
) -> Result<Connection<N>, AttemptError> {
    let origin = &pool.key.origin;
    let profile = pool.key.profile.get();
    let hop = (origin.host(), origin.port());
    let (tcp, remote) = reach(&pool.shared, profile, hop, clocks).await?;
    let opened = pool.shared.net.now();
    let number = pool.shared.next_number();
    pool.count_connection();
    pool.shared.tell(|| Event::Connected {
        number,
        remote: remote.to_string(),
    });
    let mut transport = Transport::Tcp(tcp);
    let mut tls = None;
    if let Some(config) = &pool.tls {
        let peer = (config, origin.host());
        let (secured, info) = secure(&pool.shared, clocks, peer, transport, number).await?;
        transport = secured;
        tls = Some(Rc::new(info));
    }
    Ok(Connection {
        transport,
        tls,
        number,
        remote: remote.to_string(),
        opened,
        inbox: Vec::new(),
        reused: false,
    })
}

/// Opens TCP to a first hop, whichever of its addresses answers.
async fn reach<N: Net>(
    shared: &Shared<N>,
    profile: &Profile,
    (host, port): (&Host, u16),
    clocks: &Clocks,
) -> Result<(N::Tcp, SocketAddr), AttemptError> {
    let net = &shared.net;
    let found = lookup(shared, host, clocks).await?;
    let addresses = addresses::order(&found, profile.family, profile.socket.source)
        .map_err(|why| failed(Phase::Connect, Cause::NotConnected(why)))?;
    if host.address().is_none() {
        shared.tell(|| Event::Resolved {
            host: host.as_str().to_owned(),
            addresses: addresses.iter().map(IpAddr::to_string).collect(),
        });
    }
    let bound = clocks.bound(Phase::Connect, || net.now());
    race(net, profile, bound, &addresses, port)
        .await
        .map_err(|cause| failed(Phase::Connect, cause))
}

/// The addresses of a host: itself, what the table of hosts has for it, or what is looked up.
async fn lookup<N: Net>(
    shared: &Shared<N>,
    host: &Host,
    clocks: &Clocks,
) -> Result<Vec<IpAddr>, AttemptError> {
    if let Some(address) = host.address() {
        return Ok(vec![address]);
    }
    let net = &shared.net;
    let outcome = match shared.hosts.addresses(host) {
        Some(known) => Ok(Ok(known.to_vec())),
        None => {
            let bound = clocks.bound(Phase::Resolve, || net.now());
            bounded(net, bound, net.resolve(host.as_str())).await
        }
    };
    let cause = match outcome {
        Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
        Ok(Ok(_)) => Cause::Unresolved("the name has no address".into()),
        Ok(Err(ResolveError::Denied(what))) => Cause::Denied(what),
        Ok(Err(ResolveError::Failed(why))) => Cause::Unresolved(why),
        Err(expiry) => Cause::TimedOut(expiry),
    };
    Err(failed(Phase::Resolve, cause))
}

/// Agrees on TLS with whoever is at the end of a transport, which may be TLS itself, and must be `host`.
async fn secure<N: Net>(
    shared: &Shared<N>,
    clocks: &Clocks,
    (config, host): (&Config, &Host),
    transport: Transport<N>,
    number: u64,
) -> Result<(Transport<N>, TlsInfo), AttemptError> {
    let mut opening = Opening {
        shared,
        config,
        number,
        is_done: false,
    };
    let net = &shared.net;
    shared.outfit.set_time(net.wall_clock());
    let shake_hands = async {
        let mut tls = Box::new(Tls::new(transport, config, host)?);
        poll_fn(|context| tls.poll_handshake(context)).await?;
        Ok(tls)
    };
    let bound = clocks.bound(Phase::Handshake, || net.now());
    let outcome = bounded(net, bound, shake_hands).await;
    let cause = match outcome {
        Ok(Ok(tls)) => {
            opening.is_done = true;
            let info = tls.info();
            shared.tell(|| Event::Secured {
                number,
                version: info.version,
                suite: info.cipher.clone(),
                is_verified: info.is_verified,
            });
            return Ok((Transport::Tls(tls), info));
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
    config: &'a Config,
    number: u64,
    is_done: bool,
}

impl<N: Net> Drop for Opening<'_, N> {
    fn drop(&mut self) {
        for line in self.config.take_secrets() {
            self.shared.tell(|| Event::KeyLog(line));
        }
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
