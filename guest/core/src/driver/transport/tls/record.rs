//! Where TLS records begin and end (RFC 8446, section 5.1), which rustls does not tell.

/// The type, the version and the length of a record.
const HEADER: usize = 5;

/// Follows the bytes that arrive from record to record.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    header: Vec<u8>,
    left: usize,
}

impl Boundary {
    /// Takes note of what has arrived.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = if self.left > 0 {
                self.left
            } else {
                HEADER - self.header.len()
            };
            let (front, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.left > 0 {
                self.left -= front.len();
                continue;
            }
            self.header.extend_from_slice(front);
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
            }
        }
    }

    /// Whether the last record has arrived whole.
    pub(super) const fn is_between_records(&self) -> bool {
        self.left == 0 && self.header.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_ends_where_its_length_says() {
        let records = [
            &[23, 3, 3, 0, 2, 7, 7][..],
            &[23, 3, 3, 0, 0],
            &[21, 3, 3, 1, 0],
            &[9; 256],
        ]
        .concat();
        let ends = [0, 7, 12, 12 + 5 + 256];
        for split in 0..=records.len() {
            let mut boundary = Boundary::default();
            boundary.pass(&records[..split]);
            assert_eq!(
                boundary.is_between_records(),
                ends.contains(&split),
                "after {split} bytes"
            );
            boundary.pass(&records[split..]);
            assert!(boundary.is_between_records(), "split at {split}");
        }
    }
}
