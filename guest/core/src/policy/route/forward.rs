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
            fields.push(Header::received(name, value().as_bytes()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ProxySettings;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    /// Name, URL, the caller's fields, whether it leaves out `Host`, the proxy's fields, and what is sent.
    type Row = (
        &'static str,
        &'static str,
        Pairs<'static>,
        bool,
        Pairs<'static>,
        &'static [&'static str],
    );

    fn lines(url: &str, caller: Pairs<'_>, skips_host: bool, proxy: Pairs<'_>) -> Vec<String> {
        let headers = |pairs: Pairs<'_>| Headers::parse(pairs.iter().copied()).unwrap();
        let proxy = Proxy::parse(ProxySettings {
            url: "http://p".into(),
            headers: Some(headers(proxy)),
            ..ProxySettings::default()
        });
        let skipped = Skipped {
            host: skips_host,
            ..Skipped::default()
        };
        let (url, caller) = (Url::parse(url).unwrap(), headers(caller));
        let line = |header: &Header| format!("{}: {}", header.name(), header.text());
        forwarded(&caller, &url, skipped, &proxy.unwrap())
            .iter()
            .map(line)
            .collect()
    }

    #[test]
    fn ours_give_way_and_the_proxys_win() {
        let rows: [Row; 12] = [
            (
                "nothing",
                "http://a.test/x",
                &[],
                false,
                &[],
                &["Accept: */*", "Host: a.test"],
            ),
            (
                "a port",
                "http://a.test:81",
                &[],
                false,
                &[],
                &["Accept: */*", "Host: a.test:81"],
            ),
            (
                "its own port",
                "https://a.test:443",
                &[],
                false,
                &[],
                &["Accept: */*", "Host: a.test"],
            ),
            (
                "IPv6",
                "http://[::1]:81",
                &[],
                false,
                &[],
                &["Accept: */*", "Host: [::1]:81"],
            ),
            (
                "userinfo",
                "http://u:p@a.test",
                &[],
                false,
                &[],
                &["Accept: */*", "Host: a.test"],
            ),
            (
                "the caller's behind ours",
                "http://a",
                &[("X", "1"), ("x", "2")],
                false,
                &[],
                &["Accept: */*", "Host: a", "X: 1", "x: 2"],
            ),
            (
                "the caller's for ours",
                "http://a",
                &[("host", "b"), ("X", "1"), ("ACCEPT", "text/plain")],
                false,
                &[],
                &["host: b", "X: 1", "ACCEPT: text/plain"],
            ),
            ("no Host", "http://a", &[], true, &[], &["Accept: */*"]),
            (
                "no Host but the caller's",
                "http://a",
                &[("Host", "b")],
                true,
                &[],
                &["Accept: */*", "Host: b"],
            ),
            (
                "the proxy's last",
                "http://a",
                &[("X", "1")],
                false,
                &[
                    ("Proxy-Authorization", "Basic eA=="),
                    ("Y", "1"),
                    ("y", "2"),
                ],
                &[
                    "Accept: */*",
                    "Host: a",
                    "X: 1",
                    "Proxy-Authorization: Basic eA==",
                    "Y: 1",
                    "y: 2",
                ],
            ),
            (
                "the proxy's for the caller's",
                "http://a",
                &[
                    ("proxy-authorization", "mine"),
                    ("X", "1"),
                    ("x", "2"),
                    ("Z", "3"),
                ],
                false,
                &[("Proxy-Authorization", "Basic eA=="), ("X", "9")],
                &[
                    "Accept: */*",
                    "Host: a",
                    "Z: 3",
                    "Proxy-Authorization: Basic eA==",
                    "X: 9",
                ],
            ),
            (
                "the proxy's for ours",
                "http://a",
                &[("host", "b")],
                false,
                &[("Host", "c"), ("accept", "d")],
                &["Host: c", "accept: d"],
            ),
        ];
        for (case, url, caller, skips_host, proxy, expected) in rows {
            assert_eq!(lines(url, caller, skips_host, proxy), expected, "{case}");
        }
    }
}
