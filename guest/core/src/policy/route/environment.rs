//! What variables say about proxies, by curl's rules. Nothing here reads an environment: whoever may, passes it in.

use super::no_proxy::is_entry;
use crate::types::{Proxies, ProxyRule, ProxySettings};

/// The proxies that these variables name.
///
/// `http_proxy` is for `http` URLs, `https_proxy` for `https` ones, `all_proxy` for those that neither is for; `no_proxy` lists what goes
/// through none. Each name also counts in upper case, where the lower case is not there, but for `HTTP_PROXY`: a CGI script's client
/// chooses that one (CVE-2016-5385). An empty variable is none, and a value without a scheme is an `http` proxy. What no entry of a
/// `no_proxy` can be is passed over.
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
    let rules = [
        rule(Some("http"), &["http_proxy"]),
        rule(Some("https"), &["https_proxy", "HTTPS_PROXY"]),
        rule(None, &["all_proxy", "ALL_PROXY"]),
    ];
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
    let url = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    ProxySettings {
        url,
        ..ProxySettings::default()
    }
}
