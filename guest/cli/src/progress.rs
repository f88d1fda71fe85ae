//! How far a body is, on one line of a terminal that is drawn over and wiped in the end.
//!
//! Decides when to draw and what; whoever makes one has found out that there is a terminal. Uses no clock but the one that it is given.

use std::io::Write;
use std::time::Duration;

use urlpool_core::types::{Method, ResponseHead};

/// The shortest time between two drawings.
const PAUSE: Duration = Duration::from_millis(100);
/// How many characters the bar has.
const BAR: usize = 30;
/// Back to the first column, and away with what is there (ECMA-48: CR, EL).
const WIPE: &str = "\r\x1b[K";

/// The line of a body that is on its way. Dropping it wipes the line.
pub(crate) struct Progress<'a> {
    terminal: &'a mut dyn Write,
    /// The time since the body began.
    clock: Box<dyn Fn() -> Duration + 'a>,
    /// How many bytes there will be, where that is known.
    total: Option<u64>,
    drawn: Duration,
}

impl<'a> Progress<'a> {
    /// Draws the line for the first time.
    pub(crate) fn new(
        total: Option<u64>,
        clock: impl Fn() -> Duration + 'a,
        terminal: &'a mut dyn Write,
    ) -> Self {
        let drawn = clock();
        let mut progress = Self {
            terminal,
            clock: Box::new(clock),
            total,
            drawn,
        };
        progress.draw(&line(0, total, drawn));
        progress
    }

    /// Shows that `done` bytes have come, unless the last time is not long ago.
    pub(crate) fn show(&mut self, done: u64) {
        let now = (self.clock)();
        if now.saturating_sub(self.drawn) < PAUSE {
            return;
        }
        self.drawn = now;
        self.draw(&line(done, self.total, now));
    }

    fn draw(&mut self, text: &str) {
        // Whoever closed the terminal does not look at it.
        let _ = write!(self.terminal, "{WIPE}{text}");
        let _ = self.terminal.flush();
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.draw("");
    }
}

/// How many bytes of a body are to be delivered, where its response says so: a coded body is longer or shorter once it is decoded.
pub(crate) fn announced(head: &ResponseHead, method: &Method, is_raw: bool) -> Option<u64> {
    if method.is("HEAD") || (head.headers.has("content-encoding") && !is_raw) {
        return None;
    }
    let length = head.headers.first("content-length")?;
    str::from_utf8(length).ok()?.parse().ok()
}

fn line(done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    let rate = u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX);
    let (came, rate) = (size(done), size(rate));
    let Some(total) = total.filter(|total| *total >= done && *total > 0) else {
        return format!("{came}, {rate}/s");
    };
    let of = |all: u128| u128::from(done) * all / u128::from(total);
    let filled = usize::try_from(of(BAR as u128)).unwrap_or(BAR);
    format!(
        "[{:BAR$}] {:3} %, {came} of {}, {rate}/s",
        "=".repeat(filled),
        of(100),
        size(total)
    )
}

/// Bytes in the unit that fits, cut to one decimal.
fn size(bytes: u64) -> String {
    let mut unit = (1, "B");
    for larger in [
        (1_000, "kB"),
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (1_000_000_000_000, "TB"),
    ] {
        if bytes >= larger.0 {
            unit = larger;
        }
    }
    match unit {
        (1, name) => format!("{bytes} {name}"),
        (size, name) => format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use urlpool_core::types::{ConnectionInfo, Headers, Version};

    use super::*;

    /// What a terminal gets when bytes come at these milliseconds.
    fn shown(total: Option<u64>, pieces: &[(u64, u64)]) -> String {
        let (now, mut terminal) = (Cell::new(Duration::ZERO), Vec::new());
        let mut progress = Progress::new(total, || now.get(), &mut terminal);
        for (millis, done) in pieces {
            now.set(Duration::from_millis(*millis));
            progress.show(*done);
        }
        drop(progress);
        String::from_utf8(terminal).unwrap()
    }

    #[test]
    fn it_is_drawn_ten_times_a_second_and_wiped() {
        for (case, pieces, expected) in [
            ("no byte", &[][..], &[][..]),
            ("soon over", &[(0, 1), (99, 2)], &[]),
            (
                "a second",
                &[
                    (50, 100),
                    (100, 200),
                    (150, 300),
                    (199, 301),
                    (200, 400),
                    (1000, 1500),
                ],
                &["200 B, 2.0 kB/s", "400 B, 2.0 kB/s", "1.5 kB, 1.5 kB/s"],
            ),
            (
                "a clock that stands still",
                &[(500, 5), (500, 6), (400, 7)],
                &["5 B, 10 B/s"],
            ),
        ] {
            let expected: String = ["0 B, 0 B/s"]
                .iter()
                .chain(expected)
                .chain(&[""])
                .map(|line| format!("\r\x1b[K{line}"))
                .collect();
            assert_eq!(shown(None, pieces), expected, "{case}");
        }
    }

    #[test]
    fn a_known_total_has_a_bar() {
        let second = Duration::from_secs(1);
        for (case, done, total, expected) in [
            (
                "a third",
                1_000_000,
                Some(3_000_000),
                "[==========                    ]  33 %, 1.0 MB of 3.0 MB, 1.0 MB/s",
            ),
            (
                "all",
                3,
                Some(3),
                "[==============================] 100 %, 3 B of 3 B, 3 B/s",
            ),
            (
                "hardly begun",
                0,
                Some(9),
                "[                              ]   0 %, 0 B of 9 B, 0 B/s",
            ),
            ("more than announced", 4, Some(3), "4 B, 4 B/s"),
            ("nothing announced", 0, Some(0), "0 B, 0 B/s"),
            (
                "as much as there is",
                u64::MAX,
                Some(u64::MAX),
                "[==============================] 100 %, 18446744.0 TB of 18446744.0 TB, 18446744.0 TB/s",
            ),
        ] {
            assert_eq!(line(done, total, second), expected, "{case}");
        }
    }

    #[test]
    fn the_total_is_that_of_the_bytes_delivered() {
        for (case, fields, method, is_raw, expected) in [
            ("none", &[][..], "GET", false, None),
            (
                "a length",
                &[("Content-Length", "5")],
                "GET",
                false,
                Some(5),
            ),
            ("no body", &[("Content-Length", "5")], "HEAD", false, None),
            (
                "decoded",
                &[("Content-Length", "5"), ("Content-Encoding", "gzip")],
                "GET",
                false,
                None,
            ),
            (
                "left alone",
                &[("Content-Length", "5"), ("Content-Encoding", "gzip")],
                "GET",
                true,
                Some(5),
            ),
            (
                "not a number",
                &[("Content-Length", "x")],
                "GET",
                false,
                None,
            ),
        ] {
            let head = ResponseHead {
                status: 200,
                version: Version::Http11,
                reason: String::new(),
                url: String::new(),
                headers: Headers::parse(fields.iter().copied()).unwrap(),
                connection: ConnectionInfo {
                    number: 1,
                    reused: false,
                    remote: String::new(),
                    tls: None,
                    is_verified: false,
                    proxy_is_verified: false,
                },
            };
            let method = Method::parse(method).unwrap();
            assert_eq!(announced(&head, &method, is_raw), expected, "{case}");
        }
    }
}
