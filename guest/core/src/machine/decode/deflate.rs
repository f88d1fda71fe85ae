//! `deflate`: zlib as RFC 9110, section 8.4.1.2 has it, or the raw deflate that some servers send; and the inflating that gzip shares.

use flate2::{Decompress, FlushDecompress, Status};

use super::undo::{Step, Undo};

pub(super) struct Deflate {
    state: State,
}

enum State {
    /// Nothing was read.
    Start,
    /// The first byte was read: it takes two to know the format.
    First(u8),
    Data(Decompress),
}

impl Deflate {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Start,
        }
    }

    /// Settles on a format and gives the first byte to it.
    fn begin(first: u8, second: u8) -> Result<Decompress, String> {
        let mut inflater = Decompress::new(is_zlib(first, second));
        // Neither format has content within its first byte.
        let step = inflate(&mut inflater, &[first], &mut [0])?;
        if step.taken == 1 && step.given == 0 {
            Ok(inflater)
        } else {
            Err("invalid deflate data".into())
        }
    }
}

impl Undo for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        let Some(next) = input.first() else {
            return match &mut self.state {
                State::Data(inflater) => inflate(inflater, input, output),
                State::Start | State::First(_) => Ok(Step::default()),
            };
        };
        match &mut self.state {
            State::Start => {
                self.state = State::First(*next);
                Ok(Step::took(1))
            }
            State::First(first) => {
                let mut inflater = Self::begin(*first, *next)?;
                let step = inflate(&mut inflater, input, output)?;
                self.state = State::Data(inflater);
                Ok(step)
            }
            State::Data(inflater) => inflate(inflater, input, output),
        }
    }

    fn may_end(&self) -> bool {
        false
    }
}

/// Whether two bytes are a zlib header without a preset dictionary (RFC 1950, section 2.2).
///
/// urllib3 tries zlib and turns to raw deflate when that fails. No encoder of raw deflate begins like this: it would be a stored block
/// whose padding is not zero.
fn is_zlib(first: u8, second: u8) -> bool {
    let is_deflate = first & 0x0f == 8 && first >> 4 <= 7;
    let has_dictionary = second & 0x20 != 0;
    is_deflate && !has_dictionary && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

/// Takes one step of inflating.
pub(super) fn inflate(
    inflater: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> Result<Step, String> {
    let (taken, given) = (inflater.total_in(), inflater.total_out());
    let status = inflater
        .decompress(input, output, FlushDecompress::None)
        .map_err(|_| "invalid deflate data")?;
    // Both differences are lengths of slices.
    let since = |total: u64, before: u64| usize::try_from(total - before).unwrap_or(usize::MAX);
    Ok(Step {
        taken: since(inflater.total_in(), taken),
        given: since(inflater.total_out(), given),
        has_ended: status == Status::StreamEnd,
    })
}
