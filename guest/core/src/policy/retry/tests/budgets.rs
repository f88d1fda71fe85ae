//! What is counted against which budget, and when that is an error.

use super::*;

/// One of each budget, with the listed status for `status`.
const ONE_OF_EACH: [(&str, Outcome); 5] = [
    ("connect", Refused),
    ("read", Silent),
    ("redirect", Redirect),
    ("status", Status(500)),
    ("other", Untrusted),
];

#[test]
fn each_budget_counts_its_own_outcomes_and_no_others() {
    for (name, outcome) in ONE_OF_EACH {
        for (spent, expected) in [
            (Off, &[HandOut, HandOut][..]),
            (AtMost(0), &[Exhausted]),
            (AtMost(1), &[Again, Exhausted]),
            (AtMost(2), &[Again, Again, Exhausted]),
            (Unlimited, &[Again, Again, Again, Exhausted]),
        ] {
            let case = format!("{name} {spent:?}");
            let steps = expected.iter().map(|verdict| ("GET", outcome, *verdict));
            check(&case, budget(name, spent), &Vec::from_iter(steps));
        }
        for (other, outcome) in ONE_OF_EACH.into_iter().filter(|(other, _)| *other != name) {
            for spent in [Off, AtMost(0)] {
                let steps = [("GET", outcome, Again)];
                check(&format!("{name}, not {other}"), budget(name, spent), &steps);
            }
        }
    }
}

#[test]
fn the_total_counts_everything() {
    for (_, outcome) in ONE_OF_EACH {
        for (total, expected) in [
            (Off, &[HandOut, HandOut][..]),
            (AtMost(0), &[Exhausted]),
            (AtMost(2), &[Again, Again, Exhausted]),
            (Unlimited, &[Again; 100]),
        ] {
            let steps = expected.iter().map(|verdict| ("GET", outcome, *verdict));
            let case = format!("total {total:?}");
            check(&case, budget("total", total), &Vec::from_iter(steps));
        }
    }
    let mixed = [
        ("GET", Redirect, Again),
        ("GET", Refused, Again),
        ("GET", Status(500), Again),
        ("GET", Redirect, Exhausted),
    ];
    check("3 of any kind", listing(&[500], Retries::default()), &mixed);
    let total = with_total(Off, budget("connect", AtMost(5)));
    check(
        "total off wins over any other",
        total,
        &[("GET", Refused, HandOut)],
    );
}

#[test]
fn budgets_are_urllib3s() {
    let connect = |count| budget("connect", AtMost(count));
    for (case, retries, steps) in [
        (
            "the total wins if it is lower (test_retry_both_specified)",
            with_total(AtMost(2), connect(3)),
            &[
                ("GET", Refused, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Exhausted),
            ][..],
        ),
        (
            "a higher total loses (test_retry_higher_total_loses)",
            with_total(AtMost(3), connect(2)),
            &[
                ("GET", Refused, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Exhausted),
            ],
        ),
        (
            "a higher total loses (test_retry_higher_total_loses_vs_read)",
            with_total(AtMost(3), budget("read", AtMost(2))),
            &[
                ("GET", Silent, Again),
                ("GET", Silent, Again),
                ("GET", Silent, Exhausted),
            ],
        ),
        (
            "no total (test_retry_total_none)",
            with_total(Unlimited, connect(2)),
            &[
                ("GET", Silent, Again),
                ("GET", Silent, Again),
                ("GET", Silent, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Exhausted),
            ],
        ),
        (
            "one connect (test_retry_default)",
            connect(1),
            &[("GET", Refused, Again), ("GET", Refused, Exhausted)],
        ),
        (
            "other is not connect (test_retry_other)",
            connect(1),
            &[("GET", Untrusted, Again), ("GET", Untrusted, Again)],
        ),
        (
            "other (test_retry_other)",
            budget("other", AtMost(1)),
            &[("GET", Untrusted, Again), ("GET", Untrusted, Exhausted)],
        ),
        (
            "no second chance (test_retry_read_zero)",
            budget("read", AtMost(0)),
            &[("GET", Silent, Exhausted)],
        ),
        (
            "status (test_status_counter)",
            listing(&[400], budget("status", AtMost(2))),
            &[
                ("GET", Status(400), Again),
                ("GET", Status(400), Again),
                ("GET", Status(400), Exhausted),
            ],
        ),
        (
            "3 by default (Retry.DEFAULT)",
            Retries::default(),
            &[
                ("GET", Refused, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Again),
                ("GET", Refused, Exhausted),
            ],
        ),
        (
            "0 is an error (test_disabled)",
            Retries::total(0),
            &[("GET", Refused, Exhausted)],
        ),
        (
            "0 redirects raise (test_retry_default)",
            Retries::total(0),
            &[("GET", Redirect, Exhausted)],
        ),
        (
            "False hands redirects out (test_retry_default)",
            Retries::off(),
            &[("GET", Redirect, HandOut)],
        ),
        (
            "redirect=False hands redirects out, and only them",
            budget("redirect", Off),
            &[
                ("GET", Redirect, HandOut),
                ("GET", Refused, Again),
                ("GET", Redirect, HandOut),
            ],
        ),
        (
            "a method that is not allowed (test_retry_method_not_allowed)",
            Retries::default(),
            &[("POST", Silent, HandOut)],
        ),
        (
            "a spent budget of another kind is no error until it is needed",
            with_total(AtMost(9), budget("read", AtMost(0))),
            &[("GET", Refused, Again), ("GET", Redirect, Again)],
        ),
    ] {
        check(case, retries, steps);
    }
}

#[test]
fn every_cause_has_its_budget() {
    let text = || String::from("why");
    let timed_out = |expiry| Cause::TimedOut(expiry);
    for (case, phase, sent, cause, expected) in [
        (
            "lookup",
            Phase::Resolve,
            Sent::Nothing,
            Cause::Unresolved(text()),
            Some("connect"),
        ),
        (
            "lookup took too long",
            Phase::Resolve,
            Sent::Nothing,
            timed_out(Expiry::Connect),
            Some("connect"),
        ),
        (
            "TCP took too long",
            Phase::Connect,
            Sent::Nothing,
            timed_out(Expiry::Total),
            Some("connect"),
        ),
        (
            "TLS took too long",
            Phase::Handshake,
            Sent::Nothing,
            timed_out(Expiry::Connect),
            Some("connect"),
        ),
        (
            "TLS",
            Phase::Handshake,
            Sent::Nothing,
            Cause::Tls(TlsReason::Alert, text()),
            Some("other"),
        ),
        (
            "TLS, later",
            Phase::AwaitHead,
            Sent::Something,
            Cause::Tls(TlsReason::Protocol, text()),
            Some("other"),
        ),
        (
            "gone in the handshake",
            Phase::Handshake,
            Sent::Nothing,
            Cause::Broken(text()),
            Some("read"),
        ),
        (
            "sending took too long",
            Phase::Send,
            Sent::Nothing,
            timed_out(Expiry::Read),
            Some("read"),
        ),
        (
            "the answer took too long",
            Phase::AwaitHead,
            Sent::Something,
            timed_out(Expiry::Total),
            Some("read"),
        ),
        (
            "no answer",
            Phase::AwaitHead,
            Sent::Something,
            Cause::ClosedUnanswered(text()),
            Some("read"),
        ),
        (
            "half an answer",
            Phase::AwaitHead,
            Sent::Something,
            Cause::Broken(text()),
            Some("read"),
        ),
        (
            "nonsense",
            Phase::AwaitHead,
            Sent::Something,
            Cause::Malformed(text()),
            Some("read"),
        ),
        (
            "not allowed",
            Phase::Connect,
            Sent::Nothing,
            Cause::Denied(text()),
            None,
        ),
        (
            "the deadline",
            Phase::Connect,
            Sent::Nothing,
            timed_out(Expiry::Deadline),
            None,
        ),
        (
            "the deadline, later",
            Phase::AwaitHead,
            Sent::Something,
            timed_out(Expiry::Deadline),
            None,
        ),
        (
            "too large",
            Phase::ReceiveBody,
            Sent::Something,
            Cause::TooLarge { limit: 1 },
            None,
        ),
        (
            "nowhere to go",
            Phase::AwaitHead,
            Sent::Something,
            Cause::Unfollowable(text()),
            None,
        ),
    ] {
        let failed = failed(phase, sent, cause);
        let get = Method::get();
        let verdict = |retries| of(retries).after_failure(&failed, &get, || entry(None, None));
        let hit = ONE_OF_EACH
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| verdict(budget(name, AtMost(0))) == Exhausted);
        assert_eq!(Vec::from_iter(hit), Vec::from_iter(expected), "{case}");
        let unspent = if expected.is_some() { Again } else { HandOut };
        assert_eq!(verdict(Retries::default()), unspent, "{case}");
    }
}
