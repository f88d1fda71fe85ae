//! Which form the second word of a request line has (RFC 9112, section 3.2).

use super::route::Route;
use crate::types::{Origin, Scheme, Url};

/// What the server of a pool for `origin` is asked for: path and query of its own URLs, the whole URL of any other. A proxy that forwards is
/// asked for the whole URL always, also for one of its own. Userinfo, which urllib3 leaves in it, is in neither.
#[must_use]
pub fn of_request<'a>(url: &'a Url, origin: &Origin, route: &Route) -> &'a str {
    match route {
        Route::Forward(_) => url.as_str(),
        Route::Direct | Route::Tunnel(_) | Route::Socks(..) if url.origin() == origin => {
            url.target()
        }
        Route::Direct | Route::Tunnel(_) | Route::Socks(..) => url.as_str(),
    }
}

/// Whether a pool for `origin` may be asked for a URL of another as well: never in clear text for one that asks for TLS.
#[must_use]
pub fn may_be_asked(url: &Url, origin: &Origin) -> bool {
    origin.scheme() == Scheme::Https || url.origin().scheme() == Scheme::Http
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::route::Routes;
    use crate::types::{Proxies, ProxyRule, ProxySettings};

    fn proxy() -> Route {
        let proxies = Proxies {
            rules: vec![ProxyRule {
                proxy: Some(ProxySettings {
                    url: "http://u:p@a.test".into(),
                    ..ProxySettings::default()
                }),
                ..ProxyRule::default()
            }],
            ..Proxies::default()
        };
        let target = Url::parse("http://b.test").unwrap();
        let routes = Routes::parse(Some(proxies)).unwrap();
        routes.choose(target.origin())
    }

    #[test]
    fn only_an_origin_is_asked_in_origin_form() {
        let Route::Forward(inner) = proxy() else {
            panic!("{:?}", proxy())
        };
        let tunnel = Route::Tunnel(inner);
        for (case, url, origin, route, expected) in [
            (
                "its own",
                "http://a.test/x?y",
                "http://a.test/",
                Route::Direct,
                "/x?y",
            ),
            (
                "its own, spelled out",
                "http://a.test:80/x#f",
                "http://A.test/",
                Route::Direct,
                "/x",
            ),
            (
                "another scheme",
                "http://a.test/x",
                "https://a.test/",
                Route::Direct,
                "http://a.test/x",
            ),
            (
                "another port",
                "http://a.test:81/x",
                "http://a.test/",
                Route::Direct,
                "http://a.test:81/x",
            ),
            (
                "another host, without userinfo",
                "http://u:p@b.test/x",
                "http://a.test/",
                Route::Direct,
                "http://b.test/x",
            ),
            (
                "through a tunnel",
                "https://b.test/x",
                "https://b.test/",
                tunnel,
                "/x",
            ),
            (
                "forwarded, without userinfo and fragment",
                "http://u:p@b.test/x#f",
                "http://a.test/",
                proxy(),
                "http://b.test/x",
            ),
            (
                "forwarded without a path",
                "http://b.test?y",
                "http://a.test/",
                proxy(),
                "http://b.test/?y",
            ),
            (
                "the proxy's own, forwarded",
                "http://a.test/x",
                "http://a.test/",
                proxy(),
                "http://a.test/x",
            ),
        ] {
            let (url, origin) = (Url::parse(url).unwrap(), Url::parse(origin).unwrap());
            let target = of_request(&url, origin.origin(), &route);
            assert_eq!(target, expected, "{case}");
        }
    }

    #[test]
    fn what_asks_for_tls_is_never_asked_for_in_clear_text() {
        for (url, origin, expected) in [
            ("http://b.test/", "http://a.test/", true),
            ("http://b.test/", "https://a.test/", true),
            ("https://b.test/", "https://a.test/", true),
            ("https://b.test/", "http://a.test/", false),
            ("https://a.test/", "http://a.test/", false),
        ] {
            let (url, origin) = (Url::parse(url).unwrap(), Url::parse(origin).unwrap());
            assert_eq!(
                may_be_asked(&url, origin.origin()),
                expected,
                "{}",
                url.as_str()
            );
        }
    }
}
