//! What must hold for a request to be tried again while there is budget.

use super::*;

#[test]
fn methods_count_where_the_peer_may_have_acted() {
    let only = |names: &[&str]| Retries {
        methods: Some(RetriedMethods::Only(
            names.iter().copied().map(str::to_owned).collect(),
        )),
        ..budget("total", AtMost(9))
    };
    let any = || Retries {
        methods: Some(RetriedMethods::Any),
        ..budget("total", AtMost(9))
    };
    let default = || budget("total", AtMost(9));
    for (case, retries, method, outcome, expected) in [
        ("idempotent", default(), "DELETE", Broken, Again),
        ("in lower case", default(), "put", Broken, Again),
        ("POST broke", default(), "POST", Broken, HandOut),
        ("PATCH broke", default(), "PATCH", Silent, HandOut),
        ("POST was not sent", default(), "POST", Refused, Again),
        ("POST met no TLS", default(), "POST", Untrusted, Again),
        ("POST was answered", default(), "POST", Status(500), HandOut),
        (
            "POST is put off (is_retry)",
            default(),
            "POST",
            Later(503),
            HandOut,
        ),
        ("POST is redirected", default(), "POST", Redirect, Again),
        ("any, broken", any(), "POST", Broken, Again),
        (
            "None is any (test_allowed_methods_with_status_forcelist)",
            any(),
            "POST",
            Status(500),
            Again,
        ),
        (
            "both must hold (test_allowed_methods_with_status_forcelist)",
            only(&["POST"]),
            "GET",
            Status(500),
            HandOut,
        ),
        (
            "both must hold (test_allowed_methods_with_status_forcelist)",
            only(&["POST"]),
            "POST",
            Status(500),
            Again,
        ),
        ("lower case names", only(&["post"]), "POST", Broken, Again),
        ("only POST", only(&["POST"]), "GET", Broken, HandOut),
        (
            "none, as urllib3's next version has it",
            only(&[]),
            "GET",
            Status(500),
            HandOut,
        ),
    ] {
        check(case, retries, &[(method, outcome, expected)]);
    }
    let failed = failed(
        Phase::AwaitHead,
        Sent::Something,
        Cause::Tls(TlsReason::Protocol, "bad record".into()),
    );
    let post = Method::parse("POST").unwrap();
    assert_eq!(
        of(Retries::default()).after_failure(&failed, &post, || entry(None, None)),
        HandOut,
        "TLS that breaks once the request was sent"
    );
}

#[test]
fn a_response_is_retried_if_listed_or_if_it_says_when() {
    let disrespectful = || Retries {
        respect_retry_after: Some(false),
        ..Retries::default()
    };
    let total = |total| with_total(total, Retries::default());
    for (case, retries, outcome, expected) in [
        (
            "not listed (test_status_forcelist)",
            listing(&[500], total(AtMost(3))),
            Status(400),
            HandOut,
        ),
        (
            "listed (test_status_forcelist)",
            listing(&[418, 500], total(AtMost(1))),
            Status(418),
            Again,
        ),
        ("nothing is listed", total(AtMost(3)), Status(503), HandOut),
        ("says when: 413", total(AtMost(3)), Later(413), Again),
        ("says when: 429", total(AtMost(3)), Later(429), Again),
        ("says when: 503", total(AtMost(1)), Later(503), Again),
        (
            "another status says when",
            total(AtMost(3)),
            Later(500),
            HandOut,
        ),
        ("a success says when", total(AtMost(3)), Later(200), HandOut),
        (
            "says when, with no total",
            total(Unlimited),
            Later(503),
            HandOut,
        ),
        (
            "says when, with nothing left",
            total(AtMost(0)),
            Later(503),
            HandOut,
        ),
        ("says when, off", total(Off), Later(503), HandOut),
        (
            "says when, not respected",
            disrespectful(),
            Later(503),
            HandOut,
        ),
        (
            "listed, not respected",
            listing(&[503], disrespectful()),
            Later(503),
            Again,
        ),
        (
            "listed, with no total",
            listing(&[503], total(Unlimited)),
            Later(503),
            Again,
        ),
        (
            "listed, with nothing left",
            listing(&[503], total(AtMost(0))),
            Later(503),
            Exhausted,
        ),
        (
            "listed, off",
            listing(&[503], total(Off)),
            Status(503),
            HandOut,
        ),
        (
            "says when, but no status may be retried",
            budget("status", AtMost(0)),
            Later(503),
            Exhausted,
        ),
        (
            "says when, but status is off",
            budget("status", Off),
            Later(503),
            HandOut,
        ),
    ] {
        check(case, retries, &[("GET", outcome, expected)]);
    }
    let steps = [("GET", Later(503), Again), ("GET", Later(503), HandOut)];
    check(
        "the last of the total is not an error",
        total(AtMost(1)),
        &steps,
    );
}

#[test]
fn what_is_no_error_is_handed_out_and_costs_nothing() {
    let lenient = |retries| Retries {
        raise_on_status: Some(false),
        raise_on_redirect: Some(false),
        ..retries
    };
    for (case, retries, outcome) in [
        (
            "status",
            listing(&[500], budget("status", AtMost(1))),
            Status(500),
        ),
        (
            "status by total",
            listing(&[500], Retries::total(1)),
            Status(500),
        ),
        ("redirect", budget("redirect", AtMost(1)), Redirect),
        ("redirect by total", Retries::total(1), Redirect),
    ] {
        let mut retry = of(lenient(retries));
        assert_eq!(after(&mut retry, "GET", outcome), Again, "{case}");
        let (left, history) = (retry.remaining(), retry.history().to_vec());
        assert_eq!(after(&mut retry, "GET", outcome), HandOut, "{case}");
        assert_eq!((retry.remaining(), history.len()), (left, 1), "{case}");
        assert_eq!(retry.history(), history, "{case}");
    }
    check(
        "a failure is an error all the same",
        lenient(Retries::total(0)),
        &[("GET", Refused, Exhausted)],
    );
    let either = |redirect, status| Retries {
        raise_on_redirect: Some(redirect),
        raise_on_status: Some(status),
        ..listing(&[500], Retries::total(0))
    };
    check(
        "only redirects",
        either(true, false),
        &[("GET", Status(500), HandOut), ("GET", Redirect, Exhausted)],
    );
    check(
        "only statuses",
        either(false, true),
        &[("GET", Redirect, HandOut), ("GET", Status(500), Exhausted)],
    );
}
