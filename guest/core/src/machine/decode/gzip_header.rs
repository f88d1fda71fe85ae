//! The header of a gzip member (RFC 1952, section 2.3), a byte at a time; nothing in it is kept.

use flate2::Crc;

/// What every member begins with: the magic number and the one method there is.
pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a header, with the longest extra field there can be and 64 KiB for the file's name and its comment.
const MAX_HEADER: usize = 128 * 1024;

const HAS_CHECK: u8 = 0x02;
const HAS_EXTRA: u8 = 0x04;
const HAS_NAME: u8 = 0x08;
const HAS_COMMENT: u8 = 0x10;
const RESERVED: u8 = 0xe0;

/// What the next byte belongs to, in the order of the fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    /// The ten bytes that every header has.
    Fixed,
    ExtraLow,
    ExtraHigh(u8),
    Extra(u16),
    Name,
    Comment,
    CheckLow,
    CheckHigh(u8),
    Done,
}

pub(super) struct Header {
    field: Field,
    flags: u8,
    length: usize,
    crc: Crc,
}

impl Header {
    pub(super) fn new() -> Self {
        Self {
            field: Field::Fixed,
            flags: 0,
            length: 0,
            crc: Crc::new(),
        }
    }

    /// Bytes read so far.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    pub(super) fn is_done(&self) -> bool {
        self.field == Field::Done
    }

    /// Reads one byte. The caller has compared those of [`MAGIC`].
    pub(super) fn push(&mut self, byte: u8) -> Result<(), String> {
        if self.length == MAX_HEADER {
            return Err(format!("a gzip header has more than {MAX_HEADER} bytes"));
        }
        self.field = match self.field {
            Field::Fixed => self.fixed(byte)?,
            Field::ExtraLow => Field::ExtraHigh(byte),
            Field::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.after_extra(),
                left => Field::Extra(left),
            },
            Field::Extra(1) => self.after_extra(),
            Field::Extra(left) => Field::Extra(left - 1),
            Field::Name if byte == 0 => self.after_name(),
            Field::Comment if byte == 0 => self.after_comment(),
            Field::CheckLow => Field::CheckHigh(byte),
            Field::CheckHigh(low) => self.check(u16::from_le_bytes([low, byte]))?,
            field @ (Field::Name | Field::Comment | Field::Done) => field,
        };
        self.length += 1;
        // The check covers all that comes before it.
        if !matches!(self.field, Field::CheckHigh(_)) {
            self.crc.update(&[byte]);
        }
        Ok(())
    }

    fn fixed(&mut self, byte: u8) -> Result<Field, String> {
        match self.length {
            3 if byte & RESERVED != 0 => return Err("a gzip header has reserved flags".into()),
            3 => self.flags = byte,
            9 if self.flags & HAS_EXTRA != 0 => return Ok(Field::ExtraLow),
            9 => return Ok(self.after_extra()),
            _ => {}
        }
        Ok(Field::Fixed)
    }

    const fn after_extra(&self) -> Field {
        if self.flags & HAS_NAME != 0 {
            Field::Name
        } else {
            self.after_name()
        }
    }

    const fn after_name(&self) -> Field {
        if self.flags & HAS_COMMENT != 0 {
            Field::Comment
        } else {
            self.after_comment()
        }
    }

    const fn after_comment(&self) -> Field {
        if self.flags & HAS_CHECK != 0 {
            Field::CheckLow
        } else {
            Field::Done
        }
    }

    fn check(&self, expected: u16) -> Result<Field, String> {
        if self.crc.sum() & 0xffff == u32::from(expected) {
            Ok(Field::Done)
        } else {
            Err("the checksum of a gzip header does not match".into())
        }
    }
}
