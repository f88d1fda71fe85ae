//! The chunked transfer coding (RFC 9112, section 7.1), read strictly: what one recipient forgives another may read differently.

/// Bytes of a line that holds a chunk's size and its extensions.
const MAX_SIZE_LINE: usize = 8 * 1024;
/// Bytes of all trailer fields.
const MAX_TRAILERS: usize = 64 * 1024;
/// Number of trailer fields.
const MAX_TRAILER_LINES: usize = 100;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The digits of a size; whether there was one yet.
    Size {
        has_digit: bool,
    },
    /// White space between a size and the `;` of its extension.
    SizePadding,
    /// An extension, up to the end of its line.
    Extension,
    /// The LF that ends a size line.
    SizeEnd,
    /// The data of a chunk.
    Data,
    /// The CR, then the LF, after a chunk's data.
    DataCr,
    DataLf,
    /// A trailer's line; whether it is still empty.
    Trailer {
        is_empty: bool,
    },
    /// The LF that ends it.
    TrailerEnd {
        is_last: bool,
    },
    /// Past the last byte.
    End,
}

/// Takes chunked framing apart, byte by byte where it is framing and in one piece where it is data.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// The size being read, then what is left of the chunk.
    left: u64,
    line: usize,
    trailers: usize,
    trailer_lines: usize,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Size { has_digit: false },
            left: 0,
            line: 0,
            trailers: 0,
            trailer_lines: 0,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    /// Takes framing from the front of `input` until data begins, and says how many bytes of framing and then of data there are.
    pub(super) fn next(&mut self, input: &[u8]) -> Result<(usize, usize), String> {
        let mut framing = 0;
        for byte in input {
            if matches!(self.state, State::Data | State::End) {
                break;
            }
            self.step(*byte)?;
            framing += 1;
        }
        if self.state != State::Data {
            return Ok((framing, 0));
        }
        let available = input.len() - framing;
        let data = usize::try_from(self.left).map_or(available, |left| left.min(available));
        self.left -= data as u64;
        if self.left == 0 {
            self.state = State::DataCr;
        }
        Ok((framing, data))
    }

    fn step(&mut self, byte: u8) -> Result<(), String> {
        self.state = match (self.state, byte) {
            (State::Size { .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte)?,
            (State::Size { has_digit: true } | State::SizePadding, b' ' | b'\t') => {
                self.extension(byte)?;
                State::SizePadding
            }
            (State::Size { has_digit: true } | State::SizePadding, b';') => self.extension(byte)?,
            (State::Size { has_digit: true } | State::SizePadding | State::Extension, b'\r') => {
                State::SizeEnd
            }
            (State::Extension, _) => self.extension(byte)?,
            (State::SizeEnd, b'\n') => self.size_ended(),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { has_digit: false },
            (State::Trailer { is_empty }, b'\r') => State::TrailerEnd { is_last: is_empty },
            (State::Trailer { .. }, _) => self.trailer(byte)?,
            (State::TrailerEnd { is_last: true }, b'\n') => State::End,
            (State::TrailerEnd { is_last: false }, b'\n') => State::Trailer { is_empty: true },
            (state, wrong) => return Err(refusal(state, wrong)),
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<State, String> {
        let digit = char::from(byte).to_digit(16).unwrap_or_default();
        self.count_line()?;
        self.left = self
            .left
            .checked_mul(16)
            .map(|left| left | u64::from(digit))
            .ok_or("the size does not fit into 64 bits")?;
        Ok(State::Size { has_digit: true })
    }

    /// What an extension says does not matter to us.
    fn extension(&mut self, byte: u8) -> Result<State, String> {
        self.count_line()?;
        if byte == b'\n' || (byte < b' ' && byte != b'\t') {
            return Err(format!("a chunk extension contains 0x{byte:02x}"));
        }
        Ok(State::Extension)
    }

    fn count_line(&mut self) -> Result<(), String> {
        self.line += 1;
        if self.line > MAX_SIZE_LINE {
            return Err("Response chunk size line exceeded maximum allowed length".into());
        }
        Ok(())
    }

    const fn size_ended(&mut self) -> State {
        self.line = 0;
        if self.left == 0 {
            State::Trailer { is_empty: true }
        } else {
            State::Data
        }
    }

    fn trailer(&mut self, byte: u8) -> Result<State, String> {
        self.trailers += 1;
        if self.state == (State::Trailer { is_empty: true }) {
            self.trailer_lines += 1;
        }
        if self.trailers > MAX_TRAILERS || self.trailer_lines > MAX_TRAILER_LINES {
            return Err("there are more trailer fields than allowed".into());
        }
        if byte == b'\n' || byte == 0 {
            return Err(format!("a trailer field contains 0x{byte:02x}"));
        }
        Ok(State::Trailer { is_empty: false })
    }
}

fn refusal(state: State, byte: u8) -> String {
    let expected = match state {
        State::Size { .. } | State::SizePadding | State::Extension | State::SizeEnd => {
            "a chunk size"
        }
        State::DataCr | State::DataLf | State::Data => "the end of a chunk",
        State::Trailer { .. } | State::TrailerEnd { .. } | State::End => "the end of a trailer",
    };
    format!("got 0x{byte:02x} where {expected} should be")
}
