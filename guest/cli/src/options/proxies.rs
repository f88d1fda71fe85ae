//! Which proxies requests go through: the one that was typed, else those of the environment. Curl's rules throughout.
//!
//! `-x` stands for all of the environment's proxies, `--noproxy` for its `no_proxy`; each leaves the other's alone, so that what
//! `no_proxy` lists goes through no proxy of `-x` either.

use std::ffi::OsString;

use clap::ArgMatches;
use clap::parser::ValueSource;
use urlpool_core::policy::route::{Routes, from_environment};
use urlpool_core::types::{CertReqs, Credentials, Headers, Proxies, ProxySettings, TlsSettings};

use super::Early;
use super::content::{header, name_and_password, named_file};
use crate::command::ABOUT_A_PROXY;

/// The proxies; `None` where there are none. `tls` is how servers are spoken to.
pub(super) fn settings(
    matches: &mut ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    tls: &TlsSettings,
) -> Result<Option<Proxies>, Early> {
    let asked = ABOUT_A_PROXY
        .iter()
        .find(|option| matches.value_source(option) == Some(ValueSource::CommandLine));
    let typed = matches.remove_one::<String>("proxy");
    let is_typed = typed.is_some();
    let mut proxies = from_environment(&named(typed, variables));
    // A list that cannot be meant is refused where it was typed; in the environment, curl passes over it.
    if let Some(list) = matches.remove_one::<String>("noproxy") {
        proxies.no_proxy = entries(&list);
    }
    let shared = about_a_proxy(matches, tls)?;
    for proxy in proxies
        .rules
        .iter_mut()
        .filter_map(|rule| rule.proxy.as_mut())
    {
        let url = std::mem::take(&mut proxy.url);
        *proxy = ProxySettings {
            url,
            ..shared.clone()
        };
    }
    if let (true, Some(option)) = (proxies.rules.is_empty(), asked) {
        let text = format!("--{option} is of no use without a proxy; name one with -x URL");
        return Err(Early::Usage(text));
    }
    Routes::parse(Some(proxies.clone())).map_err(|error| match is_typed {
        true => Early::from(error),
        false => Early::Usage(format!("({}) in the environment: {error}", error.kind())),
    })?;
    Ok(Some(proxies).filter(|proxies| !proxies.rules.is_empty()))
}

/// The variables that count. What is no Unicode stays wrong, for to leave it out could send past a proxy what should go through it.
fn named(
    typed: Option<String>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(String, String)> {
    let is_typed = typed.is_some();
    let counts = |name: &str| !is_typed || name.eq_ignore_ascii_case("no_proxy");
    let variables = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| counts(name))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()));
    typed
        .map(|url| ("all_proxy".to_owned(), url))
        .into_iter()
        .chain(variables)
        .collect()
}

fn entries(list: &str) -> Vec<String> {
    list.split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// All that holds for whichever proxy it is.
fn about_a_proxy(matches: &mut ArgMatches, tls: &TlsSettings) -> Result<ProxySettings, Early> {
    let headers = matches
        .get_many::<String>("proxy-header")
        .into_iter()
        .flatten()
        .map(|line| header("--proxy-header", line))
        .collect::<Result<Headers, Early>>()?;
    let credentials = match matches.get_one::<String>("proxy-user") {
        None => None,
        Some(typed) => {
            let (username, password) = name_and_password("--proxy-user", typed)?;
            Some(Credentials {
                username: username.to_owned(),
                password: password.to_owned(),
            })
        }
    };
    Ok(ProxySettings {
        url: String::new(),
        headers: Some(headers).filter(|headers| !headers.is_empty()),
        credentials,
        tls: tls_to_it(matches, tls)?,
        use_forwarding_for_https: matches.get_flag("forward-https").then_some(true),
    })
}

/// What is asked of an `https` proxy beyond what is asked of servers.
fn tls_to_it(matches: &mut ArgMatches, tls: &TlsSettings) -> Result<Option<TlsSettings>, Early> {
    let is_insecure = matches.get_flag("proxy-insecure");
    let roots = named_file(matches, "proxy-cacert")?;
    // --insecure is about servers: a proxy that need not prove who it is would get its password from anybody who asks.
    let cert_reqs = if is_insecure {
        Some(CertReqs::None)
    } else {
        tls.cert_reqs.map(|_| CertReqs::Required)
    };
    let own = TlsSettings {
        roots,
        cert_reqs,
        key_log: tls.key_log,
        ..TlsSettings::default()
    };
    Ok((own != TlsSettings::default()).then(|| own.or(&tls.for_proxy())))
}
