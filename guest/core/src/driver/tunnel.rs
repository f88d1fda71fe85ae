//! Asking a proxy for a connection to a server, with CONNECT or SOCKS.
//!
//! Each question is one write. What has arrived behind the answer is an error, so that it is not taken for the server's.

use std::future::poll_fn;

use super::bounded::bounded;
use super::shared::Shared;
use super::transport::Transport;
use super::{ByteStream, IoError, IoKind, Net};
use crate::machine::connect::{ConnectReply, ConnectRequest, Outcome};
use crate::machine::h1::{ReceivedHead, shown_response};
use crate::machine::socks::{Destination, Socks, Step};
use crate::policy::route::{Proxy, SocksKind};
use crate::policy::{Bound, Clocks, drain};
use crate::types::{Cause, Event, Limits, Origin, Phase};

/// An answer is read in pieces of this: it is small.
const MAX_READ: usize = 4 * 1024;

/// Asks an HTTP proxy.
pub(super) async fn ask_http<N: Net>(
    shared: &Shared<N>,
    clocks: &Clocks,
    transport: &mut Transport<N>,
    (proxy, origin, number): (&Proxy, &Origin, u64),
    limits: Limits,
) -> Result<(), Cause> {
    let mut reply = ConnectReply::new(limits);
    let talk = async {
        let question = ConnectRequest::new(origin.host(), origin.port(), &proxy.headers);
        shared.tell(|| Event::Sent {
            number,
            head: question.shown(),
        });
        send(transport, &question.write()).await?;
        let mut tell = |head: &ReceivedHead| {
            shared.tell(|| Event::Received {
                number,
                head: shown_response(&head.line, &head.headers),
            });
        };
        loop {
            let answer = receive(transport).await?;
            let outcome = reply.feed_noting(&answer, &mut tell);
            match outcome.map_err(Cause::Malformed)? {
                Outcome::More if reply.is_refusal() => return Ok(None),
                Outcome::More => {}
                Outcome::Open => return Ok(Some(())),
                Outcome::Refused(refusal) => return Err(Cause::Refused(Box::new(refusal))),
            }
        }
    };
    let bound = clocks.bound(Phase::Tunnel, || shared.net.now());
    let talk = bounded(&shared.net, bound, talk).await;
    match talk.map_err(Cause::TimedOut)?? {
        Some(()) => Ok(()),
        None => rest_of_refusal(shared, bound, transport, reply).await,
    }
}

/// Reads the body of a refusal, as far as it comes soon: what it says is known already, and many a proxy never ends it.
async fn rest_of_refusal<N: Net>(
    shared: &Shared<N>,
    bound: Bound,
    transport: &mut Transport<N>,
    mut reply: ConnectReply,
) -> Result<(), Cause> {
    let end = shared.net.now().after(drain::MAX_WAIT);
    let end = bound.map_or(end, |(at, _)| at.min(end));
    let rest = async {
        while let Ok(bytes) = receive(transport).await {
            if let Ok(Outcome::Refused(refusal)) = reply.feed(&bytes) {
                return Some(refusal);
            }
        }
        None
    };
    let whole = bounded(&shared.net, Some((end, ())), rest).await;
    let refusal = whole.ok().flatten().or_else(|| reply.into_refusal());
    match refusal {
        Some(refusal) => Err(Cause::Refused(Box::new(refusal))),
        None => Err(Cause::Malformed("the proxy opened no tunnel".into())),
    }
}

/// Asks a SOCKS proxy.
pub(super) async fn ask_socks<N: Net>(
    shared: &Shared<N>,
    clocks: &Clocks,
    transport: &mut Transport<N>,
    (proxy, kind): (&Proxy, SocksKind),
    (destination, port): (Destination<'_>, u16),
) -> Result<(), Cause> {
    let talk = async {
        let login = proxy.login.as_ref();
        let (mut socks, question) =
            Socks::new(kind.version(), destination, port, login).map_err(Cause::Socks)?;
        send(transport, &question).await?;
        loop {
            let answer = receive(transport).await?;
            match socks.feed(&answer).map_err(Cause::Socks)? {
                Step::More => {}
                Step::Write(question) => send(transport, &question).await?,
                Step::Open => return Ok(()),
            }
        }
    };
    let bound = clocks.bound(Phase::Tunnel, || shared.net.now());
    let outcome = bounded(&shared.net, bound, talk).await;
    outcome.map_err(Cause::TimedOut)?
}

/// Refuses what has arrived behind an answer by now. What comes later is no TLS and no HTTP either.
pub(super) fn check_silence<N: Net>(transport: &mut Transport<N>) -> Result<(), Cause> {
    match transport.try_read(1, &mut Vec::new()) {
        Some(Ok(1..)) => Err(Cause::Malformed(
            "the proxy sent more behind its reply".into(),
        )),
        // An end is met again by whoever reads next.
        _ => Ok(()),
    }
}

async fn send<N: Net>(transport: &mut Transport<N>, bytes: &[u8]) -> Result<(), Cause> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = poll_fn(|context| transport.poll_write(context, rest)).await;
        rest = rest.get(count.map_err(broken)?..).unwrap_or_default();
    }
    poll_fn(|context| transport.poll_flush(context))
        .await
        .map_err(broken)
}

async fn receive<N: Net>(transport: &mut Transport<N>) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let count = poll_fn(|context| transport.poll_read(context, MAX_READ, &mut bytes)).await;
    match count.map_err(broken)? {
        0 => Err(Cause::Broken(
            "it closed the connection before it had answered".into(),
        )),
        _ => Ok(bytes),
    }
}

fn broken(error: IoError) -> Cause {
    match error.kind {
        IoKind::Gone | IoKind::Truncated => Cause::Broken(error.message),
        IoKind::Tls(reason) => Cause::Tls(reason, error.message),
    }
}
