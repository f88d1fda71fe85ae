//! A request that was started: where its outcome is kept, and its body pushed.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use urlpool_core::driver::{Piece, Progress, Pushed, Pusher, Response, pushed};

use crate::convert::Outcome;
use crate::net::WasiNet;
use crate::reactor;
use crate::tasks::{self, Task};

/// A request under way. Dropping it gives it up.
pub(crate) struct Pending {
    slot: Rc<RefCell<Slot>>,
    pusher: Rc<Pusher>,
    task: Task,
}

#[derive(Default)]
struct Slot {
    outcome: Option<Outcome<Response<WasiNet>>>,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Pending {
    /// Starts what `send` makes of the request's end of its body.
    ///
    /// # Errors
    /// The caller's own mistakes, which are found at once.
    pub(crate) fn start<F>(send: impl FnOnce(Pushed) -> F) -> Outcome<Self>
    where
        F: Future<Output = Outcome<Response<WasiNet>>> + 'static,
    {
        let slot = Rc::new(RefCell::new(Slot::default()));
        let (pusher, pushed) = pushed();
        let pusher = Rc::new(pusher);
        let ours = Rc::clone(&pusher);
        let (request, place) = (send(pushed), Rc::clone(&slot));
        let task = tasks::start(
            async move {
                let outcome = request.await;
                let mut slot = place.borrow_mut();
                slot.outcome = Some(outcome);
                slot.has_ended = true;
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            },
            move || ours.is_waited_for(),
        );
        let refusal = |slot: &mut Slot| {
            let is_refused = |outcome: &mut Outcome<_>| matches!(outcome, Err(error) if error.is_callers_input());
            slot.outcome.take_if(is_refused)
        };
        if let Some(Err(error)) = refusal(&mut slot.borrow_mut()) {
            return Err(error);
        }
        Ok(Self { slot, pusher, task })
    }

    /// Hands a piece of the body over once there is room for it. Where that can never be, the request ends, for the piece cannot be kept.
    pub(crate) async fn push(&self, piece: Piece) -> Progress {
        let mut piece = Some(piece);
        poll_fn(|context| {
            if reactor::stands_still() {
                self.task.run();
            }
            self.pusher.poll_push(context, &mut piece)
        })
        .await
    }

    /// Waits until the body is not needed again, or is.
    pub(crate) async fn settled(&self) -> Progress {
        poll_fn(|context| self.pusher.poll_interruption(context)).await
    }

    /// Whether there is something to do for the caller.
    pub(crate) fn is_ready(&self) -> bool {
        self.slot.borrow().has_ended || self.pusher.must_rewind()
    }

    /// Whether its body must be pushed on before anything else can happen.
    pub(crate) fn is_idle(&self) -> bool {
        self.pusher.is_waited_for()
    }

    /// Ready once there is something to do for the caller.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_ready() {
            return Poll::Ready(());
        }
        self.slot.borrow_mut().waker = Some(context.waker().clone());
        self.pusher.poll_rewind(context)
    }

    /// Waits for the outcome and takes it; `None` where it was taken before.
    ///
    /// Nobody can push meanwhile, so a body that waits for more would wait for ever.
    pub(crate) async fn outcome(&self) -> Option<Outcome<Response<WasiNet>>> {
        self.pusher.give_up();
        poll_fn(|context| {
            if reactor::stands_still() {
                self.task.run();
            }
            let mut slot = self.slot.borrow_mut();
            if slot.has_ended {
                return Poll::Ready(slot.outcome.take());
            }
            slot.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
