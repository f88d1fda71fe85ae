//! How values are shown.

use urlpool_core::types::{TlsVersion, Version};

/// The version of HTTP without its protocol's name.
pub(crate) const fn http_version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    }
}

/// The version of TLS without its protocol's name.
pub(crate) const fn tls_version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    }
}

/// Bytes as text: UTF-8 where they are, latin-1 where they are not.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

/// The text on one line and without anything that a terminal would act on: control characters are escaped.
pub(crate) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        for (case, text, expected) in [
            ("plain", "caf\u{e9} 1", "caf\u{e9} 1"),
            ("line break", "a\r\nb", "a\\r\\nb"),
            ("terminal escape", "\x1b[2J", "\\u{1b}[2J"),
            ("C1 control", "\u{9b}2J", "\\u{9b}2J"),
        ] {
            assert_eq!(one_line(text), expected, "{case}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_latin1() {
        assert_eq!(latin1(b"caf\xc3\xa9"), "caf\u{e9}");
        assert_eq!(latin1(b"caf\xe9"), "caf\u{e9}");
    }
}
