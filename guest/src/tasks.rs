//! Requests that were started and run beside each other, whenever the component waits for anything.
//!
//! Nothing runs between calls: a task goes on only while [`reactor::block_on`](crate::reactor::block_on) runs.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use crate::reactor::Flag;

thread_local! {
    static TASKS: RefCell<Vec<Rc<Inner>>> = const { RefCell::new(Vec::new()) };
}

struct Inner {
    /// Whether it waits for its caller, and for whatever might end that wait.
    is_idle: Box<dyn Fn() -> bool>,
    /// Gone once it has ended, and taken out while it is polled.
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    is_cancelled: Cell<bool>,
    flag: Arc<Flag>,
    waker: Waker,
}

/// A task under way. Dropping it cancels it.
pub(crate) struct Task(Rc<Inner>);

/// Starts a task and runs it until it has to wait for the first time. `is_idle` says whether it waits for its caller.
pub(crate) fn start(
    future: impl Future<Output = ()> + 'static,
    is_idle: impl Fn() -> bool + 'static,
) -> Task {
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let inner = Rc::new(Inner {
        is_idle: Box::new(is_idle),
        future: RefCell::new(Some(Box::pin(future))),
        is_cancelled: Cell::new(false),
        waker: Waker::from(Arc::clone(&flag)),
        flag,
    });
    TASKS.with_borrow_mut(|tasks| tasks.push(Rc::clone(&inner)));
    inner.run();
    Task(inner)
}

/// Runs each task that was woken, once. Whether there was one.
pub(crate) fn run() -> bool {
    let woken: Vec<Rc<Inner>> = TASKS.with_borrow(|tasks| {
        let is_woken = |task: &&Rc<Inner>| task.flag.0.load(Ordering::Relaxed);
        tasks.iter().filter(is_woken).map(Rc::clone).collect()
    });
    for task in &woken {
        task.run();
    }
    !woken.is_empty()
}

/// The wakers of the tasks that wait for their callers.
pub(crate) fn idle() -> Vec<Waker> {
    TASKS.with_borrow(|tasks| {
        let idle = tasks.iter().filter(|task| (task.is_idle)());
        idle.map(|task| task.waker.clone()).collect()
    })
}

/// Whether any task has not ended yet.
pub(crate) fn are_under_way() -> bool {
    TASKS.with_borrow(|tasks| !tasks.is_empty())
}

impl Inner {
    fn run(self: &Rc<Self>) {
        self.flag.0.store(false, Ordering::Relaxed);
        let Some(mut future) = self.future.take() else {
            return;
        };
        let poll = future.as_mut().poll(&mut Context::from_waker(&self.waker));
        if poll.is_pending() && !self.is_cancelled.get() {
            self.future.replace(Some(future));
        } else {
            self.forget();
        }
    }

    fn forget(self: &Rc<Self>) {
        TASKS.with_borrow_mut(|tasks| tasks.retain(|task| !Rc::ptr_eq(task, self)));
    }
}

impl Task {
    /// Runs it, whether it was woken or not.
    pub(crate) fn run(&self) {
        self.0.run();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.is_cancelled.set(true);
        self.0.forget();
        // Whatever the future holds is let go with no cell borrowed.
        let future = self.0.future.take();
        drop(future);
    }
}
