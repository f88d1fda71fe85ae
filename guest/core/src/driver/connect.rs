//! Opening a connection: name lookup, TCP to whichever address answers, the proxy, TLS.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use super::bounded::bounded;
use super::connection::Connection;
use super::exchange::broken_midway;
use super::pool::Pool;
use super::race::race;
use super::shared::Shared;
use super::transport::{Config, Tls, Transport};
use super::{IoError, IoKind, Net, ResolveError, tunnel};
use crate::machine::pool::Key;
use crate::machine::socks::Destination;
use crate::policy::route::Route;
use crate::policy::{Clocks, Profile, addresses, blame};
use crate::types::{AttemptError, Cause, Event, Host, Phase, Sent, TlsInfo, TlsReason};

/// Opens a connection that serves requests to the pool's origin.
pub(super) async fn open<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
) -> Result<Connection<N>, AttemptError> {
    let Key { origin, route, .. } = &pool.key;
    let (shared, profile) = (&*pool.shared, pool.key.profile.get());
    let destination = destination(pool, clocks).await?;
    let hop = route.first_hop(origin);
    let (tcp, remote) = reach(shared, profile, hop, clocks)
        .await
        .map_err(|failed| blame::on_the_way(failed, route))?;
    let opened = shared.net.now();
    let number = shared.next_number();
    pool.count_connection();
    shared.tell(|| Event::Connected {
        number,
        remote: remote.to_string(),
    });
    let mut transport = Transport::Tcp(tcp);
    let mut proxy_tls = None;
    if let Some(config) = &pool.proxy_tls {
        let secured = secure(shared, clocks, (config, hop.0), transport, number).await;
        let (secured, info) = secured.map_err(|failed| blame::on_the_way(failed, route))?;
        // Before it is told who we are.
        if let Some(warning) = blame::unverified(hop.0, Some(&info)) {
            shared.tell(|| Event::Warned(warning));
        }
        transport = secured;
        proxy_tls = Some(info);
    }
    if let Some(destination) = destination {
        let asked = ask(pool, clocks, &mut transport, destination, number).await;
        asked.map_err(|failed| blame::on_the_way(failed, route))?;
    }
    let mut tls = None;
    if let Some(config) = &pool.tls {
        let peer = (config, origin.host());
        let secured = secure(shared, clocks, peer, transport, number).await;
        let (secured, info) = secured.map_err(|failed| blame::in_exchange(failed, route))?;
        transport = secured;
        tls = Some(Rc::new(info));
    }
    Ok(Connection {
        transport,
        tls,
        proxy_tls: proxy_tls.map(Rc::new),
        number,
        remote: remote.to_string(),
        opened,
        inbox: Vec::new(),
        reused: false,
    })
}

/// What a proxy is asked a connection to; `None` where none is asked for one.
async fn destination<'a, N: Net>(
    pool: &'a Pool<N>,
    clocks: &Clocks,
) -> Result<Option<Destination<'a>>, AttemptError> {
    let Key { origin, route, .. } = &pool.key;
    let host = origin.host();
    let kind = match route {
        Route::Direct | Route::Forward(_) => return Ok(None),
        Route::Tunnel(_) => return Ok(Some(Destination::of(host))),
        Route::Socks(_, kind) => kind,
    };
    if kind.looks_up_remotely() || host.address().is_some() {
        return Ok(Some(Destination::of(host)));
    }
    let found = lookup(&pool.shared, host, clocks).await?;
    let family = kind.family(pool.key.profile.get().family);
    let addresses = addresses::order(&found, family, None)
        .map_err(|why| failed(Phase::Resolve, Cause::Unresolved(why)))?;
    tell_resolved(&pool.shared, host, &addresses);
    Ok(addresses.first().copied().map(Destination::Address))
}

/// Asks the proxy for a connection to the origin.
async fn ask<N: Net>(
    pool: &Pool<N>,
    clocks: &Clocks,
    transport: &mut Transport<N>,
    destination: Destination<'_>,
    number: u64,
) -> Result<(), AttemptError> {
    let Key { origin, route, .. } = &pool.key;
    let shared = &*pool.shared;
    let mut opening = Opening {
        shared,
        number,
        is_done: false,
        reason: "its proxy opened no connection",
    };
    let asked = match route {
        Route::Direct | Route::Forward(_) => Ok(()),
        Route::Tunnel(proxy) => {
            let limits = pool.key.profile.get().limits;
            let whom = (&**proxy, origin, number);
            tunnel::ask_http(shared, clocks, transport, whom, limits).await
        }
        Route::Socks(proxy, kind) => {
            let to = (destination, origin.port());
            tunnel::ask_socks(shared, clocks, transport, (proxy, *kind), to).await
        }
    };
    asked
        .and_then(|()| tunnel::check_silence(transport))
        .map_err(|cause| failed(Phase::Tunnel, cause))?;
    opening.is_done = true;
    shared.tell(|| Event::Tunnelled {
        number,
        origin: origin.clone(),
    });
    Ok(())
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
        tell_resolved(shared, host, &addresses);
    }
    let bound = clocks.bound(Phase::Connect, || net.now());
    race(net, profile, bound, &addresses, port)
        .await
        .map_err(|cause| failed(Phase::Connect, cause))
}

fn tell_resolved<N: Net>(shared: &Shared<N>, host: &Host, addresses: &[IpAddr]) {
    shared.tell(|| Event::Resolved {
        host: host.as_str().to_owned(),
        addresses: addresses.iter().map(IpAddr::to_string).collect(),
    });
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
        number,
        is_done: false,
        reason: "TLS could not be agreed on",
    };
    let _secrets = Secrets { shared, config };
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
        // Before TLS is agreed on, its layer below has to end properly too.
        Ok(Err(IoError {
            kind: IoKind::Truncated,
            message,
            is_outer: true,
        })) => Cause::OuterTls(TlsReason::Protocol, message),
        Ok(Err(error)) => broken_midway(error),
        Err(expiry) => Cause::TimedOut(expiry),
    };
    Err(failed(Phase::Handshake, cause))
}

/// A connection that cannot be used yet. Whatever ends that, also a caller that gives up, ends the connection.
struct Opening<'a, N: Net> {
    shared: &'a Shared<N>,
    number: u64,
    is_done: bool,
    reason: &'static str,
}

impl<N: Net> Drop for Opening<'_, N> {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.tell(|| Event::Closed {
                number: self.number,
                reason: self.reason.into(),
            });
        }
    }
}

/// Tells the secrets of a handshake, however it ends.
struct Secrets<'a, N: Net> {
    shared: &'a Shared<N>,
    config: &'a Config,
}

impl<N: Net> Drop for Secrets<'_, N> {
    fn drop(&mut self) {
        for line in self.config.take_secrets() {
            self.shared.tell(|| Event::KeyLog(line));
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
