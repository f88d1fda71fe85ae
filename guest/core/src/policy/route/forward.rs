//! Which header fields a proxy that forwards is sent for a caller.

use super::proxy::Proxy;
use crate::types::{Header, Headers, Skipped, Url};

/// The caller's fields as a forwarding proxy is to get them (urllib3: `_set_proxy_headers`, and how `urlopen` merges `proxy_headers`).
///
/// `Accept: */*` and `Host` come first, where the caller neither names them nor leaves `Host` out; the proxy's own fields come last, in
/// the place of all that the caller says under their names.
#[must_use]
pub fn forwarded(caller: &Headers, url: &Url, skipped: Skipped, proxy: &Proxy) -> Headers {
    let mut fields = Vec::with_capacity(caller.len() + proxy.headers.len() + 2);
    let mut add = |is_due: bool, name: &str, value: &dyn Fn() -> String| {
        if is_due && !caller.has(name) && !proxy.headers.has(name) {
            fields.push(Header::received(name.into(), value().into_bytes()));
        }
    };
    add(true, "Accept", &|| "*/*".into());
    add(!skipped.host, "Host", &|| url.origin().authority());
    let kept = caller
        .iter()
        .filter(|header| !proxy.headers.has(header.name()));
    fields.extend(kept.cloned());
    fields
        .into_iter()
        .chain(proxy.headers.iter().cloned())
        .collect()
}
