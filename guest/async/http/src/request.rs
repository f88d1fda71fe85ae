//! A request of `wasi:http`, taken apart.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use urlpool_core::driver::{BodySource, Manager, Piece, Response};
use urlpool_core::policy::framing::is_usually_empty;
use urlpool_core::policy::hop_by_hop::end_to_end;
use urlpool_core::types::{Content, Error, Headers, Limit, RequestOptions, Streamed};
use urlpool_sockets::{AsyncNet, Inflow};
use wit_bindgen::{FutureReader, FutureWriter, spawn_local};

use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, Method, Request, RequestOptions as Asked, Scheme,
};
use crate::bindings::wit_future;
use crate::error;

/// What a body is read in.
const MAX_PIECE: usize = 64 * 1024;
/// A span of no time is refused by core, and fails at once in hosts.
const SHORTEST: Duration = Duration::from_nanos(1);

type Trailers = FutureReader<Result<Option<Fields>, ErrorCode>>;

type End = Pin<Box<dyn Future<Output = Result<Option<Fields>, ErrorCode>>>>;

/// A request as core takes it.
pub(crate) struct Order {
    method: String,
    url: String,
    content: Content,
    body: Body,
    options: RequestOptions,
    /// Where the consumer hears what became of its body.
    settled: FutureWriter<Result<(), ErrorCode>>,
}

/// Takes a request apart, and waits for the first of its body where only that tells how the request must begin.
pub(crate) async fn take(request: Request, base: &RequestOptions) -> Result<Order, ErrorCode> {
    let method = method(request.get_method());
    let url = url(&request)?;
    let headers = headers(&request.get_headers())?;
    let options = options(request.get_options(), base);
    let (settled, outcome) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Request::consume_body(request, outcome);
    let mut body = Body {
        bytes: Inflow::new(stream),
        first: None,
        is_announced: headers.has("content-length"),
        trailers: Some(trailers),
        end: None,
    };
    let content = if body.is_announced {
        // Core takes the length from there.
        Content::Streamed(Streamed::default())
    } else {
        body.begun(&method).await
    };
    Ok(Order {
        method,
        url,
        content,
        body,
        options: RequestOptions {
            headers: Some(headers),
            ..options
        },
        settled,
    })
}

impl Order {
    /// Sends it and waits for the head of the response.
    pub(crate) async fn send(
        self,
        manager: &Manager<AsyncNet>,
    ) -> Result<Response<AsyncNet>, Error> {
        let Self {
            method,
            url,
            content,
            body,
            options,
            settled,
        } = self;
        let source =
            matches!(content, Content::Streamed(_)).then(|| Box::new(body) as Box<dyn BodySource>);
        let outcome = manager.send(&method, &url, content, source, options).await;
        if let Err(error) = &outcome {
            tell(settled, error::of(error));
        }
        outcome
    }
}

/// Says why the body was not sent, where the consumer listens; nobody waits for it to do so.
fn tell(settled: FutureWriter<Result<(), ErrorCode>>, code: ErrorCode) {
    drop(spawn_local(async move {
        // Whoever does not listen need not.
        drop(settled.write(Err(code)).await);
    }));
}

fn method(method: Method) -> String {
    match method {
        Method::Get => "GET".into(),
        Method::Head => "HEAD".into(),
        Method::Post => "POST".into(),
        Method::Put => "PUT".into(),
        Method::Delete => "DELETE".into(),
        Method::Connect => "CONNECT".into(),
        Method::Options => "OPTIONS".into(),
        Method::Trace => "TRACE".into(),
        Method::Patch => "PATCH".into(),
        Method::Other(name) => name,
    }
}

/// Credentials have no place in it: they would become a field that the consumer did not write. Without a scheme it is `https`, as in the hosts that we stand in for.
fn url(request: &Request) -> Result<String, ErrorCode> {
    let scheme = match request.get_scheme() {
        None | Some(Scheme::Https) => "https".into(),
        Some(Scheme::Http) => "http".into(),
        Some(Scheme::Other(name)) => name,
    };
    let authority = request
        .get_authority()
        .filter(|authority| !authority.contains('@'))
        .ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let path = request.get_path_with_query().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{authority}{slash}{path}"))
}

/// The fields, without those that are between the consumer and us.
fn headers(fields: &Fields) -> Result<Headers, ErrorCode> {
    let all = Headers::parse(fields.copy_all()).map_err(|error| error::of(&error))?;
    Ok(end_to_end(&all))
}

fn options(asked: Option<Asked>, base: &RequestOptions) -> RequestOptions {
    let mut options = base.clone();
    if let Some(asked) = asked {
        let limit = |nanos: Option<u64>| {
            nanos.map(|nanos| Limit::After(Duration::from_nanos(nanos).max(SHORTEST)))
        };
        let timeouts = &mut options.timeouts;
        timeouts.connect = limit(asked.get_connect_timeout());
        timeouts.head = limit(asked.get_first_byte_timeout());
        timeouts.read = limit(asked.get_between_bytes_timeout());
    }
    options
}

/// The body of a request, as it comes from its consumer.
struct Body {
    bytes: Inflow,
    /// What was read to find out whether there is any.
    first: Option<Result<Piece, String>>,
    /// Whether its length is announced, so that it has no room for trailers.
    is_announced: bool,
    trailers: Option<Trailers>,
    /// The trailers, once the bytes have ended.
    end: Option<End>,
}

impl Body {
    /// Finds out what to send it as. Where a body is unusual for the method, its first byte or its end is waited for, since announcing one
    /// that does not come would be wrong; elsewhere it may come later than the answer, and is sent chunked.
    async fn begun(&mut self, method: &str) -> Content {
        if is_usually_empty(method) {
            let first = poll_fn(|context| self.poll_bytes(context)).await;
            // Nothing has room for trailers without any, so nobody waits for them.
            return first.map_or(Content::Empty, |bytes| {
                self.first = Some(Ok(Piece::Bytes(bytes)));
                Content::Streamed(Streamed::default())
            });
        }
        let first = poll_fn(|context| {
            Poll::Ready(match self.poll_next(context) {
                Poll::Ready(first) => Some(first),
                Poll::Pending => None,
            })
        });
        match first.await {
            Some(Ok(Piece::End)) => Content::Empty,
            Some(first) => {
                self.first = Some(first);
                Content::Streamed(Streamed::default())
            }
            None => Content::Streamed(Streamed::default()),
        }
    }

    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let count = ready!(self.bytes.poll_read(context, MAX_PIECE, &mut bytes));
        Poll::Ready((count > 0).then_some(bytes))
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        if self.end.is_none() {
            if let Some(bytes) = ready!(self.poll_bytes(context)) {
                return Poll::Ready(Ok(Piece::Bytes(bytes)));
            }
            if self.is_announced {
                return Poll::Ready(Ok(Piece::End));
            }
            self.end = self
                .trailers
                .take()
                .map(|trailers| Box::pin(trailers.into_future()) as End);
        }
        let Some(end) = &mut self.end else {
            return Poll::Ready(Ok(Piece::End));
        };
        let trailers = ready!(end.as_mut().poll(context));
        Poll::Ready(match trailers {
            Ok(None) => Ok(Piece::End),
            Ok(Some(fields)) => headers(&fields)
                .map(Piece::EndWith)
                .map_err(|_| "its trailers cannot be sent".to_owned()),
            Err(code) => Err(format!("its sender gave it up: {code:?}")),
        })
    }
}

impl BodySource for Body {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        match self.first.take() {
            Some(first) => Poll::Ready(first),
            None => self.poll_next(context),
        }
    }

    fn may_come_late(&self) -> bool {
        true
    }

    /// Never called: a stream cannot be read twice, and its request says so.
    fn rewind(&mut self) {}
}
