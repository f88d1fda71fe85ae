//! What variables say about proxies, by curl's rules. Nothing here reads an environment: whoever may, passes it in.

use super::no_proxy::is_entry;
use crate::types::{Proxies, ProxyRule, ProxySettings};

/// The proxies that these variables name.
///
/// `http_proxy` is for `http` URLs, `https_proxy` for `https` ones, `all_proxy` for those that neither is for; `no_proxy` lists what goes
/// through none. Each name also counts in upper case, where the lower case is not there, but for `HTTP_PROXY`: a CGI script's client
/// chooses that one (CVE-2016-5385). An empty variable is none, a value without a scheme is an `http` proxy, and `socks://` is `socks4://`. What no entry of a
/// `no_proxy` can be is passed over.
///
/// ```
/// use urlpool_core::policy::route::from_environment;
///
/// let proxies = from_environment(&[("https_proxy", "http://proxy.example:3128"), ("no_proxy", "localhost,.internal")]);
/// assert_eq!(proxies.rules.len(), 1);
/// assert_eq!(proxies.no_proxy, ["localhost", ".internal"]);
/// ```
pub fn from_environment<N: AsRef<str>, V: AsRef<str>>(variables: &[(N, V)]) -> Proxies {
    let value = |names: &[&str]| {
        let of = |name: &&str| {
            let variable = variables
                .iter()
                .find(|(written, _)| written.as_ref() == *name);
            variable
                .map(|(_, value)| value.as_ref())
                .filter(|value| !value.is_empty())
        };
        names.iter().find_map(of)
    };
    let rule = |scheme: Option<&str>, names: &[&str]| {
        value(names).map(|value| ProxyRule {
            scheme: scheme.map(str::to_owned),
            host: None,
            proxy: Some(proxy(value)),
        })
    };
    let plain = rule(Some("http"), &["http_proxy"]);
    let secure = rule(Some("https"), &["https_proxy", "HTTPS_PROXY"]);
    let is_any_left = plain.is_none() || secure.is_none();
    // What nothing is left for is not looked at, so that nothing can be wrong with it.
    let rest = is_any_left.then(|| rule(None, &["all_proxy", "ALL_PROXY"]));
    let rules = [plain, secure, rest.flatten()];
    let no_proxy = value(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    Proxies {
        rules: rules.into_iter().flatten().collect(),
        no_proxy: no_proxy
            .split(|c: char| c == ',' || c.is_ascii_whitespace())
            .filter(|entry| is_entry(entry))
            .map(str::to_owned)
            .collect(),
    }
}

fn proxy(value: &str) -> ProxySettings {
    let url = match value.split_once("://") {
        None => format!("http://{value}"),
        // Desktops write this; curl takes it for version 4.
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("socks") => format!("socks4://{rest}"),
        Some(_) => value.to_owned(),
    };
    ProxySettings {
        url,
        ..ProxySettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::route::Routes;
    use crate::types::Url;

    /// The rules as `scheme=url`, and what is exempt.
    fn shown(variables: &[(&str, &str)]) -> (String, String) {
        let proxies = from_environment(variables);
        let rule = |rule: &ProxyRule| {
            let scheme = rule.scheme.as_deref().unwrap_or("*");
            format!("{scheme}={}", rule.proxy.as_ref().unwrap().url)
        };
        let rules: Vec<String> = proxies.rules.iter().map(rule).collect();
        (rules.join(" "), proxies.no_proxy.join(" "))
    }

    #[test]
    fn variables_mean_what_they_mean_to_curl() {
        for (case, variables, rules, no_proxy) in [
            ("none", &[][..], "", ""),
            (
                "others",
                &[("HOME", "/"), ("ftp_proxy", "http://p")],
                "",
                "",
            ),
            (
                "http",
                &[("http_proxy", "http://p:1")],
                "http=http://p:1",
                "",
            ),
            (
                "https",
                &[("https_proxy", "http://p")],
                "https=http://p",
                "",
            ),
            ("all", &[("all_proxy", "socks5h://p")], "*=socks5h://p", ""),
            (
                "HTTPS",
                &[("HTTPS_PROXY", "http://p")],
                "https=http://p",
                "",
            ),
            ("ALL", &[("ALL_PROXY", "http://p")], "*=http://p", ""),
            ("NO", &[("NO_PROXY", "a")], "", "a"),
            (
                "mixed case is another name",
                &[("Https_Proxy", "http://p")],
                "",
                "",
            ),
            (
                "lower case wins",
                &[
                    ("HTTPS_PROXY", "http://u"),
                    ("https_proxy", "http://l"),
                    ("NO_PROXY", "u"),
                    ("no_proxy", "l"),
                    ("ALL_PROXY", "http://ua"),
                    ("all_proxy", "http://la"),
                ],
                "https=http://l *=http://la",
                "l",
            ),
            (
                "an empty one is none",
                &[
                    ("http_proxy", ""),
                    ("https_proxy", ""),
                    ("HTTPS_PROXY", "http://u"),
                    ("no_proxy", ""),
                    ("NO_PROXY", "u"),
                    ("all_proxy", "http://a"),
                ],
                "https=http://u *=http://a",
                "u",
            ),
            (
                "the first of a name counts, as for getenv",
                &[("http_proxy", "http://1"), ("http_proxy", "http://2")],
                "http=http://1",
                "",
            ),
            (
                "no scheme",
                &[("http_proxy", "p:3128")],
                "http=http://p:3128",
                "",
            ),
            (
                "no scheme, IPv6",
                &[("http_proxy", "[::1]:1")],
                "http=http://[::1]:1",
                "",
            ),
            (
                "no scheme, userinfo",
                &[("https_proxy", "n:s@p")],
                "https=http://n:s@p",
                "",
            ),
            (
                "in the order they are asked",
                &[("all_proxy", "http://a"), ("https_proxy", "http://s")],
                "https=http://s *=http://a",
                "",
            ),
            (
                "what nothing is left for",
                &[
                    ("all_proxy", "nonsense://a"),
                    ("https_proxy", "http://s"),
                    ("http_proxy", "http://h"),
                ],
                "http=http://h https=http://s",
                "",
            ),
            (
                "what desktops write",
                &[("all_proxy", "socks://p:1080/")],
                "*=socks4://p:1080/",
                "",
            ),
            (
                "a list",
                &[("no_proxy", "a, .b ,,c\td,192.0.2.0/24,[::1]:80,*")],
                "",
                "a .b c d 192.0.2.0/24 [::1]:80 *",
            ),
            (
                "what matches nothing is passed over",
                &[("no_proxy", "a,192.168.*,http://b,c/99,d:x,,e")],
                "",
                "a e",
            ),
        ] {
            let expected = (rules.to_owned(), no_proxy.to_owned());
            assert_eq!(shown(variables), expected, "{case}");
        }
    }

    #[test]
    fn cve_2016_5385_a_request_header_of_a_script_names_no_proxy() {
        let (rules, _) = shown(&[("HTTP_PROXY", "http://attacker.test")]);
        assert_eq!(rules, "");
        let (rules, _) = shown(&[("HTTP_PROXY", "http://attacker.test"), ("http_proxy", "")]);
        assert_eq!(rules, "");
    }

    #[test]
    fn the_scheme_s_own_proxy_wins_over_the_one_for_all() {
        let proxies = from_environment(&[
            ("https_proxy", "s:1"),
            ("all_proxy", "a:1"),
            ("no_proxy", "exempt.test"),
        ]);
        let routes = Routes::parse(Some(proxies)).unwrap();
        for (target, hop) in [
            ("https://x.test", "s"),
            ("http://x.test", "a"),
            ("https://exempt.test", "exempt.test"),
        ] {
            let target = Url::parse(target).unwrap();
            let route = routes.choose(target.origin());
            assert_eq!(route.first_hop(target.origin()).0.as_str(), hop);
        }
    }

    #[test]
    fn what_is_no_proxy_is_found_when_it_is_parsed() {
        for (value, kind) in [
            ("ftp://p", "unsupported-proxy-scheme"),
            ("a b", "invalid-settings"),
            ("p:x", "invalid-settings"),
        ] {
            let proxies = from_environment(&[("http_proxy", value)]);
            let error = Routes::parse(Some(proxies)).unwrap_err();
            assert_eq!(error.kind(), kind, "{value}");
        }
    }
}
