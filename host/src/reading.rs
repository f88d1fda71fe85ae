//! A response's body: in pieces, in lines, whole, and copied elsewhere.
//!
//! Each call into the instance brings a bounded piece; what may be large is put together out here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use urlpool_core::types::Error as ClientError;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::error::Error;
use crate::giving_up;
use crate::instance::Answer;
use crate::response::Response;
use crate::state::State;
use crate::{blocking, convert};

/// What is read of a body at a time.
const MAX_READ: u32 = 64 * 1024;
/// A body of no more than this is put together inside the instance, which takes one call instead of several.
const MAX_WHOLE: u64 = 1 << 20;

impl Response {
    /// Waits for the next bytes of the body, at most 64 KiB; `None` at its end (urllib3: `stream`).
    ///
    /// Content codings are undone unless [`Reading::is_raw`](crate::Reading::is_raw) is set. After an error the same error comes again.
    ///
    /// # Errors
    /// [`Error::Client`]
    /// - with `ReadTimeout`, `DeadlineExceeded` where time ran out,
    /// - with `IncompleteBody`, `InvalidChunk`, `Protocol`, `Tls` where the body cannot be had whole,
    /// - with `Decode` where its codings cannot be undone,
    /// - with `BodyTooLarge` where it is larger than [`Reading::max_body`](crate::Reading::max_body);
    ///
    /// or what became of the sandbox.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let bytes = self.read(MAX_READ).await?;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Waits for some bytes of the body: from 1 to `max` of them, or none at its end (urllib3: `read1`). `max` 0 reads nothing.
    ///
    /// # Errors
    /// As for [`Response::chunk`].
    pub async fn read(&mut self, max: u32) -> Result<Vec<u8>, Error> {
        if self.is_cancellable && max > 0 && !self.has_ended {
            let (slot, handle) = self.place();
            giving_up::wait(slot, &[], &[handle], None).await?;
        }
        let read =
            self.answer(async |response, store, this| response.call_read(store, this, max).await);
        let bytes = read.await?;
        self.has_ended |= bytes.is_empty() && max > 0;
        Ok(bytes)
    }

    /// Waits for `amount` bytes of the body, or as many as there are up to its end (urllib3: `read(amt)`).
    ///
    /// They are put together inside the instance, so they count against [`Limits::memory`](crate::Limits::memory).
    ///
    /// # Errors
    /// As for [`Response::chunk`]. What came before the failure is lost to no one: [`Response::read`] still gives it.
    pub async fn read_full(&mut self, amount: u32) -> Result<Vec<u8>, Error> {
        let read = self.answer(async |response, store, this| {
            response.call_read_full(store, this, amount).await
        });
        let bytes = read.await?;
        self.has_ended |= u32::try_from(bytes.len()).is_ok_and(|length| length < amount);
        Ok(bytes)
    }

    /// Waits for a line with the LF that ends it, or the first `max` bytes of it; none at the end (urllib3: `readline`). `max` 0 reads
    /// nothing.
    ///
    /// # Errors
    /// As for [`Response::chunk`]; the part of a line that came before a failure is a line.
    pub async fn read_line(&mut self, max: u32) -> Result<Vec<u8>, Error> {
        let read = self
            .answer(async |response, store, this| response.call_read_line(store, this, max).await);
        let line = read.await?;
        self.has_ended |= line.is_empty() && max > 0;
        Ok(line)
    }

    /// Waits for a chunk as the server sent it, or the first `max` bytes of it; none at the end (urllib3: `read_chunked`). `max` 0 reads
    /// nothing.
    ///
    /// # Errors
    /// As for [`Response::chunk`], and [`Error::Client`] with `InvalidRequest` where the body is not chunked.
    pub async fn read_chunk(&mut self, max: u32) -> Result<Vec<u8>, Error> {
        let read = self
            .answer(async |response, store, this| response.call_read_chunk(store, this, max).await);
        let chunk = read.await?;
        self.has_ended |= chunk.is_empty() && max > 0;
        Ok(chunk)
    }

    /// Waits for all of the rest of the body, however large it is (urllib3: `data`).
    ///
    /// # Errors
    /// As for [`Response::chunk`].
    pub async fn bytes(self) -> Result<Vec<u8>, Error> {
        self.bytes_within(u64::MAX).await
    }

    /// Waits for all of the rest of the body, which must not have more than `limit` bytes after decoding.
    ///
    /// # Errors
    /// As for [`Response::chunk`], and [`Error::Client`] with `BodyTooLarge`; the connection is then closed.
    pub async fn bytes_within(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        if self.is_told_at_once(limit) {
            let read = self.answer(async |response, store, this| {
                response.call_read_all(store, this, limit).await
            });
            let bytes = read.await?;
            self.has_ended = true;
            return Ok(bytes);
        }
        let mut body = Vec::new();
        while let Some(piece) = self.chunk().await? {
            if (body.len() + piece.len()) as u64 > limit {
                let message = format!("The body is larger than the {limit} bytes allowed");
                return Err(ClientError::BodyTooLarge(self.failure(message)).into());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Waits for all of the rest of the body and reads it as UTF-8 (urllib3: `json` does, and parses it).
    ///
    /// # Errors
    /// As for [`Response::chunk`], and [`Error::Client`] with `Decode` where it is not UTF-8.
    pub async fn text(self) -> Result<String, Error> {
        self.text_within(u64::MAX).await
    }

    /// The same for a body that must not have more than `limit` bytes after decoding.
    ///
    /// # Errors
    /// As for [`Response::text`], and [`Error::Client`] with `BodyTooLarge`; the connection is then closed.
    pub async fn text_within(mut self, limit: u64) -> Result<String, Error> {
        if self.is_told_at_once(limit) {
            let read = self
                .answer(async |response, store, this| response.call_text(store, this, limit).await);
            let text = read.await?;
            self.has_ended = true;
            return Ok(text);
        }
        let not_text = self.failure("The body is not UTF-8".into());
        String::from_utf8(self.bytes_within(limit).await?)
            .map_err(|_| ClientError::Decode(not_text).into())
    }

    /// Whether the instance has room for the whole body, or refuses it for its length. Its memory is limited, so what may be large is put
    /// together out here; how large a body in a coding is shows only when it is decoded.
    fn is_told_at_once(&self, limit: u64) -> bool {
        let length = self.headers().first("content-length");
        let length = length.and_then(|length| str::from_utf8(length).ok()?.parse::<u64>().ok());
        length.is_some_and(|length| length <= MAX_WHOLE || length > limit)
            && !self.is_cancellable
            && !self.headers().has("content-encoding")
    }

    /// Says whether reading undoes the content codings from here on, whatever the request asked for (urllib3: the parameter `decode_content` of
    /// `read`). A body without codings that can be undone is the same either way.
    ///
    /// # Errors
    /// [`Error::Client`] with `InvalidRequest` where some of the body has been taken already, with `Decode` where it has too many codings.
    pub async fn decode_content(&mut self, is_wanted: bool) -> Result<(), Error> {
        self.answer(async |response, store, this| {
            response.call_decode_content(store, this, is_wanted).await
        })
        .await
    }

    /// Reads the rest of the body, without decoding it, and throws it away, so that the connection can be used again (urllib3:
    /// `drain_conn`).
    ///
    /// # Errors
    /// As for [`Response::chunk`].
    pub async fn drain(&mut self) -> Result<(), Error> {
        self.answer(async |response, store, this| response.call_drain(store, this).await)
            .await?;
        self.has_ended = true;
        Ok(())
    }

    /// Copies the rest of the body and says how many bytes that were (`pipe.copy-to`; Python: `copyfileobj`).
    ///
    /// Waiting for the destination to take bytes counts against the deadline, which ends the copy at the next read, and not against the
    /// read timeout.
    ///
    /// # Errors
    /// As for [`Response::chunk`], and [`Error::Client`] with `Other` where the destination fails; the connection is then closed.
    pub async fn copy_to(
        &mut self,
        destination: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<u64, Error> {
        let mut copied = 0;
        while let Some(piece) = self.chunk().await? {
            if let Err(cause) = destination.write_all(&piece).await {
                return self.stop_copying(&cause).await;
            }
            copied += piece.len() as u64;
        }
        match destination.flush().await {
            Ok(()) => Ok(copied),
            Err(cause) => self.stop_copying(&cause).await,
        }
    }

    async fn stop_copying(&mut self, cause: &std::io::Error) -> Result<u64, Error> {
        self.close().await?;
        let message = format!("the body could not be copied: {cause}");
        Err(ClientError::Other(message).into())
    }

    /// The rest of the body as a stream of pieces. It ends after an error.
    #[must_use]
    pub fn bytes_stream(self) -> BytesStream {
        BytesStream {
            next: Some(next(self)),
        }
    }

    /// Calls a function of the response that can fail.
    async fn answer<T>(
        &self,
        function: impl AsyncFnOnce(
            blocking::GuestResponse<'_>,
            &mut Store<State>,
            ResourceAny,
        ) -> Answer<T>,
    ) -> Result<T, Error> {
        Ok(self.ask(function).await?.map_err(convert::error)?)
    }
}

type Next = Pin<Box<dyn Future<Output = (Response, Result<Option<Vec<u8>>, Error>)> + Send>>;

fn next(mut response: Response) -> Next {
    Box::pin(async move {
        let outcome = response.chunk().await;
        (response, outcome)
    })
}

/// A body as a stream of pieces.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use std::future::poll_fn;
/// use std::pin::Pin;
/// use futures_core::Stream;
/// use urlpool_host::PoolManager;
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let response = manager.get(format!("http://127.0.0.1:{port}/")).send().await?;
/// let mut stream = response.bytes_stream();
/// let mut length = 0;
/// // `StreamExt::next` of the crate `futures` says the same in one word.
/// while let Some(piece) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
///     length += piece?.len();
/// }
/// assert_eq!(length, 5);
/// # Ok(())
/// # }
/// ```
pub struct BytesStream {
    next: Option<Next>,
}

impl Stream for BytesStream {
    type Item = Result<Vec<u8>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pending) = self.next.as_mut() else {
            return Poll::Ready(None);
        };
        let (response, outcome) = ready!(pending.as_mut().poll(context));
        let item = outcome.transpose();
        self.next = matches!(item, Some(Ok(_))).then(|| next(response));
        Poll::Ready(item)
    }
}
