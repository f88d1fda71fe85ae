//! The body of a response, on its way from the thread to the plugin.
//!
//! Invariant: at most [`MAX_AHEAD`] pieces wait for the plugin, and a body without its end is never taken for whole.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::sync::mpsc;
use urlpool_core::driver::Response;
use wasmtime_wasi_http::{Error as Code, WasiBody};

use super::convert;
use super::granted::Granted;

/// How many pieces are read before the plugin asks for them.
const MAX_AHEAD: usize = 2;
/// What is read at once.
const MAX_READ: usize = 64 * 1024;

/// Something of a body.
enum Part {
    Bytes(bytes::Bytes),
    /// Nothing more comes.
    End(Option<HeaderMap>),
    Failed(Code),
}

/// The plugin's end. Dropping it gives up what it has not read.
struct Incoming {
    ahead: VecDeque<Part>,
    rest: Option<mpsc::Receiver<Part>>,
    has_ended: bool,
}

/// The thread's end, where there is more to come.
pub(super) struct Outgoing {
    response: Option<Response<Granted>>,
    parts: mpsc::Sender<Part>,
}

/// The body of a response with as much of it as is there already, and the rest. Where `is_watched`, it is known when the plugin drops it.
pub(super) async fn body(
    mut response: Response<Granted>,
    is_watched: bool,
) -> (WasiBody, Option<Outgoing>) {
    let mut incoming = Incoming {
        ahead: VecDeque::new(),
        rest: None,
        has_ended: false,
    };
    let mut response = loop {
        if incoming.ahead.len() > MAX_AHEAD {
            break Some(response);
        }
        let Some(part) = at_once(next(&mut response)).await else {
            break Some(response);
        };
        let is_last = !matches!(part, Part::Bytes(_));
        incoming.ahead.push_back(part);
        if is_last {
            break None;
        }
    };
    if response.is_none() && !is_watched {
        return (WasiBody::new(incoming), None);
    }
    let (parts, rest) = mpsc::channel(MAX_AHEAD);
    incoming.rest = Some(rest);
    let outgoing = Outgoing {
        response: response.take(),
        parts,
    };
    (WasiBody::new(incoming), Some(outgoing))
}

impl Outgoing {
    /// Hands the rest over as the plugin takes it, and does `meanwhile`, for as long as the plugin has its end.
    pub(super) async fn serve(self, meanwhile: impl Future<Output = ()>) {
        let Self { response, parts } = self;
        let mut pump = pin!(pump(response, &parts));
        let mut meanwhile = pin!(meanwhile);
        let (mut is_pumped, mut is_done) = (false, false);
        let both = poll_fn(|context| {
            is_pumped = is_pumped || pump.as_mut().poll(context).is_ready();
            is_done = is_done || meanwhile.as_mut().poll(context).is_ready();
            if is_pumped && is_done {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        unless(parts.closed(), both).await;
    }
}

async fn pump(response: Option<Response<Granted>>, parts: &mpsc::Sender<Part>) {
    let Some(mut response) = response else {
        return;
    };
    loop {
        // Nothing is read before there is a place for it.
        let Ok(place) = parts.reserve().await else {
            return;
        };
        let part = next(&mut response).await;
        let is_last = !matches!(part, Part::Bytes(_));
        place.send(part);
        if is_last {
            return;
        }
    }
}

/// The next of a response. Its connection is back in its pool before the end is seen.
async fn next(response: &mut Response<Granted>) -> Part {
    match response.read(MAX_READ).await {
        Ok(bytes) if bytes.is_empty() => match convert::received(response.trailers()) {
            Ok(trailers) => Part::End(Some(trailers).filter(|trailers| !trailers.is_empty())),
            Err(code) => Part::Failed(code),
        },
        Ok(bytes) => Part::Bytes(bytes.into()),
        Err(error) => Part::Failed(convert::error(&error)),
    }
}

/// What comes without waiting.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// What comes before something else does, and nothing otherwise.
pub(super) async fn unless<T>(
    end: impl Future<Output = ()>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let (mut end, mut future) = (pin!(end), pin!(future));
    poll_fn(|context| {
        if end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(context).map(Some)
    })
    .await
}

impl Body for Incoming {
    type Data = bytes::Bytes;
    type Error = Code;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Code>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let ahead = self.ahead.pop_front();
        let part = match (ahead, &mut self.rest) {
            (Some(part), _) => Some(part),
            (None, Some(rest)) => ready!(rest.poll_recv(context)),
            (None, None) => None,
        };
        // Without an end, the thread has.
        let part = part.unwrap_or(Part::Failed(Code::HttpResponseIncomplete));
        self.has_ended = !matches!(part, Part::Bytes(_));
        Poll::Ready(match part {
            Part::Bytes(bytes) => Some(Ok(Frame::data(bytes))),
            Part::End(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Part::Failed(code) => Some(Err(code)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || matches!(self.ahead.front(), Some(Part::End(None)))
    }
}
