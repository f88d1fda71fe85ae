//! The colours of what is told on standard error: only on a terminal, and only where nobody wants none.
//!
//! Decides what has which colour. Bodies, reports and help have none.

use std::ffi::OsString;

/// Back to how the terminal was (ECMA-48: SGR).
const PLAIN: &str = "\x1b[0m";

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// `NO_COLOR`, where it is not empty, and a terminal that calls itself dumb are for none.
    pub(crate) fn new(is_terminal: bool, variables: &[(OsString, OsString)]) -> Self {
        let is_against = |(name, value): &(OsString, OsString)| match name.to_str() {
            Some("NO_COLOR") => !value.is_empty(),
            Some("TERM") => value == "dumb",
            _ => false,
        };
        Self(is_terminal && !variables.iter().any(is_against))
    }

    /// Our name before an error or a warning.
    pub(crate) fn name(self, name: &str) -> String {
        self.coloured("\x1b[1;31m", name)
    }

    /// A line of `--verbose`, by its mark: facts step back behind what was sent and what was received.
    pub(crate) fn told(self, line: &str) -> String {
        match line.chars().next() {
            Some('>') => self.coloured("\x1b[36m", line),
            Some('<') => self.coloured("\x1b[32m", line),
            _ => self.coloured("\x1b[2m", line),
        }
    }

    fn coloured(self, colour: &str, text: &str) -> String {
        match self.0 {
            true => format!("{colour}{text}{PLAIN}"),
            false => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        for (case, is_terminal, variables, expected) in [
            ("a terminal", true, vec![("TERM", "xterm")], true),
            ("no terminal", false, vec![("TERM", "xterm")], false),
            ("none wanted", true, vec![("NO_COLOR", "1")], false),
            ("nothing said", true, vec![("NO_COLOR", "")], true),
            ("a dumb terminal", true, vec![("TERM", "dumb")], false),
        ] {
            let variables: Vec<_> = variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect();
            let paint = Paint::new(is_terminal, &variables);
            assert_eq!(paint.0, expected, "{case}");
        }
    }

    #[test]
    fn each_line_ends_plain() {
        for (line, expected) in [
            ("* fact", "\x1b[2m* fact\x1b[0m"),
            ("> GET", "\x1b[36m> GET\x1b[0m"),
            ("< HTTP", "\x1b[32m< HTTP\x1b[0m"),
        ] {
            assert_eq!(Paint(true).told(line), expected);
            assert_eq!(Paint(false).told(line), line);
        }
        assert_eq!(Paint(true).name("urlpool:"), "\x1b[1;31murlpool:\x1b[0m");
    }
}
