//! The body of a response as it is sent: out of its framing, but in its codings.
//!
//! Invariant: the connection is back in its pool, or closed, before the caller can see the end of the body; otherwise the caller's next
//! request would miss it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::bounded::bounded;
use super::buffer::Buffer;
use super::connection::Lease;
use super::effort::Effort;
use super::exchange::broken_midway;
use super::shared::Shared;
use super::{ByteStream as _, IoKind, Net};
use crate::machine::h1::{Body, BodyError};
use crate::policy::reuse::Reuse;
use crate::policy::{Bound, Clocks, drain};
use crate::types::{Cause, Expiry, Headers, Phase};

/// What a body is read in.
const MAX_READ: usize = 64 * 1024;

type Filling<'a> = Pin<Box<dyn Future<Output = Result<(), Cause>> + 'a>>;

/// A body that arrives.
pub(super) struct Incoming<N: Net> {
    shared: Rc<Shared<N>>,
    clocks: Clocks,
    /// When a wait for more that was given up would have ended: the next one goes on with it.
    given_up: Option<Bound>,
    /// Whether a body that is shorter than announced is an error.
    is_length_enforced: bool,
    is_chunked: bool,
    /// Bytes of the body that nobody has taken yet.
    ready: Buffer,
    /// Where chunks end, counted from the first byte of the body; those that were taken are gone.
    chunk_ends: VecDeque<u64>,
    /// How many bytes of the body have arrived.
    received: u64,
    /// How many are to arrive, where the peer has said so.
    announced: Option<u64>,
    trailers: Headers,
    /// The trailers of a body whose last byte was not taken yet.
    held_trailers: Headers,
    effort: Effort,
    /// What is still to come: `None` once the connection is given up.
    source: Option<Source<N>>,
}

/// A connection that the rest of a body will come over.
pub(super) struct Source<N: Net> {
    pub(super) lease: Lease<N>,
    pub(super) body: Body,
    pub(super) reuse: Reuse,
}

impl<N: Net> Incoming<N> {
    /// Takes over a connection whose inbox begins with the body. A body that is there already is taken at once,
    /// and what is wrong with it is said.
    pub(super) fn new(
        shared: Rc<Shared<N>>,
        clocks: Clocks,
        is_length_enforced: bool,
        mut source: Source<N>,
    ) -> (Self, Option<Cause>) {
        let inbox = std::mem::take(&mut source.lease.connection().inbox);
        let mut incoming = Self {
            shared,
            clocks,
            given_up: None,
            is_length_enforced,
            is_chunked: source.body.is_chunked(),
            ready: Buffer::default(),
            chunk_ends: VecDeque::new(),
            received: 0,
            announced: source.body.left(),
            trailers: Headers::default(),
            held_trailers: Headers::default(),
            effort: Effort::default(),
            source: Some(source),
        };
        let failure = incoming.arrived(inbox).err();
        (incoming, failure)
    }

    pub(super) const fn is_chunked(&self) -> bool {
        self.is_chunked
    }

    pub(super) const fn trailers(&self) -> &Headers {
        &self.trailers
    }

    /// Whether nothing more will arrive.
    pub(super) const fn has_ended(&self) -> bool {
        self.source.is_none()
    }

    /// Bytes that have arrived and nobody has taken.
    pub(super) const fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// How many bytes were taken.
    pub(super) const fn taken(&self) -> u64 {
        self.received - self.ready.len() as u64
    }

    /// How many of the announced bytes are still to be taken, whether or not they will come.
    pub(super) const fn length_remaining(&self) -> Option<u64> {
        match self.announced {
            Some(announced) => Some(announced.saturating_sub(self.taken())),
            None => None,
        }
    }

    /// How many of the announced bytes can still come.
    pub(super) fn to_come(&self) -> Option<u64> {
        self.announced?;
        let waiting = self.ready.len() as u64;
        match &self.source {
            None => Some(waiting),
            Some(source) => source.body.left().map(|left| left.saturating_add(waiting)),
        }
    }

    /// Which clock has run out, where that is the request's own.
    pub(super) fn expiry(&self) -> Option<Expiry> {
        let (at, expiry) = self.clocks.deadline()?;
        (self.shared.net.now() >= at).then_some(expiry)
    }

    /// Takes what is there, at most `max` bytes.
    pub(super) fn take(&mut self, max: usize) -> Vec<u8> {
        let taken = self.ready.take(max);
        let position = self.taken();
        while self.chunk_ends.front().is_some_and(|end| *end <= position) {
            self.chunk_ends.pop_front();
        }
        self.show_trailers();
        taken
    }

    /// Shows the trailers once there is nothing before them.
    fn show_trailers(&mut self) {
        if self.ready.is_empty() && !self.held_trailers.is_empty() {
            self.trailers = std::mem::take(&mut self.held_trailers);
        }
    }

    /// How many bytes of the chunk that comes next are there, and whether it is there to its end.
    pub(super) fn chunk(&self) -> (usize, bool) {
        match self.chunk_ends.front() {
            Some(end) => {
                let length = end.saturating_sub(self.taken());
                (usize::try_from(length).unwrap_or(usize::MAX), true)
            }
            None => (self.ready.len(), self.has_ended()),
        }
    }

    /// Waits until more has arrived, or the end has. Boxed, because every way to read would otherwise hold a copy of it; it is called only where
    /// there is a wait.
    pub(super) fn fill(&mut self) -> Filling<'_> {
        Box::pin(self.receive())
    }

    /// Counts bytes that were decoded, and lets others have their turn where it is time.
    pub(super) async fn worked(&mut self, bytes: usize) {
        self.effort.add(bytes);
        self.effort.pause(&self.shared.net).await;
    }

    async fn receive(&mut self) -> Result<(), Cause> {
        self.effort.pause(&self.shared.net).await;
        let Some(Source { lease, body, reuse }) = &mut self.source else {
            return Ok(());
        };
        let connection = lease.connection();
        let net = &self.shared.net;
        let resumed = self.given_up.take();
        let mut arrived = None;
        if resumed.is_some() {
            // Nobody looked meanwhile, so what has arrived came in time.
            let inbox = &mut connection.inbox;
            arrived = connection.transport.try_read(MAX_READ, inbox);
        }
        let received = match arrived {
            Some(received) => received,
            None => {
                let fresh = || self.clocks.bound(Phase::ReceiveBody, || net.now());
                let bound = resumed.unwrap_or_else(fresh);
                self.given_up = Some(bound);
                let received = bounded(net, bound, connection.receive(MAX_READ)).await;
                self.given_up = None;
                received.map_err(Cause::TimedOut)?
            }
        };
        let ended = match received {
            Ok(0) => Ok(()),
            Ok(count) => {
                self.effort.add(count);
                let inbox = std::mem::take(&mut connection.inbox);
                return self.arrived(inbox);
            }
            Err(error) if matches!(error.kind, IoKind::Gone | IoKind::Truncated) => {
                Err(Cause::Broken(error.message))
            }
            Err(error) => return Err(broken_midway(error)),
        };
        if *reuse == Reuse::Keep {
            *reuse = Reuse::Close("the server closed it");
        }
        // However the connection ended, the count of missing bytes says more about a body whose length is known.
        match (body.end_of_stream(), ended) {
            (Err(BodyError::Incomplete(Some(_))), Ok(())) if !self.is_length_enforced => {
                self.give_up("its response ended early");
                Ok(())
            }
            (Err(error), _) => Err(self.cut(error)),
            (Ok(()), Err(cause)) => Err(cause),
            (Ok(()), Ok(())) => {
                self.settle(false);
                Ok(())
            }
        }
    }

    /// Gives the connection up.
    pub(super) fn give_up(&mut self, reason: &str) {
        if let Some(source) = self.source.take() {
            source.lease.close(reason);
        }
    }

    /// Throws away what has arrived.
    pub(super) fn clear(&mut self) {
        self.take(usize::MAX);
    }

    /// Reads what is left if that is cheaper than another connection. Nobody asks for this body, so nobody hears how it fares.
    pub(super) async fn discard(mut self) {
        let now = self.shared.net.now();
        // The deadline bounds each read by itself.
        let bound = Some((now.after(drain::MAX_WAIT), Expiry::Read));
        let shared = Rc::clone(&self.shared);
        let read = async {
            while self.received <= drain::MAX_BYTES
                && self
                    .source
                    .as_ref()
                    .is_some_and(|source| drain::is_worth_it(source.body.left(), source.reuse))
                && self.fill().await.is_ok()
            {
                self.clear();
            }
        };
        // Whichever ends it, dropping the lease settles its connection.
        let _ = bounded(&shared.net, bound, read).await;
        self.give_up("its response was not read to the end");
    }

    /// Reads what follows the end of the content, which belongs to nobody, as far as that is worth it.
    pub(super) async fn pass_over(&mut self) -> Result<(), Cause> {
        let start = self.taken();
        loop {
            self.clear();
            let Some(Source { body, .. }) = &self.source else {
                return Ok(());
            };
            if !drain::is_worth_passing(self.is_chunked, body.left(), self.received - start) {
                self.give_up("more came than its content has");
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Takes the body out of what has arrived.
    fn arrived(&mut self, mut inbox: Vec<u8>) -> Result<(), Cause> {
        let Some(Source { body, .. }) = &mut self.source else {
            return Ok(());
        };
        let (received, ends) = (self.received, &mut self.chunk_ends);
        let outcome = body.unframe_noting(&mut inbox, |end| ends.push_back(received + end as u64));
        self.received += inbox.len() as u64;
        self.ready.push(inbox);
        match outcome {
            Err(error) => Err(self.cut(error)),
            Ok(excess) => {
                self.settle(!excess.is_empty());
                Ok(())
            }
        }
    }

    /// What it means that the body is not whole.
    fn cut(&self, error: BodyError) -> Cause {
        match error {
            BodyError::Chunk(why) => Cause::MalformedChunk(why),
            BodyError::Incomplete(missing) => Cause::Incomplete {
                received: self.received,
                missing,
            },
        }
    }

    /// Parts with the connection if the body has ended.
    fn settle(&mut self, has_excess: bool) {
        let Some(Source {
            lease,
            mut body,
            reuse,
        }) = self.source.take_if(|source| source.body.has_ended())
        else {
            return;
        };
        self.held_trailers = body.take_trailers();
        self.show_trailers();
        match reuse {
            Reuse::Close(reason) => lease.close(reason),
            Reuse::Keep if has_excess => lease.close("more came than the response has"),
            Reuse::Keep => lease.checkin(),
        }
    }
}
