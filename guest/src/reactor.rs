//! Waiting on WASI 0.2: one thread, one `poll`, as many sources and timers as there are. Requests that were started run beside whatever waits.
//!
//! A source is registered while somebody waits for it and no longer; it leaves the reactor when it fires or is dropped, so a pollable never
//! outlives the stream or socket that it belongs to (the host would trap).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use urlpool_core::types::Instant;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};

use crate::tasks;

thread_local! {
    static REACTOR: Reactor = const { Reactor { waiting: RefCell::new(Vec::new()), timers: RefCell::new(BTreeMap::new()), timer_count: Cell::new(0) } };
}

thread_local! {
    static STANDS_STILL: Cell<bool> = const { Cell::new(false) };
    static HAS_TURNS: Cell<bool> = const { Cell::new(false) };
}

struct Reactor {
    waiting: RefCell<Vec<Rc<Inner>>>,
    timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    timer_count: Cell<u64>,
}

/// Something that can become ready, over and over.
pub(crate) struct Source(Rc<Inner>);

struct Inner {
    pollable: Pollable,
    /// Whether it has fired and nobody has found otherwise since.
    is_ready: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Source {
    pub(crate) fn new(pollable: Pollable) -> Self {
        Self(Rc::new(Inner {
            pollable,
            is_ready: Cell::new(false),
            waker: RefCell::new(None),
        }))
    }

    /// Ready once the pollable has fired, and until [`Source::unready`].
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.0.is_ready.get() {
            return Poll::Ready(());
        }
        let was_waiting = self
            .0
            .waker
            .replace(Some(context.waker().clone()))
            .is_some();
        if !was_waiting {
            REACTOR.with(|reactor| reactor.waiting.borrow_mut().push(Rc::clone(&self.0)));
        }
        Poll::Pending
    }

    /// Says that there is nothing more for now.
    pub(crate) fn unready(&self) {
        self.0.is_ready.set(false);
    }

    /// Waits until it fires.
    pub(crate) async fn ready(&self) {
        self.unready();
        poll_fn(|context| self.poll_ready(context)).await;
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        REACTOR.with(|reactor| {
            reactor
                .waiting
                .borrow_mut()
                .retain(|waiting| !Rc::ptr_eq(waiting, &self.0))
        });
    }
}

/// Waits until an instant has come.
pub(crate) async fn sleep_until(instant: Instant) {
    let id = REACTOR.with(|reactor| {
        reactor
            .timer_count
            .set(reactor.timer_count.get().wrapping_add(1));
        reactor.timer_count.get()
    });
    let timer = Timer {
        key: (instant, id),
        is_set: Cell::new(false),
    };
    poll_fn(|context| timer.poll(context)).await;
}

struct Timer {
    key: (Instant, u64),
    is_set: Cell<bool>,
}

impl Timer {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        REACTOR.with(|reactor| {
            let mut timers = reactor.timers.borrow_mut();
            if self.is_set.get() && !timers.contains_key(&self.key) {
                return Poll::Ready(());
            }
            self.is_set.set(true);
            timers.insert(self.key, context.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.is_set.get() {
            REACTOR.with(|reactor| reactor.timers.borrow_mut().remove(&self.key));
        }
    }
}

/// What a wait came to.
pub(crate) enum Waited<T> {
    /// The future's output.
    Done(T),
    /// The other pollable is ready first.
    Other,
    /// Nothing can ever happen: everything waits for something that only the caller can do.
    Stuck,
}

/// Whether nothing will happen unless the caller acts. True only while the future that is run finds out by a last poll.
pub(crate) fn stands_still() -> bool {
    STANDS_STILL.get()
}

/// While it lives, one future waits for several things at once, each of which must let the others have their turn.
pub(crate) struct Turns(());

impl Turns {
    pub(crate) fn begin() -> Self {
        HAS_TURNS.set(true);
        Self(())
    }

    pub(crate) fn are_taken() -> bool {
        HAS_TURNS.get()
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        HAS_TURNS.set(false);
    }
}

/// Whether that would be found out now.
pub(crate) fn would_stand_still() -> bool {
    REACTOR.with(|reactor| matches!(reactor.outlook(), Outlook::Nothing))
}

/// Runs a future to its end on this thread, and the tasks beside it; `None` where that would take for ever.
pub(crate) fn block_on<F: Future>(future: F) -> Option<F::Output> {
    match block_on_beside(future, None) {
        Waited::Done(output) => Some(output),
        Waited::Other | Waited::Stuck => None,
    }
}

/// The same, until another pollable is ready.
pub(crate) fn block_on_beside<F: Future>(future: F, other: Option<&Pollable>) -> Waited<F::Output> {
    drive(pin!(future), other)
}

fn drive<T>(future: Pin<&mut dyn Future<Output = T>>, other: Option<&Pollable>) -> Waited<T> {
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    let waited = drive_with(future, &flag, &waker, other);
    // A body that was not ready outlives the wait for it, and its source would look like something that will happen.
    REACTOR.with(|reactor| reactor.forget(&waker));
    waited
}

fn drive_with<T>(
    mut future: Pin<&mut dyn Future<Output = T>>,
    flag: &Flag,
    waker: &Waker,
    other: Option<&Pollable>,
) -> Waited<T> {
    loop {
        if flag.0.swap(false, Ordering::Relaxed)
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker))
        {
            return Waited::Done(output);
        }
        let has_run = tasks::run();
        if has_run || flag.0.load(Ordering::Relaxed) {
            continue;
        }
        match REACTOR.with(|reactor| reactor.wait(other)) {
            Fired::Ours => {}
            Fired::Other => return Waited::Other,
            Fired::Nothing => {
                STANDS_STILL.set(true);
                let last = future.as_mut().poll(&mut Context::from_waker(waker));
                STANDS_STILL.set(false);
                return match last {
                    Poll::Ready(output) => Waited::Done(output),
                    Poll::Pending => Waited::Stuck,
                };
            }
        }
    }
}

/// What there is to wait for.
enum Outlook {
    /// Timers, peers, or whatever else acts by itself.
    Something,
    /// Something that has fired already.
    Fired(Rc<Inner>),
    /// Nothing, or only what would keep a request from waiting for its caller any longer, such as an answer that comes early.
    Nothing,
}

/// What ended a wait for the host.
enum Fired {
    /// A source or a timer.
    Ours,
    /// The pollable of the caller's.
    Other,
    /// There was nothing to wait for.
    Nothing,
}

pub(crate) struct Flag(pub(crate) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Reactor {
    /// Blocks until at least one source or timer fires, or the other pollable is ready, and wakes those who wait for what fired.
    fn wait(&self, other: Option<&Pollable>) -> Fired {
        let next = self
            .timers
            .borrow()
            .keys()
            .next()
            .map(|(instant, _)| *instant);
        if other.is_none() {
            match self.outlook() {
                Outlook::Something => {}
                Outlook::Fired(source) => {
                    self.fire(&source);
                    return Fired::Ours;
                }
                Outlook::Nothing => return Fired::Nothing,
            }
        }
        let waiting = self.waiting.borrow().clone();
        if let ([only], None, None) = (waiting.as_slice(), next, other) {
            only.pollable.block();
            self.fire(only);
            return Fired::Ours;
        }
        let timer = next.map(|instant| monotonic_clock::subscribe_instant(instant.as_nanos()));
        let sources = waiting.iter().map(|source| &source.pollable);
        let pollables: Vec<&Pollable> = sources.chain(&timer).chain(other).collect();
        let mut fired = Fired::Ours;
        for index in poll(&pollables) {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            match (waiting.get(index), next) {
                (Some(source), _) => self.fire(source),
                (None, Some(instant)) if index == waiting.len() => self.expire(instant),
                (None, _) => fired = Fired::Other,
            }
        }
        fired
    }

    /// What there is to wait for, beside a pollable of the caller's.
    fn outlook(&self) -> Outlook {
        if !self.timers.borrow().is_empty() {
            return Outlook::Something;
        }
        let waiting = self.waiting.borrow();
        if waiting.is_empty() {
            return Outlook::Nothing;
        }
        let idle = tasks::idle();
        let is_idle = |source: &Rc<Inner>| {
            let waker = source.waker.borrow();
            let waker = waker.as_ref();
            waker.is_some_and(|waker| idle.iter().any(|task| task.will_wake(waker)))
        };
        if !waiting.iter().all(is_idle) {
            return Outlook::Something;
        }
        let mut sources = waiting.iter();
        sources
            .find(|source| source.pollable.ready())
            .map_or(Outlook::Nothing, |source| Outlook::Fired(Rc::clone(source)))
    }

    /// Lets go of the sources that nobody waits for any more but who has this waker.
    fn forget(&self, waker: &Waker) {
        let mut gone = Vec::new();
        self.waiting.borrow_mut().retain(|source| {
            let mut waiting = source.waker.borrow_mut();
            let ours = waiting.take_if(|theirs| theirs.will_wake(waker));
            let is_kept = ours.is_none();
            gone.extend(ours);
            is_kept
        });
        drop(gone);
    }

    fn fire(&self, source: &Rc<Inner>) {
        self.waiting
            .borrow_mut()
            .retain(|waiting| !Rc::ptr_eq(waiting, source));
        source.is_ready.set(true);
        if let Some(waker) = source.waker.take() {
            waker.wake();
        }
    }

    fn expire(&self, now: Instant) {
        let mut timers = self.timers.borrow_mut();
        while let Some(first) = timers.first_entry().filter(|first| first.key().0 <= now) {
            first.remove().wake();
        }
    }
}
