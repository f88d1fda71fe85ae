//! Waiting, but not for ever.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::Net;
use crate::types::Instant;

/// Waits for `future`, at most until `bound`, which comes with what to say then.
///
/// The clock is read before the wait and whenever the future was woken in vain, so a peer that always has something ready cannot keep it from
/// being looked at. What is ready at once costs no timer.
pub(super) async fn bounded<N: Net, T, E: Copy>(
    net: &N,
    bound: Option<(Instant, E)>,
    future: impl Future<Output = T>,
) -> Result<T, E> {
    let Some((at, expiry)) = bound else {
        return Ok(future.await);
    };
    if net.now() >= at {
        return Err(expiry);
    }
    let mut future = pin!(future);
    let mut sleep = pin!(net.sleep_until(at));
    let mut was_woken = false;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let is_over = was_woken && net.now() >= at;
        was_woken = true;
        if is_over || sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(expiry));
        }
        Poll::Pending
    })
    .await
}
