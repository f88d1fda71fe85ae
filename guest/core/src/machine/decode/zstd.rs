//! `zstd` (RFC 8878): frames in a row, some to be skipped, each checked against its length and its checksum.
//!
//! The decoder behind us, `ruzstd`, hands nothing out before a whole window has passed, which would hold a flushed stream back for up to
//! 8 MiB. So it is told that every block is its frame's last, after which all it holds can be looked at, and how much history it keeps is
//! decided here.

use std::hash::Hasher as _;
use std::io::{self, Read as _, Write};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use twox_hash::XxHash64;

use super::undo::{Step, Undo};
use super::zstd_frame::{Block, Frame, MAGIC, MAX_BLOCK, SKIPPABLE, little_endian};

/// Bytes of a magic number, a skippable frame's length or a checksum.
const WORD: usize = 4;

pub(super) struct Zstd {
    part: Part,
    /// The part as far as it was read.
    held: Vec<u8>,
    /// How long it is.
    wanted: usize,
    frame: Frame,
    /// Bytes that the blocks of this frame have come to.
    total: u64,
    hash: XxHash64,
    decoder: FrameDecoder,
    /// Bytes in `decoder`: first those that were given, kept as history, then those that were not.
    decoded: usize,
    given: usize,
}

/// What is being read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Magic,
    SkipLength,
    Skip(u64),
    Descriptor,
    FrameHeader,
    BlockHeader,
    Block { is_last: bool },
    Checksum,
}

impl Zstd {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Magic,
            held: Vec::new(),
            wanted: WORD,
            frame: Frame::default(),
            total: 0,
            hash: XxHash64::with_seed(0),
            decoder: FrameDecoder::new(),
            decoded: 0,
            given: 0,
        }
    }

    fn expect(&mut self, part: Part, wanted: usize) {
        self.held.clear();
        self.continue_as(part, wanted);
    }

    /// Like [`expect`](Self::expect), keeping what is held as the part's beginning.
    const fn continue_as(&mut self, part: Part, wanted: usize) {
        self.part = part;
        self.wanted = wanted;
    }

    /// Acts on a part that is held whole.
    fn act(&mut self) -> Result<(), String> {
        match self.part {
            Part::Magic => self.magic()?,
            Part::SkipLength => {
                let part = match little_endian(&self.held) {
                    0 => Part::Magic,
                    length => Part::Skip(length),
                };
                self.expect(part, WORD);
            }
            Part::Skip(_) => {}
            Part::Descriptor => {
                let descriptor = self.held.first().copied().unwrap_or_default();
                self.continue_as(Part::FrameHeader, 1 + Frame::header_length(descriptor));
            }
            Part::FrameHeader => self.begin()?,
            Part::BlockHeader => {
                let block = Block::parse(&self.held, self.frame.max_block())?;
                let is_last = block.is_last;
                self.continue_as(Part::Block { is_last }, Block::HEADER + block.length);
            }
            Part::Block { is_last } => self.block(is_last)?,
            Part::Checksum => {
                if !self.hash.finish().to_le_bytes().starts_with(&self.held) {
                    return Err("the checksum of a Zstandard frame does not match".into());
                }
                self.expect(Part::Magic, WORD);
            }
        }
        Ok(())
    }

    fn magic(&mut self) -> Result<(), String> {
        let number = little_endian(&self.held);
        if number == u64::from(MAGIC) {
            self.expect(Part::Descriptor, 1);
        } else if number >> 4 == u64::from(SKIPPABLE >> 4) {
            self.expect(Part::SkipLength, WORD);
        } else {
            return Err("this is not Zstandard data".into());
        }
        Ok(())
    }

    /// Begins a frame.
    fn begin(&mut self) -> Result<(), String> {
        self.frame = Frame::parse(&self.held)?;
        (self.total, self.decoded, self.given) = (0, 0, 0);
        self.hash = XxHash64::with_seed(0);
        // A frame of one segment, as large as a block may be here: the window and the checksum are our business.
        let mut header = MAGIC.to_le_bytes().to_vec();
        header.push(0xa0);
        let size = u32::try_from(self.frame.max_block()).unwrap_or_default();
        header.extend(size.to_le_bytes());
        self.decoder
            .init(header.as_slice())
            .map_err(|_| "invalid Zstandard frame")?;
        self.expect(Part::BlockHeader, Block::HEADER);
        Ok(())
    }

    /// Decodes a block.
    fn block(&mut self, is_last: bool) -> Result<(), String> {
        if let Some(first) = self.held.first_mut() {
            *first |= 1;
        }
        decode(&mut self.decoder, self.held.as_slice())?;
        let fresh = self.decoder.can_collect().saturating_sub(self.decoded);
        self.decoded += fresh;
        self.total += fresh as u64;
        let is_short = |content: u64| self.total < content && is_last;
        let is_wrong = |content: u64| self.total > content || is_short(content);
        if fresh > self.frame.max_block() || self.frame.content.is_some_and(is_wrong) {
            return Err("the length of a Zstandard frame does not match".into());
        }
        if !is_last {
            self.expect(Part::BlockHeader, Block::HEADER);
        } else if self.frame.has_checksum {
            self.expect(Part::Checksum, WORD);
        } else {
            self.expect(Part::Magic, WORD);
        }
        Ok(())
    }

    /// Gives decoded bytes, and forgets history that has become too old.
    fn give(&mut self, output: &mut [u8]) -> Result<Step, String> {
        let mut look = Look {
            skipped: self.given,
            output,
            given: 0,
        };
        // It always "fails": that is how everything stays where it is.
        let _ = self.decoder.collect_to_writer(&mut look);
        let given = look.given;
        if given == 0 {
            return Err("Zstandard data went missing".into());
        }
        if self.frame.has_checksum {
            self.hash.write(output.get(..given).unwrap_or_default());
        }
        self.given += given;
        let kept = self.frame.window + self.frame.window.max(MAX_BLOCK);
        if self.given == self.decoded && self.decoded >= kept {
            self.forget()?;
        }
        Ok(Step {
            given,
            ..Step::default()
        })
    }

    /// Keeps one window of history, moved to the front of the decoder's buffer so that all of it is in one piece.
    ///
    /// Done once for every window of output, so a byte is copied twice at most.
    fn forget(&mut self) -> Result<(), String> {
        let mut old = Discard(self.decoded - self.frame.window);
        let _ = self.decoder.collect_to_writer(&mut old);
        let history = self.decoder.collect().unwrap_or_default();
        if history.len() != self.frame.window {
            return Err("Zstandard data went missing".into());
        }
        for part in history.chunks(self.frame.max_block()) {
            let header = u32::try_from(part.len()).unwrap_or_default() << 3 | 1;
            let header = header.to_le_bytes();
            decode(&mut self.decoder, header.as_slice().take(3).chain(part))?;
        }
        (self.decoded, self.given) = (history.len(), history.len());
        Ok(())
    }
}

impl Undo for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        if self.given < self.decoded {
            return self.give(output);
        }
        if let Part::Skip(left) = self.part {
            let taken = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match left - taken as u64 {
                0 => self.expect(Part::Magic, WORD),
                left => self.part = Part::Skip(left),
            }
            return Ok(Step::took(taken));
        }
        let taken = input.len().min(self.wanted - self.held.len());
        self.held
            .extend_from_slice(input.get(..taken).unwrap_or_default());
        while self.held.len() == self.wanted {
            self.act()?;
        }
        Ok(Step::took(taken))
    }

    fn may_end(&self) -> bool {
        self.part == Part::Magic && self.held.is_empty()
    }
}

/// Decodes one whole block that says it is the last.
fn decode(decoder: &mut FrameDecoder, block: impl io::Read) -> Result<(), String> {
    decoder
        .decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1))
        .map(|_| ())
        .map_err(|_| "invalid Zstandard data".into())
}

/// Copies from what it is shown and takes nothing of it.
struct Look<'a> {
    skipped: usize,
    output: &'a mut [u8],
    given: usize,
}

impl Write for Look<'_> {
    fn write(&mut self, shown: &[u8]) -> io::Result<usize> {
        let fresh = shown.get(self.skipped..).unwrap_or_default();
        self.given = fresh.len().min(self.output.len());
        if let (Some(to), Some(from)) = (self.output.get_mut(..self.given), fresh.get(..self.given))
        {
            to.copy_from_slice(from);
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes as many bytes as it says.
struct Discard(usize);

impl Write for Discard {
    fn write(&mut self, shown: &[u8]) -> io::Result<usize> {
        let taken = shown.len().min(self.0);
        self.0 -= taken;
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
