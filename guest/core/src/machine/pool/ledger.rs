//! How many connections there may be, which of them are idle, and who waits for one.
//!
//! A connection takes a slot of its pool and of its manager from before it is opened until it is closed, whether it is leased or idle. Where a
//! slot is missing, an idle connection of another pool makes room, and where none is idle requests wait, served in the order in which they
//! came: what comes back goes straight to the first who can use it, so nobody overtakes.
//!
//! Invariants: a connection is here or leased out, never both; nobody waits who could be served; a pool in which somebody waits has no idle
//! connection.

use std::collections::HashSet;

use super::idle::{Idle, OPEN_TOO_LONG, Opened, Reason};
use super::queue::{IfClosed, Queue, Ticket};
use crate::policy::Profile;
use crate::types::Instant;

const NO_ROOM: Reason = "its pool keeps no more connections";
const MADE_ROOM: Reason = "another request needed its place";

/// A pool of the ledger, until it is given back to [`Ledger::remove`].
#[derive(Debug)]
pub struct Place(usize);

/// What a request gets.
#[derive(Debug, Eq, PartialEq)]
pub enum Grant<C> {
    /// An idle connection.
    Connection(C),
    /// Leave to open a connection.
    Slot,
    /// Nothing: the pool is closed.
    Closed,
}

/// Which connections a request can use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Want {
    /// An idle one rather than a new one.
    Any,
    /// None that is idle.
    New,
}

/// What a caller of the ledger owes it, in this order.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "connections would leak out of the count and waiters would sleep for ever"]
pub struct Dues<C, W> {
    /// Connections that must be closed, and why.
    pub closing: Vec<(C, Reason)>,
    /// Those who must be woken.
    pub waking: Vec<W>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum State {
    Open,
    /// Keeps nothing, but serves whoever is left.
    Retired,
    /// Keeps nothing, and refuses whoever asked for that.
    Closed,
}

struct Pool<C, W> {
    idle: Idle<C>,
    maxsize: usize,
    /// How many connections it may have; `None` without limit.
    limit: Option<usize>,
    /// How many slots are taken.
    taken: usize,
    queue: Queue<W>,
    state: State,
}

/// All pools of one manager. `C` is a connection, `W` wakes somebody.
pub struct Ledger<C, W> {
    pools: Vec<Option<Pool<C, W>>>,
    /// Where there is none.
    vacant: Vec<usize>,
    /// Under a cap, at least all pools with an idle connection or somebody who waits: pools are many, these are few.
    concerned: HashSet<usize>,
    /// How many connections all pools together may have; `None` without limit.
    cap: Option<usize>,
    /// How many slots are taken in all pools together.
    taken: usize,
    last: u64,
    /// How many wait.
    waiting: usize,
    /// What those get who waited and have not fetched it yet.
    granted: Vec<(Ticket, Grant<C>)>,
}

impl<C: Opened, W> Ledger<C, W> {
    /// A ledger without pools.
    #[must_use]
    pub fn new(cap: Option<usize>) -> Self {
        Self {
            pools: Vec::new(),
            vacant: Vec::new(),
            concerned: HashSet::new(),
            cap,
            taken: 0,
            last: 0,
            waiting: 0,
            granted: Vec::new(),
        }
    }

    /// Adds a pool.
    pub fn add(&mut self, profile: &Profile) -> Place {
        let maxsize = usize::try_from(profile.maxsize).unwrap_or(usize::MAX);
        let pool = Some(Pool {
            idle: Idle::new(profile.idle_timeout, profile.max_lifetime),
            maxsize,
            limit: profile.is_blocking.then_some(maxsize),
            taken: 0,
            queue: Queue::new(),
            state: State::Open,
        });
        let at = self.vacant.pop().unwrap_or(self.pools.len());
        match self.pools.get_mut(at) {
            Some(vacant) => *vacant = pool,
            None => self.pools.push(pool),
        }
        Place(at)
    }

    /// Asks for a connection or leave to open one. With a ticket the request waits: it calls [`Ledger::fetch`] until there is a grant, or
    /// [`Ledger::cancel`].
    pub fn checkout(
        &mut self,
        place: &Place,
        want: Want,
        if_closed: IfClosed,
        now: impl FnOnce() -> Instant,
    ) -> (Result<Grant<C>, Ticket>, Dues<C, W>) {
        let mut dues = Dues::none();
        let pool = self.pool(place.0);
        if pool.state == State::Closed && if_closed == IfClosed::Refuse {
            return (Ok(Grant::Closed), dues);
        }
        if !pool.idle.is_empty() {
            self.expire(place.0, now(), &mut dues);
            let pool = self.pool(place.0);
            if want == Want::Any
                && let Some(connection) = pool.idle.pop()
            {
                return (Ok(Grant::Connection(connection)), dues);
            }
            if !pool.has_room()
                && let Some(connection) = pool.idle.pop_oldest()
            {
                dues.closing.push((connection, MADE_ROOM));
                return (Ok(Grant::Slot), dues);
            }
        }
        if self.pool(place.0).has_room() && (self.has_room() || self.has_idle()) {
            self.take(place.0, &mut dues);
            return (Ok(Grant::Slot), dues);
        }
        self.last += 1;
        self.waiting += 1;
        let ticket = Ticket(self.last);
        self.pool(place.0).queue.push(ticket, if_closed);
        self.concern(place.0);
        (Err(ticket), dues)
    }

    /// What somebody who waits gets; until there is anything, `waker` is called for when there is.
    pub fn fetch(&mut self, place: &Place, ticket: Ticket, waker: W) -> Option<Grant<C>> {
        let grant = self.take_grant(ticket);
        if grant.is_none() {
            self.pool(place.0).queue.set_waker(ticket, waker);
        }
        grant
    }

    /// Lets somebody go who no longer waits. What it has been granted goes to the next.
    pub fn cancel(&mut self, place: &Place, ticket: Ticket, now: Instant) -> Dues<C, W> {
        match self.take_grant(ticket) {
            Some(Grant::Connection(connection)) => self.checkin(place, connection, now),
            Some(Grant::Slot) => self.free(place),
            Some(Grant::Closed) => Dues::none(),
            None => {
                if self.pool(place.0).queue.remove(ticket) {
                    self.waiting -= 1;
                }
                Dues::none()
            }
        }
    }

    /// Takes a connection back that can serve another exchange.
    pub fn checkin(&mut self, place: &Place, connection: C, now: Instant) -> Dues<C, W> {
        let mut dues = Dues::none();
        if !self.pool(place.0).idle.is_empty() {
            self.expire(place.0, now, &mut dues);
        }
        let pool = self.pool(place.0);
        if pool.idle.has_outlived(&connection, now) {
            dues.closing.push((connection, OPEN_TOO_LONG));
            self.give(place.0, 1);
        } else {
            pool.idle.push(connection, now);
            self.concern(place.0);
        }
        self.serve(place.0, &mut dues);
        let pool = self.pool(place.0);
        let is_too_many = pool.state != State::Open || pool.idle.len() > pool.maxsize;
        if is_too_many && let Some(connection) = pool.idle.pop() {
            dues.closing.push((connection, NO_ROOM));
            self.give(place.0, 1);
        }
        dues
    }

    /// Takes a slot back whose connection is closed or was never opened.
    pub fn free(&mut self, place: &Place) -> Dues<C, W> {
        let mut dues = Dues::none();
        self.give(place.0, 1);
        self.serve(place.0, &mut dues);
        dues
    }

    /// Takes a slot back whose connection is closed, for an idle connection of the same pool that has a slot of its own.
    pub fn exchange(&mut self, place: &Place, now: Instant) -> (Option<C>, Dues<C, W>) {
        let mut dues = Dues::none();
        self.expire(place.0, now, &mut dues);
        let connection = self.pool(place.0).idle.pop();
        if connection.is_some() {
            self.give(place.0, 1);
        }
        (connection, dues)
    }

    /// Hands out what is idle in a pool, to be closed for `reason`, and keeps nothing there from now on. Leases and requests that wait go on.
    pub fn retire(&mut self, place: &Place, reason: Reason) -> Dues<C, W> {
        let mut dues = Dues::none();
        let pool = self.pool(place.0);
        pool.state = pool.state.max(State::Retired);
        while let Some(connection) = pool.idle.pop_oldest() {
            dues.closing.push((connection, reason));
        }
        self.give(place.0, dues.closing.len());
        dues
    }

    /// The same, and refuses all requests that ask for that.
    pub fn close(&mut self, place: &Place, reason: Reason) -> Dues<C, W> {
        let mut dues = self.retire(place, reason);
        let pool = self.pool(place.0);
        pool.state = State::Closed;
        let refused = pool.queue.take_refused();
        self.waiting -= refused.len();
        for (ticket, waker) in refused {
            self.granted.push((ticket, Grant::Closed));
            dues.waking.extend(waker);
        }
        dues
    }

    /// Forgets a pool that nobody uses any more.
    pub fn remove(&mut self, place: &Place, reason: Reason) -> Dues<C, W> {
        let dues = self.retire(place, reason);
        if let Some(pool) = self.pools.get_mut(place.0) {
            *pool = None;
            self.vacant.push(place.0);
        }
        dues
    }

    /// Whether a pool keeps connections.
    #[must_use]
    pub fn is_open(&self, place: &Place) -> bool {
        self.look(place)
            .is_some_and(|pool| pool.state == State::Open)
    }

    /// How many connections of a pool are idle.
    #[must_use]
    pub fn idle(&self, place: &Place) -> usize {
        self.look(place).map_or(0, |pool| pool.idle.len())
    }

    fn look(&self, place: &Place) -> Option<&Pool<C, W>> {
        self.pools.get(place.0).and_then(Option::as_ref)
    }

    fn pool(&mut self, at: usize) -> &mut Pool<C, W> {
        self.pools
            .get_mut(at)
            .and_then(Option::as_mut)
            .expect("whoever holds a place has not given its pool back")
    }

    fn has_room(&self) -> bool {
        self.cap.is_none_or(|cap| self.taken < cap)
    }

    /// Notes that a pool has something that concerns the others.
    fn concern(&mut self, at: usize) {
        if self.cap.is_some() {
            self.concerned.insert(at);
        }
    }

    /// Whether any pool has an idle connection.
    fn has_idle(&mut self) -> bool {
        let pools = &self.pools;
        self.concerned.retain(|at| {
            let pool = pools.get(*at).and_then(Option::as_ref);
            pool.is_some_and(|pool| !pool.idle.is_empty() || pool.queue.first().is_some())
        });
        let mut places = self.concerned.iter();
        places.any(|at| oldest(pools, *at).is_some())
    }

    /// Closes what is too old. Nobody can be waiting for these slots, or the connections would not be idle.
    fn expire(&mut self, at: usize, now: Instant, dues: &mut Dues<C, W>) {
        let expired = self.pool(at).idle.expire(now, &mut dues.closing);
        self.give(at, expired);
    }

    /// Takes a slot, for which the connection that was idle longest makes room where there is none.
    fn take(&mut self, at: usize, dues: &mut Dues<C, W>) {
        if !self.has_room() {
            let places = self.concerned.iter();
            let first = places
                .filter_map(|at| Some((oldest(&self.pools, *at)?, *at)))
                .min();
            if let Some((_, at)) = first
                && let Some(connection) = self.pool(at).idle.pop_oldest()
            {
                dues.closing.push((connection, MADE_ROOM));
                self.give(at, 1);
            }
        }
        self.pool(at).taken += 1;
        self.taken += 1;
    }

    fn give(&mut self, at: usize, count: usize) {
        self.pool(at).taken -= count;
        self.taken -= count;
    }

    /// Grants what has become free in a pool, there and wherever else it lets somebody go on.
    fn serve(&mut self, at: usize, dues: &mut Dues<C, W>) {
        while let Some(at) = self.next(at) {
            let pool = self.pool(at);
            let Some((ticket, waker)) = pool.queue.pop() else {
                return;
            };
            let grant = match pool.idle.pop() {
                Some(connection) => Grant::Connection(connection),
                None => {
                    self.take(at, dues);
                    Grant::Slot
                }
            };
            self.waiting -= 1;
            self.granted.push((ticket, grant));
            dues.waking.extend(waker);
        }
    }

    /// The pool of the one who has waited longest of those who can be served. Without a cap, pools do not concern each other.
    fn next(&mut self, changed: usize) -> Option<usize> {
        if self.waiting == 0 {
            return None;
        }
        let has_room = self.has_room() || self.has_idle();
        let first = |at: usize| {
            let pool = self.pools.get(at)?.as_ref()?;
            let can_be_served = !pool.idle.is_empty() || (has_room && pool.has_room());
            Some((pool.queue.first().filter(|_| can_be_served)?, at))
        };
        let first = match self.cap {
            Some(_) => self.concerned.iter().copied().filter_map(first).min(),
            None => first(changed),
        };
        first.map(|(_, at)| at)
    }

    fn take_grant(&mut self, ticket: Ticket) -> Option<Grant<C>> {
        let at = self.granted.iter().position(|(of, _)| *of == ticket)?;
        Some(self.granted.swap_remove(at).1)
    }
}

/// Since when the oldest idle connection of a pool has been that.
fn oldest<C: Opened, W>(pools: &[Option<Pool<C, W>>], at: usize) -> Option<Instant> {
    pools.get(at)?.as_ref()?.idle.oldest()
}

impl<C, W> Pool<C, W> {
    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.taken < limit)
    }
}

impl<C, W> Dues<C, W> {
    const fn none() -> Self {
        Self {
            closing: Vec::new(),
            waking: Vec::new(),
        }
    }
}
