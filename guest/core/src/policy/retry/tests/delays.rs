//! How long the next attempt waits.

use super::*;

fn backing_off() -> Retries {
    Retries {
        backoff_factor: Some(Duration::from_millis(200)),
        backoff_max: Some(Duration::from_secs(1)),
        statuses: Some(vec![500]),
        ..Retries::total(100)
    }
}

fn delay(retry: &Retry, response: Option<&Headers>) -> u128 {
    let no_clock = || -> Duration { panic!("no date, no clock") };
    let no_jitter = || -> u32 { panic!("no jitter, no random number") };
    retry.delay(response, no_clock, no_jitter).as_millis()
}

#[test]
fn backoff_counts_what_failed_since_the_last_redirect() {
    let mut retry = of(backing_off());
    assert_eq!(delay(&retry, None), 0, "before the first");
    for (case, outcome, expected) in [
        ("the first waits not at all", Refused, 0),
        ("twice the factor (test_backoff)", Silent, 400),
        ("four times", Status(500), 800),
        ("the maximum (test_configurable_backoff_max)", Refused, 1000),
        ("no more", Refused, 1000),
        (
            "a redirect (test_backoff_reset_after_redirect)",
            Redirect,
            0,
        ),
        ("another", Redirect, 0),
        ("from the start", Refused, 0),
        ("again twice", Untrusted, 400),
    ] {
        assert_eq!(after(&mut retry, "GET", outcome), Again, "{case}");
        assert_eq!(delay(&retry, None), expected, "{case}");
    }
    let mut plain = of(Retries::total(100));
    for _ in 0..5 {
        after(&mut plain, "GET", Refused);
        assert_eq!(delay(&plain, None), 0, "no factor (test_zero_backoff)");
    }
}

/// urllib3's `test_backoff_jitter`, at both ends of what is random.
#[test]
fn jitter_is_asked_for_where_there_is_a_delay() {
    let mut retry = of(Retries {
        backoff_jitter: Some(Duration::from_millis(400)),
        ..backing_off()
    });
    after(&mut retry, "GET", Refused);
    assert_eq!(delay(&retry, None), 0, "not before the first retry");
    for (least, most) in [(400, 800), (800, 1000), (1000, 1000)] {
        after(&mut retry, "GET", Refused);
        for (random, expected) in [(0, least), (u32::MAX, most)] {
            let delay = retry.delay(None, || panic!("no date, no clock"), || random);
            assert_eq!(delay.as_millis(), expected, "{random}");
        }
    }
    after(&mut retry, "GET", Redirect);
    assert_eq!(delay(&retry, None), 0, "not after a redirect");
}

/// urllib3's `test_respect_retry_after_header_sleep`, `test_configurable_retry_after_max`, `test_parse_retry_after` and
/// `test_parse_retry_after_invalid`.
#[test]
fn a_response_that_says_when_is_heard_first() {
    let asking = |value: &str| Headers::parse([("retry-after", value)]).unwrap();
    let eleven = Duration::from_secs(1_559_559_600);
    let of_two = |retries| {
        let mut retry = of(retries);
        after(&mut retry, "GET", Refused);
        after(&mut retry, "GET", Refused);
        retry
    };
    let respectful = of_two(backing_off());
    let disrespectful = of_two(Retries {
        respect_retry_after: Some(false),
        ..backing_off()
    });
    for (case, value, expected) in [
        ("seconds", "3600", 3_600_000),
        ("a date", "Mon, 03 Jun 2019 11:30:12 GMT", 1_812_000),
        ("an old date", "Monday, 03-Jun-19 11:30:12 GMT", 1_812_000),
        ("an ancient date", "Mon Jun  3 11:30:12 2019", 1_812_000),
        ("the present", "Mon, 03 Jun 2019 11:00:00 GMT", 400),
        ("the past", "Mon, 03 Jun 2019 10:00:00 GMT", 400),
        ("no time", "0", 400),
        ("spaces", "\t42 ", 42_000),
        ("less than nothing", "-1", 400),
        ("a sign", "+1", 400),
        ("a fraction", "1.0", 400),
        ("no digit", "\u{b2}", 400),
        ("words", "soon", 400),
        ("six hours", "21600", 21_600_000),
        ("more than six hours", "21601", 21_600_000),
        ("for ever", "99999999999999999999999999", 21_600_000),
    ] {
        let headers = asking(value);
        let ask = |retry: &Retry| retry.delay(Some(&headers), || eleven, || 0).as_millis();
        assert_eq!(ask(&respectful), expected, "{case}");
        assert_eq!(ask(&disrespectful), 400, "{case}, not respected");
    }
    let capped = of_two(Retries {
        retry_after_max: Some(Duration::from_secs(1)),
        ..backing_off()
    });
    assert_eq!(delay(&capped, Some(&asking("1"))), 1000);
    assert_eq!(delay(&capped, Some(&asking("2"))), 1000);
    assert_eq!(delay(&capped, Some(&Headers::default())), 400, "not asked");
    assert_eq!(
        delay(&respectful, Some(&asking("9"))),
        9000,
        "above the maximum of backoff"
    );
}
