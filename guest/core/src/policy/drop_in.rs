//! What environment variables ask of a client that takes another's place, whose users cannot be asked to pass settings.
//!
//! Without any, nothing but speed changes: no redirect is followed, nothing is tried again but what died with an idle connection, and no body is
//! decoded. Nothing here reads an environment: whoever may, passes it in.

use std::time::Duration;

use super::route;
use crate::types::{
    Budget, Error, Limit, ManagerSettings, PoolSettings, Proxies, ProxyRule, ProxySettings,
    Reading, Redirects, RequestOptions, Retries, Skipped, Timeouts, TlsSettings, Writing,
};

const PREFIX: &str = "URLPOOL_";
/// The native command's, which is none of ours.
const FOREIGN: &str = "URLPOOL_CACHE_DIR";
const NAMES: [&str; 15] = [
    "BACKOFF",
    "CA_BUNDLE",
    "CLIENT_CERT",
    "CLIENT_KEY",
    "CONNECT_TIMEOUT",
    "DECODE",
    "IDLE_TIMEOUT",
    "MAXSIZE",
    "NUM_POOLS",
    "PROXY",
    "READ_TIMEOUT",
    "REDIRECTS",
    "RETRIES",
    "RETRY_ON",
    "TIMEOUT",
];
/// As many as nobody has to think of.
const NUM_POOLS: u32 = 100;
/// As many as a program has requests under way at a time.
const MAXSIZE: u32 = 64;

/// How such a client behaves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DropIn {
    /// What its manager is made with.
    pub settings: ManagerSettings,
    /// What each request starts from.
    pub options: RequestOptions,
}

/// What these variables ask for; one that is empty counts as absent.
///
/// # Errors
/// [`Error::InvalidSettings`] names the variable that starts with `URLPOOL_` and is none of ours or has a value that it cannot have. The text
/// of a certificate, a key or a proxy's URL is not repeated.
pub fn drop_in<N: AsRef<str>, V: AsRef<str>>(variables: &[(N, V)]) -> Result<DropIn, Error> {
    let asked = Asked(
        variables
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
    );
    asked.check()?;
    let retries = asked.number("RETRIES")?.unwrap_or(0);
    let redirects = asked.number("REDIRECTS")?.unwrap_or(0);
    let bytes = |name| asked.value(name).map(|text| text.as_bytes().to_vec());
    Ok(DropIn {
        settings: ManagerSettings {
            num_pools: Some(asked.number("NUM_POOLS")?.unwrap_or(NUM_POOLS)),
            pool: PoolSettings {
                maxsize: Some(asked.number("MAXSIZE")?.unwrap_or(MAXSIZE)),
                idle_timeout: asked.limit("IDLE_TIMEOUT")?,
                timeouts: Timeouts {
                    connect: asked.limit("CONNECT_TIMEOUT")?,
                    read: asked.limit("READ_TIMEOUT")?,
                    deadline: asked.limit("TIMEOUT")?,
                    ..Timeouts::default()
                },
                retries: asked.retries(retries, redirects)?,
                tls: TlsSettings {
                    roots: bytes("CA_BUNDLE"),
                    client_certificates: bytes("CLIENT_CERT"),
                    client_key: bytes("CLIENT_KEY"),
                    ..TlsSettings::default()
                },
                proxies: Some(asked.proxies(route::from_environment(variables))),
                ..PoolSettings::default()
            },
            ..ManagerSettings::default()
        },
        options: RequestOptions {
            redirects: if redirects == 0 {
                Redirects::HandOver
            } else {
                Redirects::Follow
            },
            writing: Writing {
                skipped: Skipped {
                    accept_encoding: true,
                    user_agent: true,
                    ..Skipped::default()
                },
                ..Writing::default()
            },
            reading: Reading {
                is_raw: !asked.flag("DECODE")?,
                ..Reading::default()
            },
            ..RequestOptions::default()
        },
    })
}

/// The variables without their prefix.
struct Asked<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Asked<'a> {
    fn check(&self) -> Result<(), Error> {
        let foreign = FOREIGN.strip_prefix(PREFIX);
        let unknown = |name: &str| !NAMES.contains(&name) && Some(name) != foreign;
        match self.0.iter().find(|(name, _)| unknown(name)) {
            Some((name, _)) => Err(Error::InvalidSettings(format!(
                "there is no variable {PREFIX}{name}; there are {PREFIX}{}",
                NAMES.join(&format!(", {PREFIX}"))
            ))),
            None => Ok(()),
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let mut variables = self.0.iter();
        variables
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        parse(value.trim()).map(Some).ok_or_else(|| {
            Error::InvalidSettings(format!("{PREFIX}{name} must be {what}, and is {value:?}"))
        })
    }

    fn number(&self, name: &str) -> Result<Option<u32>, Error> {
        self.parsed(name, |value| value.parse().ok(), "a whole number")
    }

    fn span(&self, name: &str) -> Result<Option<Duration>, Error> {
        let parse = |value: &str| {
            let seconds: f64 = value.parse().ok()?;
            let span = Duration::try_from_secs_f64(seconds).ok()?;
            u64::try_from(span.as_nanos()).is_ok().then_some(span)
        };
        self.parsed(name, parse, "a number of seconds, such as 2.5")
    }

    fn limit(&self, name: &str) -> Result<Option<Limit>, Error> {
        Ok(self.span(name)?.map(Limit::After))
    }

    fn flag(&self, name: &str) -> Result<bool, Error> {
        let parse = |value: &str| match value {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        };
        Ok(self.parsed(name, parse, "1 or 0")?.unwrap_or(false))
    }

    /// What comes once the attempts are used up is handed out as it is: who is replaced knows responses and failures and nothing between.
    fn retries(&self, retries: u32, redirects: u32) -> Result<Retries, Error> {
        let statuses = |value: &str| {
            let statuses = value.split(',').map(|status| status.trim().parse().ok());
            statuses.collect::<Option<Vec<u16>>>()
        };
        let statuses = self.parsed("RETRY_ON", statuses, "statuses, such as 429,503")?;
        let backoff_factor = self.span("BACKOFF")?;
        if retries == 0 && redirects == 0 {
            return Ok(Retries::off());
        }
        let failures = Some(Budget::AtMost(retries));
        Ok(Retries {
            total: Some(Budget::AtMost(retries.saturating_add(redirects))),
            connect: failures,
            read: failures,
            status: failures,
            other: failures,
            redirect: Some(Budget::AtMost(redirects)),
            statuses,
            backoff_factor,
            raise_on_redirect: Some(false),
            raise_on_status: Some(false),
            ..Retries::default()
        })
    }

    /// A proxy of ours takes the place of those of everybody's variables, and leaves out what `no_proxy` lists as they do.
    fn proxies(&self, everybodys: Proxies) -> Proxies {
        let Some(url) = self.value("PROXY") else {
            return everybodys;
        };
        let proxy = ProxySettings {
            url: url.to_owned(),
            ..ProxySettings::default()
        };
        Proxies {
            rules: vec![ProxyRule {
                scheme: None,
                host: None,
                proxy: Some(proxy),
            }],
            ..everybodys
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> DropIn {
        drop_in(variables).unwrap()
    }

    #[test]
    fn without_variables_nothing_is_done_that_was_not_asked_for() {
        for variables in [
            &[][..],
            &[("PATH", "/bin")],
            &[("URLPOOL_RETRIES", ""), ("URLPOOL_DECODE", "0")],
            &[("URLPOOL_CACHE_DIR", "/tmp")],
        ] {
            let DropIn { settings, options } = of(variables);
            assert_eq!(settings.pool.retries, Retries::off(), "{variables:?}");
            assert_eq!(options.redirects, Redirects::HandOver, "{variables:?}");
            assert!(options.reading.is_raw, "{variables:?}");
            let skipped = options.writing.skipped;
            assert!(skipped.accept_encoding && skipped.user_agent && !skipped.host);
            assert_eq!(settings.pool.proxies, Some(Proxies::default()));
            assert_eq!(settings.pool.timeouts, Timeouts::default());
            assert_eq!(settings.pool.tls, TlsSettings::default());
        }
    }

    #[test]
    fn each_variable_sets_its_own() {
        let seconds = |count| Some(Limit::After(Duration::from_secs(count)));
        let all = of(&[
            ("URLPOOL_NUM_POOLS", "3"),
            ("URLPOOL_MAXSIZE", " 4 "),
            ("URLPOOL_IDLE_TIMEOUT", "5"),
            ("URLPOOL_CONNECT_TIMEOUT", "6"),
            ("URLPOOL_READ_TIMEOUT", "7"),
            ("URLPOOL_TIMEOUT", "8"),
            ("URLPOOL_DECODE", "1"),
            ("URLPOOL_CA_BUNDLE", "roots"),
            ("URLPOOL_CLIENT_CERT", "certificate"),
            ("URLPOOL_CLIENT_KEY", "key"),
        ]);
        let pool = &all.settings.pool;
        assert_eq!(all.settings.num_pools, Some(3));
        assert_eq!(pool.maxsize, Some(4));
        assert_eq!(pool.idle_timeout, seconds(5));
        assert_eq!(pool.timeouts.connect, seconds(6));
        assert_eq!(pool.timeouts.read, seconds(7));
        assert_eq!(pool.timeouts.deadline, seconds(8));
        assert!(!all.options.reading.is_raw);
        assert_eq!(pool.tls.roots.as_deref(), Some(&b"roots"[..]));
        let certificates = pool.tls.client_certificates.as_deref();
        assert_eq!(certificates, Some(&b"certificate"[..]));
        assert_eq!(pool.tls.client_key.as_deref(), Some(&b"key"[..]));
    }

    #[test]
    fn attempts_are_counted_by_what_ended_them() {
        for (variables, total, failures, redirects) in [
            (&[("URLPOOL_RETRIES", "2")][..], 2, 2, 0),
            (&[("URLPOOL_REDIRECTS", "5")], 5, 0, 5),
            (
                &[("URLPOOL_RETRIES", "2"), ("URLPOOL_REDIRECTS", "5")],
                7,
                2,
                5,
            ),
        ] {
            let DropIn { settings, options } = of(variables);
            let retries = settings.pool.retries;
            assert_eq!(retries.total, Some(Budget::AtMost(total)), "{variables:?}");
            assert_eq!(retries.read, Some(Budget::AtMost(failures)));
            assert_eq!(retries.redirect, Some(Budget::AtMost(redirects)));
            let is_followed = options.redirects == Redirects::Follow;
            assert_eq!(is_followed, redirects > 0, "{variables:?}");
        }
        let retries = of(&[
            ("URLPOOL_RETRIES", "1"),
            ("URLPOOL_RETRY_ON", "429, 503"),
            ("URLPOOL_BACKOFF", "0.5"),
        ]);
        let retries = retries.settings.pool.retries;
        assert_eq!(retries.statuses, Some(vec![429, 503]));
        assert_eq!(retries.backoff_factor, Some(Duration::from_millis(500)));
    }

    #[test]
    fn our_proxy_comes_before_everybodys() {
        let proxies = |variables| of(variables).settings.pool.proxies.unwrap();
        let usual = proxies(&[("http_proxy", "http://a.test"), ("no_proxy", "c.test")]);
        assert_eq!(usual.rules.len(), 1);
        let ours = proxies(&[
            ("http_proxy", "http://a.test"),
            ("no_proxy", "c.test"),
            ("URLPOOL_PROXY", "http://b.test"),
        ]);
        let urls: Vec<_> = ours.rules.iter().map(|rule| rule.proxy.as_ref()).collect();
        assert!(matches!(&urls[..], [Some(proxy)] if proxy.url == "http://b.test"));
        assert_eq!(ours.no_proxy, usual.no_proxy);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (variable, told) in [
            (
                ("URLPOOL_RETRYS", "1"),
                "there is no variable URLPOOL_RETRYS",
            ),
            (("URLPOOL_RETRIES", "-1"), "URLPOOL_RETRIES must be a whole"),
            (
                ("URLPOOL_TIMEOUT", "soon"),
                "URLPOOL_TIMEOUT must be a number",
            ),
            (
                ("URLPOOL_TIMEOUT", "1e300"),
                "URLPOOL_TIMEOUT must be a number",
            ),
            (("URLPOOL_DECODE", "yes"), "URLPOOL_DECODE must be 1 or 0"),
            (("URLPOOL_RETRY_ON", "503;504"), "URLPOOL_RETRY_ON must be"),
        ] {
            let error = drop_in(&[variable]).unwrap_err();
            assert_eq!(error.kind(), "invalid-settings", "{variable:?}");
            assert!(error.message().starts_with(told), "{}", error.message());
        }
    }
}
