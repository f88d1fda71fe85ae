//! Waiting, but not for ever.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::Net;
use crate::policy::Bound;
use crate::types::Expiry;

/// Waits for `future`, at most until `bound`. What is ready at once costs no timer.
pub(super) async fn bounded<N: Net, T>(
    net: &N,
    bound: Bound,
    future: impl Future<Output = T>,
) -> Result<T, Expiry> {
    let Some((at, expiry)) = bound else {
        return Ok(future.await);
    };
    let mut future = pin!(future);
    let mut sleep = pin!(net.sleep_until(at));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(context).map(|()| Err(expiry))
    })
    .await
}
