//! Proxies, and what they say.

use urlpool_core::types::{Credentials, Proxies, ProxyRule, ProxySettings, Refusal};

use super::super::wit;
use super::head::headers;
use super::settings::header_list;
use super::tls::tls_settings;

pub(super) fn proxies(proxies: Proxies) -> wit::Proxies {
    let Proxies { rules, no_proxy } = proxies;
    wit::Proxies {
        rules: rules.into_iter().map(rule).collect(),
        no_proxy,
    }
}

fn rule(rule: ProxyRule) -> wit::ProxyRule {
    let ProxyRule {
        scheme,
        host,
        proxy,
    } = rule;
    wit::ProxyRule {
        scheme,
        host,
        proxy: proxy.map(proxy_settings),
    }
}

fn proxy_settings(settings: ProxySettings) -> wit::ProxySettings {
    let ProxySettings {
        url,
        headers,
        credentials,
        tls,
        use_forwarding_for_https,
    } = settings;
    wit::ProxySettings {
        url,
        headers: headers.map(header_list),
        credentials: credentials
            .map(|Credentials { username, password }| wit::Credentials { username, password }),
        tls: tls.map(tls_settings),
        use_forwarding_for_https,
    }
}

/// What a proxy said; `None` where a field is not what the component itself lets through.
pub(super) fn refusal(refusal: wit::Refusal) -> Option<Refusal> {
    Some(Refusal {
        status: refusal.status,
        reason: refusal.reason,
        headers: headers(refusal.headers).ok()?,
        body: refusal.body,
    })
}
