//! Waiting that can be given up.
//!
//! A call that is dropped half-way leaves WebAssembly in the middle of a function, and its instance is lost. So whoever may be given up waits in
//! short calls, one after the other: the one that is under way is finished by the runtime, which takes no longer than a turn, and others have
//! their calls in between.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime;
use tokio::time::Instant;
use wasmtime::component::ResourceAny;

use crate::convert;
use crate::error::Error;
use crate::instance::{Handle, Parts, Slot};

/// How long a call waits at most.
const TURN: Duration = Duration::from_millis(20);

/// The places of what is ready, among the requests and among the responses.
type Places = (Vec<u32>, Vec<u32>);

/// Waits until one of some requests or responses is ready, or for as long as told.
///
/// Without a limit that goes on also where nothing can happen unless a caller does something: in between, others can.
pub(crate) async fn wait(
    slot: &Arc<Slot>,
    requests: &[Handle],
    responses: &[Handle],
    limit: Option<Duration>,
) -> Result<Places, Error> {
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    // A turn is a call, and would be taken for one gone astray.
    let longest = slot
        .longest_call()
        .map_or(TURN, |limit| TURN.min(limit / 2));
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let turn = left.map_or(longest, |left| left.min(longest));
        let ready = Finishing::start(call(slot, requests, responses, Some(turn)));
        let (requests, responses) = ready.await?;
        let is_over = left.is_some_and(|left| left <= longest);
        if is_over || !requests.is_empty() || !responses.is_empty() {
            return Ok((requests, responses));
        }
    }
}

/// Waits in a single call, which is never to be given up. Without a limit, the component itself says where nothing can happen any more.
pub(crate) async fn wait_at_once(
    slot: &Arc<Slot>,
    requests: &[Handle],
    responses: &[Handle],
    limit: Option<Duration>,
) -> Result<Places, Error> {
    call(slot, requests, responses, limit).1.await
}

/// One call, and whether it has begun.
fn call(
    slot: &Arc<Slot>,
    requests: &[Handle],
    responses: &[Handle],
    limit: Option<Duration>,
) -> (Arc<AtomicBool>, Call) {
    let (slot, requests, responses) = (Arc::clone(slot), requests.to_vec(), responses.to_vec());
    let is_begun = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&is_begun);
    let call = async move {
        let all: Vec<Handle> = requests.iter().chain(&responses).copied().collect();
        let mut call = slot.begin_with(&all).await?;
        begun.store(true, Ordering::Relaxed);
        let resources = |handles: &[Handle]| -> Vec<ResourceAny> {
            handles.iter().map(|handle| handle.resource).collect()
        };
        let (requests, responses) = (resources(&requests), resources(&responses));
        let limit = convert::wait(limit);
        let wait = async |parts: Parts<'_>| {
            let wait = parts
                .blocking
                .call_wait_any(parts.store, &requests, &responses, limit);
            wait.await
        };
        let outcome = call.value(wait).await;
        let ready = call.end_with(outcome)?;
        Ok((ready.requests, ready.responses))
    };
    (is_begun, Box::pin(call))
}

type Call = Pin<Box<dyn Future<Output = Result<Places, Error>> + Send>>;

/// A call that is finished also where nobody waits for it any more, once it has begun.
struct Finishing {
    is_begun: Arc<AtomicBool>,
    call: Option<Call>,
}

impl Finishing {
    fn start((is_begun, call): (Arc<AtomicBool>, Call)) -> Self {
        let call = Some(call);
        Self { is_begun, call }
    }
}

impl Future for Finishing {
    type Output = Result<Places, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = self.call.as_mut() else {
            return Poll::Pending;
        };
        let outcome = call.as_mut().poll(context);
        if outcome.is_ready() {
            self.call = None;
        }
        outcome
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if self.is_begun.load(Ordering::Relaxed)
            && let Some(call) = self.call.take()
            && let Ok(runtime) = runtime::Handle::try_current()
        {
            runtime.spawn(call);
        }
    }
}
