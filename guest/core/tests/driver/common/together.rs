//! Futures side by side, and futures that are given up.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
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

/// Runs futures at the same time to the end of all. Each is polled again only once somebody has woken it, so a wake-up that is lost hangs.
pub(crate) async fn all<'a, T>(futures: Vec<Boxed<'a, T>>) -> Vec<T> {
    let mut members: Vec<Member<'a, T>> = futures.into_iter().map(Member::new).collect();
    poll_fn(|context| {
        for member in &mut members {
            member.poll(context);
        }
        if members.iter().all(|member| member.output.is_some()) {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    let outputs = members.into_iter().map(|member| member.output);
    outputs
        .map(|output| output.expect("it has ended"))
        .collect()
}

/// A future among others.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

struct Member<'a, T> {
    future: Boxed<'a, T>,
    output: Option<T>,
    bell: Arc<Bell>,
}

impl<'a, T> Member<'a, T> {
    fn new(future: Boxed<'a, T>) -> Self {
        Self {
            future,
            output: None,
            bell: Arc::new(Bell {
                has_rung: AtomicBool::new(true),
                above: Mutex::new(None),
            }),
        }
    }

    fn poll(&mut self, context: &Context<'_>) {
        *self.bell.above.lock().expect("nobody panicked") = Some(context.waker().clone());
        if self.output.is_some() || !self.bell.has_rung.swap(false, Ordering::Relaxed) {
            return;
        }
        let own = Waker::from(Arc::clone(&self.bell));
        if let Poll::Ready(output) = self.future.as_mut().poll(&mut Context::from_waker(&own)) {
            self.output = Some(output);
        }
    }
}

struct Bell {
    has_rung: AtomicBool,
    above: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.has_rung.store(true, Ordering::Relaxed);
        if let Some(above) = self.above.lock().expect("nobody panicked").as_ref() {
            above.wake_by_ref();
        }
    }
}

/// Polls a future once.
pub(crate) fn poll_once<T>(net: &SimNet, future: &mut Boxed<'_, T>) -> Option<T> {
    net.run(poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    }))
}
