//! The blocks of a PEM text (RFC 7468), and the older ones with header lines (RFC 1421) that OpenSSL writes for encrypted keys.
//!
//! A crate that reads such headers passes over a block whose end is missing; here that is a mistake like any other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// What stands between a line that begins a block and the one that ends it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// As in `BEGIN CERTIFICATE`.
    pub(super) label: String,
    /// The header lines by name, in order.
    pub(super) headers: Vec<(String, String)>,
    pub(super) der: Vec<u8>,
}

impl Block {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Whether these bytes are meant as PEM.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    let mut windows = bytes.windows(BEGIN.len());
    windows.any(|window| window == BEGIN.as_bytes())
}

/// All blocks in order. What stands around them is of no interest.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(str::trim);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(label) = marked(line, BEGIN) {
            blocks.push(block(label, &mut lines)?);
        }
    }
    Ok(blocks)
}

/// The label of a line that begins or ends a block.
fn marked<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.strip_prefix(mark)?.strip_suffix(DASHES)
}

fn block<'a>(label: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Block, String> {
    let malformed = |what: &str| format!("the PEM is malformed: {what} {label}");
    let mut headers = Vec::new();
    let mut body = String::new();
    loop {
        let line = lines.next().ok_or_else(|| malformed("no END of"))?;
        if let Some(end) = marked(line, END) {
            if end != label {
                return Err(malformed("another END than that of"));
            }
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if body.is_empty() => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => body.push_str(line),
        }
    }
    let der = STANDARD
        .decode(&body)
        .map_err(|_| malformed("no base64 in"))?;
    Ok(Block {
        label: label.to_owned(),
        headers,
        der,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_among_other_text() {
        let text = "subject=a\r\n-----BEGIN ONE-----\r\nAQ\r\nID\r\n-----END ONE-----\r\nmore: text\n\
                    -----BEGIN TWO KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\nBA==\n-----END TWO KEY-----";
        let found = blocks(text.as_bytes()).unwrap();
        let [one, two] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(
            (one.label.as_str(), one.der.as_slice()),
            ("ONE", &[1, 2, 3][..])
        );
        assert_eq!(
            (two.label.as_str(), two.der.as_slice()),
            ("TWO KEY", &[4][..])
        );
        assert_eq!(two.header("DEK-Info"), Some("X,00"));
        assert_eq!(one.header("DEK-Info"), None);
    }

    #[test]
    fn what_is_no_block_is_told_apart() {
        for (case, text, expected) in [
            ("nothing", "", Ok(0)),
            ("no block", "hello", Ok(0)),
            ("an end alone", "-----END A-----", Ok(0)),
            ("empty", "-----BEGIN A-----\n-----END A-----", Ok(1)),
            ("cut short", "-----BEGIN A-----\nAQID\n", Err("no END of A")),
            (
                "cut short before another",
                "-----BEGIN A-----\nAQID\n-----BEGIN B-----\nAQID\n-----END B-----",
                Err("another END than that of A"),
            ),
            (
                "no base64",
                "-----BEGIN A-----\n!!!!\n-----END A-----",
                Err("no base64 in A"),
            ),
            (
                "half of base64",
                "-----BEGIN A-----\nAQI\n-----END A-----",
                Err("no base64 in A"),
            ),
        ] {
            let found = blocks(text.as_bytes()).map(|found| found.len());
            let expected = expected.map_err(|what| format!("the PEM is malformed: {what}"));
            assert_eq!(found, expected, "{case}");
        }
    }
}
