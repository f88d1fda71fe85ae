//! Bytes as hexadecimal digits and back.

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(digits).collect()
}

/// The bytes that hexadecimal digits stand for.
pub(super) fn unhexed(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_digits_and_digits_bytes() {
        assert_eq!(hexadecimal(&[0, 0x9a, 0xff]), "009aff");
        for (digits, bytes) in [
            ("", Some(vec![])),
            ("009aFF", Some(vec![0, 0x9a, 0xff])),
            ("0", None),
            ("0g", None),
            ("+1", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(unhexed(digits), bytes, "{digits:?}");
        }
    }
}
