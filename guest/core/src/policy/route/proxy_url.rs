//! The URL of a proxy: which kind it is, where it listens, and who we are to it.

use super::kind::ProxyKind;
use super::proxy::Login;
use crate::types::{Error, Host, percent_decode, shown_url};

/// What the URL of a proxy says.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ProxyUrl {
    pub(super) kind: ProxyKind,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
}

/// Reads the URL of a proxy. Path, query and fragment mean nothing, as in urllib3 and curl.
///
/// # Errors
/// [`Error::UnsupportedProxyScheme`] in urllib3's words, or [`Error::InvalidSettings`]; the text of neither repeats userinfo.
pub(super) fn parse(text: &str) -> Result<ProxyUrl, Error> {
    let refused = |why: &str| {
        Error::InvalidSettings(format!(
            "Failed to parse proxy URL {:?}: {why}",
            shown_url(text)
        ))
    };
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        Error::UnsupportedProxyScheme(
            "Proxy URL had no scheme, should start with http:// or https:// (or socks4://, socks4a://, socks5://, socks5h://)".into(),
        )
    })?;
    let kind = kind(scheme)?;
    let (authority, ignored) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if ignored.contains('@') {
        // A password with a raw / or # in it would otherwise make its name the host.
        return Err(refused(
            "there is a @ behind the host; write / ? and # in a name or a password as %2F %3F and %23",
        ));
    }
    let (userinfo, authority) = authority
        .rsplit_once('@')
        .map_or((None, authority), |(userinfo, host)| (Some(userinfo), host));
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return Err(refused("No host specified."));
    }
    if host.contains(':') && !host.starts_with('[') {
        return Err(refused("an IPv6 address stands in brackets"));
    }
    let port = match port {
        None | Some("") => kind.default_port(),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port
            .parse()
            .map_err(|_| refused("the port is above 65535"))?,
        Some(_) => return Err(refused("the port is not a number")),
    };
    Ok(ProxyUrl {
        kind,
        host: Host::parse(host).map_err(|error| refused(error.message()))?,
        port,
        login: userinfo.filter(|userinfo| !userinfo.is_empty()).map(login),
    })
}

/// The kind of proxy that a scheme names, whatever its case.
fn kind(scheme: &str) -> Result<ProxyKind, Error> {
    let is_scheme = |kind: &ProxyKind| kind.scheme().eq_ignore_ascii_case(scheme);
    ProxyKind::ALL.into_iter().find(is_scheme).ok_or_else(|| {
        // What stands before the slashes could hold anything, also a password.
        let shown = if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            scheme
        } else {
            "of that form"
        };
        Error::UnsupportedProxyScheme(format!(
            "Proxy URL had unsupported scheme {shown}, should use http:// or https:// (or socks4://, socks4a://, socks5://, socks5h://)"
        ))
    })
}

/// Host and what stands behind its colon.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn login(userinfo: &str) -> Login {
    let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    Login {
        username: percent_decode(username),
        password: percent_decode(password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::route::SocksKind;
    use ProxyKind::{Http, Https, Socks};

    #[test]
    fn a_url_says_what_where_and_who() {
        let long = format!("{}test", "a.".repeat(100));
        for (case, text, kind, host, port, login) in [
            ("http", "http://proxy.test", Http, "proxy.test", 80, None),
            (
                "a slash",
                "http://proxy.test:8080/",
                Http,
                "proxy.test",
                8080,
                None,
            ),
            (
                "https",
                "https://proxy.test",
                Https,
                "proxy.test",
                443,
                None,
            ),
            (
                "socks4",
                "socks4://p",
                Socks(SocksKind::V4),
                "p",
                1080,
                None,
            ),
            (
                "socks4a",
                "socks4a://p",
                Socks(SocksKind::V4a),
                "p",
                1080,
                None,
            ),
            (
                "socks5",
                "socks5://p",
                Socks(SocksKind::V5),
                "p",
                1080,
                None,
            ),
            (
                "socks5h",
                "socks5h://p:9050/",
                Socks(SocksKind::V5h),
                "p",
                9050,
                None,
            ),
            (
                "case",
                "HTTP://Proxy.TEST:3128",
                Http,
                "proxy.test",
                3128,
                None,
            ),
            (
                "socks case",
                "SOCKS5H://P",
                Socks(SocksKind::V5h),
                "p",
                1080,
                None,
            ),
            ("port 0", "http://p:0", Http, "p", 0, None),
            ("an empty port", "http://p:/", Http, "p", 80, None),
            ("a port with zeros", "http://p:00080", Http, "p", 80, None),
            ("the last port", "http://p:65535", Http, "p", 65535, None),
            (
                "the other scheme's port",
                "http://p:443",
                Http,
                "p",
                443,
                None,
            ),
            ("IPv4", "http://192.0.2.1:80", Http, "192.0.2.1", 80, None),
            (
                "IPv6",
                "http://[2001:DB8::1]:81/",
                Http,
                "[2001:db8::1]",
                81,
                None,
            ),
            ("IPv6, no port", "https://[::1]", Https, "[::1]", 443, None),
            (
                "no ASCII",
                "http://b\u{fc}cher.test",
                Http,
                "xn--bcher-kva.test",
                80,
                None,
            ),
            ("a root dot", "http://p.test.", Http, "p.test.", 80, None),
            (
                "a long name",
                &format!("http://{long}"),
                Http,
                &long,
                80,
                None,
            ),
            ("a path", "http://p:1/path/x", Http, "p", 1, None),
            ("a query", "http://p:1?x=y", Http, "p", 1, None),
            ("a fragment", "http://p:1#x", Http, "p", 1, None),
            ("userinfo", "http://n:s@p:1", Http, "p", 1, Some(("n", "s"))),
            ("a name alone", "http://n@p", Http, "p", 80, Some(("n", ""))),
            (
                "a name and a colon",
                "http://n:@p",
                Http,
                "p",
                80,
                Some(("n", "")),
            ),
            (
                "a password alone",
                "http://:s@p",
                Http,
                "p",
                80,
                Some(("", "s")),
            ),
            ("no userinfo before the @", "http://@p", Http, "p", 80, None),
            (
                "escapes",
                "http://a%40b:c%3A%2f%20@p",
                Http,
                "p",
                80,
                Some(("a@b", "c:/ ")),
            ),
            (
                "what is no escape",
                "http://n:%zz%4@p",
                Http,
                "p",
                80,
                Some(("n", "%zz%4")),
            ),
            (
                "a colon in a password",
                "http://n:a:b@p",
                Http,
                "p",
                80,
                Some(("n", "a:b")),
            ),
            (
                "a raw @ in a password",
                "http://n:a@b@p",
                Http,
                "p",
                80,
                Some(("n", "a@b")),
            ),
            (
                "a domain of Windows",
                "http://D\\n:s@p",
                Http,
                "p",
                80,
                Some(("D\\n", "s")),
            ),
            (
                "for SOCKS",
                "socks5://n:s@[::1]",
                Socks(SocksKind::V5),
                "[::1]",
                1080,
                Some(("n", "s")),
            ),
        ] {
            let expected = ProxyUrl {
                kind,
                host: Host::parse(host).unwrap(),
                port,
                login: login.map(|(username, password)| Login {
                    username: username.into(),
                    password: password.into(),
                }),
            };
            assert_eq!(parse(text), Ok(expected), "{case}");
        }
        let latin = parse("http://n:%e9@p").unwrap().login.unwrap();
        assert_eq!(
            latin.password,
            [0xe9],
            "an escape is a byte, not a character"
        );
    }

    #[test]
    fn what_is_no_proxy_url_is_refused_without_repeating_a_secret() {
        let unsupported = "unsupported-proxy-scheme";
        let invalid = "invalid-settings";
        for (case, text, kind, expected) in [
            (
                "empty",
                "",
                unsupported,
                "Proxy URL had no scheme, should start with http:// or https://",
            ),
            (
                "an address",
                "127.0.0.1",
                unsupported,
                "Proxy URL had no scheme, should start with http:// or https://",
            ),
            (
                "a host",
                "localhost:8080",
                unsupported,
                "Proxy URL had no scheme, should start with http:// or https://",
            ),
            (
                "userinfo",
                "hunter2@p",
                unsupported,
                "Proxy URL had no scheme",
            ),
            (
                "no slashes",
                "http:p",
                unsupported,
                "Proxy URL had no scheme",
            ),
            (
                "ftp",
                "ftp://google.com",
                unsupported,
                "Proxy URL had unsupported scheme ftp, should use http:// or https://",
            ),
            (
                "socks",
                "socks://p",
                unsupported,
                "unsupported scheme socks,",
            ),
            ("an empty scheme", "://p", unsupported, "unsupported scheme"),
            (
                "a space before",
                " http://p",
                unsupported,
                "unsupported scheme",
            ),
            (
                "a secret for a scheme",
                "n:hunter2@http://p",
                unsupported,
                "unsupported scheme of that form,",
            ),
            ("no host", "http://", invalid, "No host specified."),
            (
                "no host but a path",
                "http:///p",
                invalid,
                "No host specified.",
            ),
            (
                "no host but a port",
                "http://:80",
                invalid,
                "No host specified.",
            ),
            (
                "no host but userinfo",
                "http://n:hunter2@",
                invalid,
                "No host specified.",
            ),
            (
                "a large port",
                "http://p:65536",
                invalid,
                "the port is above 65535",
            ),
            (
                "no number",
                "http://p:x",
                invalid,
                "the port is not a number",
            ),
            (
                "a sign",
                "http://p:+80",
                invalid,
                "the port is not a number",
            ),
            (
                "a space after the port",
                "http://p:80 ",
                invalid,
                "the port is not a number",
            ),
            (
                "bare IPv6",
                "http://::1:80",
                invalid,
                "an IPv6 address stands in brackets",
            ),
            ("an open bracket", "http://[::1", invalid, "invalid IPv6"),
            ("no IPv6", "http://[x]", invalid, "invalid IPv6"),
            ("behind brackets", "http://[::1]x", invalid, "invalid"),
            ("a zone", "http://[fe80::1%25eth0]", invalid, "invalid IPv6"),
            ("a space", "http://a b", invalid, "contains ' '"),
            (
                "a line break",
                "http://p\r\nX: y",
                invalid,
                "Failed to parse",
            ),
            (
                "a line break behind",
                "http://p\n",
                invalid,
                "contains '\\n'",
            ),
            (
                "an escaped one",
                "http://p%0d%0a",
                invalid,
                "Failed to parse",
            ),
            ("a zero byte", "http://p\0", invalid, "contains '\\0'"),
            ("a backslash", "http://p\\q", invalid, "contains '\\\\'"),
            (
                "a raw / in a password",
                "http://n:1/hunter2@p",
                invalid,
                "write / ? and # in a name or a password as",
            ),
            (
                "a raw # in a password",
                "http://n:1#hunter2@p",
                invalid,
                "write / ? and #",
            ),
            (
                "a raw ? in a password",
                "http://n:1?hunter2@p",
                invalid,
                "write / ? and #",
            ),
            (
                "a secret and no port",
                "http://n:hunter2@p:x",
                invalid,
                "...@p:x",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), kind, "{case}: {error}");
            assert!(error.message().contains(expected), "{case}: {error}");
            assert!(!error.message().contains("hunter2"), "{case}: {error}");
        }
    }
}
