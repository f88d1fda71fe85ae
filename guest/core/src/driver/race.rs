//! Connecting to several addresses of a name at the same time (RFC 8305, section 5).
//!
//! When the next one is tried and how many at once is `policy::addresses`. Whoever connects first wins; what is still under way then is
//! dropped, and so are all when their caller gives up or the time is over.

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::bounded::bounded;
use super::{ConnectError, Net};
use crate::policy::{Bound, Profile};
use crate::types::{Cause, Expiry, Instant};

/// The winner, with its address.
type Won<N> = (<N as Net>::Tcp, SocketAddr);

/// Connects to the first of `addresses` that lets it.
///
/// # Errors
/// Why the last attempt failed, where all did; that the time is over, where any was still under way.
pub(super) async fn race<N: Net>(
    net: &N,
    profile: &Profile,
    bound: Bound,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Won<N>, Cause> {
    if let [only] = addresses {
        let remote = SocketAddr::new(*only, port);
        return match bounded(net, bound, net.connect(remote, &profile.socket)).await {
            Ok(outcome) => told(outcome, remote),
            Err(expiry) => Err(Cause::TimedOut(expiry)),
        };
    }
    let mut waiting = addresses
        .iter()
        .map(|address| SocketAddr::new(*address, port));
    let mut running = Running(Vec::new());
    let mut last = Cause::NotConnected("there is no address".into());
    loop {
        if let Some(remote) = waiting.next() {
            if profile.pace.is_full(running.0.len()) {
                drop(running.0.remove(0));
            }
            let attempt = net.connect(remote, &profile.socket);
            running.0.push((remote, Box::pin(attempt)));
        } else if running.0.is_empty() {
            return Err(last);
        }
        let until = next_turn(net, profile, bound, running.0.len(), waiting.len());
        match bounded(net, until, poll_fn(|context| running.poll::<N>(context))).await {
            Ok(Ok(won)) => return Ok(won),
            Ok(Err(cause)) => last = cause,
            Err(Turn::Next) => {}
            Err(Turn::Over(expiry)) => return Err(Cause::TimedOut(expiry)),
        }
    }
}

/// Why attempts are not waited for any longer.
#[derive(Clone, Copy)]
enum Turn {
    /// Another address is to be tried as well.
    Next,
    /// The time is over.
    Over(Expiry),
}

/// When something must happen although no attempt has ended.
fn next_turn<N: Net>(
    net: &N,
    profile: &Profile,
    bound: Bound,
    running: usize,
    waiting: usize,
) -> Option<(Instant, Turn)> {
    let now = net.now();
    let left = bound.map(|(at, _)| at.since(now));
    let pause = profile.pace.pause(left, running, waiting);
    match pause.filter(|pause| left.is_none_or(|left| *pause < left)) {
        Some(pause) => Some((now.after(pause), Turn::Next)),
        None => bound.map(|(at, expiry)| (at, Turn::Over(expiry))),
    }
}

/// The attempts under way, oldest first.
struct Running<F>(Vec<(SocketAddr, Pin<Box<F>>)>);

impl<F> Running<F> {
    /// Ready once any attempt has ended: with the one that connected, else with why the last of them did not.
    fn poll<N: Net>(&mut self, context: &mut Context<'_>) -> Poll<Result<Won<N>, Cause>>
    where
        F: Future<Output = Result<N::Tcp, ConnectError>>,
    {
        let mut ended = None;
        self.0.retain_mut(|(remote, attempt)| {
            if matches!(ended, Some(Ok(_))) {
                return true;
            }
            let Poll::Ready(outcome) = attempt.as_mut().poll(context) else {
                return true;
            };
            ended = Some(told(outcome, *remote));
            false
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    }
}

/// What one attempt came to.
fn told<T>(outcome: Result<T, ConnectError>, remote: SocketAddr) -> Result<(T, SocketAddr), Cause> {
    match outcome {
        Ok(tcp) => Ok((tcp, remote)),
        Err(ConnectError::Denied(what)) => Err(Cause::Denied(format!("{remote}: {what}"))),
        Err(ConnectError::Failed(why)) => Err(Cause::NotConnected(format!("{remote}: {why}"))),
    }
}
