//! How values are shown.

use std::io;

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

/// Why a file cannot be opened. A WASI host shows only folders that it was told of, and everything else as missing.
pub(crate) fn file_error(cause: &io::Error) -> String {
    if cfg!(target_os = "wasi") && cause.kind() == io::ErrorKind::NotFound {
        format!("{cause}; name its folder to the host: wasmtime run --dir FOLDER")
    } else {
        cause.to_string()
    }
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
}
