//! How requests are sent, tried again and read: the component's own settings, but for TLS (`tls`) and proxies (`proxies`).

use std::time::Duration;

use clap::ArgMatches;
use urlpool_core::types::{
    Budget, Headers, Limit, Method, PoolSettings, Reading, Redirects, RequestOptions,
    RetriedMethods, Retries, Timeouts,
};

use super::Early;

/// The shortest time that the clock can tell.
const NANOSECOND: Duration = Duration::from_nanos(1);

pub(super) fn pool_settings(matches: &mut ArgMatches) -> Result<PoolSettings, Early> {
    let mut limit = |option, least| {
        let span = seconds(matches, option, least)?;
        Ok::<_, Early>(span.map(Limit::After))
    };
    Ok(PoolSettings {
        timeouts: Timeouts {
            connect: limit("connect-timeout", NANOSECOND)?,
            read: limit("read-timeout", NANOSECOND)?,
            deadline: limit("timeout", NANOSECOND)?,
            ..Timeouts::default()
        },
        pool_timeout: limit("pool-timeout", Duration::ZERO)?,
        maxsize: matches.remove_one("maxsize"),
        block: matches.get_flag("block").then_some(true),
        ..PoolSettings::default()
    })
}

pub(super) fn request_options(
    matches: &mut ArgMatches,
    headers: Headers,
) -> Result<RequestOptions, Early> {
    let redirect = matches.remove_one::<Budget>("redirects");
    let retries = Retries {
        redirect: redirect.filter(|budget| *budget != Budget::Off),
        methods: methods(matches)?.map(RetriedMethods::Only),
        statuses: matches.remove_many("retry-on").map(Iterator::collect),
        backoff_factor: seconds(matches, "backoff", Duration::ZERO)?,
        ..Retries::default()
    };
    Ok(RequestOptions {
        headers: Some(headers).filter(|headers| !headers.is_empty()),
        retries: match matches.remove_one::<Budget>("retries") {
            None => retries,
            Some(Budget::AtMost(count)) => retries.or(&Retries::total(count)),
            Some(Budget::Off | Budget::Unlimited) => retries.or(&Retries::off()),
        },
        redirects: match redirect {
            Some(Budget::Off) => Redirects::HandOver,
            _ => Redirects::Follow,
        },
        reading: Reading {
            is_raw: matches.get_flag("no-decode"),
            max_body: matches.remove_one("max-body"),
            ..Reading::default()
        },
        ..RequestOptions::default()
    })
}

/// The methods of `--retry-method`, in upper case as they are sent.
fn methods(matches: &mut ArgMatches) -> Result<Option<Vec<String>>, Early> {
    let Some(typed) = matches.remove_many::<String>("retry-method") else {
        return Ok(None);
    };
    typed
        .map(|name| {
            Method::parse(name.as_str())?;
            Ok(name.to_ascii_uppercase())
        })
        .collect::<Result<_, Early>>()
        .map(Some)
}

/// Seconds, decimals allowed: no fewer than `least`, and no more than the clock's 64 bits of nanoseconds hold.
fn seconds(
    matches: &mut ArgMatches,
    option: &str,
    least: Duration,
) -> Result<Option<Duration>, Early> {
    let Some(written) = matches.remove_one::<String>(option) else {
        return Ok(None);
    };
    written
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|span| *span >= least && u64::try_from(span.as_nanos()).is_ok())
        .map(Some)
        .ok_or_else(|| {
            Early::Usage(format!(
                "--{option}: {written:?} is not a number of seconds from {} to {}, such as 2.5",
                least.as_secs_f64(),
                Duration::from_nanos(u64::MAX).as_secs()
            ))
        })
}
