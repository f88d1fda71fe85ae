//! One request and the head of its response over one connection.

use std::future::poll_fn;

use super::bounded::bounded;
use super::connection::Connection;
use super::shared::Shared;
use super::{IoError, IoKind, Net};
use crate::machine::h1::{HeadReader, ReceivedHead, shown_response};
use crate::policy::Clocks;
use crate::policy::interim::{Standing, standing};
use crate::types::{AttemptError, Cause, Event, Phase, Sent};

/// What a request that waits for its head reads at a time.
const MAX_HEAD_READ: usize = 8 * 1024;
const ENDED_WITHIN: &str = "Remote end closed connection within the head of its response";
const ENDED_WITHOUT: &str = "Remote end closed connection without response";

/// The bytes of a request, written once and sent as often as need be.
pub(super) struct Outgoing<'a> {
    /// The head, and as much of the body as goes with it in one write.
    pub(super) flight: Vec<u8>,
    /// The rest of the body.
    pub(super) rest: &'a [u8],
}

/// The head of the final response.
pub(super) struct Answer {
    pub(super) head: ReceivedHead,
    /// Whether all of the request was taken; if not, the connection is of no further use.
    pub(super) is_sent_whole: bool,
}

/// Sends a request and waits for the head of the final response. What follows the head is left in the connection's inbox.
pub(super) async fn exchange<N: Net>(
    shared: &Shared<N>,
    connection: &mut Connection<N>,
    outgoing: &Outgoing<'_>,
    clocks: &Clocks,
) -> Result<Answer, AttemptError> {
    let reused = connection.reused;
    let mut sent = Sent::Nothing;
    let written = send(shared, connection, outgoing, clocks, &mut sent).await;
    let is_sent_whole = match written {
        Ok(()) => true,
        // A server may answer and hang up before it has read everything; the answer counts (urllib3 reads it too).
        Err(Cause::ClosedUnanswered(_)) => false,
        Err(cause) => {
            return Err(AttemptError {
                phase: Phase::Send,
                sent,
                reused,
                cause,
            });
        }
    };
    match await_head(shared, connection, clocks).await {
        Ok(head) => Ok(Answer {
            head,
            is_sent_whole,
        }),
        Err(cause) => Err(AttemptError {
            phase: Phase::AwaitHead,
            sent,
            reused,
            cause,
        }),
    }
}

async fn send<N: Net>(
    shared: &Shared<N>,
    connection: &mut Connection<N>,
    outgoing: &Outgoing<'_>,
    clocks: &Clocks,
    sent: &mut Sent,
) -> Result<(), Cause> {
    let net = &shared.net;
    for part in [outgoing.flight.as_slice(), outgoing.rest] {
        let mut rest = part;
        while !rest.is_empty() {
            let write = poll_fn(|context| connection.transport.poll_write(context, rest));
            let bound = clocks.bound(Phase::Send, || net.now());
            let count = bounded(net, bound, write)
                .await
                .map_err(Cause::TimedOut)?
                .map_err(broken)?;
            *sent = Sent::Something;
            rest = rest.get(count..).unwrap_or_default();
        }
    }
    let flush = poll_fn(|context| connection.transport.poll_flush(context));
    let bound = clocks.bound(Phase::Send, || net.now());
    bounded(net, bound, flush)
        .await
        .map_err(Cause::TimedOut)?
        .map_err(broken)
}

async fn await_head<N: Net>(
    shared: &Shared<N>,
    connection: &mut Connection<N>,
    clocks: &Clocks,
) -> Result<ReceivedHead, Cause> {
    let mut interim = 0;
    loop {
        let head = next_head(shared, connection, clocks, interim > 0).await?;
        shared.tell(|| Event::Received {
            number: connection.number,
            head: shown_response(&head.line, &head.headers),
        });
        match standing(head.line.status, interim) {
            Standing::Final => return Ok(head),
            Standing::Interim => interim += 1,
            Standing::Wrong(why) => return Err(Cause::Malformed(why.into())),
        }
    }
}

/// Waits for a head and takes it out of the inbox. `has_begun` says whether the peer has answered anything before.
async fn next_head<N: Net>(
    shared: &Shared<N>,
    connection: &mut Connection<N>,
    clocks: &Clocks,
    has_begun: bool,
) -> Result<ReceivedHead, Cause> {
    let mut reader = HeadReader::default();
    loop {
        let has_begun = has_begun || !connection.inbox.is_empty();
        if !connection.inbox.is_empty()
            && let Some(head) = reader.read(&connection.inbox).map_err(Cause::Malformed)?
        {
            connection.inbox.drain(..head.length);
            return Ok(head);
        }
        let bound = clocks.bound(Phase::AwaitHead, || shared.net.now());
        let received = bounded(&shared.net, bound, connection.receive(MAX_HEAD_READ)).await;
        match received.map_err(Cause::TimedOut)? {
            Ok(0) if has_begun => return Err(Cause::Broken(ENDED_WITHIN.into())),
            Ok(0) => return Err(Cause::ClosedUnanswered(ENDED_WITHOUT.into())),
            Ok(_) => {}
            Err(error) if has_begun => return Err(broken_midway(error)),
            Err(error) => return Err(broken(error)),
        }
    }
}

/// A connection that ended before an answer began.
fn broken(error: IoError) -> Cause {
    match error.kind {
        IoKind::Gone | IoKind::Truncated => Cause::ClosedUnanswered(error.message),
        _ => broken_midway(error),
    }
}

/// A connection that ended after it had.
pub(super) fn broken_midway(error: IoError) -> Cause {
    match error.kind {
        IoKind::Tls(reason) => Cause::Tls(reason, error.message),
        IoKind::Gone | IoKind::Truncated => Cause::Broken(error.message),
    }
}
