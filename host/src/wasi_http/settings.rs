//! What hooks are made with, and what they make of it.

use std::time::Duration;

use urlpool_core::policy::route::Routes;
use urlpool_core::policy::{DropIn, drop_in};
use urlpool_core::types::{
    Budget, Error, Limit, ManagerSettings, Redirects, RequestOptions, Retries, Timeouts,
};

use crate::grants::Grants;

/// wasmtime's own timeouts.
const PATIENCE: Limit = Limit::After(Duration::from_secs(600));
/// How many redirects are followed where it is not said how many.
const MAX_REDIRECTS: u32 = 10;

/// What [`Hooks`](super::Hooks) are made with.
///
/// ```
/// use urlpool_host::wasi_http::{Hooks, Settings};
/// use urlpool_host::{Grants, ManagerSettings, ProxySettings, Retries};
///
/// # fn main() -> Result<(), urlpool_host::Error> {
/// let proxy = ProxySettings { url: "http://proxy.internal:3128".into(), ..ProxySettings::default() };
/// let mut manager = ManagerSettings::default().through(proxy);
/// manager.pool.retries = Retries::total(3);
/// let hooks = Hooks::new(Settings {
///     manager,
///     grants: Grants::none().allow("*.example.com", 443), // the proxy needs no grant
///     ..Settings::default()
/// })?;
/// # drop(hooks);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Pools, timeouts, retries, TLS and proxies. What is left open is as for [`ManagerSettings`], but for these: 100 pools, 64 idle
    /// connections in each, no retries, and ten minutes to connect and to read. `headers` and `events` mean nothing here: requests name all of
    /// their headers, and nobody asks for events.
    pub manager: ManagerSettings,
    /// Where plugins may send requests, and what names may resolve to, as for a [`Sandbox`](crate::Sandbox): see [`Grants::allow`]. A request
    /// that is not granted ends with `HTTP-request-denied` before anything is looked up. The default is nowhere.
    ///
    /// Proxies of [`Settings::manager`] need no grant. Behind one a name is granted by itself: what it resolves to is the proxy's to know.
    pub grants: Grants,
    /// Whether redirects are followed; the default is that they are handed over. Where the retries do not say how many, it is 10, and one more
    /// is handed over. With proxies they are followed only where everything is granted, since a proxy would be asked for whatever a
    /// `Location` names.
    pub redirects: Redirects,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            manager: ManagerSettings::default(),
            grants: Grants::none(),
            redirects: Redirects::HandOver,
        }
    }
}

/// [`Settings`] with nothing left to say.
pub(super) struct Terms {
    /// What the manager is made with.
    pub(super) manager: ManagerSettings,
    /// What each request starts from.
    pub(super) options: RequestOptions,
    /// What plugins may ask for.
    pub(super) asked: Grants,
    /// What connections may be made: that, and the proxies.
    pub(super) granted: Grants,
}

impl Settings {
    /// # Errors
    /// [`Error::InvalidSettings`] where redirects would be followed past the grants, and what is wrong with the list of proxies.
    pub(super) fn resolve(self) -> Result<Terms, Error> {
        let Self {
            mut manager,
            grants,
            redirects,
        } = self;
        let DropIn { settings, options } = drop_in::<&str, &str>(&[])?;
        let mut retries = std::mem::take(&mut manager.pool.retries);
        if retries == Retries::default() {
            retries = match redirects {
                Redirects::HandOver => Retries::off(),
                Redirects::Follow => only_redirects(),
            };
        }
        let patient = Timeouts {
            connect: Some(PATIENCE),
            read: Some(PATIENCE),
            ..Timeouts::default()
        };
        manager.num_pools = manager.num_pools.or(settings.num_pools);
        manager.events = None;
        manager.pool = manager.pool.or(&settings.pool);
        manager.pool.retries = retries;
        manager.pool.timeouts = manager.pool.timeouts.or(patient);
        let granted = with_proxies(&manager, grants.clone())?;
        if granted.has_more_than(&grants) && redirects == Redirects::Follow {
            return Err(Error::InvalidSettings(
                "Redirects cannot be followed through a proxy under grants: it would be asked for whatever they lead to.".into(),
            ));
        }
        Ok(Terms {
            options: RequestOptions {
                redirects,
                ..options
            },
            manager,
            asked: grants,
            granted,
        })
    }
}

/// Redirects, and no failure.
fn only_redirects() -> Retries {
    let never = Some(Budget::AtMost(0));
    Retries {
        total: Some(Budget::AtMost(MAX_REDIRECTS)),
        connect: never,
        read: never,
        status: never,
        other: never,
        redirect: Some(Budget::AtMost(MAX_REDIRECTS)),
        raise_on_redirect: Some(false),
        raise_on_status: Some(false),
        ..Retries::default()
    }
}

/// These grants, with whatever proxies there are.
fn with_proxies(manager: &ManagerSettings, mut grants: Grants) -> Result<Grants, Error> {
    if grants.is_all() {
        return Ok(grants);
    }
    let rules = manager.host_rules.iter().map(|rule| &rule.settings);
    for settings in rules.chain([&manager.pool]) {
        let routes = Routes::parse(settings.proxies.clone())?;
        for proxy in routes.proxies() {
            grants = grants.reach(proxy.host.as_str(), proxy.port);
        }
    }
    Ok(grants)
}
