//! What is kept of the attempts and told of them, and what settings come to.

use super::*;

/// urllib3's `test_history`, with a redirect and a last one too many.
#[test]
fn the_history_is_what_was_tried_in_order() {
    let mut retry = of(listing(&[500], Retries::total(3)));
    assert!(retry.history().is_empty());
    let url = Url::parse("http://user:secret@a.test/1").unwrap();
    let error = crate::policy::blame::tell(failure(Refused), &Method::get(), &url, 1);
    let refused = HistoryEntry {
        error: Some(Box::new(error)),
        ..entry(None, None)
    };
    let get = Method::get();
    let first = refused.clone();
    retry.after_failure(&failure(Refused), &get, || first);
    after(&mut retry, "GET", Status(500));
    after(&mut retry, "GET", Status(200));
    after(&mut retry, "POST", Broken);
    after(&mut retry, "GET", Redirect);
    let mut expected = vec![
        refused,
        entry(Some(500), None),
        entry(Some(302), Some("http://a.test/y")),
    ];
    assert_eq!(retry.history(), expected);
    assert_eq!(after(&mut retry, "GET", Status(500)), Exhausted);
    expected.push(entry(Some(500), None));
    assert_eq!(retry.history(), expected, "the last one counts");
}

/// urllib3's `test_error_message`: which words the caller reads.
#[test]
fn an_exhausted_request_says_why() {
    let (get, url) = (Method::get(), Url::parse("http://a.test/x?y").unwrap());
    let told = |outcome| crate::policy::blame::tell(failure(outcome), &get, &url, 1);
    for (case, last, history, expected) in [
        (
            "silent",
            LastOutcome::Failed(told(Silent)),
            vec![entry(None, None)],
            "ReadTimeoutError(\"Read timed out. (read timeout)\")",
        ),
        (
            "refused",
            LastOutcome::Failed(told(Refused)),
            vec![entry(None, None)],
            "NewConnectionError(\"Failed to establish a new connection: refused\")",
        ),
        (
            "refused after a redirect",
            LastOutcome::Failed(told(Refused)),
            vec![entry(Some(302), Some("http://a.test/y")), entry(None, None)],
            "NewConnectionError(\"Failed to establish a new connection: refused\")",
        ),
        (
            "status",
            LastOutcome::Status(500),
            vec![entry(Some(500), None)],
            "ResponseError('too many 500 error responses')",
        ),
        (
            "redirect",
            LastOutcome::Status(302),
            vec![entry(Some(302), Some("http://a.test/y"))],
            "ResponseError('too many redirects')",
        ),
    ] {
        let error = crate::policy::blame::exhausted(last, &get, &url, 2, history);
        let message = format!("Max retries exceeded with url: /x?y (Caused by {expected})");
        assert_eq!(error.message(), message, "{case}");
        let is_redirect = error.kind() == "too-many-redirects";
        assert_eq!(is_redirect, case == "redirect", "{case}");
    }
}

#[test]
fn what_remains_is_what_another_request_could_be_sent_with() {
    let asked = everything();
    let mut retry = of(asked.clone());
    assert_eq!(retry.remaining(), asked);
    for (case, outcome, change) in [
        ("connect", Refused, (8, 1, 2, 3, 4, 5)),
        ("read", Silent, (7, 1, 1, 3, 4, 5)),
        ("redirect", Redirect, (6, 1, 1, 2, 4, 5)),
        ("status", Status(500), (5, 1, 1, 2, 3, 5)),
        ("other", Untrusted, (4, 1, 1, 2, 3, 4)),
        ("spent", Refused, (3, 0, 1, 2, 3, 4)),
    ] {
        assert_eq!(after(&mut retry, "GET", outcome), Again, "{case}");
        let (total, connect, read, redirect, status, other) = change;
        let expected = Retries {
            total: Some(AtMost(total)),
            connect: Some(AtMost(connect)),
            read: Some(AtMost(read)),
            redirect: Some(AtMost(redirect)),
            status: Some(AtMost(status)),
            other: Some(AtMost(other)),
            ..asked.clone()
        };
        assert_eq!(retry.remaining(), expected, "{case}");
        let again = of(expected.clone());
        assert_eq!(again.remaining(), expected, "{case}");
        assert!(again.history().is_empty(), "{case}");
    }
    let special = Retries {
        connect: Some(Off),
        ..with_total(Unlimited, Retries::default())
    };
    let mut retry = of(special);
    after(&mut retry, "GET", Silent);
    let left = retry.remaining();
    assert_eq!((left.total, left.connect), (Some(Unlimited), Some(Off)));
}

/// Every field, none as by default.
fn everything() -> Retries {
    Retries {
        total: Some(AtMost(9)),
        connect: Some(AtMost(2)),
        read: Some(AtMost(2)),
        redirect: Some(AtMost(3)),
        status: Some(AtMost(4)),
        other: Some(AtMost(5)),
        methods: Some(RetriedMethods::Any),
        statuses: Some(vec![500]),
        backoff_factor: Some(Duration::from_secs(1)),
        backoff_max: Some(Duration::from_secs(2)),
        backoff_jitter: Some(Duration::from_secs(3)),
        raise_on_redirect: Some(false),
        raise_on_status: Some(false),
        respect_retry_after: Some(false),
        retry_after_max: Some(Duration::from_secs(4)),
        remove_headers_on_redirect: Some(vec!["X-API-Secret".into()]),
    }
}

#[test]
fn each_field_replaces_its_own_and_leaves_the_others() {
    let asked = everything();
    assert_eq!(of(asked.clone()).remaining(), asked);
    let base = of(Retries::default()).remaining();
    type Pick = fn(&Retries, &mut Retries);
    let picks: [(&str, Pick); 16] = [
        ("total", |from, to| to.total = from.total),
        ("connect", |from, to| to.connect = from.connect),
        ("read", |from, to| to.read = from.read),
        ("redirect", |from, to| to.redirect = from.redirect),
        ("status", |from, to| to.status = from.status),
        ("other", |from, to| to.other = from.other),
        ("methods", |from, to| to.methods.clone_from(&from.methods)),
        ("statuses", |from, to| {
            to.statuses.clone_from(&from.statuses);
        }),
        ("backoff_factor", |from, to| {
            to.backoff_factor = from.backoff_factor;
        }),
        ("backoff_max", |from, to| to.backoff_max = from.backoff_max),
        ("backoff_jitter", |from, to| {
            to.backoff_jitter = from.backoff_jitter;
        }),
        ("raise_on_redirect", |from, to| {
            to.raise_on_redirect = from.raise_on_redirect;
        }),
        ("raise_on_status", |from, to| {
            to.raise_on_status = from.raise_on_status;
        }),
        ("respect_retry_after", |from, to| {
            to.respect_retry_after = from.respect_retry_after;
        }),
        ("retry_after_max", |from, to| {
            to.retry_after_max = from.retry_after_max;
        }),
        ("remove_headers_on_redirect", |from, to| {
            to.remove_headers_on_redirect
                .clone_from(&from.remove_headers_on_redirect);
        }),
    ];
    for (case, pick) in picks {
        let mut own = Retries::default();
        pick(&asked, &mut own);
        let mut expected = base.clone();
        pick(&asked, &mut expected);
        assert_ne!(expected, base, "{case} is not the default");
        assert_eq!(of(own.clone()).remaining(), expected, "{case}");
        let rules = RetryRules::default().overridden(asked.clone());
        let back = Retry::new(Rc::new(rules.overridden(own))).remaining();
        assert_eq!(back, asked, "{case}, of what it is already");
    }
}

/// urllib3's `test_retry_default` and `test_retry_default_remove_headers_on_redirect`.
#[test]
fn the_defaults_are_the_documented_ones() {
    let defaults = of(Retries::default()).remaining();
    let names = ["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"].map(str::to_owned);
    let expected = Retries {
        total: Some(AtMost(3)),
        connect: Some(Unlimited),
        read: Some(Unlimited),
        redirect: Some(Unlimited),
        status: Some(Unlimited),
        other: Some(Unlimited),
        methods: Some(RetriedMethods::Only(names.to_vec())),
        statuses: Some(Vec::new()),
        backoff_factor: Some(Duration::ZERO),
        backoff_max: Some(Duration::from_secs(120)),
        backoff_jitter: Some(Duration::ZERO),
        raise_on_redirect: Some(true),
        raise_on_status: Some(true),
        respect_retry_after: Some(true),
        retry_after_max: Some(Duration::from_secs(6 * 3600)),
        remove_headers_on_redirect: Some(
            ["cookie", "authorization", "proxy-authorization"]
                .map(str::to_owned)
                .to_vec(),
        ),
    };
    assert_eq!(defaults, expected);
}

#[test]
fn a_history_without_end_forgets_its_beginning() {
    let mut retry = of(Retries {
        backoff_factor: Some(Duration::from_secs(1)),
        ..with_total(Unlimited, Retries::default())
    });
    assert_eq!(after(&mut retry, "GET", Redirect), Again);
    for _ in 0..MAX_HISTORY {
        assert_eq!(after(&mut retry, "GET", Refused), Again);
    }
    assert_eq!(retry.history(), vec![entry(None, None); MAX_HISTORY]);
    let delay = retry.delay(None, || Duration::ZERO, || 0);
    assert_eq!(delay, DEFAULT_BACKOFF_MAX);
}
