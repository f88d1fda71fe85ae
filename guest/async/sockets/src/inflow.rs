//! A stream of the component model, read whenever somebody polls for it.
//!
//! A read that has begun owns its buffer and borrows its end of the stream until it is over, while whoever asked may turn to something else in
//! between. So one future lives as long as the stream and does one read after the other, asked and answered through a cell: nothing is allocated
//! for a read but the buffer that it fills.
//!
//! Invariant: the future is polled by who owns the stream alone, right after it was asked, so it needs no waker for the question.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use wit_bindgen::{StreamReader, StreamResult};

/// How much is read at once where nothing may have come: what a response's head is read with.
const PROBE: usize = 16 * 1024;

/// A stream that is read in pieces. Dropping it gives up the read that is under way, and the stream.
pub struct Inflow {
    desk: Rc<Desk>,
    reads: Pin<Box<dyn Future<Output = ()>>>,
    is_reading: bool,
    /// What was read beyond what was asked for.
    rest: Vec<u8>,
}

#[derive(Default)]
struct Desk {
    question: Cell<Option<Vec<u8>>>,
    answer: Cell<Option<(StreamResult, Vec<u8>)>>,
}

impl Inflow {
    /// What comes out of this stream.
    #[must_use]
    pub fn new(stream: StreamReader<u8>) -> Self {
        let desk = Rc::new(Desk::default());
        Self {
            reads: Box::pin(read_on(stream, Rc::clone(&desk))),
            desk,
            is_reading: false,
            rest: Vec::new(),
        }
    }

    /// Appends at least 1 and at most `max` bytes to `into` once there are some, and says how many; 0 is the end. An empty `into` may be
    /// replaced.
    pub fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<usize> {
        loop {
            let (outcome, bytes) = ready!(self.poll(context, max, into));
            match outcome {
                StreamResult::Complete(0) | StreamResult::Cancelled => {}
                StreamResult::Complete(_) => return Poll::Ready(self.hand_over(bytes, max, into)),
                StreamResult::Dropped => return Poll::Ready(0),
            }
        }
    }

    /// The same for what is there already; `None` where nothing is.
    ///
    /// The read that finds nothing goes on, as the next is soon to follow: giving it up costs a call of the host, and the one of jco 1.35 loses
    /// what comes after it, or after a read of less than has come.
    pub fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<usize> {
        let context = &mut Context::from_waker(Waker::noop());
        match self.poll(context, PROBE, into) {
            Poll::Pending
            | Poll::Ready((StreamResult::Complete(0) | StreamResult::Cancelled, _)) => None,
            Poll::Ready((StreamResult::Dropped, _)) => Some(0),
            Poll::Ready((StreamResult::Complete(_), bytes)) => {
                Some(self.hand_over(bytes, max, into))
            }
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<(StreamResult, Vec<u8>)> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready((StreamResult::Complete(rest.len()), rest));
        }
        if !self.is_reading {
            self.desk.question.set(Some(room(max, into)));
            self.is_reading = true;
        }
        let _ = self.reads.as_mut().poll(context);
        let Some(answer) = self.desk.answer.take() else {
            return Poll::Pending;
        };
        self.is_reading = false;
        Poll::Ready(answer)
    }

    fn hand_over(&mut self, mut bytes: Vec<u8>, max: usize, into: &mut Vec<u8>) -> usize {
        if bytes.len() > max {
            self.rest = bytes.split_off(max);
        }
        let count = bytes.len();
        if into.is_empty() {
            *into = bytes;
        } else {
            into.extend_from_slice(&bytes);
        }
        count
    }
}

/// A buffer with room for `max` bytes and no more: `into` itself where it is empty and fits.
fn room(max: usize, into: &mut Vec<u8>) -> Vec<u8> {
    if into.is_empty() && into.capacity() == max {
        std::mem::take(into)
    } else {
        Vec::with_capacity(max)
    }
}

/// Reads whenever it is asked to. Once the stream has ended it is never read again, and every further question has the same answer.
async fn read_on(mut stream: StreamReader<u8>, desk: Rc<Desk>) {
    let mut has_ended = false;
    loop {
        let buffer = poll_fn(|_| desk.question.take().map_or(Poll::Pending, Poll::Ready)).await;
        let answer = if has_ended {
            (StreamResult::Dropped, buffer)
        } else {
            stream.read(buffer).await
        };
        has_ended = answer.0 == StreamResult::Dropped;
        desk.answer.set(Some(answer));
    }
}
