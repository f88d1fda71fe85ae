//! One request of a caller's on its way: attempt after attempt, redirect after redirect, until there is a response to hand out.
//!
//! It sequences and never decides: every `if` on a method, a status, a header or a count is a function of `policy`.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use super::Net;
use super::connection::Lease;
use super::exchange::{Answer, exchange};
use super::incoming::{Incoming, Source};
use super::pool::Pool;
use super::request::{Asked, Inherited, Request, Terms};
use super::response::{Context, Response};
use super::shared::Shared;
use crate::machine::h1::{Body, ReceivedHead, shown_request};
use crate::machine::pool::IfClosed;
use crate::policy::fields::Fields;
use crate::policy::framing;
use crate::policy::redirect::{self, Direction, Hop};
use crate::policy::target;
use crate::policy::{Clocks, Retry, Spans, Verdict, blame, replay, reuse};
use crate::types::{
    AttemptError, Cause, Error, Event, Headers, HistoryEntry, Instant, LastOutcome, Limits, Phase,
    Reading, Redirects, ResponseHead, Sent, Url,
};

/// A request under way.
struct Trip<'a, N: Net> {
    shared: &'a Rc<Shared<N>>,
    request: Request<'a>,
    redirects: Redirects,
    if_closed: IfClosed,
    reading: Reading,
    /// What it does not inherit, whichever pool it comes to.
    asked: Asked,
    limits: Limits,
    clocks: Clocks,
    retry: Retry,
    /// Counted from 1; 0 before the first.
    attempt: u32,
    /// Whether an idle connection may be used: not for a replay, since where one was dead, others may be.
    may_reuse: bool,
    /// How much of the request a peer may have received in any of the attempts.
    sent: Sent,
}

/// What comes after an attempt: its response is handed out, or there is another one, which waits as long as this.
type Next<N> = ControlFlow<Response<N>, Duration>;

/// The pool that a request to a URL goes through.
pub(super) type Find<'a, N> = &'a dyn Fn(&Url) -> Result<Rc<Pool<N>>, Error>;

/// A response that is waited for. It is boxed because every way to send a request would otherwise hold a copy of all this code.
pub(super) type Travelling<'a, N> = Pin<Box<dyn Future<Output = Result<Response<N>, Error>> + 'a>>;

/// Leads a request through its attempts.
pub(super) fn travel<'a, N: Net>(
    shared: &'a Rc<Shared<N>>,
    find: Find<'a, N>,
    (request, terms): (Request<'a>, Terms),
) -> Travelling<'a, N> {
    let Inherited {
        spans,
        retries,
        limits,
    } = terms.inherited;
    let trip = Trip {
        shared,
        request,
        redirects: terms.redirects,
        if_closed: terms.if_closed,
        reading: terms.reading,
        asked: terms.asked,
        limits,
        clocks: Clocks::start(spans, start_of(spans, shared)),
        retry: Retry::new(retries),
        attempt: 0,
        may_reuse: true,
        sent: Sent::Nothing,
    };
    Box::pin(attempts(trip, find))
}

async fn attempts<N: Net>(mut trip: Trip<'_, N>, find: Find<'_, N>) -> Result<Response<N>, Error> {
    let outcome = trip.lead(find).await;
    outcome.map_err(|error| error.after(trip.retry.history()))
}

/// When the first attempt starts, where that makes a difference.
fn start_of<N: Net>(spans: Spans, shared: &Shared<N>) -> Instant {
    if spans.need_a_start() {
        shared.net.now()
    } else {
        Instant::default()
    }
}

impl<N: Net> Trip<'_, N> {
    async fn lead(&mut self, find: Find<'_, N>) -> Result<Response<N>, Error> {
        let mut pool = find(&self.request.url)?;
        loop {
            match self.attempt(&pool).await? {
                ControlFlow::Break(response) => return Ok(response),
                ControlFlow::Continue(delay) => {
                    // Before the wait, so that whoever pushes the body can use it.
                    self.request.rewind();
                    self.wait(delay).await;
                    let before = pool;
                    pool = find(&self.request.url)?;
                    self.enter(&before, &pool)?;
                }
            }
        }
    }

    async fn attempt(&mut self, pool: &Rc<Pool<N>>) -> Result<Next<N>, Error> {
        let fields = self.request.fields(&pool.key.route)?;
        self.attempt += 1;
        let outcome = self.exchange(pool, &fields).await;
        match outcome {
            Ok((lease, answer)) => self.answered(lease, answer, &fields.headers).await,
            Err(failed) => self.failed(failed),
        }
    }

    /// Goes on in another pool by what holds there. What is left of the budgets goes on, and so does the deadline.
    fn enter(&mut self, before: &Pool<N>, pool: &Pool<N>) -> Result<(), Error> {
        if before.key.profile == pool.key.profile {
            return Ok(());
        }
        let Inherited {
            spans,
            retries,
            limits,
        } = self.asked.of(pool.key.profile.get())?;
        self.limits = limits;
        self.retry.go_by(retries);
        self.clocks = self.clocks.in_pool(spans, start_of(spans, self.shared));
        Ok(())
    }

    /// Sends the request over one connection and waits for the head of its response.
    async fn exchange(
        &mut self,
        pool: &Rc<Pool<N>>,
        fields: &Fields,
    ) -> Result<(Lease<N>, Answer), AttemptError> {
        let mut lease = pool
            .lease(&mut self.clocks, self.may_reuse, self.if_closed)
            .await?;
        let number = lease.connection().number;
        let host = self.request.url.origin().host();
        let key = &pool.key;
        let connection = lease.connection();
        // The request that opens a connection has been warned of the proxy already.
        let proxy = key.route.proxy().filter(|_| connection.reused);
        let proxy = proxy.map(|proxy| &proxy.host);
        let peers = [
            (proxy, connection.proxy_tls.as_deref()),
            (Some(host), connection.tls.as_deref()),
        ];
        for (host, tls) in peers {
            if let Some(warning) = host.and_then(|host| blame::unverified(host, tls)) {
                self.shared.tell(|| Event::Warned(warning));
            }
        }
        self.shared.tell(|| Event::Sent {
            number,
            head: shown_request(
                &self.request.method,
                target::of_request(&self.request.url, &key.origin, &key.route),
                &fields.headers,
            ),
        });
        let outgoing = self.request.write(fields, key);
        exchange(
            self.shared,
            lease.connection(),
            outgoing,
            &self.clocks,
            self.limits,
        )
        .await
        .inspect_err(|failed| {
            if replay::is_due(failed, &self.request.method) && self.request.can_be_sent_again() {
                self.shared.tell(|| Event::Replayed { number });
            }
        })
        .map_err(|failed| blame::in_exchange(failed, &key.route))
        .map(|answer| (lease, answer))
    }

    /// Refuses another attempt where the body was taken and cannot be had again.
    fn check_body(&self, last: &LastOutcome, url: &Url) -> Result<(), Error> {
        if self.request.can_be_sent_again() {
            return Ok(());
        }
        let (method, attempt) = (&self.request.method, self.attempt);
        Err(blame::not_replayable(last, self.sent, method, url, attempt))
    }

    /// The error of a request that goes no further, though no attempt is under way.
    fn unsent(&self, phase: Phase, cause: Cause) -> Error {
        self.told(AttemptError {
            phase,
            sent: self.sent,
            reused: false,
            cause,
        })
    }

    fn told(&self, failed: AttemptError) -> Error {
        let Request { method, url, .. } = &self.request;
        blame::tell(failed, method, url, self.attempt)
    }

    /// What comes after a failure.
    fn failed(&mut self, failed: AttemptError) -> Result<Next<N>, Error> {
        if failed.sent == Sent::Something {
            self.sent = Sent::Something;
        }
        let Request { method, url, .. } = &self.request;
        let error = self.told(failed.clone());
        if replay::is_due(&failed, method) {
            self.check_body(&LastOutcome::Failed(error), url)?;
            self.may_reuse = false;
            return Ok(ControlFlow::Continue(Duration::ZERO));
        }
        let record = || HistoryEntry {
            method: method.to_string(),
            url: url.as_str().to_owned(),
            status: None,
            location: None,
            error: Some(Box::new(error.clone())),
        };
        match self.retry.after_failure(&failed, method, record) {
            Verdict::HandOut => Err(error),
            Verdict::Exhausted => Err(self.exhausted(LastOutcome::Failed(error))),
            Verdict::Again => {
                self.check_body(&LastOutcome::Failed(error), url)?;
                self.again(None)
            }
        }
    }

    /// What comes after a response.
    async fn answered(
        &mut self,
        lease: Lease<N>,
        answer: Answer,
        fields: &Headers,
    ) -> Result<Next<N>, Error> {
        self.sent = Sent::Something;
        let mut response = match self.respond(lease, answer, fields) {
            Ok(response) => response,
            Err(failed) => return self.failed(failed),
        };
        let status = response.head().status;
        let headers = &response.head().headers;
        let Request { method, url, .. } = &self.request;
        let entry = |location: Option<&Url>| HistoryEntry {
            method: method.to_string(),
            url: url.as_str().to_owned(),
            status: Some(status),
            location: location.map(|url| url.as_str().to_owned()),
            error: None,
        };
        let mut verdict = self
            .retry
            .after_response(status, headers, method, || entry(None));
        let mut hop = None;
        if verdict == Verdict::HandOut
            && self.redirects == Redirects::Follow
            && let Direction::To(location) = redirect::direction(status, headers)
        {
            let next = self.hop(status, &location, &response);
            let to = next.as_ref().ok().map(|next| &next.url);
            verdict = self.retry.after_redirect(|| entry(to));
            // A redirect that is handed out may lead anywhere.
            if verdict != Verdict::HandOut {
                hop = Some(next?);
            }
        }
        match verdict {
            Verdict::HandOut => {
                return match response.hand_out(self.reading).await {
                    Ok(()) => Ok(ControlFlow::Break(response)),
                    Err(failed) => self.failed(failed),
                };
            }
            Verdict::Exhausted => {
                response.discard().await;
                return Err(self.exhausted(LastOutcome::Status(status)));
            }
            Verdict::Again => {}
        }
        // A response that leads nowhere is not drained, and no attempt is announced that does not come.
        if hop.as_ref().is_none_or(|hop| hop.keeps_content) {
            let url = hop.as_ref().map_or(url, |hop| &hop.url);
            self.check_body(&LastOutcome::Status(status), url)?;
        }
        let next = self.again(Some(&response.head().headers))?;
        response.discard().await;
        if let Some(hop) = hop {
            self.turn(hop);
        }
        Ok(next)
    }

    fn hop(&self, status: u16, location: &str, response: &Response<N>) -> Result<Hop, Error> {
        let Request {
            method,
            url,
            headers,
            ..
        } = &self.request;
        let removed = &self.retry.rules().removed_on_redirect;
        redirect::hop(status, location, method, url, headers, removed).map_err(|why| {
            self.told(AttemptError {
                phase: Phase::AwaitHead,
                sent: Sent::Something,
                reused: response.head().connection.reused,
                cause: Cause::Unfollowable(why),
            })
        })
    }

    /// Makes the request the one that a redirect asks for.
    fn turn(&mut self, hop: Hop) {
        self.shared.tell(|| Event::Redirected {
            from: self.request.url.as_str().to_owned(),
            to: hop.url.as_str().to_owned(),
        });
        self.request.turn(hop);
    }

    /// Another attempt, after the delay that the last response and the backoff ask for, unless that would take until after the deadline.
    fn again(&mut self, response: Option<&Headers>) -> Result<Next<N>, Error> {
        let net = &self.shared.net;
        let delay = self.retry.delay(
            response,
            || net.wall_clock(),
            || u32::from_le_bytes(self.shared.random()),
        );
        if !delay.is_zero()
            && let Some((end, expiry)) = self.clocks.deadline()
            && net.now().after(delay) >= end
        {
            return Err(self.unsent(Phase::Backoff, Cause::TimedOut(expiry)));
        }
        self.may_reuse = true;
        let last = self.retry.history().last();
        if last.is_some_and(|entry| entry.location.is_none()) {
            self.shared.tell(|| Event::Retried { delay });
        }
        Ok(ControlFlow::Continue(delay))
    }

    /// Waits for the time of the next attempt and starts its clock.
    async fn wait(&mut self, delay: Duration) {
        let net = &self.shared.net;
        if !delay.is_zero() {
            net.sleep_until(net.now().after(delay)).await;
        }
        if self.clocks.need_a_start() {
            self.clocks = self.clocks.next_attempt(net.now());
        }
    }

    fn exhausted(&self, last: LastOutcome) -> Error {
        let Request { method, url, .. } = &self.request;
        let history = self.retry.history().to_vec();
        blame::exhausted(last, method, url, self.attempt, history)
    }

    /// Makes a response of the head that came and the connection its body will come over.
    fn respond(
        &self,
        mut lease: Lease<N>,
        answer: Answer,
        fields: &Headers,
    ) -> Result<Response<N>, AttemptError> {
        let Request { method, url, .. } = &self.request;
        let Answer {
            head: ReceivedHead { line, headers, .. },
            is_sent_whole,
        } = answer;
        let connection = lease.connection().info();
        let tls = lease.connection().tls.clone();
        let framing =
            framing::of_response(method, line.status, &headers).map_err(|why| AttemptError {
                phase: Phase::AwaitHead,
                sent: Sent::Something,
                reused: connection.reused,
                cause: Cause::Malformed(why),
            })?;
        let reuse = reuse::after(fields, is_sent_whole, &line, &headers, framing);
        let head = ResponseHead {
            status: line.status,
            version: line.version,
            reason: line.reason,
            url: url.as_str().to_owned(),
            headers,
            connection,
        };
        let context = Context {
            method: method.clone(),
            url: url.clone(),
            attempt: self.attempt,
            clocks: self.clocks,
            retry: self.retry.clone(),
            max_codings: self.limits.codings,
            route: lease.route().clone(),
        };
        let source = Source {
            lease,
            body: Body::new(framing, self.limits),
            reuse,
        };
        let shared = Rc::clone(self.shared);
        let is_length_enforced = !self.reading.may_be_short;
        let incoming = Incoming::new(Rc::clone(&shared), self.clocks, is_length_enforced, source);
        Ok(Response::new(head, shared, context, tls, incoming))
    }
}
