//! `gzip` (RFC 1952): one or more members, each checked against its checksum and its length.

use flate2::{Crc, Decompress};

use super::deflate::inflate;
use super::gzip_header::{Header, MAGIC};
use super::undo::{Step, Undo};

/// Bytes behind a member's data: its CRC-32 and its length modulo 2^32.
const TRAILER: usize = 8;

pub(super) struct Gzip {
    part: Part,
    inflater: Decompress,
    crc: Crc,
    /// Whether a member was read whole, so that what follows may be garbage.
    has_member: bool,
}

enum Part {
    Header(Header),
    Data,
    Trailer(Vec<u8>),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Header(Header::new()),
            inflater: Decompress::new(false),
            crc: Crc::new(),
            has_member: false,
        }
    }

    /// Reads a header. Bytes after a member that are not another's header are ignored, as gzip itself and urllib3 do.
    fn header(&mut self, input: &[u8]) -> Result<Step, String> {
        let Part::Header(header) = &mut self.part else {
            return Ok(Step::default());
        };
        let before = header.length();
        for byte in input {
            let is_magic = MAGIC.get(header.length()).is_none_or(|magic| magic == byte);
            if !is_magic && self.has_member {
                return Ok(Step {
                    has_ended: true,
                    ..Step::default()
                });
            }
            if !is_magic {
                return Err("this is not gzip data".into());
            }
            header.push(*byte)?;
            if header.is_done() {
                break;
            }
        }
        let taken = header.length() - before;
        if header.is_done() {
            self.inflater.reset(false);
            self.crc.reset();
            self.part = Part::Data;
        }
        Ok(Step::took(taken))
    }

    fn data(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        let step = inflate(&mut self.inflater, input, output)?;
        self.crc
            .update(output.get(..step.given).unwrap_or_default());
        if step.has_ended {
            self.part = Part::Trailer(Vec::with_capacity(TRAILER));
            // An end of data that neither took nor gave would look like a step that needs more.
            return self.trailer(input.get(step.taken..).unwrap_or_default(), step);
        }
        Ok(step)
    }

    /// Reads what it can of a trailer, after a step that led to it.
    fn trailer(&mut self, input: &[u8], before: Step) -> Result<Step, String> {
        let Part::Trailer(held) = &mut self.part else {
            return Ok(before);
        };
        let taken = input.len().min(TRAILER - held.len());
        held.extend_from_slice(input.get(..taken).unwrap_or_default());
        if held.len() == TRAILER {
            let crc = self.crc.sum().to_le_bytes();
            if held.get(..4) != Some(&crc) {
                return Err("the checksum of gzip data does not match".into());
            }
            if held.get(4..) != Some(&self.crc.amount().to_le_bytes()) {
                return Err("the length of gzip data does not match".into());
            }
            self.has_member = true;
            self.part = Part::Header(Header::new());
        }
        Ok(Step {
            taken: before.taken + taken,
            given: before.given,
            has_ended: false,
        })
    }
}

impl Undo for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        match &self.part {
            Part::Header(_) => self.header(input),
            Part::Data => self.data(input, output),
            Part::Trailer(_) => self.trailer(input, Step::default()),
        }
    }

    fn may_end(&self) -> bool {
        self.has_member && matches!(&self.part, Part::Header(header) if header.length() == 0)
    }
}
