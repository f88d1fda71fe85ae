//! A response whose body is still to be read.
//!
//! Invariant: the connection is back in its pool, or closed, before the caller can see the end of the body; otherwise the caller's next
//! request would miss it.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use super::bounded::bounded;
use super::connection::Lease;
use super::exchange::broken_midway;
use super::shared::Shared;
use super::{IoKind, Net, Sink};
use crate::machine::h1::{Body, BodyError};
use crate::policy::reuse::Reuse;
use crate::policy::{Clocks, blame};
use crate::types::{AttemptError, Cause, Error, Method, Phase, ResponseHead, Sent, Url};

/// What a body is read in.
const MAX_READ: usize = 64 * 1024;

/// What a failure will be blamed on.
pub(super) struct Context {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) attempt: u32,
    pub(super) clocks: Clocks,
}

/// A response (urllib3: `HTTPResponse`). Dropping it gives its connection up, as [`Response::release`] does.
pub struct Response<N: Net> {
    head: ResponseHead,
    shared: Rc<Shared<N>>,
    context: Context,
    /// Bytes of the body that nobody has read yet.
    ready: Vec<u8>,
    /// How many bytes of the body have arrived.
    received: u64,
    /// What is still to come: `None` once the connection is given up.
    source: Option<Source<N>>,
    failed: Option<Error>,
}

struct Source<N: Net> {
    lease: Lease<N>,
    body: Body,
    reuse: Reuse,
}

impl<N: Net> Response<N> {
    /// Takes over a connection whose inbox begins with the body. A body that is there already is taken at once.
    pub(super) fn new(
        head: ResponseHead,
        shared: Rc<Shared<N>>,
        context: Context,
        mut lease: Lease<N>,
        body: Body,
        reuse: Reuse,
    ) -> Self {
        let inbox = std::mem::take(&mut lease.connection().inbox);
        let source = Some(Source { lease, body, reuse });
        let mut response = Self {
            head,
            shared,
            context,
            ready: Vec::new(),
            received: 0,
            source,
            failed: None,
        };
        response.arrived(inbox);
        response
    }

    /// Status, headers and the connection that brought them.
    #[must_use]
    pub const fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// Waits for some bytes of the body, at most `max`; none means that it has ended.
    ///
    /// # Errors
    /// Whatever keeps the body from being had whole; the same again on every further call.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        if max == 0 {
            return Ok(Vec::new());
        }
        while self.ready.is_empty() && self.failed.is_none() && self.source.is_some() {
            if let Err(cause) = self.fill().await {
                self.give_up(cause);
            }
        }
        if self.ready.len() > max {
            let rest = self.ready.split_off(max);
            return Ok(std::mem::replace(&mut self.ready, rest));
        }
        match &self.failed {
            Some(error) if self.ready.is_empty() => Err(error.clone()),
            _ => Ok(std::mem::take(&mut self.ready)),
        }
    }

    /// Waits for all of the rest of the body.
    ///
    /// # Errors
    /// As for [`Response::read`], and [`Error::BodyTooLarge`] where more than `limit` bytes are left. What has not
    /// arrived by then is not read, and the connection is closed.
    pub async fn read_all(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        loop {
            let announced = self
                .source
                .as_ref()
                .and_then(|source| source.body.left())
                .unwrap_or(0);
            let known = (whole.len() + self.ready.len()) as u64;
            if known.saturating_add(announced) > limit {
                self.ready.clear();
                self.give_up(Cause::TooLarge { limit });
            }
            let piece = self.read(MAX_READ).await?;
            if piece.is_empty() {
                return Ok(whole);
            }
            if whole.is_empty() {
                whole = piece;
            } else {
                whole.extend_from_slice(&piece);
            }
        }
    }

    /// Reads the rest of the body and throws it away.
    ///
    /// # Errors
    /// As for [`Response::read`].
    pub async fn drain(&mut self) -> Result<(), Error> {
        while !self.read(MAX_READ).await?.is_empty() {}
        Ok(())
    }

    /// Copies the rest of the body and says how many bytes that were. Waiting for the sink counts against the deadline alone.
    ///
    /// # Errors
    /// As for [`Response::read`], and [`Error::Other`] where the sink fails; the connection is then closed.
    pub async fn copy_to(&mut self, sink: &mut impl Sink) -> Result<u64, Error> {
        let mut copied = 0;
        loop {
            let piece = self.read(MAX_READ).await?;
            let mut rest = piece.as_slice();
            while !rest.is_empty() {
                let write = poll_fn(|context| sink.poll_write(context, rest));
                let count = self.in_time(write).await?;
                rest = rest.get(count..).unwrap_or_default();
            }
            if piece.is_empty() {
                let flush = poll_fn(|context| sink.poll_flush(context));
                self.in_time(flush).await?;
                return Ok(copied);
            }
            copied += piece.len() as u64;
        }
    }

    /// Waits for a sink.
    async fn in_time<T>(
        &mut self,
        wait: impl Future<Output = Result<T, String>>,
    ) -> Result<T, Error> {
        let bound = self.context.clocks.deadline();
        let error = match bounded(&self.shared.net, bound, wait).await {
            Ok(Ok(output)) => return Ok(output),
            Ok(Err(why)) => Error::Other(format!("the body could not be copied: {why}")),
            Err(expiry) => self.error(Cause::TimedOut(expiry)),
        };
        self.fail(error.clone());
        Err(error)
    }

    /// Gives the connection up without waiting.
    pub fn release(&mut self) {
        self.ready.clear();
        if let Some(source) = self.source.take() {
            source.lease.close("its response was not read to the end");
        }
    }

    async fn fill(&mut self) -> Result<(), Cause> {
        let Some(Source { lease, body, .. }) = &mut self.source else {
            return Ok(());
        };
        let connection = lease.connection();
        let net = &self.shared.net;
        let bound = self.context.clocks.bound(Phase::ReceiveBody, || net.now());
        let received = bounded(net, bound, connection.receive(MAX_READ))
            .await
            .map_err(Cause::TimedOut)?;
        let ended = match received {
            Ok(0) => Ok(()),
            Ok(_) => {
                let inbox = std::mem::take(&mut connection.inbox);
                self.arrived(inbox);
                return Ok(());
            }
            Err(error) if matches!(error.kind, IoKind::Gone | IoKind::Truncated) => {
                Err(Cause::Broken(error.message))
            }
            Err(error) => return Err(broken_midway(error)),
        };
        // However the connection ended, the count of missing bytes says more about a body whose length is known.
        match (body.end_of_stream(), ended) {
            (Err(BodyError::Incomplete(missing)), _) => Err(Cause::Incomplete {
                received: self.received,
                missing,
            }),
            (Err(BodyError::Chunk(why)), _) => Err(Cause::MalformedChunk(why)),
            (Ok(()), Err(cause)) => Err(cause),
            (Ok(()), Ok(())) => {
                self.settle(false);
                Ok(())
            }
        }
    }

    /// Takes the body out of what has arrived.
    fn arrived(&mut self, mut inbox: Vec<u8>) {
        let Some(Source { body, .. }) = &mut self.source else {
            return;
        };
        let outcome = body.unframe(&mut inbox);
        self.received += inbox.len() as u64;
        self.ready = inbox;
        match outcome {
            Err(BodyError::Chunk(why)) => self.give_up(Cause::MalformedChunk(why)),
            Err(BodyError::Incomplete(missing)) => self.give_up(Cause::Incomplete {
                received: self.received,
                missing,
            }),
            Ok(excess) => self.settle(!excess.is_empty()),
        }
    }

    /// Parts with the connection if the body has ended.
    fn settle(&mut self, has_excess: bool) {
        let Some(Source { lease, reuse, .. }) =
            self.source.take_if(|source| source.body.has_ended())
        else {
            return;
        };
        match reuse {
            Reuse::Close(reason) => lease.close(reason),
            Reuse::Keep if has_excess => lease.close("more came than the response has"),
            Reuse::Keep => lease.checkin(),
        }
    }

    /// Ends the body with what became of the exchange.
    fn give_up(&mut self, cause: Cause) {
        self.fail(self.error(cause));
    }

    /// Ends the body: every further read fails like this.
    fn fail(&mut self, error: Error) {
        self.failed = Some(error);
        if let Some(source) = self.source.take() {
            source
                .lease
                .close("its response could not be read to the end");
        }
    }

    fn error(&self, cause: Cause) -> Error {
        let Context {
            method,
            url,
            attempt,
            ..
        } = &self.context;
        let reused = self.head.connection.reused;
        let failed = AttemptError {
            phase: Phase::ReceiveBody,
            sent: Sent::Something,
            reused,
            cause,
        };
        blame::tell(failed, method, url, *attempt)
    }
}
