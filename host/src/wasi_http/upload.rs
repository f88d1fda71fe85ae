//! The body of a plugin's request: pulled from the plugin as it is sent, and begun again where the request is.
//!
//! Invariant: no more than [`MAX_KEPT`] bytes are kept of it, and a body of which more was taken is not begun again.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http_body::Body as _;
use urlpool_core::driver::{BodySource, Piece};
use wasmtime_wasi_http::{Error as Code, WasiBody};

use super::convert;

/// What is kept of a body so that it can be sent again.
const MAX_KEPT: usize = 64 * 1024;
/// What core is told, which hands it back.
const FAILED: &str = "the body of the plugin failed";

/// A body on its way, and what has become of it. Clones share it.
#[derive(Clone)]
pub(super) struct Upload(Rc<RefCell<State>>);

struct State {
    body: WasiBody,
    has_ended: bool,
    /// What was taken before it was asked for.
    ahead: Option<Piece>,
    /// What was handed out, from the start, unless that was too much.
    kept: Vec<Piece>,
    kept_bytes: usize,
    is_forgotten: bool,
    /// How many of those are handed out again.
    next: usize,
    failed: Option<Code>,
}

impl Upload {
    pub(super) fn new(body: WasiBody) -> Self {
        Self(Rc::new(RefCell::new(State {
            has_ended: body.is_end_stream(),
            body,
            ahead: None,
            kept: Vec::new(),
            kept_bytes: 0,
            is_forgotten: false,
            next: 0,
            failed: None,
        })))
    }

    /// Waits until it is known whether there is anything in it.
    pub(super) async fn is_empty(&self) -> Result<bool, Code> {
        if self.0.borrow().has_ended {
            return Ok(true);
        }
        let first = poll_fn(|context| self.0.borrow_mut().poll_fresh(context)).await;
        let mut state = self.0.borrow_mut();
        match first {
            Ok(first) => {
                let is_empty = first == Piece::End;
                state.ahead = Some(first);
                Ok(is_empty)
            }
            Err(_) => Err(state.failed.take().unwrap_or(Code::HttpProtocolError)),
        }
    }

    /// Why the plugin's own body could not be sent, where that was the reason.
    pub(super) fn take_failure(&self) -> Option<Code> {
        self.0.borrow_mut().failed.take()
    }

    /// Whether the plugin still has something to hand over.
    pub(super) fn is_under_way(&self) -> bool {
        !self.0.borrow().has_ended
    }

    /// Takes what is left and throws it away.
    pub(super) async fn drain(self) {
        while self.is_under_way() {
            let next = poll_fn(|context| self.0.borrow_mut().poll_fresh(context)).await;
            if next.is_err() {
                return;
            }
        }
    }
}

impl State {
    /// The next piece that the plugin hands over.
    fn poll_fresh(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        if self.failed.is_some() {
            return Poll::Ready(Err(FAILED.into()));
        }
        if let Some(piece) = self.ahead.take() {
            return Poll::Ready(Ok(piece));
        }
        loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            let piece = match frame {
                None => Piece::End,
                Some(Err(code)) => return Poll::Ready(Err(self.fail(code))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => continue,
                    Ok(bytes) => Piece::Bytes(bytes.into()),
                    Err(frame) => match convert::trailers(frame.into_trailers().ok()) {
                        Ok(trailers) => Piece::EndWith(trailers),
                        Err(code) => return Poll::Ready(Err(self.fail(code))),
                    },
                },
            };
            self.has_ended = matches!(piece, Piece::End | Piece::EndWith(_));
            return Poll::Ready(Ok(piece));
        }
    }

    fn fail(&mut self, code: Code) -> String {
        self.has_ended = true;
        self.failed = Some(code);
        FAILED.into()
    }

    fn keep(&mut self, piece: &Piece) {
        if let Piece::Bytes(bytes) = piece {
            self.kept_bytes = self.kept_bytes.saturating_add(bytes.len());
        }
        if self.kept_bytes > MAX_KEPT {
            self.is_forgotten = true;
            self.kept = Vec::new();
        } else {
            self.kept.push(piece.clone());
            self.next = self.kept.len();
        }
    }
}

impl BodySource for Upload {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        let mut state = self.0.borrow_mut();
        if let Some(piece) = state.kept.get(state.next).cloned() {
            state.next += 1;
            return Poll::Ready(Ok(piece));
        }
        let piece = ready!(state.poll_fresh(context))?;
        if !state.is_forgotten {
            state.keep(&piece);
        }
        Poll::Ready(Ok(piece))
    }

    fn rewind(&mut self) {
        let mut state = self.0.borrow_mut();
        state.next = 0;
        if state.is_forgotten {
            // Its connection has died, and that is what the plugin is told.
            state.fail(Code::ConnectionTerminated);
        }
    }
}
