//! What the component exports, and the functions that belong to no resource.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use urlpool_core::policy::make_headers::make_headers;
use urlpool_core::policy::route;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream};

use super::manager::PoolManager;
use super::pending::Pending;
use super::pool::ConnectionPool;
use super::proxy::ProxyManager;
use super::response::{Response, respond};
use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client::{blocking, pipe};
use crate::reactor::{Turns, Waited, block_on, block_on_beside, sleep_until, stands_still};
use crate::stream::{StreamSink, StreamSource};
use crate::{convert, pending, shared};

/// What the component exports.
pub(crate) struct Component;

impl blocking::Guest for Component {
    type PoolManager = PoolManager;
    type ProxyManager = ProxyManager;
    type ConnectionPool = ConnectionPool;
    type Pending = Pending;
    type Response = Response;

    fn request(
        method: String,
        url: String,
        body: blocking::Body,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        respond(async {
            let (content, options) = convert::asked(body, options)?;
            let manager = shared::manager()?;
            manager.request(&method, &url, content, options).await
        })
    }

    fn proxy_from_url(
        url: String,
        settings: wit::ManagerSettings,
    ) -> Result<blocking::ProxyManager, wit::Error> {
        <ProxyManager as blocking::GuestProxyManager>::open(convert::proxy_at(url), settings)
    }

    fn proxies_from_environment(variables: Vec<(String, String)>) -> wit::Proxies {
        convert::from_environment(route::from_environment(&variables))
    }

    fn make_headers(options: wit::HeaderOptions) -> Result<Vec<wit::Header>, wit::Error> {
        make_headers(convert::header_options(options))
            .map(|headers| convert::headers(&headers))
            .map_err(convert::error)
    }

    fn wait(requests: Vec<blocking::PendingBorrow<'_>>, timeout: wit::Limit) -> Vec<u32> {
        Self::wait_any(requests, Vec::new(), timeout).requests
    }

    fn wait_any(
        requests: Vec<blocking::PendingBorrow<'_>>,
        responses: Vec<blocking::ResponseBorrow<'_>>,
        timeout: wit::Limit,
    ) -> blocking::Ready {
        let requests: Vec<&Pending> = requests.iter().map(|request| request.get()).collect();
        let responses: Vec<&Response> = responses.iter().map(|response| response.get()).collect();
        let mut bodies = Bodies::of(&responses);
        let turns = Turns::begin();
        let requests = block_on(any_ready(&requests, &mut bodies, timeout));
        drop(turns);
        blocking::Ready {
            requests: requests.unwrap_or_default(),
            responses: bodies.places(),
        }
    }
}

type Readable<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Bodies that are waited for.
#[derive(Default)]
struct Bodies<'a> {
    waiting: Vec<(u32, Readable<'a>)>,
    /// The places of those that can be read.
    ready: Vec<u32>,
    /// The places of those that stand in the list before, and where.
    again: Vec<(u32, u32)>,
}

impl<'a> Bodies<'a> {
    fn of(responses: &[&'a Response]) -> Self {
        let mut bodies = Self::default();
        for (place, again) in (0..).zip(responses) {
            match again.0.try_borrow_mut() {
                Ok(mut response) => {
                    let wait: Readable<'a> = Box::pin(async move { response.ready().await });
                    bodies.waiting.push((place, wait));
                }
                Err(_) => {
                    let mut before = (0..place).zip(responses);
                    match before.find(|(_, before)| std::ptr::eq(**before, *again)) {
                        Some((first, _)) => bodies.again.push((place, first)),
                        // It is in use: the caller finds that out by reading it.
                        None => bodies.ready.push(place),
                    }
                }
            }
        }
        bodies
    }

    /// The places of those that can be read, wherever they stand in the list.
    fn places(mut self) -> Vec<u32> {
        let again = self.again.iter();
        let again = again.filter(|(_, first)| self.ready.contains(first));
        let again: Vec<u32> = again.map(|(place, _)| *place).collect();
        self.ready.extend(again);
        self.ready.sort_unstable();
        self.ready
    }

    /// Whether one can be read, all of them having been asked.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let ready = &mut self.ready;
        self.waiting.retain_mut(|(place, wait)| {
            let is_ready = wait.as_mut().poll(context).is_ready();
            ready.extend(is_ready.then_some(*place));
            !is_ready
        });
        !ready.is_empty()
    }
}

/// Waits until at least one request or body is ready, or for as long as told, and says which requests are. Where nothing else can happen, those
/// are ready that wait for their caller.
async fn any_ready(
    requests: &[&Pending],
    bodies: &mut Bodies<'_>,
    timeout: wit::Limit,
) -> Vec<u32> {
    let end = convert::end(timeout, monotonic_clock::now());
    let mut sleep = pin!(async {
        match end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        let is_any = bodies.poll(context);
        let polls = requests
            .iter()
            .map(|request| request.0.poll_ready(context).is_ready());
        // Each of them must have the waker, so none is left out.
        let is_any = polls.fold(is_any, |any, is_ready| any | is_ready);
        if is_any || sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(ready(requests));
        }
        if stands_still() {
            return Poll::Ready(waiting_for_their_caller(requests));
        }
        Poll::Pending
    })
    .await
}

fn ready(requests: &[&Pending]) -> Vec<u32> {
    places(requests, pending::Pending::is_ready)
}

/// Those whose bodies must be pushed on; without any, all, since they wait for connections that their caller holds.
fn waiting_for_their_caller(requests: &[&Pending]) -> Vec<u32> {
    let idle = places(requests, pending::Pending::is_idle);
    if idle.is_empty() {
        return places(requests, |_| true);
    }
    idle
}

fn places(requests: &[&Pending], which: impl Fn(&pending::Pending) -> bool) -> Vec<u32> {
    (0..)
        .zip(requests)
        .filter(|(_, request)| which(&request.0))
        .map(|(place, _)| place)
        .collect()
}

impl pipe::Guest for Component {
    fn copy_to(
        response: blocking::ResponseBorrow<'_>,
        destination: &OutputStream,
    ) -> Result<u64, wit::Error> {
        response
            .get::<Response>()
            .with(async |response| response.copy_to(&mut StreamSink::new(destination)).await)
            .map_err(convert::error)
    }

    fn send_from(
        manager: blocking::PoolManagerBorrow<'_>,
        method: String,
        url: String,
        source: &InputStream,
        length: Option<u64>,
        options: wit::RequestOptions,
    ) -> Result<blocking::Response, wit::Error> {
        let content = convert::streamed(length);
        respond(async {
            let options = convert::request_options(options)?;
            let source = Box::new(StreamSource::new(source));
            let manager = &manager.get::<PoolManager>().0;
            manager
                .send(&method, &url, content, Some(source), options)
                .await
        })
    }

    fn wait(
        requests: Vec<blocking::PendingBorrow<'_>>,
        other: &Pollable,
        timeout: wit::Limit,
    ) -> pipe::Ready {
        let requests: Vec<&Pending> = requests.iter().map(|request| request.get()).collect();
        match block_on_beside(
            any_ready(&requests, &mut Bodies::default(), timeout),
            Some(other),
        ) {
            Waited::Done(_) | Waited::Other | Waited::Stuck => pipe::Ready {
                requests: ready(&requests),
                other: other.ready(),
            },
        }
    }
}
