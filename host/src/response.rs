//! A response and its body.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use urlpool_core::types::{
    Error as ClientError, Failure, Headers, HistoryEntry, Phase, ResponseHead, Retries,
};

use crate::convert;
use crate::error::Error;
use crate::instance::{Handle, Parts, Slot};

/// What is read of a body at a time.
const MAX_READ: u32 = 64 * 1024;
/// A body of no more than this is put together inside the instance, which takes one call instead of several.
const MAX_WHOLE: u64 = 1 << 20;

/// A response whose body is still to be read.
///
/// Its connection goes back to its pool when the last byte has arrived. Dropping the response gives the connection up.
pub struct Response {
    slot: Arc<Slot>,
    handle: Handle,
    /// The request's method.
    method: String,
    head: ResponseHead,
    /// Whether the body has been read to its end, so that the component holds nothing for it any more.
    has_ended: bool,
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Response {
    const fn new(slot: Arc<Slot>, handle: Handle, method: String, head: ResponseHead) -> Self {
        Self {
            slot,
            handle,
            method,
            head,
            has_ended: false,
        }
    }

    /// A response whose head was asked for.
    pub(crate) fn of(
        slot: Arc<Slot>,
        handle: Handle,
        method: String,
        head: Result<ResponseHead, ClientError>,
    ) -> Result<Self, Error> {
        let head = head.inspect_err(|_| slot.discard(handle))?;
        Ok(Self::new(slot, handle, method, head))
    }

    /// The fields behind a chunked body; none before its end (RFC 9110, section 6.5).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn trailers(&self) -> Result<Headers, Error> {
        let ask = async |Parts {
                             store, blocking, ..
                         }: Parts<'_>,
                         response| {
            blocking.response().call_trailers(store, response).await
        };
        let fields = self.slot.value_of(self.handle, ask).await?;
        Ok(convert::headers(fields)?)
    }

    /// Status, headers and the connection that brought them.
    #[must_use]
    pub const fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.head.status
    }

    /// The header fields in the order and case received.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// The attempts before the one that was answered, oldest first (urllib3: `retries.history`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn history(&self) -> Result<Vec<HistoryEntry>, Error> {
        let ask = async |Parts {
                             store, blocking, ..
                         }: Parts<'_>,
                         response| {
            blocking.response().call_history(store, response).await
        };
        let entries = self.slot.value_of(self.handle, ask).await?;
        Ok(convert::history(entries))
    }

    /// What is left of the request's retries, nothing left open (urllib3: `retries`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn retries(&self) -> Result<Retries, Error> {
        let ask = async |Parts {
                             store, blocking, ..
                         }: Parts<'_>,
                         response| {
            blocking.response().call_retries(store, response).await
        };
        let left = self.slot.value_of(self.handle, ask).await?;
        Ok(convert::remaining(left))
    }

    /// Waits for the next bytes of the body, at most 64 KiB; `None` at its end.
    ///
    /// # Errors
    /// [`Error::Client`] where the body cannot be had whole.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let read = async |Parts {
                              store, blocking, ..
                          }: Parts<'_>,
                          response| {
            blocking
                .response()
                .call_read(store, response, MAX_READ)
                .await
        };
        let bytes = self.slot.answer_of(self.handle, read).await?;
        self.has_ended = bytes.is_empty();
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Waits for all of the rest of the body.
    ///
    /// # Errors
    /// As for [`Response::chunk`].
    pub async fn bytes(self) -> Result<Vec<u8>, Error> {
        self.bytes_within(u64::MAX).await
    }

    /// Waits for all of the rest of the body, which must not have more than `limit` bytes.
    ///
    /// # Errors
    /// As for [`Response::chunk`], and [`Error::Client`] with `BodyTooLarge`; the connection is then closed.
    pub async fn bytes_within(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let announced = self.headers().first("content-length");
        let announced =
            announced.and_then(|length| str::from_utf8(length).ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length <= MAX_WHOLE || length > limit) {
            return self.whole(limit).await;
        }
        // The instance's memory is limited, so a large body is put together here.
        let mut body = Vec::new();
        while let Some(piece) = self.chunk().await? {
            if (body.len() + piece.len()) as u64 > limit {
                return Err(self.too_large(limit).into());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// A body that the instance has room for, or refuses, in one call.
    async fn whole(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let read = async |Parts {
                              store, blocking, ..
                          }: Parts<'_>,
                          response| {
            blocking
                .response()
                .call_read_all(store, response, limit)
                .await
        };
        let bytes = self.slot.answer_of(self.handle, read).await?;
        self.has_ended = true;
        Ok(bytes)
    }

    fn too_large(&self, limit: u64) -> ClientError {
        ClientError::BodyTooLarge(Box::new(Failure {
            message: format!("The body is larger than the {limit} bytes allowed"),
            method: self.method.clone(),
            url: self.head.url.clone(),
            phase: Phase::ReceiveBody,
            attempt: 1,
            reused: self.head.connection.reused,
            may_have_been_acted_on: true,
        }))
    }

    /// Reads the rest of the body and throws it away, so that the connection can be used again.
    ///
    /// # Errors
    /// As for [`Response::chunk`].
    pub async fn drain(&mut self) -> Result<(), Error> {
        let drain =
            async |Parts {
                       store, blocking, ..
                   }: Parts<'_>,
                   response| blocking.response().call_drain(store, response).await;
        self.slot.answer_of(self.handle, drain).await?;
        self.has_ended = true;
        Ok(())
    }

    /// Gives the connection up without waiting for more.
    ///
    /// # Errors
    /// Those of the sandbox; the component has none.
    pub async fn release(&mut self) -> Result<(), Error> {
        let release =
            async |Parts {
                       store, blocking, ..
                   }: Parts<'_>,
                   response| blocking.response().call_release(store, response).await;
        self.slot.value_of(self.handle, release).await?;
        self.has_ended = true;
        Ok(())
    }

    /// The rest of the body as a stream of pieces. It ends after an error.
    #[must_use]
    pub fn bytes_stream(self) -> BytesStream {
        BytesStream {
            next: Some(next(self)),
        }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        if self.has_ended {
            self.slot.discard(self.handle);
        } else {
            self.slot.discard_now(self.handle);
        }
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
