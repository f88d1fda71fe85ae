//! Budgets, conditions, history and delays, case by case. Rows with a name in brackets are facts of urllib3's own test of that name.

mod budgets;
mod conditions;
mod delays;
mod model;
mod records;

use super::*;
use crate::types::{LastOutcome, TlsReason, Url};
use Budget::{AtMost, Off, Unlimited};
use Verdict::{Again, Exhausted, HandOut};

/// What an attempt comes to.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// No connection.
    Refused,
    /// Time ran out after the request was sent.
    Silent,
    /// The connection broke after the request was sent.
    Broken,
    /// TLS was not agreed on.
    Untrusted,
    /// A response.
    Status(u16),
    /// A response with `Retry-After`.
    Later(u16),
    /// A response that leads elsewhere.
    Redirect,
}
use Outcome::{Broken, Later, Redirect, Refused, Silent, Status, Untrusted};

fn of(retries: Retries) -> Retry {
    Retry::new(Rc::new(RetryRules::default().overridden(retries)))
}

fn budget(name: &str, budget: Budget) -> Retries {
    let mut retries = Retries {
        statuses: Some(vec![500]),
        ..Retries::default()
    };
    let field = match name {
        "total" => &mut retries.total,
        "connect" => &mut retries.connect,
        "read" => &mut retries.read,
        "redirect" => &mut retries.redirect,
        "status" => &mut retries.status,
        "other" => &mut retries.other,
        _ => panic!("{name} is no budget"),
    };
    *field = Some(budget);
    retries
}

fn with_total(total: Budget, retries: Retries) -> Retries {
    Retries {
        total: Some(total),
        ..retries
    }
}

fn listing(statuses: &[u16], retries: Retries) -> Retries {
    Retries {
        statuses: Some(statuses.to_vec()),
        ..retries
    }
}

fn failed(phase: Phase, sent: Sent, cause: Cause) -> AttemptError {
    AttemptError {
        phase,
        sent,
        reused: false,
        cause,
    }
}

fn failure(outcome: Outcome) -> AttemptError {
    match outcome {
        Refused => failed(
            Phase::Connect,
            Sent::Nothing,
            Cause::NotConnected("refused".into()),
        ),
        Silent => failed(
            Phase::AwaitHead,
            Sent::Something,
            Cause::TimedOut(Expiry::Read),
        ),
        Broken => failed(
            Phase::AwaitHead,
            Sent::Something,
            Cause::ClosedUnanswered("closed".into()),
        ),
        Untrusted => failed(
            Phase::Handshake,
            Sent::Nothing,
            Cause::Tls(TlsReason::Certificate, "untrusted".into()),
        ),
        Status(_) | Later(_) | Redirect => panic!("{outcome:?} is a response"),
    }
}

fn entry(status: Option<u16>, location: Option<&str>) -> HistoryEntry {
    HistoryEntry {
        method: "GET".into(),
        url: "http://a.test/".into(),
        status,
        location: location.map(str::to_owned),
        error: None,
    }
}

/// What is decided after an attempt with this method came to that.
fn after(retry: &mut Retry, method: &str, outcome: Outcome) -> Verdict {
    let method = Method::parse(method).unwrap();
    match outcome {
        Status(status) => {
            let record = || entry(Some(status), None);
            retry.after_response(status, &Headers::default(), &method, record)
        }
        Later(status) => {
            let headers = Headers::parse([("Retry-After", "7")]).unwrap();
            retry.after_response(status, &headers, &method, || entry(Some(status), None))
        }
        Redirect => retry.after_redirect(|| entry(Some(302), Some("http://a.test/y"))),
        _ => retry.after_failure(&failure(outcome), &method, || entry(None, None)),
    }
}

#[track_caller]
fn check(case: &str, retries: Retries, steps: &[(&str, Outcome, Verdict)]) {
    let mut retry = of(retries);
    for (at, (method, outcome, expected)) in steps.iter().enumerate() {
        assert_eq!(
            after(&mut retry, method, *outcome),
            *expected,
            "{case}, step {at}: {method} {outcome:?}"
        );
    }
}
