//! Proxies, and what they say.

use urlpool_core::policy::route::Proxy;
use urlpool_core::types as core;

use super::content::headers;
use super::error::Outcome;
use super::settings::{default_headers, manager_settings};
use super::tls::tls_settings;
use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) fn proxies(proxies: wit::Proxies) -> Outcome<core::Proxies> {
    let wit::Proxies { rules, no_proxy } = proxies;
    Ok(core::Proxies {
        rules: rules.into_iter().map(rule).collect::<Outcome<_>>()?,
        no_proxy,
    })
}

/// A proxy that needs nothing but its URL.
pub(crate) const fn proxy_at(url: String) -> wit::ProxySettings {
    wit::ProxySettings {
        url,
        headers: None,
        credentials: None,
        tls: None,
        use_forwarding_for_https: None,
    }
}

/// The settings of a manager that sends everything through a proxy, and the proxy as people may see it.
pub(crate) fn proxied_settings(
    proxy: wit::ProxySettings,
    settings: wit::ManagerSettings,
) -> Outcome<(core::ManagerSettings, String)> {
    let proxy = proxy_settings(proxy)?;
    let shown = Proxy::parse(proxy.clone())?.to_string();
    Ok((manager_settings(settings)?.through(proxy), shown))
}

fn rule(rule: wit::ProxyRule) -> Outcome<core::ProxyRule> {
    let wit::ProxyRule {
        scheme,
        host,
        proxy,
    } = rule;
    Ok(core::ProxyRule {
        scheme,
        host,
        proxy: proxy.map(proxy_settings).transpose()?,
    })
}

fn proxy_settings(settings: wit::ProxySettings) -> Outcome<core::ProxySettings> {
    let wit::ProxySettings {
        url,
        headers,
        credentials,
        tls,
        use_forwarding_for_https,
    } = settings;
    Ok(core::ProxySettings {
        url,
        headers: headers.map(default_headers).transpose()?,
        credentials: credentials.map(
            |wit::Credentials { username, password }| core::Credentials { username, password },
        ),
        tls: tls.map(tls_settings),
        use_forwarding_for_https,
    })
}

/// What an environment asks for, which is URLs alone.
pub(crate) fn from_environment(proxies: core::Proxies) -> wit::Proxies {
    let rule = |rule: core::ProxyRule| wit::ProxyRule {
        scheme: rule.scheme,
        host: rule.host,
        proxy: rule.proxy.map(|proxy| proxy_at(proxy.url)),
    };
    wit::Proxies {
        rules: proxies.rules.into_iter().map(rule).collect(),
        no_proxy: proxies.no_proxy,
    }
}

pub(super) fn refusal(refusal: &core::Refusal) -> wit::Refusal {
    wit::Refusal {
        status: refusal.status,
        reason: refusal.reason.clone(),
        headers: headers(&refusal.headers),
        body: refusal.body.clone(),
    }
}
