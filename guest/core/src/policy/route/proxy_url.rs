//! The URL of a proxy: which kind it is, where it listens, and who we are to it.

use super::proxy::{Login, ProxyKind};
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
