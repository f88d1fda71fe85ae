//! A body that is read from streams while it is sent.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use urlpool_core::driver::{BodySource, Piece};
use urlpool_sockets::Inflow;
use wit_bindgen::StreamReader;

/// What a body is read in.
const MAX_PIECE: usize = 64 * 1024;

/// The streams of one body, in the order in which they are sent.
pub(crate) struct Streams {
    waiting: VecDeque<StreamReader<u8>>,
    current: Option<Inflow>,
    /// Whether each of them is a part of a form, and not all of the body.
    are_parts: bool,
}

impl Streams {
    /// A body of one stream.
    pub(crate) fn of_body(stream: StreamReader<u8>) -> Self {
        Self {
            waiting: VecDeque::from([stream]),
            current: None,
            are_parts: false,
        }
    }

    /// The streamed parts of a form.
    pub(crate) fn of_form(streams: Vec<StreamReader<u8>>) -> Self {
        Self {
            waiting: streams.into(),
            current: None,
            are_parts: true,
        }
    }
}

impl BodySource for Streams {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        let current = match &mut self.current {
            Some(current) => current,
            None => match self.waiting.pop_front() {
                Some(next) => self.current.insert(Inflow::new(next)),
                None => return Poll::Ready(Ok(Piece::End)),
            },
        };
        let mut bytes = Vec::new();
        let count = ready!(current.poll_read(context, MAX_PIECE, &mut bytes));
        Poll::Ready(Ok(if count > 0 {
            Piece::Bytes(bytes)
        } else {
            self.current = None;
            if self.are_parts {
                Piece::PartEnd
            } else {
                Piece::End
            }
        }))
    }

    fn may_come_late(&self) -> bool {
        true
    }

    /// Never called: a stream cannot be read twice, and its request says so.
    fn rewind(&mut self) {}
}
