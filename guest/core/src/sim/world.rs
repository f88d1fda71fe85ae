//! The simulated world: its clock, its names, its listeners, and the loop that lets time pass.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::script::{Codec, Plain, Script};
use super::stream::{Peer, ROUND_TRIP, SimStream};
use crate::driver::{ConnectError, Net, ResolveError};
use crate::types::Instant;

/// How an address behaves.
pub enum Listener {
    /// Accepts; each connection takes the next script, and the last one serves all further ones.
    Accept(Vec<Script>),
    /// Accepts, and speaks through what the function makes for each connection.
    Through(Vec<Script>, Box<dyn FnMut() -> Box<dyn Codec>>),
    /// Refuses.
    Refuse,
    /// Never answers.
    BlackHole,
    /// Is not allowed.
    Deny,
}

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) peers: Vec<Peer>,
    /// The most that a write takes.
    pub(super) write_limit: Option<usize>,
    /// The most that a read gives.
    pub(super) read_limit: Option<usize>,
    /// How long a read takes that gives anything.
    pub(super) read_time: Duration,
    cut: Option<usize>,
    timers: Vec<(Instant, Waker)>,
    /// What looking up a name comes to; `None` where it never ends.
    names: HashMap<String, Option<Result<Vec<IpAddr>, ResolveError>>>,
    listeners: HashMap<SocketAddr, Listener>,
    wall_clock: Duration,
}

impl World {
    pub(super) fn wake_at(&mut self, at: Instant, waker: &Waker) {
        self.timers.push((at, waker.clone()));
    }
}

/// A simulated network. Clones share it.
#[derive(Clone)]
pub struct SimNet(Rc<RefCell<World>>);

impl Default for SimNet {
    fn default() -> Self {
        Self::new()
    }
}

impl SimNet {
    /// A world with nobody in it.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(World {
            now: Instant::from_nanos(1),
            peers: Vec::new(),
            write_limit: None,
            read_limit: None,
            read_time: Duration::ZERO,
            cut: None,
            timers: Vec::new(),
            names: HashMap::new(),
            listeners: HashMap::new(),
            wall_clock: Duration::ZERO,
        })))
    }

    /// Gives a name its addresses. Other names do not exist.
    pub fn name(&self, name: &str, addresses: &[IpAddr]) {
        self.0
            .borrow_mut()
            .names
            .insert(name.to_owned(), Some(Ok(addresses.to_vec())));
    }

    /// Makes looking up a name fail like this.
    pub fn unname(&self, name: &str, error: ResolveError) {
        self.0
            .borrow_mut()
            .names
            .insert(name.to_owned(), Some(Err(error)));
    }

    /// Makes looking up a name never end.
    pub fn stall_name(&self, name: &str) {
        self.0.borrow_mut().names.insert(name.to_owned(), None);
    }

    /// Puts somebody at an address. Nobody listens at others.
    pub fn listen(&self, address: SocketAddr, listener: Listener) {
        self.0.borrow_mut().listeners.insert(address, listener);
    }

    /// Lets every write take at most this many bytes; with 0 none ever takes any.
    pub fn limit_writes(&self, limit: usize) {
        self.0.borrow_mut().write_limit = Some(limit);
    }

    /// Lets every read give at most this many bytes.
    pub fn limit_reads(&self, limit: usize) {
        self.0.borrow_mut().read_limit = Some(limit);
    }

    /// Lets this much time pass with every read that gives anything, so that it passes although a peer always has something ready.
    pub fn take_time(&self, span: Duration) {
        self.0.borrow_mut().read_time = span;
    }

    /// Ends further connections after this many bytes to the client.
    pub fn cut_after(&self, bytes: Option<usize>) {
        self.0.borrow_mut().cut = bytes;
    }

    /// Sets the wall clock, since 1970.
    pub fn set_wall_clock(&self, since_1970: Duration) {
        self.0.borrow_mut().wall_clock = since_1970;
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.borrow().peers.len()
    }

    /// How many of them the client has not closed.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.0
            .borrow()
            .peers
            .iter()
            .filter(|peer| !peer.is_closed_by_client)
            .count()
    }

    /// What the client wrote on a connection, write by write.
    #[must_use]
    pub fn writes(&self, connection: usize) -> Vec<Vec<u8>> {
        self.0
            .borrow()
            .peers
            .get(connection)
            .map_or_else(Vec::new, |peer| peer.writes.clone())
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        let mut world = self.0.borrow_mut();
        world.now = world.now.after(span);
    }

    /// How much time has passed since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.borrow().now.since(Instant::from_nanos(1))
    }

    /// Runs a future to its end, letting time pass whenever nothing else can happen.
    ///
    /// # Panics
    /// Where nothing will ever happen again: the future would hang.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return output;
                }
            }
            assert!(self.advance(), "nothing will ever end this wait");
        }
    }

    /// Moves the clock to the next timer and wakes those who wait for it.
    fn advance(&self) -> bool {
        let mut world = self.0.borrow_mut();
        let Some(next) = world.timers.iter().map(|(at, _)| *at).min() else {
            return false;
        };
        world.now = world.now.max(next);
        let now = world.now;
        let (due, later) = std::mem::take(&mut world.timers)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        world.timers = later;
        drop(world);
        Vec::from_iter(due)
            .into_iter()
            .for_each(|(_, waker): (Instant, Waker)| waker.wake());
        true
    }

    fn accept(&self, scripts: &mut Vec<Script>, codec: Box<dyn Codec>) -> SimStream {
        let script = if scripts.len() > 1 {
            scripts.remove(0)
        } else {
            scripts.first().cloned().unwrap_or_default()
        };
        let mut world = self.0.borrow_mut();
        let peer = Peer::new(script, codec, world.cut, world.now);
        world.peers.push(peer);
        SimStream::new(Rc::clone(&self.0), world.peers.len() - 1)
    }
}

impl Net for SimNet {
    type Tcp = SimStream;

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.sleep_until(self.now().after(ROUND_TRIP)).await;
        let unknown = || {
            Some(Err(ResolveError::Failed(
                "Name or service not known".into(),
            )))
        };
        let outcome = self
            .0
            .borrow()
            .names
            .get(name)
            .cloned()
            .unwrap_or_else(unknown);
        match outcome {
            Some(outcome) => outcome,
            None => pending().await,
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<SimStream, ConnectError> {
        self.sleep_until(self.now().after(ROUND_TRIP)).await;
        let refused = || Err(ConnectError::Failed("Connection refused".into()));
        let Some(mut listener) = self.0.borrow_mut().listeners.remove(&address) else {
            return refused();
        };
        let outcome = match &mut listener {
            Listener::Accept(scripts) => Ok(self.accept(scripts, Box::new(Plain))),
            Listener::Through(scripts, codec) => {
                let codec = codec();
                Ok(self.accept(scripts, codec))
            }
            Listener::Refuse => refused(),
            Listener::Deny => Err(ConnectError::Denied("not allowed here".into())),
            Listener::BlackHole => {
                self.0.borrow_mut().listeners.insert(address, listener);
                return pending().await;
            }
        };
        self.0.borrow_mut().listeners.insert(address, listener);
        outcome
    }

    async fn sleep_until(&self, instant: Instant) {
        poll_fn(|context| {
            let mut world = self.0.borrow_mut();
            if world.now >= instant {
                return Poll::Ready(());
            }
            world.wake_at(instant, context.waker());
            Poll::Pending
        })
        .await;
    }

    fn now(&self) -> Instant {
        self.0.borrow().now
    }

    fn wall_clock(&self) -> Duration {
        self.0.borrow().wall_clock
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
