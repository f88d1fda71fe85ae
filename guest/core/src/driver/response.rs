//! A response whose body is still to be read.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use super::bounded::bounded;
use super::incoming::Incoming;
use super::reader::{MAX_READ, Reader};
use super::shared::Shared;
use super::{Net, Sink};
use crate::policy::route::Route;
use crate::policy::{Clocks, Retry, blame};
use crate::types::{
    AttemptError, Cause, Error, Headers, HistoryEntry, Method, Phase, Reading, ResponseHead,
    Retries, Sent, TlsInfo, Url,
};

/// What a failure will be blamed on.
pub(super) struct Context {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) attempt: u32,
    pub(super) clocks: Clocks,
    pub(super) retry: Retry,
    pub(super) max_codings: usize,
    pub(super) route: Route,
}

/// A response (urllib3: `HTTPResponse`). Dropping it gives its connection up, as [`Response::release`] does.
///
/// Boxed because a response passes through many hands.
pub struct Response<N: Net>(Box<Whole<N>>);

struct Whole<N: Net> {
    head: ResponseHead,
    shared: Rc<Shared<N>>,
    context: Context,
    tls: Option<Rc<TlsInfo>>,
    reader: Reader<N>,
}

impl<N: Net> Response<N> {
    /// A response with this body, and with what is wrong with it already.
    pub(super) fn new(
        head: ResponseHead,
        shared: Rc<Shared<N>>,
        context: Context,
        tls: Option<Rc<TlsInfo>>,
        body: (Incoming<N>, Option<Cause>),
    ) -> Self {
        Self(Box::new(Whole {
            head,
            shared,
            context,
            tls,
            reader: Reader::new(body),
        }))
    }

    /// Status, headers and the connection that brought them.
    #[must_use]
    pub fn head(&self) -> &ResponseHead {
        &self.0.head
    }

    /// What TLS with the origin agreed on; `None` without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.0.tls.as_deref()
    }

    /// The same, for whoever keeps it longer than the response.
    #[must_use]
    pub fn shared_tls(&self) -> Option<Rc<TlsInfo>> {
        self.0.tls.clone()
    }

    /// The attempts before this one, oldest first (urllib3: `retries.history`).
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        self.0.context.retry.history()
    }

    /// Whether content codings of the body are undone while it is read, so that `Content-Encoding` and `Content-Length` say what it was before.
    #[must_use]
    pub const fn is_decoded(&self) -> bool {
        self.0.reader.is_decoded()
    }

    /// What is left of the request's retries (urllib3: `retries`).
    #[must_use]
    pub fn retries(&self) -> Retries {
        self.0.context.retry.remaining()
    }

    /// Makes it ready to be handed out: its body is read as `reading` says.
    pub(super) async fn hand_out(&mut self, reading: Reading) -> Result<(), AttemptError> {
        let Whole {
            head,
            context,
            reader,
            ..
        } = &mut *self.0;
        let max_codings = context.max_codings;
        let begun = reader.begin(reading, &head.headers, max_codings).await;
        begun.map_err(|cause| self.failed(cause))
    }

    /// From here on the body's content codings are undone, or not, whatever the request's options said (urllib3: the parameter `decode_content`
    /// of `read`). A body without codings, or without any that we can undo, is the same either way.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where some of the body has been taken already, which cannot be decoded or sent for again; [`Error::Decode`]
    /// where it has more codings than are allowed.
    pub fn decode_content(&mut self, is_wanted: bool) -> Result<(), Error> {
        let Whole {
            head,
            context,
            reader,
            ..
        } = &mut *self.0;
        match reader.decode(is_wanted, &head.headers, context.max_codings) {
            Ok(true) => Ok(()),
            Ok(false) if is_wanted => Err(Error::InvalidRequest(
                "Decoding the rest of a body is not supported after some of it was read as it was sent.".into(),
            )),
            Ok(false) => Err(Error::InvalidRequest(
                "Calling read(decode_content=False) is not supported after read(decode_content=True) was called.".into(),
            )),
            Err(cause) => Err(self.told(cause)),
        }
    }

    /// The fields behind a chunked body; none before its last byte has been taken off the wire (RFC 9110, section 6.5).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.0.reader.incoming().trailers()
    }

    /// How many bytes of the body were taken off the wire so far, before any decoding (urllib3: `tell`).
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.0.reader.incoming().taken()
    }

    /// How many bytes of the body are still to be taken off the wire, before any decoding; `None` where the peer has not announced its length
    /// (urllib3: `length_remaining`).
    #[must_use]
    pub fn length_remaining(&self) -> Option<u64> {
        self.0.reader.incoming().length_remaining()
    }

    /// Waits for some bytes of the body, at most `max`; none means that it has ended (urllib3: `read1`). No more than 64 KiB are decoded at
    /// once, whatever `max` is.
    ///
    /// # Errors
    /// Whatever keeps the body from being had whole, once what came before has been read; the same again on every further call.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        let piece = self.0.reader.some(max).await;
        piece.map_err(|cause| self.told(cause))
    }

    /// Waits until [`Response::read`] returns without waiting: with some bytes, at most 64 KiB of which are read ahead, with the end, or with
    /// a failure. A wait that is given up can be taken up again, and its time goes on meanwhile.
    pub async fn ready(&mut self) {
        self.0.reader.ready().await;
    }

    /// Waits for `amount` bytes, or as many as there are up to the end (urllib3: `read(amt)`).
    ///
    /// # Errors
    /// As for [`Response::read`], but at once: fewer bytes than asked for would look like the end. Those that came before can still be had
    /// by [`Response::read`].
    pub async fn read_full(&mut self, amount: usize) -> Result<Vec<u8>, Error> {
        let whole = self.0.reader.full(amount).await;
        whole.map_err(|cause| self.told(cause))
    }

    /// Waits for the next chunk as the server sent it, or `max` bytes of it; none means that the body has ended (urllib3: `read_chunked`).
    ///
    /// Of a body that is decoded, it is what the chunk comes to, at most 64 KiB at once. What another kind of read left behind is one
    /// chunk, and so is what [`Response::ready`] has decoded ahead.
    ///
    /// # Errors
    /// As for [`Response::read`], and [`Error::InvalidRequest`] where the body is not chunked.
    pub async fn read_chunk(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        if !self.0.reader.incoming().is_chunked() {
            return Err(Error::InvalidRequest(
                "Response is not chunked. Header 'transfer-encoding: chunked' is missing.".into(),
            ));
        }
        let chunk = self.0.reader.chunk(max).await;
        chunk.map_err(|cause| self.told(cause))
    }

    /// Waits for a line with the LF that ends it, or `max` bytes of it; none means that the body has ended (Python: `readline`).
    ///
    /// # Errors
    /// As for [`Response::read`]; the part of a line that came before a failure is a line.
    pub async fn read_line(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        let line = self.0.reader.line(max).await;
        line.map_err(|cause| self.told(cause))
    }

    /// Waits for all of the rest of the body (urllib3: `data`).
    ///
    /// # Errors
    /// As for [`Response::read_full`], and [`Error::BodyTooLarge`] where more than `limit` bytes are left. What has not arrived by then is not
    /// read, and the connection is closed.
    pub async fn read_all(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let rest = self.0.reader.all(limit).await;
        rest.map_err(|cause| self.told(cause))
    }

    /// Waits for all of the rest of the body and reads it as UTF-8.
    ///
    /// # Errors
    /// As for [`Response::read_all`], and [`Error::Decode`] where it is not UTF-8; it can then still be read as bytes.
    pub async fn text(&mut self, limit: u64) -> Result<String, Error> {
        let whole = self.read_all(limit).await?;
        String::from_utf8(whole).map_err(|error| {
            self.0.reader.unread(error.into_bytes());
            self.told(Cause::NotText)
        })
    }

    /// Reads the rest of the body, without decoding it, and throws it away (urllib3: `drain_conn`).
    ///
    /// # Errors
    /// As for [`Response::read`].
    pub async fn drain(&mut self) -> Result<(), Error> {
        let drained = self.0.reader.drain().await;
        drained.map_err(|cause| self.told(cause))
    }

    /// Copies the rest of the body and says how many bytes that were. Waiting for the sink counts against the deadline alone.
    ///
    /// # Errors
    /// As for [`Response::read`], and [`Error::Other`] where the sink fails; the connection is then closed.
    pub async fn copy_to(&mut self, sink: &mut impl Sink) -> Result<u64, Error> {
        let mut copied = 0;
        loop {
            let piece = self.read(MAX_READ).await?;
            let mut rest = piece.as_slice();
            while !rest.is_empty() {
                let write = poll_fn(|context| sink.poll_write(context, rest));
                let count = self.in_time(write).await?;
                rest = rest.get(count..).unwrap_or_default();
            }
            if piece.is_empty() {
                let flush = poll_fn(|context| sink.poll_flush(context));
                self.in_time(flush).await?;
                return Ok(copied);
            }
            copied += piece.len() as u64;
        }
    }

    /// Waits for a sink.
    async fn in_time<T>(
        &mut self,
        wait: impl Future<Output = Result<T, String>>,
    ) -> Result<T, Error> {
        let bound = self.0.context.clocks.deadline();
        let cause = match bounded(&self.0.shared.net, bound, wait).await {
            Ok(Ok(output)) => return Ok(output),
            Ok(Err(why)) => self.0.reader.fail(Cause::SinkFailed(why)),
            Err(expiry) => self.0.reader.fail(Cause::TimedOut(expiry)),
        };
        Err(self.told(cause))
    }

    /// Gives the connection up without waiting (urllib3: `release_conn`). What was not read yet is thrown away.
    ///
    /// The connection is back in its pool where all of the body has arrived, and closed otherwise.
    pub fn release(&mut self) {
        self.close();
    }

    /// Ends the body: nothing more is read of it, and its connection is closed where it is not back in its pool (urllib3: `close`).
    pub fn close(&mut self) {
        self.0.reader.close();
    }

    /// Reads what is left if that is cheaper than another connection, and gives the connection up otherwise.
    pub(super) async fn discard(self) {
        // Boxed because every request would otherwise hold room for this.
        Box::pin(self.0.reader.discard()).await;
    }

    fn failed(&self, cause: Cause) -> AttemptError {
        let failed = AttemptError {
            phase: Phase::ReceiveBody,
            sent: Sent::Something,
            reused: self.0.head.connection.reused,
            cause,
        };
        blame::in_exchange(failed, &self.0.context.route)
    }

    fn told(&self, cause: Cause) -> Error {
        let Context {
            method,
            url,
            attempt,
            ..
        } = &self.0.context;
        blame::tell(self.failed(cause), method, url, *attempt)
    }
}
