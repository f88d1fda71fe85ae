//! The chunked transfer coding (RFC 9112, section 7.1), read strictly: what one recipient forgives another may read differently.

use super::head::together;
use crate::types::{Headers, Limits};

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
    /// The trailer section so far.
    section: Vec<u8>,
    trailers: Headers,
    trailer_lines: usize,
    limits: Limits,
}

impl Chunked {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            state: State::Size { has_digit: false },
            left: 0,
            line: 0,
            section: Vec::new(),
            trailers: Headers::default(),
            trailer_lines: 0,
            limits,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::End
    }

    /// Takes the end of the connection; whether that ends the body. Trailers that have begun must come whole.
    pub(super) fn end_of_stream(&mut self) -> bool {
        if self.state == (State::Trailer { is_empty: true }) && self.section.is_empty() {
            self.state = State::End;
        }
        self.has_ended()
    }

    /// How much of the chunk that is being read is still to come.
    pub(super) fn left_of_chunk(&self) -> u64 {
        if self.state == State::Data {
            self.left
        } else {
            0
        }
    }

    /// The fields behind the body, once it has ended.
    pub(super) fn take_trailers(&mut self) -> Headers {
        std::mem::take(&mut self.trailers)
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
            (State::TrailerEnd { is_last: true }, b'\n') => self.section_ended()?,
            (State::TrailerEnd { is_last: false }, b'\n') => {
                self.section.extend_from_slice(b"\r\n");
                self.count_trailers()?;
                State::Trailer { is_empty: true }
            }
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
            .ok_or("Response chunk size line exceeded maximum allowed length: the size does not fit into 64 bits")?;
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
        if self.line > self.limits.chunk_line {
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
        self.section.push(byte);
        if self.state == (State::Trailer { is_empty: true }) {
            self.trailer_lines += 1;
        }
        self.count_trailers()?;
        if byte == b'\n' || byte == 0 {
            return Err(format!("a trailer field contains 0x{byte:02x}"));
        }
        Ok(State::Trailer { is_empty: false })
    }

    fn count_trailers(&self) -> Result<(), String> {
        let Limits {
            trailers,
            trailer_fields,
            ..
        } = self.limits;
        if self.section.len() > trailers || self.trailer_lines > trailer_fields {
            return Err("there are more trailer fields than allowed".into());
        }
        Ok(())
    }

    /// Reads the fields as strictly as those of a head.
    fn section_ended(&mut self) -> Result<State, String> {
        let mut section = std::mem::take(&mut self.section);
        if !section.is_empty() {
            section.extend_from_slice(b"\r\n");
            let mut slots = vec![httparse::EMPTY_HEADER; self.trailer_lines];
            let Ok(httparse::Status::Complete((_, fields))) =
                httparse::parse_headers(&section, &mut slots)
            else {
                return Err("a trailer is no field".into());
            };
            self.trailers = together(fields);
        }
        Ok(State::End)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The trailers behind a body of no bytes, which arrives in pieces of `cut` bytes.
    fn trailers(
        section: &[u8],
        limits: Limits,
        cut: usize,
    ) -> Result<Vec<(String, String)>, String> {
        let input = [b"0\r\n", section, b"\r\n"].concat();
        let mut chunked = Chunked::new(limits);
        for piece in input.chunks(cut) {
            let (framing, data) = chunked.next(piece)?;
            assert_eq!((framing, data), (piece.len(), 0));
        }
        assert!(chunked.has_ended());
        let fields = chunked.take_trailers();
        assert!(chunked.take_trailers().is_empty(), "they are taken once");
        let field = |field: &crate::types::Header| (field.name().to_owned(), field.text());
        Ok(fields.iter().map(field).collect())
    }

    #[test]
    fn trailers_are_fields_however_they_are_split() {
        for (case, section, expected) in [
            ("none", &b""[..], &[][..]),
            ("one", b"Sum: 1\r\n", &[("Sum", "1")]),
            ("empty", b"Sum:\r\n", &[("Sum", "")]),
            ("white space", b"Sum: \t 1 2 \r\n", &[("Sum", "1 2")]),
            ("no ASCII", b"Sum: \xe9\r\n", &[("Sum", "\u{e9}")]),
            (
                "in their order and case",
                b"b: 1\r\nA: 2\r\nB: 3\r\n",
                &[("b", "1"), ("A", "2"), ("B", "3")],
            ),
            (
                "what would change the framing is only a field",
                b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            ),
        ] {
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            for cut in 1..=section.len() + 5 {
                assert_eq!(
                    trailers(section, Limits::default(), cut).as_ref(),
                    Ok(&expected),
                    "{case} by {cut}"
                );
            }
        }
    }

    #[test]
    fn a_trailer_that_is_no_field_is_refused() {
        for (case, section) in [
            ("no colon", &b"Sum\r\n"[..]),
            ("no name", b": 1\r\n"),
            ("a space before the colon", b"Sum : 1\r\n"),
            ("a leading space", b" Sum: 1\r\n"),
            ("a folded line", b"Sum: 1\r\n 2\r\n"),
            ("a second one", b"Sum: 1\r\nno field\r\n"),
            ("a bare LF", b"Sum: 1\nX: 2\r\n"),
            ("a bare CR", b"Sum: 1\rX: 2\r\n"),
            ("a CR before CR LF", b"Sum: 1\r\r\n"),
            ("NUL in a value", b"Sum: 1\0\r\n"),
            ("NUL in a name", b"S\0m: 1\r\n"),
            ("a control character", b"Sum: 1\x01\r\n"),
            ("DEL", b"Sum: 1\x7f\r\n"),
            ("no ASCII in a name", b"S\xfcm: 1\r\n"),
            ("another chunk", b"5\r\nhello\r\n"),
            ("a response", b"HTTP/1.1 200 OK\r\nA: b\r\n"),
        ] {
            for cut in 1..=section.len() + 5 {
                let outcome = trailers(section, Limits::default(), cut);
                assert!(outcome.is_err(), "{case} by {cut}: {outcome:?}");
            }
        }
    }

    #[test]
    fn trailers_are_bounded_as_the_limits_say() {
        let limits = |trailers, trailer_fields| Limits {
            trailers,
            trailer_fields,
            ..Limits::default()
        };
        let lines = |count| "A: b\r\n".repeat(count);
        let long = |length: usize| format!("A: {}\r\n", "x".repeat(length - 5));
        for (case, section, limits, is_fine) in [
            ("100 by default", lines(100), Limits::default(), true),
            ("101 by default", lines(101), Limits::default(), false),
            (
                "300 where they are allowed",
                lines(300),
                limits(65_536, 300),
                true,
            ),
            (
                "301 where 300 are allowed",
                lines(301),
                limits(65_536, 300),
                false,
            ),
            (
                "one where none is allowed",
                lines(1),
                limits(65_536, 0),
                false,
            ),
            ("none where none is allowed", lines(0), limits(0, 0), true),
            ("as long as may be", long(100), limits(100, 1), true),
            ("a byte too long", long(101), limits(100, 1), false),
            ("together too long", lines(20), limits(100, 100), false),
        ] {
            for cut in [1, 1 << 20] {
                let outcome = trailers(section.as_bytes(), limits, cut);
                assert_eq!(outcome.is_ok(), is_fine, "{case} by {cut}: {outcome:?}");
            }
        }
    }

    #[test]
    fn cve_2026_97689_a_size_line_is_as_long_as_the_limits_say() {
        let limits = Limits {
            chunk_line: 10,
            ..Limits::default()
        };
        for (case, line, is_fine) in [
            ("digits", "0000000001\r\n", true),
            ("a digit too many", "00000000001\r\n", false),
            ("an extension", "1;3456789a\r\n", true),
            ("a long one", "1;3456789ab\r\n", false),
            ("white space", "1         \r\n", true),
            ("too much of it", "1          \r\n", false),
        ] {
            for cut in [1, 100] {
                let mut chunked = Chunked::new(limits);
                let input = format!("{line}x\r\n{line}");
                let outcome = input.as_bytes().chunks(cut).try_for_each(|piece| {
                    let mut rest = piece;
                    while !rest.is_empty() {
                        let (framing, data) = chunked.next(rest)?;
                        rest = &rest[framing + data..];
                    }
                    Ok::<_, String>(())
                });
                assert_eq!(outcome.is_ok(), is_fine, "{case} by {cut}: {outcome:?}");
            }
        }
    }
}
