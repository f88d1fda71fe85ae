//! One request and the head of its response over one connection.

use std::borrow::Cow;
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::bounded::bounded;
use super::connection::Connection;
use super::effort::Effort;
use super::shared::Shared;
use super::upload::Streaming;
use super::{ByteStream as _, IoError, IoKind, Net};
use crate::machine::h1::{HeadReader, ReceivedHead, shown_response};
use crate::policy::interim::{self, CONTINUE_WAIT, Standing, standing};
use crate::policy::{Bound, Clocks};
use crate::types::{AttemptError, Cause, Event, Expiry, Limits, Phase, Sent};

/// What a request that waits for its head reads at a time.
const MAX_HEAD_READ: usize = 8 * 1024;
const ENDED_WITHIN: &str = "Remote end closed connection within the head of its response";
const ENDED_WITHOUT: &str = "Remote end closed connection without response";
const SPOKE_FIRST: &str = "Remote end answered before it was asked";

/// A request, written.
pub(super) struct Outgoing<'a, 's> {
    /// The head, and as much of the body as goes with it in one write.
    pub(super) flight: Vec<u8>,
    /// The rest of a body that is there already.
    pub(super) rest: Cow<'a, [u8]>,
    /// A body that its caller hands over.
    pub(super) streaming: Option<Streaming<'a, 's>>,
    /// Whether the body waits for the server to ask for it.
    pub(super) awaits_continue: bool,
}

impl Outgoing<'_, '_> {
    /// Whether it takes long enough to be answered before it is sent whole.
    fn is_long(&self) -> bool {
        !self.rest.is_empty() || self.streaming.is_some() || self.awaits_continue
    }
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
    mut outgoing: Outgoing<'_, '_>,
    clocks: &Clocks,
    limits: Limits,
) -> Result<Answer, AttemptError> {
    let reused = connection.reused;
    let mut exchange = Exchange {
        shared,
        connection,
        clocks,
        reader: HeadReader::new(limits),
        limits,
        interim: 0,
        may_continue: false,
        sent: Sent::Nothing,
        is_sent_whole: false,
        effort: Effort::default(),
    };
    let failed = |phase, sent, cause| AttemptError {
        phase,
        sent,
        reused,
        cause,
    };
    if let Err(cause) = exchange.begin(&mut outgoing).await {
        return Err(failed(Phase::Send, exchange.sent, cause));
    }
    match exchange.send(outgoing).await {
        Ok(None) => exchange.is_sent_whole = true,
        Ok(Some(head)) => {
            if !exchange.is_sent_whole {
                exchange.connection.transport.give_up_writing();
            }
            return Ok(Answer {
                head,
                is_sent_whole: exchange.is_sent_whole,
            });
        }
        // A server may answer and hang up before it has read everything; the answer counts (urllib3 reads it too).
        Err(Cause::ClosedUnanswered(_)) => {}
        Err(cause) => return Err(failed(Phase::Send, exchange.sent, cause)),
    }
    match exchange.await_head().await {
        Ok(head) => Ok(Answer {
            head,
            is_sent_whole: exchange.is_sent_whole,
        }),
        Err(cause) => Err(failed(Phase::AwaitHead, exchange.sent, cause)),
    }
}

struct Exchange<'a, N: Net> {
    shared: &'a Shared<N>,
    connection: &'a mut Connection<N>,
    clocks: &'a Clocks,
    reader: HeadReader,
    limits: Limits,
    interim: u32,
    /// Whether the server has asked for the body.
    may_continue: bool,
    sent: Sent,
    is_sent_whole: bool,
    effort: Effort,
}

impl<N: Net> Exchange<'_, N> {
    /// Completes the first flight: the head of a streamed body goes out with its first piece, unless that may come late and is not there.
    async fn begin(&mut self, outgoing: &mut Outgoing<'_, '_>) -> Result<(), Cause> {
        let Outgoing {
            flight,
            streaming,
            awaits_continue: false,
            ..
        } = outgoing
        else {
            return Ok(());
        };
        if let Some(body) = streaming.as_mut().filter(|body| body.may_come_late()) {
            let first = poll_fn(|context| Poll::Ready(body.poll_flight(context, flight)));
            return match first.await {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => Ok(()),
            };
        }
        let head = flight.len();
        while let Some(body) = streaming.as_mut().filter(|body| !body.has_ended())
            && flight.len() == head
        {
            self.first_piece(body, flight).await?;
        }
        Ok(())
    }

    /// Waits for what its caller hands over first. Whatever comes from the peer meanwhile is no answer, for nothing has been asked: the
    /// connection is of no use then, but nothing has been taken from the caller.
    async fn first_piece(
        &mut self,
        body: &mut Streaming<'_, '_>,
        flight: &mut Vec<u8>,
    ) -> Result<(), Cause> {
        let connection = &mut *self.connection;
        let mut is_first = true;
        let first = poll_fn(|context| {
            // What is ready at once leaves with the end of a TLS handshake, which reading would send off on its own.
            if std::mem::take(&mut is_first)
                && let Poll::Ready(outcome) = body.poll_flight(context, flight)
            {
                return Poll::Ready(Ok(outcome));
            }
            let inbox = &mut connection.inbox;
            let read = connection
                .transport
                .poll_read(context, MAX_HEAD_READ, inbox);
            if let Poll::Ready(outcome) = read {
                return Poll::Ready(Err(outcome));
            }
            body.poll_flight(context, flight).map(Ok)
        });
        let bound = self.clocks.of_caller();
        let first = bounded(&self.shared.net, bound, first).await;
        match first.map_err(Cause::TimedOut)? {
            Ok(outcome) => outcome,
            Err(Ok(0)) => Err(Cause::ClosedUnanswered(ENDED_WITHOUT.into())),
            Err(Ok(_)) => Err(Cause::ClosedUnanswered(SPOKE_FIRST.into())),
            Err(Err(error)) => Err(broken(error)),
        }
    }

    /// Sends everything, unless a final response comes first: its head.
    async fn send(&mut self, outgoing: Outgoing<'_, '_>) -> Result<Option<ReceivedHead>, Cause> {
        let is_watched = outgoing.is_long();
        let Outgoing {
            mut flight,
            rest,
            mut streaming,
            awaits_continue,
        } = outgoing;
        if awaits_continue {
            let early = self.write(&flight, true).await?;
            let early = match early {
                None => self.await_continue().await?,
                some => some,
            };
            if early.is_some() {
                return Ok(early);
            }
            flight.clear();
        }
        loop {
            if let Some(head) = self.write(&flight, is_watched).await? {
                return Ok(Some(head));
            }
            flight.clear();
            let Some(body) = streaming.as_mut().filter(|body| !body.has_ended()) else {
                break;
            };
            if let Some(head) = self.next_flight(body, &mut flight).await? {
                return Ok(Some(head));
            }
        }
        if let Some(head) = self.write(&rest, is_watched).await? {
            return Ok(Some(head));
        }
        self.flush().await
    }

    /// Waits until everything has left our hands, unless a final response comes first.
    async fn flush(&mut self) -> Result<Option<ReceivedHead>, Cause> {
        let bound = self.clocks.bound(Phase::Send, || self.shared.net.now());
        let step = self.beside(bound, false, |connection, context| {
            connection.transport.poll_flush(context)
        });
        match step.await? {
            Step::Answered(head) => {
                self.is_sent_whole = self.has_left().await;
                Ok(Some(head))
            }
            Step::Done(outcome) => outcome.map(|()| None).map_err(broken),
        }
    }

    /// Whether nothing that was written is left in our hands. It does not wait.
    async fn has_left(&mut self) -> bool {
        let transport = &mut self.connection.transport;
        poll_fn(|context| {
            let has_left = matches!(transport.poll_flush(context), Poll::Ready(Ok(())));
            Poll::Ready(has_left)
        })
        .await
    }

    /// Writes bytes, unless a final response comes first, where that is watched for.
    async fn write(
        &mut self,
        bytes: &[u8],
        is_watched: bool,
    ) -> Result<Option<ReceivedHead>, Cause> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.effort.pause(&self.shared.net).await;
            let now = || self.shared.net.now();
            let bound = self.clocks.bound(Phase::Send, now);
            let step = self.beside(bound, is_watched, |connection, context| {
                connection.transport.poll_write(context, rest)
            });
            match step.await? {
                Step::Answered(head) => return Ok(Some(head)),
                Step::Done(count) => {
                    let count = count.map_err(broken)?;
                    self.sent = Sent::Something;
                    self.effort.add(count);
                    rest = rest.get(count..).unwrap_or_default();
                }
            }
        }
        Ok(None)
    }

    /// Waits for what its caller hands over next, unless a final response comes first.
    async fn next_flight(
        &mut self,
        body: &mut Streaming<'_, '_>,
        flight: &mut Vec<u8>,
    ) -> Result<Option<ReceivedHead>, Cause> {
        let bound = self.clocks.of_caller();
        let step = self.beside(bound, true, |_, context| body.poll_flight(context, flight));
        match step.await? {
            Step::Answered(head) => {
                self.is_sent_whole = body.is_whole() && self.has_left().await;
                Ok(Some(head))
            }
            Step::Done(outcome) => outcome.map(|()| None),
        }
    }

    /// Waits until the server asks for the body or has had time enough to, unless a final response comes first.
    async fn await_continue(&mut self) -> Result<Option<ReceivedHead>, Cause> {
        let net = &self.shared.net;
        let patience = Some((net.now().after(CONTINUE_WAIT), Expiry::Read));
        let bounds = [patience, self.clocks.of_caller()];
        let bound = bounds.into_iter().flatten().min_by_key(|(at, _)| *at);
        while !self.may_continue {
            match bounded(net, bound, self.connection.receive(MAX_HEAD_READ)).await {
                Err(Expiry::Read) => break,
                Err(expiry) => return Err(Cause::TimedOut(expiry)),
                Ok(received) => self.received(received)?,
            }
            if let Some(head) = self.final_head()? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Does something, unless a final response comes first: where that is watched for, even if it could be done at once.
    async fn beside<T>(
        &mut self,
        bound: Bound,
        is_watched: bool,
        mut act: impl FnMut(&mut Connection<N>, &mut Context<'_>) -> Poll<T>,
    ) -> Result<Step<T>, Cause> {
        let net = &self.shared.net;
        // What comes before anything was sent cannot be the answer to it.
        let may_read = self.sent == Sent::Something;
        loop {
            let connection = &mut *self.connection;
            let step = poll_fn(|context| {
                if !(is_watched && may_read)
                    && let Poll::Ready(output) = act(connection, context)
                {
                    return Poll::Ready(Ok(output));
                }
                if may_read {
                    let inbox = &mut connection.inbox;
                    let read = connection
                        .transport
                        .poll_read(context, MAX_HEAD_READ, inbox);
                    if let Poll::Ready(outcome) = read {
                        return Poll::Ready(Err(outcome));
                    }
                }
                if is_watched && may_read {
                    return act(connection, context).map(Ok);
                }
                Poll::Pending
            });
            match bounded(net, bound, step).await.map_err(Cause::TimedOut)? {
                Ok(output) => return Ok(Step::Done(output)),
                Err(received) => self.received(received)?,
            }
            if let Some(head) = self.final_head()? {
                return Ok(Step::Answered(head));
            }
        }
    }

    async fn await_head(&mut self) -> Result<ReceivedHead, Cause> {
        let shared = self.shared;
        loop {
            if let Some(head) = self.final_head()? {
                return Ok(head);
            }
            let bound = self.clocks.bound(Phase::AwaitHead, || shared.net.now());
            let received =
                bounded(&shared.net, bound, self.connection.receive(MAX_HEAD_READ)).await;
            self.received(received.map_err(Cause::TimedOut)?)?;
        }
    }

    /// What it means that no more will arrive.
    fn received(&self, received: Result<usize, IoError>) -> Result<(), Cause> {
        // Whether the peer has answered anything yet.
        let has_begun = self.interim > 0 || !self.connection.inbox.is_empty();
        match received {
            Ok(0) if has_begun => Err(Cause::Broken(ENDED_WITHIN.into())),
            Ok(0) => Err(Cause::ClosedUnanswered(ENDED_WITHOUT.into())),
            Ok(_) => Ok(()),
            Err(error) if has_begun => Err(broken_midway(error)),
            Err(error) => Err(broken(error)),
        }
    }

    /// Takes the heads that have arrived out of the inbox, up to the final one.
    fn final_head(&mut self) -> Result<Option<ReceivedHead>, Cause> {
        loop {
            let inbox = &mut self.connection.inbox;
            if inbox.is_empty() {
                return Ok(None);
            }
            let Some(head) = self.reader.read(inbox).map_err(Cause::Malformed)? else {
                return Ok(None);
            };
            inbox.drain(..head.length);
            self.reader = HeadReader::new(self.limits);
            self.shared.tell(|| Event::Received {
                number: self.connection.number,
                head: shown_response(&head.line, &head.headers),
            });
            match standing(head.line.status, self.interim) {
                Standing::Final => return Ok(Some(head)),
                Standing::Interim => self.interim += 1,
                Standing::Wrong(why) => return Err(Cause::Malformed(why.into())),
            }
            self.may_continue |= interim::asks_for_the_body(head.line.status);
        }
    }
}

/// What came first.
enum Step<T> {
    /// What was to be done.
    Done(T),
    /// The head of a final response.
    Answered(ReceivedHead),
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
        IoKind::Tls(reason) if error.is_outer => Cause::OuterTls(reason, error.message),
        IoKind::Tls(reason) => Cause::Tls(reason, error.message),
        IoKind::Gone | IoKind::Truncated => Cause::Broken(error.message),
    }
}
