//! Retries: what is left of the budgets after each attempt, and how long to wait for the next.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use urlpool_core::policy::backoff::retry_after;
use urlpool_core::policy::{Retry, RetryRules, Verdict};
use urlpool_core::types::{
    AttemptError, Budget, Cause, Expiry, Headers, HistoryEntry, Method, Phase, RetriedMethods,
    Retries, Sent, TlsReason,
};

use crate::headers::headers;
use crate::vector::{Answer, Vector, list, pairs, same, text};

/// What Python's `Retry()` begins with; ours begin with what urllib3's pools do, `Retry.DEFAULT`.
const DEFAULT_TOTAL: u32 = 10;
/// The status of an attempt that says nothing of it.
const A_STATUS: u16 = 500;
/// Delays are floats there.
const TOLERANCE: f64 = 1e-6;

/// What a method of `Retry` decides, after the attempts before it.
pub(crate) fn decided(vector: &Vector) -> Answer {
    let call = vector.text("call")?;
    let settings = vector.field("settings");
    let steps = vector.list("before").iter().chain([vector.field("step")]);
    let mut retries = retries(settings)?;
    if call != "is_retry" {
        // urllib3 counts a response only after `is_retry` has asked for that; ours decide both at once.
        let statuses = retries.statuses.get_or_insert_default();
        statuses.extend(steps.map(status));
    }
    let mut retry = Retry::new(Rc::new(RetryRules::default().overridden(retries)));
    for before in vector.list("before") {
        same("verdict", &Verdict::Again, &attempt(&mut retry, before)?)?;
    }
    let expected = vector.field("expected");
    let argument = |at: usize| vector.list("arguments").get(at).unwrap_or(&Value::Null);
    match call {
        "new" => left(settings, expected, &retry),
        "increment" => {
            let verdict = attempt(&mut retry, vector.field("step"))?;
            let wanted = match text(vector.field("raised")) {
                None => Verdict::Again,
                Some("MaxRetryError") => Verdict::Exhausted,
                Some(_) => Verdict::HandOut,
            };
            same("verdict", &wanted, &verdict)?;
            if wanted == Verdict::Again {
                left(settings, expected, &retry)?;
            }
            Ok(())
        }
        "is_retry" => {
            let method = Method::parse(text(argument(0)).unwrap_or_default());
            let method = method.map_err(|error| error.to_string())?;
            let status = argument(1)
                .as_u64()
                .and_then(|status| u16::try_from(status).ok());
            let asks: &[(&str, &str)] = if *argument(2) == true {
                &[("Retry-After", "1")]
            } else {
                &[]
            };
            let headers =
                Headers::parse(asks.iter().copied()).map_err(|error| error.to_string())?;
            let verdict =
                retry.after_response(status.ok_or("no status")?, &headers, &method, || {
                    entry(None)
                });
            same("retry", expected, &(verdict != Verdict::HandOut).into())
        }
        "get_backoff_time" => {
            let ours = retry.delay(None, || Duration::ZERO, || drawn(vector.field("random")));
            same_time(expected, ours)
        }
        "sleep" => {
            let headers = headers(&pairs(vector.field("headers")))?;
            let now = vector.field("now").as_f64().unwrap_or_default();
            let now = Duration::from_secs_f64(now);
            same_time(expected, retry.delay(Some(&headers), || now, || 0))
        }
        "parse_retry_after" => {
            let value: Option<Vec<u8>> = text(argument(0))
                .unwrap_or_default()
                .chars()
                .map(|character| u8::try_from(character).ok())
                .collect();
            let max = retry.remaining().retry_after_max.unwrap_or_default();
            let ours = retry_after(&value.ok_or("not latin-1")?, || Duration::ZERO, max);
            match ours {
                Some(ours) => same_time(expected, ours),
                None if expected.is_null() => Ok(()),
                None => Err(format!("{expected} seconds, but it was not understood")),
            }
        }
        other => Err(format!("nothing is known of {other:?}")),
    }
}

/// Python's arguments of `Retry` as ours.
fn retries(settings: &Value) -> Result<Retries, String> {
    let budget = |name: &str| settings.get(name).map(budget_of).transpose();
    let seconds = |name: &str| {
        let seconds = settings.get(name).and_then(Value::as_f64);
        seconds.map(Duration::from_secs_f64)
    };
    let flag = |name: &str| settings.get(name).and_then(Value::as_bool);
    let names = |value: &Value| -> Vec<String> {
        list(value)
            .iter()
            .filter_map(text)
            .map(str::to_owned)
            .collect()
    };
    let methods = settings.get("allowed_methods").map(|methods| {
        let names = names(methods);
        // Also an empty list, until urllib3 3.
        if names.is_empty() {
            RetriedMethods::Any
        } else {
            RetriedMethods::Only(names)
        }
    });
    let statuses = settings.get("status_forcelist").map(|statuses| {
        let number = |status: &Value| {
            status
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
        };
        let numbers: Option<Vec<u16>> = list(statuses).iter().map(number).collect();
        numbers.ok_or("a status is a number")
    });
    Ok(Retries {
        total: Some(budget("total")?.unwrap_or(Budget::AtMost(DEFAULT_TOTAL))),
        connect: budget("connect")?,
        read: budget("read")?,
        redirect: budget("redirect")?,
        status: budget("status")?,
        other: budget("other")?,
        methods,
        statuses: statuses.transpose()?,
        backoff_factor: seconds("backoff_factor"),
        backoff_max: seconds("backoff_max"),
        backoff_jitter: seconds("backoff_jitter"),
        raise_on_redirect: flag("raise_on_redirect"),
        raise_on_status: flag("raise_on_status"),
        respect_retry_after: flag("respect_retry_after_header"),
        retry_after_max: seconds("retry_after_max"),
        remove_headers_on_redirect: settings.get("remove_headers_on_redirect").map(names),
    })
}

fn budget_of(value: &Value) -> Result<Budget, String> {
    match value {
        Value::Null => Ok(Budget::Unlimited),
        Value::Bool(false) => Ok(Budget::Off),
        other => {
            let count = other.as_u64().and_then(|count| u32::try_from(count).ok());
            count
                .map(Budget::AtMost)
                .ok_or_else(|| format!("no budget can be {other}"))
        }
    }
}

/// Lets an attempt come to what the step says.
fn attempt(retry: &mut Retry, step: &Value) -> Result<Verdict, String> {
    let location = text(&step["location"]);
    let record = || entry(location);
    let method = Method::parse(text(&step["method"]).unwrap_or("GET"));
    let method = method.map_err(|error| error.to_string())?;
    let (phase, sent, cause) = match text(&step["error"]) {
        None if location.is_some() => return Ok(retry.after_redirect(record)),
        None => {
            // The method counts for `is_retry` alone, which has been asked.
            let headers = Headers::default();
            return Ok(retry.after_response(status(step), &headers, &Method::get(), record));
        }
        Some("ConnectTimeoutError") => (
            Phase::Connect,
            Sent::Nothing,
            Cause::TimedOut(Expiry::Connect),
        ),
        Some("ReadTimeoutError") => (
            Phase::AwaitHead,
            Sent::Something,
            Cause::TimedOut(Expiry::Read),
        ),
        Some("SSLError") => {
            let cause = Cause::Tls(TlsReason::Protocol, String::new());
            (Phase::Handshake, Sent::Nothing, cause)
        }
        Some(other) => return Err(format!("nothing is known of {other}")),
    };
    let failed = AttemptError {
        phase,
        sent,
        reused: false,
        cause,
    };
    Ok(retry.after_failure(&failed, &method, record))
}

fn status(step: &Value) -> u16 {
    let status = step["status"].as_u64().unwrap_or_default();
    u16::try_from(status)
        .ok()
        .filter(|status| *status > 0)
        .unwrap_or(A_STATUS)
}

fn entry(location: Option<&str>) -> HistoryEntry {
    HistoryEntry {
        method: "GET".into(),
        url: "http://a.test/".into(),
        status: None,
        location: location.map(str::to_owned),
        error: None,
    }
}

/// Whether what is left is the same.
fn left(settings: &Value, expected: &Value, retry: &Retry) -> Answer {
    let ours = retry.remaining();
    for (name, ours) in [
        ("total", ours.total),
        ("connect", ours.connect),
        ("read", ours.read),
        ("redirect", ours.redirect),
        ("status", ours.status),
        ("other", ours.other),
    ] {
        // Ours say `off` where urllib3 writes that down as no redirects that raise nothing.
        if name == "redirect" && is_off(settings) {
            continue;
        }
        same(name, &Some(budget_of(&expected[name])?), &ours)?;
    }
    let raises = ours.raise_on_redirect.filter(|_| !is_off(settings));
    same(
        "raise_on_redirect",
        &expected["raise_on_redirect"],
        &raises.unwrap_or_default().into(),
    )?;
    let respects = ours.respect_retry_after.unwrap_or_default();
    same(
        "respect_retry_after",
        &expected["respect_retry_after_header"],
        &respects.into(),
    )?;
    same_time(
        &expected["retry_after_max"],
        ours.retry_after_max.unwrap_or_default(),
    )?;
    let mut removed = ours.remove_headers_on_redirect.unwrap_or_default();
    removed
        .iter_mut()
        .for_each(|name| name.make_ascii_lowercase());
    removed.sort_unstable();
    same(
        "remove_headers_on_redirect",
        &expected["remove_headers_on_redirect"],
        &removed.into(),
    )?;
    same(
        "history",
        &expected["history"],
        &retry.history().len().into(),
    )
}

fn is_off(settings: &Value) -> bool {
    ["total", "redirect"]
        .iter()
        .any(|name| settings[*name] == false)
}

/// What has been drawn from 0 to 1, of which 1 is all of the jitter.
fn drawn(random: &Value) -> u32 {
    let share = random.as_f64().unwrap_or_default();
    // A float becomes an integer without any surprise only by way of a type that has one.
    let share = Duration::from_secs_f64(share).as_nanos() * u128::from(u32::MAX) / 1_000_000_000;
    u32::try_from(share).unwrap_or(u32::MAX)
}

fn same_time(expected: &Value, ours: Duration) -> Answer {
    let seconds = expected.as_f64().ok_or("no delay")?;
    if (seconds - ours.as_secs_f64()).abs() < TOLERANCE {
        return Ok(());
    }
    Err(format!("{seconds} seconds, but {ours:?}"))
}
