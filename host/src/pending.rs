//! A request that was started.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use crate::asked::Asked;
use crate::blocking;
use crate::error::Error;
use crate::giving_up;
use crate::instance::{Handle, Parts, Slot};
use crate::manager::PoolManager;
use crate::response::Response;

/// What became of a piece of a body that was pushed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::{PoolManager, Progress, Streamed};
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let body = Streamed { length: None, can_rewind: false };
/// let put = manager.request("PUT", format!("http://127.0.0.1:{port}/")).streamed(body);
/// let mut pending = put.start().await?;
/// assert_eq!(pending.write(b"some").await?, Progress::Accepted);
/// assert_eq!(pending.write(b" and more").await?, Progress::Accepted);
/// assert_eq!(pending.finish().await?, Progress::Answered);
/// assert_eq!(pending.response().await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// It will be sent.
    Accepted,
    /// It was thrown away, and what came before it is needed again: push the body from its start.
    Rewind,
    /// It was thrown away: no more of the body is needed.
    Answered,
}

impl From<blocking::Progress> for Progress {
    fn from(progress: blocking::Progress) -> Self {
        match progress {
            blocking::Progress::Accepted => Self::Accepted,
            blocking::Progress::Rewind => Self::Rewind,
            blocking::Progress::Answered => Self::Answered,
        }
    }
}

/// A request that was started. It goes on whenever its manager is used and waits for anything.
///
/// 1. With a streamed body, it is pushed: any number of [`Pending::write`], [`Pending::end_part`] after each streamed part of a form, then
///    [`Pending::finish`]. Each may answer [`Progress::Rewind`]: the body is pushed again from its start.
/// 2. [`Pending::response`] waits for what it comes to.
///
/// Dropping it gives the request up: its connection is closed. That costs the other requests nothing, unlike dropping the future of one of
/// these calls: see [giving a call up](PoolManager#giving-a-call-up).
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
/// let url = format!("http://127.0.0.1:{port}/");
/// let started = [manager.get(&url).start().await?, manager.get(&url).start().await?];
/// let ready = manager.wait(&started, None).await?;
/// assert!(!ready.is_empty()); // places in `started`
/// for pending in started {
///     assert_eq!(pending.response().await?.text().await?, "hello");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Pending {
    slot: Arc<Slot>,
    handle: Handle,
    method: String,
    /// Whether its response was taken, so that the component holds nothing for it any more.
    is_taken: bool,
    /// Whether waiting for its response, and for the body of that, can be given up.
    is_cancellable: bool,
}

impl Pending {
    pub(crate) fn new(asked: Asked, handle: Handle, is_cancellable: bool) -> Self {
        Self {
            slot: asked.slot,
            handle,
            method: asked.method,
            is_taken: false,
            is_cancellable,
        }
    }

    /// Pushes some bytes of a streamed body, and waits while 64 KiB of them have not been sent.
    ///
    /// Each push is a chunk of its own where the body is chunked; no bytes are none.
    ///
    /// # Errors
    /// What became of the sandbox; why the request failed is said by [`Pending::response`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<Progress, Error> {
        self.push(async |parts: Parts<'_>, pending| {
            let functions = parts.blocking.pending();
            functions.call_write(parts.store, pending, bytes).await
        })
        .await
    }

    /// Ends a streamed part of a form.
    ///
    /// # Errors
    /// As for [`Pending::write`].
    pub async fn end_part(&mut self) -> Result<Progress, Error> {
        self.push(async |parts: Parts<'_>, pending| {
            let functions = parts.blocking.pending();
            functions.call_end_part(parts.store, pending).await
        })
        .await
    }

    /// Ends the body, and waits until it is not needed again ([`Progress::Answered`]), or is ([`Progress::Rewind`]).
    ///
    /// That is mostly when the head of the response is there, so it takes as long as the server does. Dropped before, it takes the instance
    /// along: see [giving a call up](PoolManager#giving-a-call-up).
    ///
    /// # Errors
    /// As for [`Pending::write`].
    pub async fn finish(&mut self) -> Result<Progress, Error> {
        self.push(async |parts: Parts<'_>, pending| {
            let functions = parts.blocking.pending();
            functions.call_finish(parts.store, pending).await
        })
        .await
    }

    /// Whether [`Pending::response`] returns without waiting, or the body must be pushed again, as the next push says.
    ///
    /// Asking lets no time pass for the request: [`PoolManager::wait`] does.
    ///
    /// # Errors
    /// What became of the sandbox.
    pub async fn is_ready(&self) -> Result<bool, Error> {
        let ask = async |parts: Parts<'_>, pending| {
            let functions = parts.blocking.pending();
            functions.call_is_ready(parts.store, pending).await
        };
        self.slot.value_of(self.handle, ask).await
    }

    /// Waits for the head of the response. A streamed body that has not been pushed to its end is given up.
    ///
    /// Dropped before, it takes the instance along: see [giving a call up](PoolManager#giving-a-call-up).
    ///
    /// # Errors
    /// [`Error::Client`]
    /// - as for [`RequestBuilder::send`](crate::RequestBuilder::send),
    /// - with `BodyNotReplayable` where the streamed body would have to be sent again, and cannot be,
    /// - with `InvalidRequest` where a streamed body is not as long as announced, or was not pushed to its end and there is no answer yet,
    /// - with `DeadlineExceeded` or `ReadTimeout` where it was not pushed in time;
    ///
    /// or what became of the sandbox.
    pub async fn response(mut self) -> Result<Response, Error> {
        if self.is_cancellable {
            giving_up::wait(&self.slot, slice::from_ref(&self.handle), &[], None).await?;
        }
        let call = self.slot.begin_with(slice::from_ref(&self.handle)).await?;
        let pending = self.handle.resource;
        let mut response = Response::take(&self.slot, call, &self.method, async |parts| {
            let functions = parts.blocking.pending();
            functions.call_response(parts.store, pending).await
        })
        .await?;
        self.is_taken = true;
        response.is_cancellable = self.is_cancellable;
        Ok(response)
    }

    async fn push(
        &self,
        function: impl AsyncFnOnce(Parts<'_>, ResourceAny) -> wasmtime::Result<blocking::Progress>,
    ) -> Result<Progress, Error> {
        Ok(self.slot.value_of(self.handle, function).await?.into())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_taken {
            self.slot.discard(self.handle);
        } else {
            self.slot.discard_now(self.handle);
        }
    }
}

/// What has become ready.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use std::time::Duration;
/// use urlpool_host::PoolManager;
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let pending = manager.get(format!("http://127.0.0.1:{port}/")).start().await?;
/// let ready = manager.wait_any(&[&pending], &[], Some(Duration::from_secs(5))).await?;
/// assert_eq!((ready.requests, ready.responses), (vec![0], vec![]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ready {
    /// The requests, by their places.
    pub requests: Vec<usize>,
    /// The responses, by their places.
    pub responses: Vec<usize>,
}

impl PoolManager {
    /// Waits until at least one of some requests is ready, or one of some responses, whose next [`Response::chunk`] then waits for nothing, for
    /// as long as told (`None`: as long as it takes). At most 64 KiB of each body are read ahead.
    ///
    /// # Errors
    /// As for [`PoolManager::wait`].
    pub async fn wait_any(
        &self,
        requests: &[&Pending],
        responses: &[&Response],
        timeout: Option<Duration>,
    ) -> Result<Ready, Error> {
        let requests = requests
            .iter()
            .map(|request| (&request.slot, request.handle));
        let responses = responses.iter().map(|response| response.place());
        let (requests, responses) = (requests.collect::<Vec<_>>(), responses.collect::<Vec<_>>());
        let all = || requests.iter().chain(&responses);
        if all().next().is_none() {
            return Ok(Ready::default());
        }
        if all().any(|(slot, _)| !Arc::ptr_eq(slot, &self.slot)) {
            return Err(Error::Setup(
                "a request or a response belongs to another manager".into(),
            ));
        }
        let handles = |list: &[(&Arc<Slot>, Handle)]| -> Vec<Handle> {
            list.iter().map(|(_, handle)| *handle).collect()
        };
        let (requests, responses) = (handles(&requests), handles(&responses));
        let slot = &self.slot;
        let (requests, responses) = match timeout {
            None => giving_up::wait_at_once(slot, &requests, &responses, None).await?,
            limit => giving_up::wait(slot, &requests, &responses, limit).await?,
        };
        Ok(Ready {
            requests: places(requests),
            responses: places(responses),
        })
    }

    /// Waits until at least one of some requests is ready, for as long as told (`None`: as long as it takes), and says which are, by their
    /// places.
    ///
    /// The answer is empty where the time is up before, and for no requests. Where nothing can happen unless the caller does something, those
    /// are ready that wait for it: whose bodies must be pushed on, and without any, all, since they wait for connections that belong to
    /// responses which are not read.
    ///
    /// With a timeout it can be dropped at any time, for nothing. Dropped without one, it takes the instance along with all of these requests:
    /// see [giving a call up](PoolManager#giving-a-call-up).
    ///
    /// # Errors
    /// What became of the sandbox; also where a request belongs to another manager.
    pub async fn wait(
        &self,
        requests: &[Pending],
        timeout: Option<Duration>,
    ) -> Result<Vec<usize>, Error> {
        let requests: Vec<&Pending> = requests.iter().collect();
        Ok(self.wait_any(&requests, &[], timeout).await?.requests)
    }
}

fn places(places: Vec<u32>) -> Vec<usize> {
    let fit = places
        .into_iter()
        .map(|place| usize::try_from(place).unwrap_or(usize::MAX));
    fit.collect()
}
