//! Futures side by side, and futures that are given up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use urlpool_core::driver::Net;
use urlpool_core::sim::SimNet;

/// Runs two futures at the same time to the end of both.
pub(crate) async fn both<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut a, mut b) = (None, None);
    poll_fn(|context| {
        if a.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            a = Some(output);
        }
        if b.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            b = Some(output);
        }
        if a.is_some() && b.is_some() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    (
        a.expect("the first has ended"),
        b.expect("the second has ended"),
    )
}

/// Drops a future that has not ended within `span`.
pub(crate) async fn within<T>(
    net: &SimNet,
    span: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut sleep = pin!(net.sleep_until(net.now().after(span)));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        sleep.as_mut().poll(context).map(|()| None)
    })
    .await
}
