//! A body that its caller pushes, piece by piece, while its request is sent.
//!
//! Two ends of one short queue: the request takes, the caller pushes and waits while the queue is full.
//!
//! Invariant: the queue is free whenever a waker is called or dropped, since either may call anything, this module included.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::upload::{BodySource, Piece};

/// How many bytes wait to be sent before the caller waits too.
const MAX_WAITING: usize = 64 * 1024;
/// How many pieces do, however small.
const MAX_PIECES: usize = 1024;
const GIVEN_UP: &str = "The body was given up before it was handed over whole";

/// What a pushed piece came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// It will be sent.
    Accepted,
    /// It was thrown away, and so was what came before it: the body must be pushed again, from its start.
    Rewind,
    /// It was thrown away: the request is over, and its outcome is there.
    Answered,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    waiting: usize,
    must_rewind: bool,
    is_over: bool,
    /// Whether nobody will push any more.
    is_given_up: bool,
    source: Option<Waker>,
    pusher: Option<Waker>,
}

impl Queue {
    /// What the caller must hear; a rewind it hears once.
    fn interruption(&mut self) -> Option<Progress> {
        if self.is_over {
            Some(Progress::Answered)
        } else if std::mem::take(&mut self.must_rewind) {
            Some(Progress::Rewind)
        } else {
            None
        }
    }

    /// Whether a piece of this size must wait. One that is larger than the queue waits until that is empty.
    fn is_full(&self, size: usize) -> bool {
        let is_too_large = size > 0 && self.waiting > 0 && self.waiting + size > MAX_WAITING;
        is_too_large || self.pieces.len() >= MAX_PIECES
    }

    fn forget(&mut self) {
        self.pieces.clear();
        self.waiting = 0;
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The caller's end. Dropping it gives up a body that has not been pushed to its end.
#[derive(Debug)]
pub struct Pusher(Rc<RefCell<Queue>>);

/// The request's end.
#[derive(Debug)]
pub struct Pushed(Rc<RefCell<Queue>>);

/// A queue for one body.
#[must_use]
pub fn pushed() -> (Pusher, Pushed) {
    let queue = Rc::new(RefCell::new(Queue::default()));
    (Pusher(Rc::clone(&queue)), Pushed(queue))
}

impl Pusher {
    /// Hands a piece over once there is room for it; `piece` is empty then.
    pub fn poll_push(
        &self,
        context: &mut Context<'_>,
        piece: &mut Option<Piece>,
    ) -> Poll<Progress> {
        let mut queue = self.0.borrow_mut();
        if let Some(progress) = queue.interruption() {
            return Poll::Ready(progress);
        }
        let size = match piece.as_ref() {
            Some(Piece::Bytes(bytes)) => bytes.len(),
            Some(Piece::PartEnd | Piece::End | Piece::EndWith(_)) | None => 0,
        };
        if queue.is_full(size) {
            drop(queue);
            self.listen(context);
            return Poll::Pending;
        }
        queue.waiting += size;
        queue.pieces.extend(piece.take());
        let source = queue.source.take();
        drop(queue);
        wake(source);
        Poll::Ready(Progress::Accepted)
    }

    /// Waits until the body must be pushed again, or the request is over.
    pub fn poll_interruption(&self, context: &mut Context<'_>) -> Poll<Progress> {
        let interruption = self.0.borrow_mut().interruption();
        if interruption.is_none() {
            self.listen(context);
        }
        interruption.map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until the body must be pushed again, and leaves that to be heard.
    pub fn poll_rewind(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.must_rewind() {
            return Poll::Ready(());
        }
        self.listen(context);
        Poll::Pending
    }

    /// Whether the body must be pushed again.
    #[must_use]
    pub fn must_rewind(&self) -> bool {
        let queue = self.0.borrow();
        queue.must_rewind && !queue.is_over
    }

    /// Whether the request has sent all that was pushed and waits for more.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        let queue = self.0.borrow();
        queue.source.is_some() && queue.pieces.is_empty()
    }

    /// Says that nothing more will be pushed: a body that has not come to its end never will.
    pub fn give_up(&self) {
        let mut queue = self.0.borrow_mut();
        queue.is_given_up = true;
        let source = queue.source.take();
        drop(queue);
        wake(source);
    }

    /// Makes sure that whoever polls is woken.
    fn listen(&self, context: &Context<'_>) {
        let waker = context.waker().clone();
        let before = self.0.borrow_mut().pusher.replace(waker);
        drop(before);
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        self.give_up();
        let listener = self.0.borrow_mut().pusher.take();
        drop(listener);
    }
}

impl BodySource for Pushed {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        let mut queue = self.0.borrow_mut();
        let Some(piece) = queue.pieces.pop_front() else {
            if queue.is_given_up {
                return Poll::Ready(Err(GIVEN_UP.into()));
            }
            let before = queue.source.replace(context.waker().clone());
            drop(queue);
            drop(before);
            return Poll::Pending;
        };
        if let Piece::Bytes(bytes) = &piece {
            queue.waiting -= bytes.len();
        }
        let pusher = queue.pusher.take();
        drop(queue);
        wake(pusher);
        Poll::Ready(Ok(piece))
    }

    fn rest(&mut self) {
        let listener = self.0.borrow_mut().source.take();
        drop(listener);
    }

    fn rewind(&mut self) {
        self.rest();
        let mut queue = self.0.borrow_mut();
        queue.forget();
        queue.must_rewind = true;
        let pusher = queue.pusher.take();
        drop(queue);
        wake(pusher);
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        queue.forget();
        queue.is_over = true;
        let wakers = (queue.pusher.take(), queue.source.take());
        drop(queue);
        wake(wakers.0);
    }
}

#[cfg(test)]
mod tests;
