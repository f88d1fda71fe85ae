//! Which way a request takes.

use std::rc::Rc;

use super::no_proxy::NoProxy;
use super::proxy::{Proxy, ProxyKind, SocksKind};
use crate::policy::Matcher;
use crate::types::{Error, Host, Origin, Proxies, ProxyRule, Scheme};

/// The way to a server.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Straight to it.
    Direct,
    /// The proxy is asked for the whole URL, and asks the server itself.
    Forward(Rc<Proxy>),
    /// The proxy is asked with `CONNECT` for a connection to the server.
    Tunnel(Rc<Proxy>),
    /// The proxy is asked with SOCKS for a connection to the server.
    Socks(Rc<Proxy>, SocksKind),
}

impl Route {
    /// The proxy on the way.
    #[must_use]
    pub const fn proxy(&self) -> Option<&Rc<Proxy>> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) | Self::Tunnel(proxy) | Self::Socks(proxy, _) => Some(proxy),
        }
    }

    /// Host and port that TCP connects to on the way to `target`.
    #[must_use]
    pub fn first_hop<'a>(&'a self, target: &'a Origin) -> (&'a Host, u16) {
        self.proxy()
            .map_or((target.host(), target.port()), |proxy| {
                (&proxy.host, proxy.port)
            })
    }

    /// Whose connections can serve a request to `target`: the proxy's own where it forwards plain HTTP, so that there is one pool for all
    /// such servers (urllib3: `ProxyManager.connection_from_host`); otherwise the server's.
    #[must_use]
    pub fn pool_origin(&self, target: &Origin) -> Origin {
        match self {
            Self::Forward(proxy) if target.scheme() == Scheme::Http => proxy.origin(),
            Self::Direct | Self::Forward(_) | Self::Tunnel(_) | Self::Socks(..) => None,
        }
        .unwrap_or_else(|| target.clone())
    }
}

/// Which requests go which way. The default sends all of them straight to their servers.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Routes {
    rules: Vec<Rule>,
    no_proxy: NoProxy,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Rule {
    scheme: Option<Scheme>,
    hosts: Option<Matcher>,
    proxy: Option<Rc<Proxy>>,
}

impl Routes {
    /// What a caller's list comes to; `None` means no proxy.
    ///
    /// # Errors
    /// As for [`Proxy::parse`]; [`Error::InvalidSettings`] where a rule or what is exempt from all of them does not parse.
    pub fn parse(proxies: Option<Proxies>) -> Result<Self, Error> {
        let Proxies { rules, no_proxy } = proxies.unwrap_or_default();
        Ok(Self {
            rules: rules
                .into_iter()
                .map(Rule::parse)
                .collect::<Result<_, _>>()?,
            no_proxy: NoProxy::parse(&no_proxy)?,
        })
    }

    /// The way to a server (urllib3: `connection_requires_http_tunnel`).
    #[must_use]
    pub fn choose(&self, target: &Origin) -> Route {
        let matching = self.rules.iter().find(|rule| rule.matches(target));
        let proxy = matching.and_then(|rule| rule.proxy.as_ref());
        let Some(proxy) = proxy.filter(|_| !self.no_proxy.matches(target)) else {
            return Route::Direct;
        };
        let proxy = Rc::clone(proxy);
        match (proxy.kind, target.scheme()) {
            (ProxyKind::Socks(kind), _) => Route::Socks(proxy, kind),
            (ProxyKind::Http | ProxyKind::Https, Scheme::Http) => Route::Forward(proxy),
            (ProxyKind::Http | ProxyKind::Https, Scheme::Https) if proxy.forwards_https => {
                Route::Forward(proxy)
            }
            (ProxyKind::Http | ProxyKind::Https, Scheme::Https) => Route::Tunnel(proxy),
        }
    }
}

impl Rule {
    fn parse(rule: ProxyRule) -> Result<Self, Error> {
        let scheme = rule.scheme.map(|scheme| {
            Scheme::parse(&scheme).map_err(|_| {
                Error::InvalidSettings(format!(
                    "A rule for proxies is for http or https, not for {scheme:?}"
                ))
            })
        });
        Ok(Self {
            scheme: scheme.transpose()?,
            hosts: rule
                .host
                .map(|host| Matcher::parse(&host, None))
                .transpose()?,
            proxy: rule.proxy.map(Proxy::parse).transpose()?.map(Rc::new),
        })
    }

    fn matches(&self, target: &Origin) -> bool {
        self.scheme.is_none_or(|scheme| scheme == target.scheme())
            && self
                .hosts
                .as_ref()
                .is_none_or(|hosts| hosts.matches(target))
    }
}
