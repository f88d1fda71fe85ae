//! A request that was started.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use crate::blocking;
use crate::convert;
use crate::error::Error;
use crate::instance::{Handle, Parts, Slot};
use crate::manager::PoolManager;
use crate::response::Response;

/// What became of a piece of a body.
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

/// A request that was started. Dropping it gives it up.
pub struct Pending {
    slot: Arc<Slot>,
    handle: Handle,
    method: String,
    /// Whether its response was taken, so that the component holds nothing for it any more.
    is_taken: bool,
}

impl Pending {
    pub(crate) const fn new(slot: Arc<Slot>, handle: Handle, method: String) -> Self {
        Self {
            slot,
            handle,
            method,
            is_taken: false,
        }
    }

    /// Pushes some bytes of a streamed body.
    ///
    /// # Errors
    /// What became of the sandbox.
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

    /// Ends the body, and waits until it is not needed again, or is.
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

    /// Waits for the head of the response. A streamed body that has not been pushed to its end is given up.
    ///
    /// # Errors
    /// [`Error::Client`] with what the component says, or what became of the sandbox.
    pub async fn response(mut self) -> Result<Response, Error> {
        let mut call = self.slot.begin_with(self.handle).await?;
        let outcome = async {
            let pending = self.handle.resource;
            let resource = call
                .answer(async |parts: Parts<'_>| {
                    let functions = parts.blocking.pending();
                    functions.call_response(parts.store, pending).await
                })
                .await?;
            let head = call
                .value(async |parts| {
                    let response = parts.blocking.response();
                    response.call_head(parts.store, resource).await
                })
                .await?;
            Ok((call.handle(resource), head))
        };
        let outcome = outcome.await;
        let (handle, head) = call.end_with(outcome)?;
        self.is_taken = true;
        Response::of(
            Arc::clone(&self.slot),
            handle,
            self.method.clone(),
            convert::response_head(head),
        )
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

impl PoolManager {
    /// Waits until at least one of some requests is ready, for as long as told (`None`: as long as it takes), and says which are, by their
    /// places.
    ///
    /// # Errors
    /// What became of the sandbox; also where a request belongs to another manager.
    pub async fn wait(
        &self,
        requests: &[Pending],
        timeout: Option<Duration>,
    ) -> Result<Vec<usize>, Error> {
        let Some(first) = requests.first() else {
            return Ok(Vec::new());
        };
        if requests
            .iter()
            .any(|request| !Arc::ptr_eq(&request.slot, &self.slot))
        {
            return Err(Error::Setup("a request belongs to another manager".into()));
        }
        let mut call = self.slot.begin_with(first.handle).await?;
        if requests.iter().any(|request| !call.holds(request.handle)) {
            call.end();
            return Err(Error::Trap(
                "the instance that it belonged to is gone".into(),
            ));
        }
        let handles: Vec<ResourceAny> = requests
            .iter()
            .map(|request| request.handle.resource)
            .collect();
        let limit = convert::wait(timeout);
        let outcome = call
            .value(async |parts: Parts<'_>| {
                parts.blocking.call_wait(parts.store, &handles, limit).await
            })
            .await;
        let ready = call.end_with(outcome)?;
        Ok(ready
            .into_iter()
            .filter_map(|place| usize::try_from(place).ok())
            .collect())
    }
}
