//! Waiting on WASI 0.2: one thread, one `poll`, as many sources and timers as there are.
//!
//! A source is registered while somebody waits for it and no longer; it leaves the reactor when it fires or is dropped, so a pollable never
//! outlives the stream or socket that it belongs to (the host would trap).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use urlpool_core::types::Instant;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};

thread_local! {
    static REACTOR: Reactor = const { Reactor { waiting: RefCell::new(Vec::new()), timers: RefCell::new(BTreeMap::new()), timer_count: Cell::new(0) } };
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

/// Runs a future to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !flag.0.swap(false, Ordering::Relaxed) {
            REACTOR.with(Reactor::wait);
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Reactor {
    /// Blocks until at least one source or timer fires, and wakes those who wait for it.
    fn wait(&self) {
        let next = self
            .timers
            .borrow()
            .keys()
            .next()
            .map(|(instant, _)| *instant);
        let waiting = self.waiting.borrow().clone();
        if let ([only], None) = (waiting.as_slice(), next) {
            only.pollable.block();
            return self.fire(only);
        }
        let timer = next.map(|instant| monotonic_clock::subscribe_instant(instant.as_nanos()));
        let sources = waiting.iter().map(|source| &source.pollable);
        let pollables: Vec<&Pollable> = sources.chain(&timer).collect();
        for index in poll(&pollables) {
            match (
                usize::try_from(index)
                    .ok()
                    .and_then(|index| waiting.get(index)),
                next,
            ) {
                (Some(source), _) => self.fire(source),
                (None, Some(instant)) => self.expire(instant),
                (None, None) => {}
            }
        }
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
