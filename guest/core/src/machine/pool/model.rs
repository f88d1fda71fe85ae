//! The ledger against a naive model: lists that are counted anew each time, and requests that are looked through from the first to the last.

use std::time::Duration;

use proptest::prelude::*;

use super::ledger::{Dues, Grant, Ledger, Place, Want};
use super::queue::{IfClosed, Ticket};
use crate::policy::Profile;
use crate::types::{Instant, Limit, PoolSettings};

const POOLS: usize = 3;
const TIMEOUT: u64 = 20;
const LIFETIME: u64 = 50;

/// A number and when it was opened; `Opened` is implemented beside `Idle`'s own test.
type Connection = (u32, u64);

#[derive(Clone, Debug)]
enum Event {
    Request {
        at: usize,
        is_new: bool,
        is_refused: bool,
    },
    /// The connection to a slot is opened.
    Open(usize),
    /// It cannot be.
    Fail(usize),
    Checkin(usize),
    Close(usize),
    /// A leased connection turns out to be dead and is changed for an idle one.
    Exchange(usize),
    /// A request takes what it waited for.
    Fetch(usize),
    /// A request gives up or its time is over.
    Cancel(usize),
    Retire(usize),
    ClosePool(usize),
    /// A pool that nobody uses makes way for another.
    Replace(usize),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let nth = || 0..8_usize;
    prop_oneof![
        8 => (0..POOLS, prop::bool::weighted(0.2), any::<bool>()).prop_map(|(at, is_new, is_refused)| Event::Request { at, is_new, is_refused }),
        6 => nth().prop_map(Event::Open),
        1 => nth().prop_map(Event::Fail),
        5 => nth().prop_map(Event::Checkin),
        1 => nth().prop_map(Event::Close),
        1 => nth().prop_map(Event::Exchange),
        4 => nth().prop_map(Event::Fetch),
        2 => nth().prop_map(Event::Cancel),
        1 => (0..POOLS).prop_map(Event::Retire),
        1 => (0..POOLS).prop_map(Event::ClosePool),
        2 => (0..POOLS).prop_map(Event::Replace),
        3 => (0..8_u64).prop_map(Event::Wait),
    ]
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Retired,
    Closed,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Given {
    Nothing,
    Connection(Connection),
    Slot,
    Closed,
}

struct Request {
    number: u32,
    at: usize,
    is_refused: bool,
    ticket: Ticket,
    given: Given,
}

struct Pool {
    maxsize: usize,
    is_blocking: bool,
    state: State,
    /// Oldest first, with the time since when.
    idle: Vec<(Connection, u64)>,
}

struct Model {
    cap: Option<usize>,
    now: u64,
    pools: Vec<Pool>,
    /// Those that wait or have not fetched what they got, in the order in which they came.
    requests: Vec<Request>,
    leased: Vec<(usize, Connection)>,
    slots: Vec<usize>,
    closing: Vec<u32>,
    waking: Vec<u32>,
}

impl Model {
    fn taken(&self, at: usize) -> usize {
        let granted = |request: &&Request| {
            request.at == at && matches!(request.given, Given::Connection(_) | Given::Slot)
        };
        self.pools[at].idle.len()
            + self.leased.iter().filter(|(of, _)| *of == at).count()
            + self.slots.iter().filter(|of| **of == at).count()
            + self.requests.iter().filter(granted).count()
    }

    fn all_taken(&self) -> usize {
        (0..POOLS).map(|at| self.taken(at)).sum()
    }

    fn is_full(&self, at: usize) -> bool {
        self.pools[at].is_blocking && self.taken(at) >= self.pools[at].maxsize
    }

    fn is_at_cap(&self) -> bool {
        self.cap.is_some_and(|cap| self.all_taken() >= cap)
    }

    /// The pool of the connection that was idle longest.
    fn idlest(&self) -> Option<usize> {
        let oldest = |at: &usize| self.pools[*at].idle.first().map(|(_, since)| *since);
        (0..POOLS)
            .filter(|at| oldest(at).is_some())
            .min_by_key(|at| oldest(at))
    }

    fn expire(&mut self, at: usize) {
        let now = self.now;
        for over in [
            |now: u64, (_, since): &(Connection, u64)| now - since >= TIMEOUT,
            |now: u64, ((_, opened), _): &(Connection, u64)| now - opened >= LIFETIME,
        ] {
            let expired = self.pools[at].idle.extract_if(.., |entry| over(now, entry));
            self.closing.extend(expired.map(|((number, _), _)| number));
        }
    }

    /// What a request could have now.
    fn offer(&mut self, at: usize, is_new: bool) -> Given {
        if !is_new && let Some((connection, _)) = self.pools[at].idle.pop() {
            return Given::Connection(connection);
        }
        let maker = if self.is_full(at) {
            Some(at).filter(|at| !self.pools[*at].idle.is_empty())
        } else if self.is_at_cap() {
            self.idlest()
        } else {
            return Given::Slot;
        };
        match maker {
            None => Given::Nothing,
            Some(at) => {
                let ((number, _), _) = self.pools[at].idle.remove(0);
                self.closing.push(number);
                Given::Slot
            }
        }
    }

    /// Gives to those who wait, from the first to the last and again, until nobody can have anything.
    fn serve(&mut self) {
        let mut next = 0;
        while next < self.requests.len() {
            if self.requests[next].given == Given::Nothing {
                let given = self.offer(self.requests[next].at, false);
                if given != Given::Nothing {
                    self.requests[next].given = given;
                    self.waking.push(self.requests[next].number);
                    next = 0;
                    continue;
                }
            }
            next += 1;
        }
    }

    fn checkin(&mut self, at: usize, connection: Connection) {
        self.expire(at);
        if self.now - connection.1 >= LIFETIME {
            self.closing.push(connection.0);
            return self.serve();
        }
        self.pools[at].idle.push((connection, self.now));
        self.serve();
        let pool = &mut self.pools[at];
        if (pool.state != State::Open || pool.idle.len() > pool.maxsize)
            && let Some(((number, _), _)) = pool.idle.pop()
        {
            self.closing.push(number);
        }
    }

    fn retire(&mut self, at: usize, state: State) {
        let pool = &mut self.pools[at];
        if pool.state != State::Closed {
            pool.state = state;
        }
        let idle = pool.idle.drain(..);
        self.closing.extend(idle.map(|((number, _), _)| number));
    }
}

/// Pools of these kinds under this cap, as model and as ledger.
struct Both {
    model: Model,
    ledger: Ledger<Connection, u32>,
    places: Vec<Place>,
    kinds: Vec<(bool, u32)>,
    opened: u32,
    last: u32,
}

impl Both {
    fn new(cap: Option<usize>, kinds: Vec<(bool, u32)>) -> Self {
        let mut ledger = Ledger::new(cap);
        let places = kinds.iter().map(|kind| ledger.add(&profile(*kind)));
        let places = places.collect();
        let pools = kinds.iter().map(|kind| pool(*kind)).collect();
        let model = Model {
            cap,
            now: 100,
            pools,
            requests: Vec::new(),
            leased: Vec::new(),
            slots: Vec::new(),
            closing: Vec::new(),
            waking: Vec::new(),
        };
        Self {
            model,
            ledger,
            places,
            kinds,
            opened: 0,
            last: 0,
        }
    }

    /// Lets the same happen to both and compares what it led to.
    fn apply(&mut self, event: Event) -> Result<(), TestCaseError> {
        let now = Instant::from_nanos(self.model.now);
        let dues = match event {
            Event::Wait(span) => {
                self.model.now += span;
                return Ok(());
            }
            Event::Request {
                at,
                is_new,
                is_refused,
            } => return self.request(at, is_new, is_refused),
            Event::Open(nth) => {
                if let Some(at) = nth_of(&mut self.model.slots, nth) {
                    self.opened += 1;
                    let connection = (self.opened, self.model.now);
                    self.model.leased.push((at, connection));
                }
                return Ok(());
            }
            Event::Fail(nth) => {
                let Some(at) = nth_of(&mut self.model.slots, nth) else {
                    return Ok(());
                };
                self.model.serve();
                self.ledger.free(&self.places[at])
            }
            Event::Close(nth) => {
                let Some((at, _)) = nth_of(&mut self.model.leased, nth) else {
                    return Ok(());
                };
                self.model.serve();
                self.ledger.free(&self.places[at])
            }
            Event::Checkin(nth) => {
                let Some((at, connection)) = nth_of(&mut self.model.leased, nth) else {
                    return Ok(());
                };
                self.model.checkin(at, connection);
                self.ledger.checkin(&self.places[at], connection, now)
            }
            Event::Exchange(nth) => {
                let Some((at, _)) = nth_of(&mut self.model.leased, nth) else {
                    return Ok(());
                };
                self.model.expire(at);
                let expected = self.model.pools[at].idle.pop();
                let expected = expected.map(|(connection, _)| connection);
                match expected {
                    Some(connection) => self.model.leased.push((at, connection)),
                    None => self.model.slots.push(at),
                }
                let (connection, dues) = self.ledger.exchange(&self.places[at], now);
                prop_assert_eq!(connection, expected);
                dues
            }
            Event::Fetch(nth) => return self.fetch(nth),
            Event::Cancel(nth) => {
                let Some(request) = nth_of(&mut self.model.requests, nth) else {
                    return Ok(());
                };
                match request.given {
                    Given::Connection(connection) => self.model.checkin(request.at, connection),
                    Given::Slot => self.model.serve(),
                    Given::Nothing | Given::Closed => {}
                }
                let place = &self.places[request.at];
                self.ledger.cancel(place, request.ticket, now)
            }
            Event::Retire(at) => {
                self.model.retire(at, State::Retired);
                self.ledger.retire(&self.places[at], "retired")
            }
            Event::ClosePool(at) => {
                self.model.retire(at, State::Closed);
                for request in &mut self.model.requests {
                    if request.at == at && request.is_refused && request.given == Given::Nothing {
                        request.given = Given::Closed;
                        self.model.waking.push(request.number);
                    }
                }
                self.ledger.close(&self.places[at], "closed")
            }
            Event::Replace(at) => {
                let in_use = self.model.requests.iter().any(|request| request.at == at)
                    || self.model.taken(at) > self.model.pools[at].idle.len();
                if in_use {
                    return Ok(());
                }
                self.model.retire(at, State::Retired);
                self.model.pools[at] = pool(self.kinds[at]);
                let dues = self.ledger.remove(&self.places[at], "let go");
                self.places[at] = self.ledger.add(&profile(self.kinds[at]));
                dues
            }
        };
        self.compare(dues)
    }

    fn request(&mut self, at: usize, is_new: bool, is_refused: bool) -> Result<(), TestCaseError> {
        let now = Instant::from_nanos(self.model.now);
        let want = if is_new { Want::New } else { Want::Any };
        let if_closed = if is_refused {
            IfClosed::Refuse
        } else {
            IfClosed::Serve
        };
        let (outcome, dues) = self
            .ledger
            .checkout(&self.places[at], want, if_closed, || now);
        let expected = if is_refused && self.model.pools[at].state == State::Closed {
            Given::Closed
        } else {
            self.model.expire(at);
            self.model.offer(at, is_new)
        };
        match outcome {
            Ok(grant) => self.take(at, grant, expected)?,
            Err(ticket) => {
                prop_assert_eq!(expected, Given::Nothing);
                self.last += 1;
                let early = self.ledger.fetch(&self.places[at], ticket, self.last);
                prop_assert_eq!(early, None);
                self.model.requests.push(Request {
                    number: self.last,
                    at,
                    is_refused,
                    ticket,
                    given: Given::Nothing,
                });
            }
        }
        self.compare(dues)
    }

    /// Somebody who waits looks whether there is anything.
    fn fetch(&mut self, nth: usize) -> Result<(), TestCaseError> {
        let Some(request) = nth_of(&mut self.model.requests, nth) else {
            return Ok(());
        };
        let place = &self.places[request.at];
        match self.ledger.fetch(place, request.ticket, request.number) {
            Some(grant) => self.take(request.at, grant, request.given),
            None => {
                prop_assert_eq!(request.given, Given::Nothing);
                let requests = &mut self.model.requests;
                let at = requests.partition_point(|other| other.number < request.number);
                requests.insert(at, request);
                Ok(())
            }
        }
    }

    fn take(
        &mut self,
        at: usize,
        grant: Grant<Connection>,
        expected: Given,
    ) -> Result<(), TestCaseError> {
        let given = match grant {
            Grant::Connection(connection) => {
                self.model.leased.push((at, connection));
                Given::Connection(connection)
            }
            Grant::Slot => {
                self.model.slots.push(at);
                Given::Slot
            }
            Grant::Closed => Given::Closed,
        };
        prop_assert_eq!(given, expected);
        Ok(())
    }

    fn compare(&mut self, dues: Dues<Connection, u32>) -> Result<(), TestCaseError> {
        let closing: Vec<u32> = dues
            .closing
            .iter()
            .map(|((number, _), _)| *number)
            .collect();
        prop_assert_eq!(closing, std::mem::take(&mut self.model.closing));
        prop_assert_eq!(dues.waking, std::mem::take(&mut self.model.waking));
        let model = &self.model;
        for (at, pool) in model.pools.iter().enumerate() {
            prop_assert_eq!(self.ledger.idle(&self.places[at]), pool.idle.len());
            prop_assert_eq!(
                self.ledger.is_open(&self.places[at]),
                pool.state == State::Open
            );
            prop_assert!(!pool.is_blocking || model.taken(at) <= pool.maxsize);
        }
        prop_assert!(model.cap.is_none_or(|cap| model.all_taken() <= cap));
        for request in &model.requests {
            let is_stuck = model.is_full(request.at) || model.is_at_cap();
            let has_idle = !model.pools[request.at].idle.is_empty();
            prop_assert!(request.given != Given::Nothing || (is_stuck && !has_idle));
        }
        Ok(())
    }
}

fn profile((block, maxsize): (bool, u32)) -> Profile {
    let after = |span| Some(Limit::After(Duration::from_nanos(span)));
    Profile::resolve(PoolSettings {
        block: Some(block),
        maxsize: Some(maxsize),
        idle_timeout: after(TIMEOUT),
        max_lifetime: after(LIFETIME),
        ..PoolSettings::default()
    })
    .unwrap()
}

fn pool((is_blocking, maxsize): (bool, u32)) -> Pool {
    Pool {
        maxsize: maxsize.try_into().unwrap(),
        is_blocking,
        state: State::Open,
        idle: Vec::new(),
    }
}

fn nth_of<T>(list: &mut Vec<T>, nth: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(nth % list.len()))
}

proptest! {
    /// Whatever the order of events: no pool that blocks and no manager with a cap has more connections than it may, nobody overtakes, nobody
    /// waits who could be served, and each connection is idle, leased, granted or closed, never two of these.
    #[test]
    fn agrees_with_lists(
        cap in prop::option::of(1..5_usize),
        kinds in prop::collection::vec((any::<bool>(), 1..4_u32), POOLS),
        events in prop::collection::vec(event(), 0..300),
    ) {
        let mut both = Both::new(cap, kinds);
        for event in events {
            both.apply(event)?;
        }
    }
}
