//! As much of DER (X.690) as it takes to find one's way in an encrypted key and in certificates one after another.

/// The tags that are looked for.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// What is left to read of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value with its tag and length, where it is whole and has this tag.
    pub(super) fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = self.0;
        self.next(tag)?;
        before.get(..before.len() - self.0.len())
    }

    /// The content of the next value, where it is whole and has this tag.
    pub(super) fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            // Four bytes of length are more than any key has.
            let count = usize::from(first & 0x7f);
            let (digits, rest) = rest.split_at_checked(count)?;
            if !(1..=4).contains(&count) {
                return None;
            }
            let add = |length: usize, digit: &u8| (length << 8) | usize::from(*digit);
            (digits.iter().fold(0, add), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        if found != tag {
            return None;
        }
        self.0 = rest;
        Some(content)
    }

    /// The next value, a sequence.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.next(SEQUENCE).map(Self)
    }

    /// The next value, a number of at most 32 bits.
    pub(super) fn number(&mut self) -> Option<u32> {
        let digits = self.next(INTEGER)?;
        let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
        if digits.len() > 4 {
            return None;
        }
        let add = |number: u32, digit: &u8| (number << 8) | u32::from(*digit);
        Some(digits.iter().fold(0, add))
    }
}

/// Whether these bytes are one sequence and nothing more.
pub(super) fn is_sequence(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    reader.next(SEQUENCE).is_some() && reader.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_order() {
        let bytes = [
            &[0x30, 8, 2, 3, 0, 0x80, 1, 4, 1, 9][..],
            &[4, 0x81, 0x80],
            &[7; 128],
        ]
        .concat();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.whole(SEQUENCE), Some(&bytes[..10]));
        let mut reader = Reader::new(&bytes);
        let mut inner = reader.sequence().unwrap();
        assert_eq!(inner.peek(), Some(INTEGER));
        assert_eq!(inner.number(), Some(0x8001));
        assert_eq!(inner.next(OCTETS), Some(&[9][..]));
        assert!(inner.is_empty());
        assert_eq!(reader.next(OCTETS), Some(&[7; 128][..]));
    }

    #[test]
    fn what_is_cut_short_or_another_value_is_not_read() {
        for (case, bytes) in [
            ("nothing", &[][..]),
            ("a tag", &[4]),
            ("cut", &[4, 2, 1]),
            ("another tag", &[2, 1, 1]),
            ("no definite length", &[4, 0x80, 0, 0]),
            ("length cut", &[4, 0x82, 1]),
            ("length of lengths", &[4, 0x85, 0, 0, 0, 0, 1, 9]),
            ("larger than anything", &[4, 0x84, 0xff, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(Reader::new(bytes).next(OCTETS), None, "{case}");
        }
        assert_eq!(Reader::new(&[2, 5, 1, 0, 0, 0, 0]).number(), None);
    }
}
