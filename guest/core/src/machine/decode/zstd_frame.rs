//! The headers of zstd frames and blocks (RFC 8878, section 3.1.1), read by ourselves: the decoder behind us takes whole blocks only, and
//! the limits are ours.

/// A frame that holds content.
pub(super) const MAGIC: u32 = 0xfd2f_b528;
/// Frames to be skipped have any of sixteen numbers.
pub(super) const SKIPPABLE: u32 = 0x184d_2a50;

/// The largest window of the content coding `zstd` (RFC 9659, section 3).
const MAX_WINDOW: u64 = 8 * 1024 * 1024;
/// The largest block, compressed or not (RFC 8878, section 3.1.1.2.4).
pub(super) const MAX_BLOCK: usize = 128 * 1024;

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Frame {
    /// How far back its blocks may refer, in bytes.
    pub(super) window: usize,
    /// How many bytes its blocks come to; none where it does not tell.
    pub(super) content: Option<u64>,
    /// Whether a checksum follows the last block.
    pub(super) has_checksum: bool,
}

impl Frame {
    /// The most that a block of this frame may come to.
    pub(super) fn max_block(&self) -> usize {
        self.window.min(MAX_BLOCK)
    }

    /// Bytes of the header that follow its first one, the descriptor.
    pub(super) fn header_length(descriptor: u8) -> usize {
        usize::from(!is_single_segment(descriptor))
            + dictionary_length(descriptor)
            + content_length(descriptor)
    }

    /// Reads a header from its descriptor on; `header` is as long as [`header_length`](Self::header_length) says.
    ///
    /// # Errors
    /// Where the window is too large for us, a dictionary is needed or a reserved bit is set.
    pub(super) fn parse(header: &[u8]) -> Result<Self, String> {
        let (descriptor, rest) = header
            .split_first()
            .ok_or("a Zstandard frame has no header")?;
        if descriptor & 0x08 != 0 {
            return Err("a Zstandard frame has a reserved flag".into());
        }
        let (window, rest) = rest
            .split_at_checked(usize::from(!is_single_segment(*descriptor)))
            .unwrap_or_default();
        let (dictionary, content) = rest
            .split_at_checked(dictionary_length(*descriptor))
            .unwrap_or_default();
        if dictionary.iter().any(|byte| *byte != 0) {
            return Err("a Zstandard frame needs a dictionary".into());
        }
        let content = match content.len() {
            0 => None,
            // A size in two bytes begins where one byte ends.
            2 => Some(little_endian(content) + 256),
            _ => Some(little_endian(content)),
        };
        let window = match window.first() {
            Some(byte) => window_size(*byte),
            None => content.unwrap_or_default(),
        };
        if window > MAX_WINDOW {
            return Err(format!(
                "a Zstandard frame has a window of {window} bytes, more than {MAX_WINDOW}"
            ));
        }
        Ok(Self {
            window: usize::try_from(window).unwrap_or_default(),
            content,
            has_checksum: descriptor & 0x04 != 0,
        })
    }
}

/// What a block says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Block {
    pub(super) is_last: bool,
    /// Bytes that follow its header.
    pub(super) length: usize,
}

impl Block {
    /// Bytes of a block's header.
    pub(super) const HEADER: usize = 3;

    /// Reads a block's header.
    ///
    /// # Errors
    /// Where its type is reserved or its size is more than `max`.
    pub(super) fn parse(header: &[u8], max: usize) -> Result<Self, String> {
        let header = little_endian(header);
        let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
        if size > max {
            return Err("a Zstandard block is too large".into());
        }
        let length = match header >> 1 & 3 {
            // One byte, repeated.
            1 => 1,
            3 => return Err("a Zstandard block has a reserved type".into()),
            _ => size,
        };
        Ok(Self {
            is_last: header & 1 != 0,
            length,
        })
    }
}

/// A number of up to eight bytes, the lowest first.
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

const fn is_single_segment(descriptor: u8) -> bool {
    descriptor & 0x20 != 0
}

fn dictionary_length(descriptor: u8) -> usize {
    match descriptor & 3 {
        3 => 4,
        length => usize::from(length),
    }
}

fn content_length(descriptor: u8) -> usize {
    match descriptor >> 6 {
        0 => usize::from(is_single_segment(descriptor)),
        power => 1 << power,
    }
}

const fn window_size(byte: u8) -> u64 {
    let base = 1_u64 << (10 + (byte >> 3));
    base + base / 8 * (byte & 7) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_within_limits() {
        const MIB: usize = 1024 * 1024;
        let frame = |window, content, has_checksum| {
            Ok(Frame {
                window,
                content,
                has_checksum,
            })
        };
        let error = |text: &str| Err(text.to_owned());
        let rows: [(&str, &[u8], Result<Frame, String>); 14] = [
            ("smallest window", &[0, 0], frame(1024, None, false)),
            ("a fraction", &[0, 0x0b], frame(2048 + 768, None, false)),
            (
                "largest window",
                &[0x04, 13 << 3],
                frame(8 * MIB, None, true),
            ),
            (
                "a window past the largest",
                &[0, 13 << 3 | 1],
                error("a Zstandard frame has a window of 9437184 bytes, more than 8388608"),
            ),
            (
                "the widest window there is",
                &[0, 0xff],
                error("a Zstandard frame has a window of 4123168604160 bytes, more than 8388608"),
            ),
            ("one segment", &[0x20, 5], frame(5, Some(5), false)),
            ("one empty segment", &[0x20, 0], frame(0, Some(0), false)),
            ("two bytes", &[0x60, 1, 0], frame(257, Some(257), false)),
            (
                "four bytes",
                &[0xa0, 0, 0, 0x80, 0],
                frame(8 * MIB, Some(8 << 20), false),
            ),
            (
                "one segment that is too large",
                &[0xa0, 1, 0, 0x80, 0],
                error("a Zstandard frame has a window of 8388609 bytes, more than 8388608"),
            ),
            (
                "eight bytes and a window",
                &[0xc0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
                frame(1024, Some(1 << 32), false),
            ),
            (
                "a dictionary of number 0",
                &[0x01, 0, 0],
                frame(1024, None, false),
            ),
            (
                "a dictionary",
                &[0x03, 0, 0, 0, 0, 1],
                error("a Zstandard frame needs a dictionary"),
            ),
            (
                "a reserved flag",
                &[0x08, 0],
                error("a Zstandard frame has a reserved flag"),
            ),
        ];
        for (case, header, expected) in rows {
            assert_eq!(
                1 + Frame::header_length(header[0]),
                header.len(),
                "length of {case}"
            );
            assert_eq!(Frame::parse(header), expected, "{case}");
        }
    }

    #[test]
    fn blocks_are_bounded() {
        let block = |is_last, length| Ok(Block { is_last, length });
        let error = |text: &str| Err(text.to_owned());
        let rows = [
            ("raw", [5 << 3, 0, 0], block(false, 5)),
            ("last and empty", [1, 0, 0], block(true, 0)),
            ("repeated", [2 | 1, 4, 0], block(true, 1)),
            ("compressed", [4, 32, 0], block(false, 1024)),
            (
                "too large",
                [0x0c, 32, 0],
                error("a Zstandard block is too large"),
            ),
            (
                "repeated too often",
                [2, 0, 1],
                error("a Zstandard block is too large"),
            ),
            (
                "reserved",
                [6, 0, 0],
                error("a Zstandard block has a reserved type"),
            ),
        ];
        for (case, header, expected) in rows {
            assert_eq!(Block::parse(&header, 1024), expected, "{case}");
        }
    }
}
