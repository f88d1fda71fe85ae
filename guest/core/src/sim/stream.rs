//! The client's end of a simulated connection, and the peer behind it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::script::{Codec, Script, Step, head_length, request_length};
use super::world::World;
use crate::driver::{ByteStream, IoError};
use crate::types::Instant;

/// What arrives at the client.
#[derive(Clone, Debug)]
enum Arrival {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// What the client reads now; `Err` with the instant at which there is more, if there ever is.
type Outcome = Result<Result<usize, IoError>, Option<Instant>>;

/// A peer and what is on its way to the client.
pub(super) struct Peer {
    script: Script,
    at: usize,
    codec: Box<dyn Codec>,
    plain: Vec<u8>,
    /// The head that was waited for last.
    head: Vec<u8>,
    /// When the peer's last action took effect; it never acts before.
    clock: Instant,
    arrivals: VecDeque<(Instant, Arrival)>,
    /// After how many bytes to the client the connection breaks.
    cut: Option<usize>,
    sent: usize,
    /// Each write of the client, as it came.
    pub(super) writes: Vec<Vec<u8>>,
    pub(super) is_closed_by_client: bool,
    has_finished: Option<Instant>,
}

impl Peer {
    pub(super) fn new(
        script: Script,
        codec: Box<dyn Codec>,
        cut: Option<usize>,
        now: Instant,
    ) -> Self {
        let mut peer = Self {
            script,
            at: 0,
            codec,
            plain: Vec::new(),
            head: Vec::new(),
            clock: now,
            arrivals: VecDeque::new(),
            cut,
            sent: 0,
            writes: Vec::new(),
            is_closed_by_client: false,
            has_finished: None,
        };
        peer.act(now);
        peer
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.writes.push(bytes.to_vec());
        let mut reply = Vec::new();
        self.codec.incoming(bytes, &mut self.plain, &mut reply);
        self.clock = self.clock.max(now);
        if !reply.is_empty() {
            self.put(Arrival::Bytes(reply));
        }
        self.act(now);
    }

    fn act(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
        while let Some(step) = self.script.0.get(self.at).cloned() {
            if self.has_finished.is_some() {
                return;
            }
            let awaited = match step {
                Step::Request => request_length(&self.plain),
                Step::Head => head_length(&self.plain),
                Step::Rest => request_length(&[&*self.head, &*self.plain].concat())
                    .map(|whole| whole - self.head.len()),
                Step::Anything => (!self.plain.is_empty()).then_some(self.plain.len()),
                _ => Some(0),
            };
            let Some(length) = awaited else {
                return;
            };
            let taken: Vec<u8> = self.plain.drain(..length).collect();
            self.at += 1;
            match step {
                Step::Head => self.head = taken,
                Step::Request | Step::Rest | Step::Anything => {}
                Step::Send(bytes) => {
                    let wire = self.codec.outgoing(&bytes);
                    self.put(Arrival::Bytes(wire));
                }
                Step::Pause(span) => self.clock = self.clock.after(span),
                Step::Close => {
                    let farewell = self.codec.farewell();
                    self.put(Arrival::Bytes(farewell));
                    self.put(Arrival::End);
                }
                Step::Reset => self.put(Arrival::Reset),
                Step::Vanish => self.has_finished = Some(self.clock),
                Step::Again => self.at = 0,
            }
        }
    }

    fn put(&mut self, arrival: Arrival) {
        let arrival = match (arrival, self.cut) {
            (Arrival::Bytes(mut bytes), Some(cut)) if self.sent + bytes.len() >= cut => {
                bytes.truncate(cut - self.sent);
                self.sent = cut;
                self.arrivals.push_back((self.clock, Arrival::Bytes(bytes)));
                Arrival::End
            }
            (Arrival::Bytes(bytes), _) => {
                self.sent += bytes.len();
                Arrival::Bytes(bytes)
            }
            (other, _) => other,
        };
        if !matches!(arrival, Arrival::Bytes(_)) {
            self.has_finished = Some(self.clock);
        }
        self.arrivals.push_back((self.clock, arrival));
    }

    fn read(&mut self, max: usize, into: &mut Vec<u8>, now: Instant) -> Outcome {
        while matches!(self.arrivals.front(), Some((_, Arrival::Bytes(bytes))) if bytes.is_empty())
        {
            self.arrivals.pop_front();
        }
        match self.arrivals.front_mut() {
            Some((at, _)) if *at > now => Err(Some(*at)),
            None => Err(None),
            Some((_, Arrival::End)) => Ok(Ok(0)),
            Some((_, Arrival::Reset)) => Ok(Err(IoError::gone("Connection reset by peer"))),
            Some((_, Arrival::Bytes(bytes))) => {
                let count = bytes.len().min(max);
                into.extend(bytes.drain(..count));
                Ok(Ok(count))
            }
        }
    }
}

/// The client's end.
pub struct SimStream {
    world: Rc<RefCell<World>>,
    index: usize,
}

impl SimStream {
    pub(super) const fn new(world: Rc<RefCell<World>>, index: usize) -> Self {
        Self { world, index }
    }

    fn with_peer<T>(&self, act: impl FnOnce(&mut Peer, Instant) -> T) -> Option<T> {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        world.peers.get_mut(self.index).map(|peer| act(peer, now))
    }

    /// What the peer has for the client now, within the limit of a read and at its price.
    fn read(&self, max: usize, into: &mut Vec<u8>) -> Option<Outcome> {
        let limit = self.world.borrow().read_limit;
        let max = limit.map_or(max, |limit| limit.min(max));
        let outcome = self.with_peer(|peer, now| peer.read(max, into, now));
        if matches!(outcome, Some(Ok(_))) {
            let mut world = self.world.borrow_mut();
            world.now = world.now.after(world.read_time);
        }
        outcome
    }
}

impl ByteStream for SimStream {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        match self.read(max, into) {
            Some(Ok(outcome)) => Poll::Ready(outcome),
            Some(Err(Some(at))) => {
                self.world.borrow_mut().wake_at(at, context.waker());
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        self.read(max, into)?.ok()
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        let limits = {
            let world = self.world.borrow();
            [world.write_limit, world.write_room]
        };
        let limit = limits.into_iter().flatten().min();
        if limit == Some(0) {
            // A peer that takes nothing: only a timer can end this wait.
            let _ = context;
            return Poll::Pending;
        }
        let taken = bytes
            .get(..limit.map_or(bytes.len(), |limit| limit.min(bytes.len())))
            .unwrap_or(bytes);
        if let Some(room) = &mut self.world.borrow_mut().write_room {
            *room -= taken.len();
        }
        let outcome = self.with_peer(|peer, now| match peer.has_finished {
            Some(at) if at <= now => {
                if peer.arrivals.is_empty() {
                    peer.arrivals.push_back((now, Arrival::Reset));
                }
                Err(IoError::gone("Broken pipe"))
            }
            _ => {
                peer.receive(taken, now);
                Ok(taken.len())
            }
        });
        Poll::Ready(outcome.unwrap_or_else(|| Err(IoError::gone("no such peer"))))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.with_peer(|peer, _| peer.is_closed_by_client = true);
    }
}

/// How long a simulated connection takes to open.
pub(super) const ROUND_TRIP: Duration = Duration::from_millis(1);
