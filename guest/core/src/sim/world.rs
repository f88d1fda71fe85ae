//! The simulated world: its clock, its names, its addresses, and the loop that lets time pass.

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

use super::listener::{Attempt, AttemptState, Listener, Trying, refused};
use super::script::{Codec, Script};
use super::stream::{Peer, ROUND_TRIP, SimStream};
use crate::driver::{ConnectError, Net, ResolveError};
use crate::types::{Instant, SocketOptions};

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) peers: Vec<Peer>,
    /// The most that a write takes.
    pub(super) write_limit: Option<usize>,
    /// How many bytes more writes take, all together.
    pub(super) write_room: Option<usize>,
    /// The most that a read gives.
    pub(super) read_limit: Option<usize>,
    /// How long a read takes that gives anything.
    pub(super) read_time: Duration,
    stands_still: bool,
    cut: Option<usize>,
    timers: Vec<(Instant, Waker)>,
    /// What looking up a name comes to; `None` where it never ends.
    names: HashMap<String, Option<Result<Vec<IpAddr>, ResolveError>>>,
    listeners: HashMap<SocketAddr, Listener>,
    wall_clock: Duration,
    /// Every try to connect, oldest first.
    attempts: Vec<Attempt>,
    seed: u64,
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
            write_room: None,
            read_limit: None,
            read_time: Duration::ZERO,
            stands_still: false,
            cut: None,
            timers: Vec::new(),
            names: HashMap::new(),
            listeners: HashMap::new(),
            wall_clock: Duration::ZERO,
            attempts: Vec::new(),
            seed: 0x9e37_79b9_7f4a_7c15,
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

    /// Says that nothing will happen unless the caller acts, whatever is so.
    pub fn stand_still(&self) {
        self.0.borrow_mut().stands_still = true;
    }

    /// Lets every write take at most this many bytes; with 0 none ever takes any.
    pub fn limit_writes(&self, limit: usize) {
        self.0.borrow_mut().write_limit = Some(limit);
    }

    /// Lets writes take this many bytes more, all together, and then none.
    pub fn limit_room(&self, room: usize) {
        self.0.borrow_mut().write_room = Some(room);
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

    /// Makes what is random from now on follow from this number, of which 0 counts as 1.
    pub fn seed(&self, seed: u64) {
        self.0.borrow_mut().seed = seed.max(1);
    }

    /// Every try to connect so far, in the order in which they began.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.0.borrow().attempts.clone()
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

    fn try_to(&self, address: SocketAddr, socket: SocketOptions) -> Trying {
        let at = self.elapsed();
        let attempts = &mut self.0.borrow_mut().attempts;
        attempts.push(Attempt {
            address,
            socket,
            at,
            state: AttemptState::Running,
        });
        Trying::new(self.clone(), attempts.len() - 1)
    }

    /// Notes what became of an attempt that is still under way.
    pub(super) fn note(&self, index: usize, state: AttemptState) {
        if let Some(attempt) = self.0.borrow_mut().attempts.get_mut(index)
            && attempt.state == AttemptState::Running
        {
            attempt.state = state;
        }
    }

    pub(super) fn accept(&self, scripts: &mut Vec<Script>, codec: Box<dyn Codec>) -> SimStream {
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

    async fn connect(
        &self,
        address: SocketAddr,
        socket: &SocketOptions,
    ) -> Result<SimStream, ConnectError> {
        let trying = self.try_to(address, *socket);
        let delay = match self.0.borrow().listeners.get(&address) {
            Some(listener) => listener.delay(),
            None => Some(Duration::ZERO),
        };
        let Some(delay) = delay else {
            return pending().await;
        };
        self.sleep_until(self.now().after(ROUND_TRIP + delay)).await;
        // Not borrowed while it answers, for its codec may look at the network.
        let listener = self.0.borrow_mut().listeners.remove(&address);
        let outcome = match listener {
            Some(mut listener) => {
                let outcome = listener.answer(self);
                self.0.borrow_mut().listeners.insert(address, listener);
                outcome
            }
            None => refused(),
        };
        trying.ends(match outcome {
            Ok(_) => AttemptState::Connected,
            Err(_) => AttemptState::Failed,
        });
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

    fn stands_still(&self) -> bool {
        self.0.borrow().stands_still
    }

    fn now(&self) -> Instant {
        self.0.borrow().now
    }

    fn wall_clock(&self) -> Duration {
        self.0.borrow().wall_clock
    }

    /// The same bytes in every run: xorshift64.
    fn random(&self, into: &mut [u8]) {
        let mut world = self.0.borrow_mut();
        for byte in into {
            world.seed ^= world.seed << 13;
            world.seed ^= world.seed >> 7;
            world.seed ^= world.seed << 17;
            [*byte, ..] = world.seed.to_be_bytes();
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
