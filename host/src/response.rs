//! A response: what is known of it, and what becomes of its connection. Its body is read in `reading`.

use std::fmt;
use std::sync::Arc;

use urlpool_core::types::{Failure, Headers, HistoryEntry, Phase, ResponseHead, Retries, TlsInfo};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::error::Error;
use crate::instance::{Answer, Call, Handle, Parts, Slot};
use crate::state::State;
use crate::{blocking, convert, trace};

/// A response whose body is still to be read (urllib3: `HTTPResponse`).
///
/// Its connection goes back to its pool when the last byte has arrived. Dropping the response gives the connection up, as
/// [`Response::close`] does. Dropping the future of a read, however, takes the instance along, unless the request was
/// [`cancellable`](crate::RequestBuilder::cancellable): see [giving a call up](crate::PoolManager#giving-a-call-up).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::PoolManager;
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let mut response = manager.get(format!("http://127.0.0.1:{port}/")).send().await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers().joined("content-length").as_deref(), Some(&b"5"[..]));
/// while let Some(piece) = response.chunk().await? {
///     assert_eq!(piece, b"hello");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Response {
    slot: Arc<Slot>,
    handle: Handle,
    /// The request's method.
    method: String,
    head: ResponseHead,
    /// Whether the body has been read to its end, so that the component holds nothing for it any more.
    pub(crate) has_ended: bool,
    /// Whether waiting for its body can be given up.
    pub(crate) is_cancellable: bool,
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
    /// Ends a call with the response that `open` makes and its head.
    pub(crate) async fn take(
        slot: &Arc<Slot>,
        mut call: Call<'_>,
        method: &str,
        open: impl AsyncFnOnce(Parts<'_>) -> Answer<ResourceAny>,
    ) -> Result<Self, Error> {
        let outcome = async {
            let resource = call.answer(open).await?;
            let head = call
                .value(async |parts| {
                    let response = parts.blocking.response();
                    response.call_head(parts.store, resource).await
                })
                .await?;
            Ok::<_, Error>((call.handle(resource), head))
        };
        let outcome = match outcome.await {
            Err(error) if error.client().is_none() => Err(error),
            outcome => call.trace().await.and(outcome),
        };
        let instance = call.generation();
        let outcome = call.end_with(outcome);
        let (handle, head) = outcome.inspect_err(|error| trace::failed(instance, method, error))?;
        let head = convert::response_head(head).inspect_err(|_| slot.discard(handle))?;
        trace::responded(instance, method, &head);
        Ok(Self {
            slot: Arc::clone(slot),
            handle,
            method: method.to_owned(),
            head,
            has_ended: false,
            is_cancellable: false,
        })
    }

    /// Where the component keeps it.
    pub(crate) const fn place(&self) -> (&Arc<Slot>, Handle) {
        (&self.slot, self.handle)
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

    /// The absolute URL that was answered, without userinfo and fragment (urllib3: `geturl()`).
    #[must_use]
    pub fn url(&self) -> &str {
        &self.head.url
    }

    /// The header fields in the order and case received.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// What TLS with the origin agreed on; `None` without TLS.
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn tls(&self) -> Result<Option<TlsInfo>, Error> {
        let info = self
            .ask(async |response, store, this| response.call_tls(store, this).await)
            .await?;
        Ok(info.map(convert::tls_info))
    }

    /// The attempts before the one that was answered, oldest first, at most the last 1000 (urllib3: `retries.history`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn history(&self) -> Result<Vec<HistoryEntry>, Error> {
        let entries = self
            .ask(async |response, store, this| response.call_history(store, this).await)
            .await?;
        Ok(convert::history(entries))
    }

    /// What is left of the request's retries, nothing left open (urllib3: `retries`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn retries(&self) -> Result<Retries, Error> {
        let left = self
            .ask(async |response, store, this| response.call_retries(store, this).await)
            .await?;
        Ok(convert::remaining(left))
    }

    /// How many bytes of the body were taken off the wire so far, without framing and before decoding (urllib3: `tell`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn tell(&self) -> Result<u64, Error> {
        self.ask(async |response, store, this| response.call_tell(store, this).await)
            .await
    }

    /// How many bytes of the body are still to be taken off the wire, before decoding; `None` where the server has not said (urllib3:
    /// `length_remaining`).
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn length_remaining(&self) -> Result<Option<u64>, Error> {
        self.ask(async |response, store, this| response.call_length_remaining(store, this).await)
            .await
    }

    /// The fields behind a chunked body (RFC 9110, section 6.5); none before its last byte has been taken off the wire. Not in urllib3,
    /// which drops them.
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn trailers(&self) -> Result<Headers, Error> {
        let fields = self
            .ask(async |response, store, this| response.call_trailers(store, this).await)
            .await?;
        Ok(convert::headers(fields)?)
    }

    /// Gives the connection up without waiting for more (urllib3: `release_conn`). Reading on finds the end of the body.
    ///
    /// It goes back to its pool where all of the body has already arrived, and is closed where more would have to be read.
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn release(&mut self) -> Result<(), Error> {
        self.ask(async |response, store, this| response.call_release(store, this).await)
            .await?;
        self.has_ended = true;
        Ok(())
    }

    /// Ends the body and closes its connection, unless that is back in its pool (urllib3: `close`). Reading on finds the end of the body.
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn close(&mut self) -> Result<(), Error> {
        self.ask(async |response, store, this| response.call_close(store, this).await)
            .await?;
        self.has_ended = true;
        Ok(())
    }

    /// Calls a function of the response that cannot fail.
    pub(crate) async fn ask<T>(
        &self,
        function: impl AsyncFnOnce(
            blocking::GuestResponse<'_>,
            &mut Store<State>,
            ResourceAny,
        ) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let call = async |parts: Parts<'_>, this| {
            function(parts.blocking.response(), parts.store, this).await
        };
        self.slot.value_of(self.handle, call).await
    }

    /// The facts of a body that cannot be had, where it is we who say so and not the component.
    pub(crate) fn failure(&self, message: String) -> Box<Failure> {
        Box::new(Failure {
            message,
            method: self.method.clone(),
            url: self.head.url.clone(),
            phase: Phase::ReceiveBody,
            attempt: 1,
            reused: self.head.connection.reused,
            may_have_been_acted_on: true,
            history: Default::default(),
            refusal: None,
        })
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
