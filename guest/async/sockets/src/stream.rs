//! A TCP connection over two streams of the component model.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use urlpool_core::driver::{ByteStream, IoError};
use wit_bindgen::{FutureReader, StreamWriter};

use crate::bindings::wasi::sockets::types::{ErrorCode, TcpSocket};
use crate::bindings::wit_stream;
use crate::inflow::Inflow;
use crate::net::words;

/// The most that one write takes over. More is several writes, since all of it must be copied first.
const MAX_WRITE: usize = 256 * 1024;

/// The most that a connection keeps for its next write.
const MAX_SPARE: usize = 16 * 1024;

/// How one direction of a connection ended.
type Ending = FutureReader<Result<(), ErrorCode>>;

/// A TCP connection. Dropping it closes it, and gives up what is under way.
pub struct Tcp {
    received: Inflow,
    receiving: Receiving,
    sending: Sending,
    _socket: TcpSocket,
}

impl Tcp {
    /// A connected socket.
    pub(crate) fn new(socket: TcpSocket) -> Self {
        let (bytes, ending) = socket.receive();
        let (writer, data) = wit_stream::new();
        let sent = socket.send(data);
        Self {
            received: Inflow::new(bytes),
            receiving: Receiving::Going(Some(ending)),
            sending: Sending::new(writer, sent),
            _socket: socket,
        }
    }
}

impl ByteStream for Tcp {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        // The rest of a write leaves while its caller waits for the answer. How it fails is found by who waits for it.
        let _ = self.sending.poll_idle(context);
        match ready!(self.received.poll_read(context, max, into)) {
            0 => self.receiving.poll_end(context).map_ok(|()| 0),
            count => Poll::Ready(Ok(count)),
        }
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        match self.received.try_read(max, into)? {
            // Whatever the end was, it has come.
            0 => {
                let context = &mut Context::from_waker(Waker::noop());
                match self.receiving.poll_end(context) {
                    Poll::Ready(Err(error)) => Some(Err(error)),
                    Poll::Ready(Ok(())) | Poll::Pending => Some(Ok(0)),
                }
            }
            count => Some(Ok(count)),
        }
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        ready!(self.sending.poll_idle(context))?;
        let taken = bytes.get(..MAX_WRITE).unwrap_or(bytes);
        self.sending.begin(taken);
        match self.sending.poll_idle(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken.len())),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        self.sending.poll_idle(context)
    }

    /// Here and now, in a task: giving a write up traps where a function that cannot wait, such as a destructor, does it.
    fn give_up_writing(&mut self) {
        self.sending.give_up();
    }
}

/// How the receiving direction ends.
enum Receiving {
    Going(Option<Ending>),
    Ending(Pin<Box<dyn Future<Output = Result<(), ErrorCode>>>>),
    Ended(Result<(), IoError>),
}

impl Receiving {
    /// Waits for how it ended, which is known once the stream has.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        loop {
            match self {
                Self::Going(ending) => {
                    *self = match ending.take() {
                        Some(ending) => Self::Ending(Box::pin(ending.into_future())),
                        None => Self::Ended(Ok(())),
                    };
                }
                Self::Ending(ending) => {
                    let outcome = ready!(ending.as_mut().poll(context));
                    *self = Self::Ended(outcome.map_err(|code| IoError::gone(words(&code))));
                }
                Self::Ended(outcome) => return Poll::Ready(outcome.clone()),
            }
        }
    }
}

/// The sending direction. As in [`Inflow`], one future does one write after the other.
struct Sending {
    desk: Rc<Desk>,
    writes: Pin<Box<dyn Future<Output = ()>>>,
    is_writing: bool,
    failure: Option<IoError>,
}

#[derive(Default)]
struct Desk {
    question: Cell<Option<Vec<u8>>>,
    answer: Cell<Option<Result<(), IoError>>>,
    is_given_up: Cell<bool>,
    /// A buffer for the next write.
    spare: Cell<Vec<u8>>,
}

impl Sending {
    fn new(writer: StreamWriter<u8>, ending: Ending) -> Self {
        let desk = Rc::new(Desk::default());
        Self {
            writes: Box::pin(write_on(writer, ending, Rc::clone(&desk))),
            desk,
            is_writing: false,
            failure: None,
        }
    }

    /// Begins to write these bytes, where nothing is being written.
    fn begin(&mut self, bytes: &[u8]) {
        let mut buffer = self.desk.spare.take();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.desk.question.set(Some(buffer));
        self.is_writing = true;
    }

    /// Ends the write that is under way. The stream stays open, since its end would tell the peer to go.
    fn give_up(&mut self) {
        self.desk.is_given_up.set(true);
        let _ = self.poll_idle(&mut Context::from_waker(Waker::noop()));
    }

    /// Waits until all has been written.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        if let Some(failure) = &self.failure {
            return Poll::Ready(Err(failure.clone()));
        }
        if !self.is_writing {
            return Poll::Ready(Ok(()));
        }
        let _ = self.writes.as_mut().poll(context);
        let Some(answer) = self.desk.answer.take() else {
            return Poll::Pending;
        };
        self.is_writing = false;
        self.failure = answer.clone().err();
        Poll::Ready(answer)
    }
}

/// Keeps a stream open for as long as this is kept.
async fn hold(_: StreamWriter<u8>) {
    pending().await
}

/// Writes whenever it is asked to, until the stream takes no more.
async fn write_on(mut writer: StreamWriter<u8>, ending: Ending, desk: Rc<Desk>) {
    loop {
        let buffer = poll_fn(|_| desk.question.take().map_or(Poll::Pending, Poll::Ready)).await;
        let written = {
            let mut write = pin!(writer.write_all(buffer));
            poll_fn(|context| match write.as_mut().poll(context) {
                Poll::Pending if desk.is_given_up.get() => Poll::Ready(None),
                poll => poll.map(Some),
            })
            .await
        };
        let Some(rest) = written else {
            desk.answer.set(Some(Err(IoError::gone("given up"))));
            return hold(writer).await;
        };
        if !rest.is_empty() {
            break;
        }
        if rest.capacity() <= MAX_SPARE {
            desk.spare.set(rest);
        }
        desk.answer.set(Some(Ok(())));
    }
    let why = match ending.await {
        Ok(()) => "Broken pipe".to_owned(),
        Err(code) => words(&code),
    };
    desk.answer.set(Some(Err(IoError::gone(why))));
    pending().await
}
