//! A TCP connection over `wasi:io` streams, and an output stream of somebody else's as a sink.

use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use urlpool_core::driver::{BodySource, ByteStream, IoError, Piece, Sink};
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::tcp::TcpSocket;

use crate::closing::{Open, Sending};
use crate::reactor::Source;

/// What a body is read in, from a stream.
const MAX_PIECE: u64 = 64 * 1024;

/// A TCP connection. Its halves are dropped in this order: pollables before their streams, streams before their socket.
pub(crate) struct WasiStream {
    receiving: Receiving,
    sending: Sending,
}

struct Receiving {
    readable: Source,
    input: InputStream,
}

impl WasiStream {
    pub(crate) fn new(
        socket: TcpSocket,
        input: InputStream,
        output: OutputStream,
        remote: SocketAddr,
    ) -> Self {
        let readable = Source::new(input.subscribe());
        Self {
            receiving: Receiving { readable, input },
            sending: Sending::new(socket, output, remote),
        }
    }
}

impl ByteStream for WasiStream {
    /// Waits before it reads: an answer is never there at once, and asking in vain costs as much as reading. Only while a body flows, which
    /// fills whole buffers, is it worth trying first.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        loop {
            ready!(self.receiving.readable.poll_ready(context));
            let outcome = self.try_read(max, into);
            if !matches!(outcome, Some(Ok(count)) if count == max) {
                self.receiving.readable.unready();
            }
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
        }
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        match self.receiving.input.read(max as u64) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => {
                let count = bytes.len();
                if into.is_empty() {
                    *into = bytes;
                } else {
                    into.extend_from_slice(&bytes);
                }
                Some(Ok(count))
            }
            Err(StreamError::Closed) => Some(Ok(0)),
            Err(error) => Some(Err(IoError::gone(words(&error)))),
        }
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        let Some(Open {
            writable, output, ..
        }) = self.sending.open()
        else {
            return Poll::Ready(Err(IoError::gone("Broken pipe")));
        };
        poll_write(output, writable, context, bytes).map_err(|error| IoError::gone(words(&error)))
    }
}

/// An output stream that a body is copied to.
pub(crate) struct StreamSink<'a> {
    writable: Option<Source>,
    stream: &'a OutputStream,
    is_flushing: bool,
}

impl<'a> StreamSink<'a> {
    pub(crate) const fn new(stream: &'a OutputStream) -> Self {
        Self {
            writable: None,
            stream,
            is_flushing: false,
        }
    }
}

impl Sink for StreamSink<'_> {
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, String>> {
        poll_write(self.stream, &mut self.writable, context, bytes).map_err(|error| words(&error))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), String>> {
        if !self.is_flushing {
            self.stream.flush().map_err(|error| words(&error))?;
            self.is_flushing = true;
        }
        poll_permit(self.stream, &mut self.writable, context)
            .map_ok(drop)
            .map_err(|error| words(&error))
    }
}

/// An input stream that a body is read from.
pub(crate) struct StreamSource<'a> {
    readable: Source,
    stream: &'a InputStream,
}

impl<'a> StreamSource<'a> {
    pub(crate) fn new(stream: &'a InputStream) -> Self {
        Self {
            readable: Source::new(stream.subscribe()),
            stream,
        }
    }
}

impl BodySource for StreamSource<'_> {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        loop {
            ready!(self.readable.poll_ready(context));
            self.readable.unready();
            match self.stream.read(MAX_PIECE) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Ok(Piece::Bytes(bytes))),
                Err(StreamError::Closed) => return Poll::Ready(Ok(Piece::End)),
                Err(error) => {
                    let why = format!("the body could not be read: {}", words(&error));
                    return Poll::Ready(Err(why));
                }
            }
        }
    }

    /// Never called: a stream cannot be read twice, and its request says so.
    fn rewind(&mut self) {}
}

/// Writes as much as the stream permits at once (`write` traps beyond that).
fn poll_write(
    stream: &OutputStream,
    writable: &mut Option<Source>,
    context: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<Result<usize, StreamError>> {
    let permit = ready!(poll_permit(stream, writable, context))?;
    let chunk = bytes.get(..permit.min(bytes.len())).unwrap_or(bytes);
    stream.write(chunk)?;
    Poll::Ready(Ok(chunk.len()))
}

/// How many bytes the stream takes, once it takes any.
fn poll_permit(
    stream: &OutputStream,
    writable: &mut Option<Source>,
    context: &mut Context<'_>,
) -> Poll<Result<usize, StreamError>> {
    loop {
        let permit = stream.check_write()?;
        if permit > 0 {
            return Poll::Ready(Ok(usize::try_from(permit).unwrap_or(usize::MAX)));
        }
        let source = writable.get_or_insert_with(|| Source::new(stream.subscribe()));
        ready!(source.poll_ready(context));
        source.unready();
    }
}

fn words(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "Broken pipe".into(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    }
}
