//! Which way a request takes.

use std::rc::Rc;

use super::kind::{ProxyKind, SocksKind};
use super::no_proxy::NoProxy;
use super::proxy::Proxy;
use crate::policy::Matcher;
use crate::types::{Error, Host, Origin, Proxies, ProxyRule, Scheme, TlsSettings};

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
        match self.proxy() {
            None => (target.host(), target.port()),
            Some(proxy) => (&proxy.host, proxy.port),
        }
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

    /// How TLS is spoken to proxies that have settings of their own.
    pub fn tls(&self) -> impl Iterator<Item = &TlsSettings> {
        self.proxies().filter_map(|proxy| proxy.tls.as_ref())
    }

    /// The proxies that requests may go through.
    pub fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.rules.iter().filter_map(|rule| rule.proxy.as_deref())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ProxySettings, Url};

    fn proxy(url: &str, forwards: bool) -> Option<ProxySettings> {
        Some(ProxySettings {
            url: url.into(),
            use_forwarding_for_https: Some(forwards),
            ..ProxySettings::default()
        })
    }

    fn rule(scheme: &str, host: &str, url: &str) -> ProxyRule {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ProxyRule {
            scheme: given(scheme),
            host: given(host),
            proxy: given(url).and_then(|url| proxy(&url, false)),
        }
    }

    fn origin(url: &str) -> Origin {
        Url::parse(url).unwrap().origin().clone()
    }

    /// A route as its name, its first hop, and whose connections it takes.
    fn shown(route: &Route, target: &Origin) -> String {
        let name = match route {
            Route::Direct => "direct",
            Route::Forward(_) => "forward",
            Route::Tunnel(_) => "tunnel",
            Route::Socks(..) => "socks",
        };
        let (host, port) = route.first_hop(target);
        format!(
            "{name} {}:{port} {}",
            host.as_str(),
            route.pool_origin(target)
        )
    }

    #[test]
    fn proxy_and_scheme_decide_the_route() {
        for (url, forwards, target, expected) in [
            ("http://p", false, "http://a", "forward p:80 http://p:80"),
            ("http://p", false, "http://a:81", "forward p:80 http://p:80"),
            ("http://p", false, "https://a", "tunnel p:80 https://a:443"),
            ("http://p", true, "https://a", "tunnel p:80 https://a:443"),
            (
                "https://p",
                false,
                "http://a",
                "forward p:443 https://p:443",
            ),
            (
                "https://p",
                false,
                "https://a",
                "tunnel p:443 https://a:443",
            ),
            ("https://p", true, "http://a", "forward p:443 https://p:443"),
            (
                "https://p",
                true,
                "https://a",
                "forward p:443 https://a:443",
            ),
            ("http://p:0", false, "http://a", "forward p:0 http://p:0"),
            (
                "http://[::1]",
                false,
                "http://a",
                "forward [::1]:80 http://[::1]:80",
            ),
            ("socks4://p", false, "http://a", "socks p:1080 http://a:80"),
            (
                "socks4a://p",
                false,
                "https://a",
                "socks p:1080 https://a:443",
            ),
            (
                "socks5://p:1",
                false,
                "http://a:8080",
                "socks p:1 http://a:8080",
            ),
            (
                "socks5h://p",
                true,
                "https://a",
                "socks p:1080 https://a:443",
            ),
        ] {
            let routes = Routes::parse(Some(Proxies {
                rules: vec![ProxyRule {
                    proxy: proxy(url, forwards),
                    ..ProxyRule::default()
                }],
                no_proxy: vec![],
            }));
            let target = origin(target);
            let route = routes.unwrap().choose(&target);
            assert_eq!(shown(&route, &target), expected, "{url} for {target}");
            if let Route::Socks(proxy, kind) = &route {
                assert_eq!(proxy.kind, ProxyKind::Socks(*kind));
                assert_eq!(
                    kind.looks_up_remotely(),
                    url.contains("4a") || url.contains("5h")
                );
            }
        }
        assert_eq!(Routes::default().choose(&origin("http://a")), Route::Direct);
        assert_eq!(Routes::parse(None), Ok(Routes::default()));
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let routes = Routes::parse(Some(Proxies {
            rules: vec![
                rule("", "straight.test", ""),
                rule("", "*.inner.test", "http://inner"),
                rule("HTTP", "", "http://plain"),
                rule("https", "*.test", "http://secure"),
                rule("http", "*", "http://never"),
            ],
            no_proxy: vec!["exempt.inner.test".into()],
        }))
        .unwrap();
        for (case, target, expected) in [
            ("straight", "http://straight.test", "straight.test:80"),
            (
                "straight over TLS",
                "https://straight.test:1",
                "straight.test:1",
            ),
            ("by host", "http://a.inner.test", "inner:80"),
            ("by host and not itself", "http://inner.test", "plain:80"),
            ("by scheme", "http://a.example", "plain:80"),
            ("by both", "https://a.test", "secure:80"),
            ("none", "https://a.example", "a.example:443"),
            ("exempt", "http://exempt.inner.test", "exempt.inner.test:80"),
            (
                "below it",
                "https://x.exempt.inner.test",
                "x.exempt.inner.test:443",
            ),
        ] {
            let target = origin(target);
            let route = routes.choose(&target);
            let (host, port) = route.first_hop(&target);
            assert_eq!(format!("{}:{port}", host.as_str()), expected, "{case}");
        }
    }

    #[test]
    fn what_no_request_could_use_is_refused_at_once() {
        for (case, rules, no_proxy, kind) in [
            (
                "a scheme",
                vec![rule("ftp", "", "")],
                "",
                "invalid-settings",
            ),
            ("a host", vec![rule("", "a b", "")], "", "invalid-settings"),
            (
                "a proxy",
                vec![rule("", "", "http://")],
                "",
                "invalid-settings",
            ),
            (
                "another proxy",
                vec![rule("", "", "ftp://p")],
                "",
                "unsupported-proxy-scheme",
            ),
            (
                "behind a rule for all",
                vec![rule("", "", ""), rule("", "", "p")],
                "",
                "unsupported-proxy-scheme",
            ),
            ("an exemption", vec![], "a b", "invalid-settings"),
        ] {
            let no_proxy = no_proxy.split_terminator(',').map(str::to_owned).collect();
            let outcome = Routes::parse(Some(Proxies { rules, no_proxy }));
            assert_eq!(outcome.unwrap_err().kind(), kind, "{case}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let routes = Routes::parse(Some(Proxies {
            rules: vec![
                rule("http", "", "http://n:hunter2@p"),
                rule("", "", "socks5://n:hunter2@p"),
            ],
            no_proxy: vec![],
        }))
        .unwrap();
        let route = routes.choose(&origin("http://a"));
        for shown in [format!("{routes:?}"), format!("{route:?}")] {
            assert!(
                !shown.contains("hunter2") && !shown.contains("bjpodW50ZXIy"),
                "{shown}"
            );
        }
    }
}
