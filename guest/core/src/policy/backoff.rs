//! How long to wait before another attempt.

use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

/// How delays grow (urllib3: `backoff_factor`, `backoff_max`, `backoff_jitter`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Backoff {
    /// What they are multiples of.
    pub factor: Duration,
    /// None is longer.
    pub max: Duration,
    /// Up to this much is added at random.
    pub jitter: Duration,
}

impl Backoff {
    /// The delay after `failures` attempts in a row that were not redirects: none after the first, then the factor times 2, 4, 8 and so on.
    ///
    /// `random` says how much of the jitter is added: 0 nothing, `u32::MAX` all of it.
    #[must_use]
    pub fn delay(&self, failures: usize, random: u32) -> Duration {
        if failures <= 1 {
            return Duration::ZERO;
        }
        let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(63);
        let grown = self
            .factor
            .as_nanos()
            .saturating_mul(1_u128 << doublings)
            .min(self.max.as_nanos());
        let jitter = self.jitter.as_nanos() * u128::from(random) / u128::from(u32::MAX);
        nanos(grown.saturating_add(jitter)).min(self.max)
    }
}

/// The delay that a `Retry-After` asks for (RFC 9110, section 10.2.3): seconds, or a date of which `now`, since the beginning of 1970, is taken
/// off; `now` is called for a date alone. `None` where it is neither, which counts as absent.
#[must_use]
pub fn retry_after(
    value: &[u8],
    now: impl FnOnce() -> Duration,
    max: Duration,
) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are as good as for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)).min(max));
    }
    let since_1970 = date(text)?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since_1970.saturating_sub(now()).min(max))
}

/// A date in one of the three forms that HTTP has for it. RFC 9110, section 5.6.7 asks for tolerance as well: as in urllib3, the day of the
/// month may have one digit, and `GMT` may be called `UTC`.
fn date(text: &str) -> Option<SystemTime> {
    parse_http_date(text).ok().or_else(|| {
        let (day_name, rest) = text.split_once(", ")?;
        let zero = if rest.find(' ') == Some(1) { "0" } else { "" };
        let rest = rest
            .strip_suffix("UTC")
            .or_else(|| rest.strip_suffix("GMT"))?;
        parse_http_date(&format!("{day_name}, {zero}{rest}GMT")).ok()
    })
}

fn nanos(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn delays_double_up_to_their_maximum() {
        let backoff = Backoff {
            factor: millis(500),
            max: Duration::from_secs(120),
            jitter: Duration::ZERO,
        };
        let expected = [0, 0, 1, 2, 4, 8, 16, 32, 64, 120, 120];
        for (failures, seconds) in expected.into_iter().enumerate() {
            assert_eq!(
                backoff.delay(failures, 0),
                Duration::from_secs(seconds),
                "after {failures} failures"
            );
        }
        assert_eq!(backoff.delay(usize::MAX, 0), Duration::from_secs(120));
    }

    #[test]
    fn jitter_adds_its_share_and_respects_the_maximum() {
        for (case, factor, jitter, random, expected) in [
            ("none of it", 100, 400, 0, 200),
            ("half of it", 100, 400, u32::MAX / 2, 399),
            ("all of it", 100, 400, u32::MAX, 600),
            ("no more than the maximum", 100, 4000, u32::MAX, 1000),
            ("nothing to grow", 0, 400, u32::MAX, 400),
        ] {
            let backoff = Backoff {
                factor: millis(factor),
                max: millis(1000),
                jitter: millis(jitter),
            };
            assert_eq!(backoff.delay(2, random).as_millis(), expected, "{case}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Duration::from_secs(784_111_777);
        let max = Duration::from_secs(3600);
        for (value, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("99999999999999999999999", Some(3600)),
            ("86400", Some(3600)),
            ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sunday, 06-Nov-94 08:49:57 GMT", Some(20)),
            ("Sun Nov  6 08:49:57 1994", Some(20)),
            ("Sun, 6 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sun, 06 Nov 1994 08:49:57 UTC", Some(20)),
            ("Sun, 6 Nov 1994 08:49:57 UTC", Some(20)),
            ("Sun, 06 Nov 1994 08:49:17 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:49:57 GMT", None),
            ("Sun, 9 9 Nov 1994 08:49:57 UTC", None),
            ("Sun, 6 Nov 1994 08:49:57 EST", None),
            ("Sun, ", None),
            ("Sun, 06 Nov 99999 08:49:57 GMT", None),
        ] {
            assert_eq!(
                retry_after(value.as_bytes(), || now, max),
                expected.map(Duration::from_secs),
                "{value:?}"
            );
        }
        assert_eq!(retry_after(b"\xff", || now, max), None);
    }
}
