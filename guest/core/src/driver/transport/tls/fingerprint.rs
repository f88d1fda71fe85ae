//! A certificate known by its hash (urllib3: `assert_fingerprint`).

use std::fmt;

use md5::{Digest as _, Md5};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::hex::{hexadecimal, unhexed};

/// The hash that a certificate must have; which one, its length says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fingerprint(Vec<u8>);

/// A certificate has another hash.
#[derive(Debug)]
pub(super) struct Mismatch {
    expected: String,
    found: String,
}

impl Fingerprint {
    /// Hexadecimal digits, with colons or without, in urllib3's words where they are not.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let digits = text.replace(':', "").to_ascii_lowercase();
        if !matches!(digits.len(), 32 | 40 | 64) {
            return Err(format!("Fingerprint of invalid length: {digits}"));
        }
        unhexed(&digits)
            .map(Self)
            .ok_or_else(|| format!("Fingerprint is not hexadecimal: {digits}"))
    }

    /// Whether it is that of a certificate, given as DER. Hashes are no secrets, so how long the comparison takes does not matter.
    pub(super) fn check(&self, certificate: &[u8]) -> Result<(), Mismatch> {
        let found = match self.0.len() {
            16 => Md5::digest(certificate).to_vec(),
            20 => digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate)
                .as_ref()
                .to_vec(),
            _ => digest(&SHA256, certificate).as_ref().to_vec(),
        };
        if found == self.0 {
            return Ok(());
        }
        Err(Mismatch {
            expected: hexadecimal(&self.0),
            found: hexadecimal(&found),
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        write!(
            formatter,
            "Fingerprints did not match. Expected \"{expected}\", got \"{found}\""
        )
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_length_says_which_hash_it_is() {
        for (case, text) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", SHA256_OF_ABC),
            (
                "colons and capitals",
                "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
            ),
        ] {
            let fingerprint = Fingerprint::parse(text).unwrap();
            assert!(fingerprint.check(b"abc").is_ok(), "{case}");
            let told = fingerprint.check(b"abd").unwrap_err().to_string();
            let expected = text.replace(':', "").to_ascii_lowercase();
            let start = format!("Fingerprints did not match. Expected \"{expected}\", got \"");
            assert!(told.starts_with(&start), "{case}: {told}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_told_apart() {
        let odd = "g".repeat(64);
        for (text, expected) in [
            ("", "Fingerprint of invalid length: "),
            ("AA:BB", "Fingerprint of invalid length: aabb"),
            (
                &SHA256_OF_ABC[1..],
                &format!("Fingerprint of invalid length: {}", &SHA256_OF_ABC[1..]),
            ),
            (&odd, &format!("Fingerprint is not hexadecimal: {odd}")),
        ] {
            assert_eq!(Fingerprint::parse(text), Err(expected.into()));
        }
    }
}
