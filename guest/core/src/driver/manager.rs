//! The manager: finds the pool for a request and leads it through its attempts.
//!
//! It sequences and never decides: every `if` on a method, a status, a header or a count is a function of `policy`.

use std::cell::RefCell;
use std::rc::Rc;

use super::Net;
use super::connection::Lease;
use super::exchange::{Answer, Outgoing, exchange};
use super::pool::{ConnectionPool, Pool};
use super::response::{Context, Response};
use super::shared::Shared;
use super::transport::check_roots;
use crate::machine::h1::{Body, ReceivedHead, request_head, shown_request};
use crate::machine::pool::{Key, Lru, SharedProfile};
use crate::policy::{Clocks, Profile, Spans, blame, fields, framing, replay, reuse};
use crate::types::{
    AttemptError, Cause, Content, Error, Event, Headers, Host, ManagerSettings, Method, Origin,
    Phase, PoolContext, PoolSettings, RequestOptions, ResponseHead, Scheme, Sent, Url,
};

/// urllib3's `num_pools`.
const DEFAULT_NUM_POOLS: u32 = 10;
/// As much as goes out in one write: the head, and of the body what fits beside it. WASI hosts take no more at a time.
const MAX_FLIGHT: usize = 64 * 1024;

/// Sends requests to any origin and keeps idle connections for the next one (urllib3: `PoolManager`).
pub struct Manager<N: Net> {
    shared: Rc<Shared<N>>,
    settings: PoolSettings,
    profile: SharedProfile,
    headers: Headers,
    pools: RefCell<Lru<Rc<Pool<N>>>>,
}

/// A request that has been checked and written.
struct Prepared {
    method: Method,
    url: Url,
    fields: Headers,
    content: Content,
}

impl<N: Net> Manager<N> {
    /// A manager that holds no connection yet.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where a timeout is 0 or the roots do not parse.
    pub fn new(net: N, settings: ManagerSettings) -> Result<Self, Error> {
        let ManagerSettings {
            num_pools,
            headers,
            pool,
            events,
        } = settings;
        let profile = shared_profile(pool.clone())?;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self {
            shared: Rc::new(Shared::new(net, count(events.unwrap_or(0)))),
            settings: pool,
            profile,
            headers: headers.unwrap_or_default(),
            pools: RefCell::new(Lru::new(count(num_pools.unwrap_or(DEFAULT_NUM_POOLS)))),
        })
    }

    /// Sends a request with its method in upper case, and waits for the head of the response (urllib3: `request`).
    ///
    /// # Errors
    /// Any [`Error`]; its documentation says what each means.
    pub async fn request(
        &self,
        method: &str,
        url: &str,
        content: Content,
        options: RequestOptions,
    ) -> Result<Response<N>, Error> {
        self.urlopen(&method.to_ascii_uppercase(), url, content, options)
            .await
    }

    /// Sends a request with its method as it is (urllib3: `urlopen`).
    ///
    /// # Errors
    /// Any [`Error`]; its documentation says what each means.
    pub async fn urlopen(
        &self,
        method: &str,
        url: &str,
        content: Content,
        options: RequestOptions,
    ) -> Result<Response<N>, Error> {
        let (method, url) = (Method::parse(method)?, Url::parse(url)?);
        let headers = options.headers.as_ref().unwrap_or(&self.headers);
        let fields = fields::of_request(&method, &url, &content, headers)?;
        let spans = self.profile.get().spans.overridden(options.timeouts)?;
        let pool = self.pool(url.origin().clone(), self.profile.clone())?;
        self.send(
            &pool,
            Prepared {
                method,
                url,
                fields,
                content,
            },
            spans,
        )
        .await
    }

    /// The pool for a host (urllib3: `connection_from_host`). What `settings` names replaces the manager's.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`], [`Error::UnsupportedScheme`] or [`Error::InvalidSettings`].
    pub fn connection_from_host(
        &self,
        host: &str,
        port: Option<u16>,
        scheme: Option<&str>,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool<N>, Error> {
        let scheme = scheme.map_or(Ok(Scheme::Http), Scheme::parse)?;
        self.pool_with(Origin::new(scheme, Host::parse(host)?, port), settings)
    }

    /// The pool for a URL's origin (urllib3: `connection_from_url`).
    ///
    /// # Errors
    /// As for [`Manager::connection_from_host`].
    pub fn connection_from_url(
        &self,
        url: &str,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool<N>, Error> {
        self.pool_with(Url::parse(url)?.origin().clone(), settings)
    }

    /// The pool for a complete description, which inherits nothing (urllib3: `connection_from_context`).
    ///
    /// # Errors
    /// As for [`Manager::connection_from_host`].
    pub fn connection_from_context(
        &self,
        context: PoolContext,
    ) -> Result<ConnectionPool<N>, Error> {
        let PoolContext {
            scheme,
            host,
            port,
            settings,
        } = context;
        let origin = Origin::new(Scheme::parse(&scheme)?, Host::parse(&host)?, port);
        self.pool(origin, shared_profile(settings)?)
            .map(ConnectionPool)
    }

    /// How many pools are kept.
    #[must_use]
    pub fn num_pools(&self) -> usize {
        self.pools.borrow().len()
    }

    /// Forgets all pools and closes their idle connections.
    pub fn clear(&self) {
        let pools = self.pools.borrow_mut().clear();
        for pool in pools {
            pool.close("its manager was cleared");
        }
    }

    /// Takes out what happened since the last call, oldest first.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.shared.take_events()
    }

    fn pool_with(
        &self,
        origin: Origin,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool<N>, Error> {
        let profile = match settings {
            None => self.profile.clone(),
            Some(settings) => shared_profile(settings.or(&self.settings))?,
        };
        self.pool(origin, profile).map(ConnectionPool)
    }

    fn pool(&self, origin: Origin, profile: SharedProfile) -> Result<Rc<Pool<N>>, Error> {
        let key = Key { origin, profile };
        let make = || Pool::new(key.clone(), Rc::clone(&self.shared)).map(Rc::new);
        let (pool, evicted) =
            self.pools
                .borrow_mut()
                .get_or_make(&key, |pool| !pool.is_closed(), make)?;
        if let Some(evicted) = evicted.filter(|evicted| !evicted.is_closed()) {
            self.shared.tell(|| Event::Evicted {
                origin: evicted.key.origin.clone(),
            });
            evicted.close("its pool was evicted");
        }
        Ok(pool)
    }

    async fn send(
        &self,
        pool: &Rc<Pool<N>>,
        request: Prepared,
        spans: Spans,
    ) -> Result<Response<N>, Error> {
        let now = || {
            if spans.need_a_start() {
                self.shared.net.now()
            } else {
                Default::default()
            }
        };
        let mut clocks = Clocks::start(spans, now());
        let Prepared {
            method,
            url,
            fields,
            content,
        } = &request;
        let mut flight = request_head(method, url.target(), fields, content.len().min(MAX_FLIGHT));
        let (together, rest) = content
            .as_bytes()
            .split_at(content.len().min(MAX_FLIGHT.saturating_sub(flight.len())));
        flight.extend_from_slice(together);
        let outgoing = Outgoing { flight, rest };
        let mut attempt = 1;
        loop {
            let mut lease = pool
                .lease(&clocks, attempt == 1)
                .await
                .map_err(|failed| blame::tell(failed, method, url, attempt))?;
            let number = lease.connection().number;
            self.shared.tell(|| Event::Sent {
                number,
                head: shown_request(method, url.target(), fields),
            });
            match exchange(&self.shared, lease.connection(), &outgoing, &clocks).await {
                Ok(answer) => {
                    return respond(
                        Rc::clone(&self.shared),
                        lease,
                        answer,
                        request,
                        attempt,
                        clocks,
                    );
                }
                Err(failed) if replay::is_due(&failed, method) => {
                    self.shared.tell(|| Event::Replayed { number })
                }
                Err(failed) => return Err(blame::tell(failed, method, url, attempt)),
            }
            attempt += 1;
            clocks = clocks.next_attempt(now());
        }
    }
}

/// Makes a response of the head that came and the connection its body will come over.
fn respond<N: Net>(
    shared: Rc<Shared<N>>,
    mut lease: Lease<N>,
    answer: Answer,
    request: Prepared,
    attempt: u32,
    clocks: Clocks,
) -> Result<Response<N>, Error> {
    let Prepared {
        method,
        url,
        fields,
        ..
    } = request;
    let Answer {
        head: ReceivedHead { line, headers, .. },
        is_sent_whole,
    } = answer;
    let connection = lease.connection().info();
    let framing = framing::of_response(&method, line.status, &headers).map_err(|why| {
        let cause = Cause::Malformed(why);
        let failed = AttemptError {
            phase: Phase::AwaitHead,
            sent: Sent::Something,
            reused: connection.reused,
            cause,
        };
        blame::tell(failed, &method, &url, attempt)
    })?;
    let reuse = reuse::after(&fields, is_sent_whole, &line, &headers, framing);
    let (version, status, reason) = (line.version, line.status, line.reason);
    let head = ResponseHead {
        status,
        version,
        reason,
        url: url.as_str().to_owned(),
        headers,
        connection,
    };
    let context = Context {
        method,
        url,
        attempt,
        clocks,
    };
    Ok(Response::new(
        head,
        shared,
        context,
        lease,
        Body::new(framing),
        reuse,
    ))
}

fn shared_profile(settings: PoolSettings) -> Result<SharedProfile, Error> {
    let profile = Profile::resolve(settings)?;
    check_roots(profile.roots.as_deref())?;
    Ok(SharedProfile::new(profile))
}
