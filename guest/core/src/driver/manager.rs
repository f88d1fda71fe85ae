//! The manager: which pools there are, and which one a request goes through.

use std::cell::RefCell;
use std::rc::Rc;

use super::Net;
use super::connection_pool::ConnectionPool;
use super::pool::Pool;
use super::request::Order;
use super::response::Response;
use super::shared::Shared;
use super::trip::travel;
use super::upload::BodySource;
use crate::machine::pool::{IfClosed, Key, Lru, SharedProfile};
use crate::policy::{Matcher, Profile};
use crate::types::{
    Content, Error, Event, Headers, Host, HostRule, Hosts, ManagerSettings, Origin, PoolContext,
    PoolSettings, RequestOptions, Scheme, Url,
};

/// urllib3's `num_pools`.
const DEFAULT_NUM_POOLS: u32 = 10;

/// Sends requests to any origin and keeps idle connections for the next one (urllib3: `PoolManager`).
pub struct Manager<N: Net> {
    shared: Rc<Shared<N>>,
    settings: PoolSettings,
    profile: SharedProfile,
    rules: Vec<Rule>,
    headers: Headers,
    pools: RefCell<Lru<Rc<Pool<N>>>>,
    /// The last URL that was written as it parses: whoever asks again for the same does not pay for parsing.
    last: RefCell<Option<Url>>,
}

/// A host rule, and what it makes of the manager's settings.
struct Rule {
    matcher: Matcher,
    settings: PoolSettings,
    profile: SharedProfile,
}

impl Rule {
    fn new<N: Net>(rule: HostRule, base: &PoolSettings, shared: &Shared<N>) -> Result<Self, Error> {
        let HostRule {
            host,
            port,
            settings,
        } = rule;
        let settings = settings.or(base);
        Ok(Self {
            matcher: Matcher::parse(&host, port)?,
            profile: shared_profile(shared, settings.clone())?,
            settings,
        })
    }
}

impl<N: Net> Manager<N> {
    /// A manager that holds no connection yet.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where a limit is 0, or where something in the settings of TLS, a host rule or a name in the table of hosts does
    /// not parse.
    pub fn new(net: N, settings: ManagerSettings) -> Result<Self, Error> {
        let ManagerSettings {
            num_pools,
            headers,
            pool,
            host_rules,
            max_connections,
            events,
            hosts,
        } = settings;
        if max_connections == Some(0) {
            return Err(Error::InvalidSettings(
                "With max_connections of 0 no connection could ever be opened.".into(),
            ));
        }
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let cap = max_connections.map(count);
        let shared = Shared::new(net, Hosts::parse(hosts)?, count(events.unwrap_or(0)), cap);
        let profile = shared_profile(&shared, pool.clone())?;
        let rules = host_rules
            .into_iter()
            .map(|rule| Rule::new(rule, &pool, &shared))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            shared: Rc::new(shared),
            settings: pool,
            profile,
            rules,
            headers: headers.unwrap_or_default(),
            pools: RefCell::new(Lru::new(count(num_pools.unwrap_or(DEFAULT_NUM_POOLS)))),
            last: RefCell::default(),
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
        let method = method.to_ascii_uppercase();
        self.send(&method, url, content, None, options).await
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
        self.send(method, url, content, None, options).await
    }

    /// Sends a request with its method as it is, and its body, where that is streamed, from `source`.
    ///
    /// # Errors
    /// Any [`Error`]; its documentation says what each means.
    pub async fn send<'a>(
        &self,
        method: &'a str,
        url: &str,
        content: Content,
        source: Option<Box<dyn BodySource + 'a>>,
        options: RequestOptions,
    ) -> Result<Response<N>, Error> {
        let order = Order {
            method,
            url: self.parse(url)?,
            content,
            source,
            options,
        };
        let (_, profile) = self.base(order.url.origin());
        let random = || self.shared.random();
        let accepted = order.accept(profile.get(), &self.headers, IfClosed::Serve, random)?;
        let find = |url: &Url| {
            let (_, profile) = self.base(url.origin());
            self.pool(url.origin().clone(), profile.clone())
        };
        travel(&self.shared, &find, accepted).await
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
        let profile = shared_profile(&self.shared, settings)?;
        self.hold(origin, profile)
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
            pool.retire("its manager was cleared");
        }
    }

    /// Takes out what happened since the last call, oldest first.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.shared.take_events()
    }

    fn parse(&self, text: &str) -> Result<Url, Error> {
        let mut last = self.last.borrow_mut();
        if let Some(url) = last.as_ref().filter(|url| url.as_str() == text) {
            return Ok(url.clone());
        }
        let url = Url::parse(text)?;
        if url.as_str() == text {
            *last = Some(url.clone());
        }
        Ok(url)
    }

    fn pool_with(
        &self,
        origin: Origin,
        settings: Option<PoolSettings>,
    ) -> Result<ConnectionPool<N>, Error> {
        let (base, profile) = self.base(&origin);
        let profile = match settings {
            None => profile.clone(),
            Some(settings) => shared_profile(&self.shared, settings.or(base))?,
        };
        self.hold(origin, profile)
    }

    fn hold(&self, origin: Origin, profile: SharedProfile) -> Result<ConnectionPool<N>, Error> {
        let pool = self.pool(origin.clone(), profile)?;
        Ok(ConnectionPool { origin, pool })
    }

    /// What the pools of an origin start from: the first host rule that matches, or the manager's own settings.
    fn base(&self, origin: &Origin) -> (&PoolSettings, &SharedProfile) {
        let mut rules = self.rules.iter();
        rules
            .find(|rule| rule.matcher.matches(origin))
            .map_or((&self.settings, &self.profile), |rule| {
                (&rule.settings, &rule.profile)
            })
    }

    fn pool(&self, origin: Origin, profile: SharedProfile) -> Result<Rc<Pool<N>>, Error> {
        let route = profile.get().routes.choose(&origin);
        let key = Key {
            origin: route.pool_origin(&origin),
            route,
            profile,
        };
        let make = || Pool::new(key.clone(), Rc::clone(&self.shared)).map(Rc::new);
        let (pool, evicted) =
            self.pools
                .borrow_mut()
                .get_or_make(&key, |pool| pool.is_open(), make)?;
        if let Some(evicted) = evicted.filter(|evicted| evicted.is_open()) {
            self.shared.tell(|| Event::Evicted {
                origin: evicted.key.origin.clone(),
            });
            evicted.retire("its pool was evicted");
        }
        Ok(pool)
    }
}

fn shared_profile<N: Net>(
    shared: &Shared<N>,
    settings: PoolSettings,
) -> Result<SharedProfile, Error> {
    let profile = Profile::resolve(settings)?;
    shared.outfit.check(&profile.tls)?;
    for settings in profile.routes.tls() {
        shared.outfit.check(&Rc::new(settings.clone()))?;
    }
    Ok(SharedProfile::new(profile))
}
