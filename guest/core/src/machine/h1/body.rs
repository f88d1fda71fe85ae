//! The body of a response, taken out of its framing.

use super::chunked::Chunked;
use crate::policy::framing::BodyFraming;
use crate::types::{Headers, Limits};

/// Why a body cannot be had whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyError {
    /// The chunked framing is malformed.
    Chunk(String),
    /// The connection ended first; how many bytes were still announced, where that is known.
    Incomplete(Option<u64>),
}

/// What was found at the front of some input: framing to pass over, then data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// Bytes of framing.
    pub framing: usize,
    /// Bytes of the body that follow them.
    pub data: usize,
}

/// Reads one body.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Length(u64),
    Chunked(Chunked),
    UntilClose { has_ended: bool },
}

impl Body {
    /// A body whose end is known like this.
    #[must_use]
    pub fn new(framing: BodyFraming, limits: Limits) -> Self {
        Self(match framing {
            BodyFraming::Length(length) => Kind::Length(length),
            BodyFraming::Chunked => Kind::Chunked(Chunked::new(limits)),
            BodyFraming::UntilClose => Kind::UntilClose { has_ended: false },
        })
    }

    /// Whether the last byte, framing included, has been taken.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match &self.0 {
            Kind::Length(left) => *left == 0,
            Kind::Chunked(chunked) => chunked.has_ended(),
            Kind::UntilClose { has_ended } => *has_ended,
        }
    }

    /// How many bytes of data are still to come, where the peer has said so.
    #[must_use]
    pub const fn left(&self) -> Option<u64> {
        match &self.0 {
            Kind::Length(left) => Some(*left),
            Kind::Chunked(_) | Kind::UntilClose { .. } => None,
        }
    }

    /// Whether it is chunked.
    #[must_use]
    pub const fn is_chunked(&self) -> bool {
        matches!(self.0, Kind::Chunked(_))
    }

    /// The fields behind a chunked body that has ended (RFC 9110, section 6.5); once.
    pub fn take_trailers(&mut self) -> Headers {
        match &mut self.0 {
            Kind::Chunked(chunked) => chunked.take_trailers(),
            Kind::Length(_) | Kind::UntilClose { .. } => Headers::default(),
        }
    }

    /// Takes what belongs to the body from the front of `input`. Both counts are 0 only for no input or after the end.
    ///
    /// # Errors
    /// [`BodyError::Chunk`] where the framing is malformed.
    pub fn take(&mut self, input: &[u8]) -> Result<Step, BodyError> {
        match &mut self.0 {
            Kind::Length(left) => {
                let data = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= data as u64;
                Ok(Step { framing: 0, data })
            }
            Kind::Chunked(chunked) => {
                let (framing, data) = chunked.next(input).map_err(BodyError::Chunk)?;
                Ok(Step { framing, data })
            }
            Kind::UntilClose { .. } => Ok(Step {
                framing: 0,
                data: input.len(),
            }),
        }
    }

    /// Takes everything at the front of `buffer` that belongs to the body: its data is left there without the framing, and what follows the
    /// end of the body is returned.
    ///
    /// # Errors
    /// As for [`Body::take`]; the data in front of the mistake is left in `buffer`.
    pub fn unframe(&mut self, buffer: &mut Vec<u8>) -> Result<Vec<u8>, BodyError> {
        self.unframe_noting(buffer, |_| {})
    }

    /// The same, telling after how many bytes of the data each chunk ends.
    ///
    /// # Errors
    /// As for [`Body::unframe`].
    pub fn unframe_noting(
        &mut self,
        buffer: &mut Vec<u8>,
        mut chunk_ends: impl FnMut(usize),
    ) -> Result<Vec<u8>, BodyError> {
        if let Kind::Length(_) | Kind::UntilClose { .. } = self.0 {
            let Step { data, .. } = self.take(buffer)?;
            return Ok(buffer.split_off(data));
        }
        let (mut read, mut written) = (0, 0);
        let outcome = loop {
            match self.take(buffer.get(read..).unwrap_or_default()) {
                Ok(Step {
                    framing: 0,
                    data: 0,
                }) => break Ok(()),
                Ok(Step { framing, data }) => {
                    let from = read + framing;
                    buffer.copy_within(from..from + data, written);
                    written += data;
                    read = from + data;
                    if data > 0 && self.left_of_chunk() == 0 {
                        chunk_ends(written);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        let rest = buffer.split_off(read);
        buffer.truncate(written);
        outcome.map(|()| rest)
    }

    fn left_of_chunk(&self) -> u64 {
        match &self.0 {
            Kind::Chunked(chunked) => chunked.left_of_chunk(),
            Kind::Length(_) | Kind::UntilClose { .. } => 0,
        }
    }

    /// Takes the end of the connection. It may take the place of the line that ends a chunked body: some servers leave that out, and once the
    /// chunk of size 0 has come nothing of the body is missing (RFC 9112, section 8; urllib3).
    ///
    /// # Errors
    /// [`BodyError::Incomplete`] where the body had not ended.
    pub fn end_of_stream(&mut self) -> Result<(), BodyError> {
        match &mut self.0 {
            Kind::Length(0) => Ok(()),
            Kind::Length(left) => Err(BodyError::Incomplete(Some(*left))),
            Kind::Chunked(chunked) => {
                if chunked.end_of_stream() {
                    Ok(())
                } else {
                    Err(BodyError::Incomplete(None))
                }
            }
            Kind::UntilClose { has_ended } => {
                *has_ended = true;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `input` in the given pieces; the data, and what was left after the end.
    fn read(framing: BodyFraming, pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>, bool), BodyError> {
        let mut body = Body::new(framing, Limits::default());
        let (mut data, mut rest) = (Vec::new(), Vec::new());
        for piece in pieces {
            let mut buffer = piece.to_vec();
            rest.extend(body.unframe(&mut buffer)?);
            data.extend(buffer);
        }
        Ok((data, rest, body.has_ended()))
    }

    #[test]
    fn a_chunked_body_is_the_same_however_it_is_split() {
        let whole =
            b"3;x=\"y\"\r\nabc\r\n0A \r\n0123456789\r\n000\r\nTrailer: x\r\nOther:\r\n\r\nNEXT";
        let expected = (b"abc0123456789".to_vec(), b"NEXT".to_vec(), true);
        assert_eq!(read(BodyFraming::Chunked, &[whole]).unwrap(), expected);
        for split in 0..=whole.len() {
            let (front, back) = whole.split_at(split);
            assert_eq!(
                read(BodyFraming::Chunked, &[front, back]).unwrap(),
                expected,
                "split at {split}"
            );
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(
            read(BodyFraming::Chunked, &bytes).unwrap(),
            expected,
            "byte by byte"
        );
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for (case, bytes) in [
            ("not hex", &b"zz\r\n"[..]),
            ("sign", b"+3\r\nabc\r\n"),
            ("minus", b"-1\r\n"),
            ("prefix", b"0x3\r\nabc\r\n"),
            ("underscore", b"0_3\r\nabc\r\n"),
            ("leading space", b" 3\r\nabc\r\n"),
            ("space within the size", b"3 6\r\nabc\r\n"),
            ("word after the size", b"0 zz\r\n\r\n"),
            ("empty size", b"\r\nabc\r\n"),
            ("extension without a size", b";x\r\n"),
            ("bare LF after the size", b"3\nabc\r\n"),
            ("bare CR after the size", b"3\rabc\r\n"),
            ("bare LF in an extension", b"3;a\nabc\r\n"),
            ("too much data", b"3\r\nabcd\r\n"),
            ("no line break after the data", b"3\r\nabc3\r\n"),
            ("bare LF after the data", b"3\r\nabc\n"),
            ("size past 64 bits", b"10000000000000000\r\n"),
            ("bare LF in the trailers", b"0\r\nA: b\n\r\n"),
            ("CR without LF at the end", b"0\r\n\rX"),
        ] {
            let outcome = read(BodyFraming::Chunked, &[bytes]);
            assert!(
                matches!(outcome, Err(BodyError::Chunk(_))),
                "{case}: {outcome:?}"
            );
        }
    }

    #[test]
    fn cve_2026_97689_an_endless_size_line_is_refused() {
        let line = format!("3;{}", "x".repeat(4 << 20));
        assert!(matches!(
            read(BodyFraming::Chunked, &[line.as_bytes()]),
            Err(BodyError::Chunk(_))
        ));
        let digits = "0".repeat(4 << 20);
        assert!(matches!(
            read(BodyFraming::Chunked, &[digits.as_bytes()]),
            Err(BodyError::Chunk(_))
        ));
    }

    #[test]
    fn trailers_are_bounded() {
        let lines = |count: usize| format!("0\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(read(BodyFraming::Chunked, &[lines(100).as_bytes()]).is_ok());
        assert!(read(BodyFraming::Chunked, &[lines(101).as_bytes()]).is_err());
        assert!(
            read(
                BodyFraming::Chunked,
                &[format!("0\r\nA: {}", "x".repeat(65 * 1024)).as_bytes()]
            )
            .is_err()
        );
    }

    #[test]
    fn a_body_of_known_length_leaves_the_rest() {
        let read = read(BodyFraming::Length(5), &[b"ab", b"", b"cdeX", b"Y"]).unwrap();
        assert_eq!(read, (b"abcde".to_vec(), b"XY".to_vec(), true));
    }

    #[test]
    fn the_end_of_the_connection_ends_only_what_may_end_so() {
        for (framing, expected) in [
            (BodyFraming::Length(0), Ok(())),
            (BodyFraming::Length(7), Err(BodyError::Incomplete(Some(7)))),
            (BodyFraming::Chunked, Err(BodyError::Incomplete(None))),
            (BodyFraming::UntilClose, Ok(())),
        ] {
            assert_eq!(
                Body::new(framing, Limits::default()).end_of_stream(),
                expected,
                "{framing:?}"
            );
        }
    }

    #[test]
    fn the_end_of_the_connection_ends_chunks_that_were_all_there() {
        for (case, bytes, ends) in [
            ("no size", &b"3\r\nabc\r\n"[..], false),
            ("half of a size", b"3\r\nabc\r\n0", false),
            ("half of a size's end", b"3\r\nabc\r\n0\r", false),
            ("the size, and no last line", b"3\r\nabc\r\n0\r\n", true),
            ("half of the last line", b"0\r\n\r", false),
            ("half of a trailer", b"0\r\nA: b", false),
            ("a trailer, and no last line", b"0\r\nA: b\r\n", false),
        ] {
            let mut body = Body::new(BodyFraming::Chunked, Limits::default());
            body.unframe(&mut bytes.to_vec()).unwrap();
            assert_eq!(body.end_of_stream().is_ok(), ends, "{case}");
            assert_eq!(body.has_ended(), ends, "{case}");
        }
    }

    proptest! {
        /// Whatever is encoded in whatever chunks and arrives in whatever pieces is read back.
        #[test]
        fn chunks_round_trip(data in prop::collection::vec(any::<u8>(), 0..400), sizes in prop::collection::vec(1_usize..50, 1..20), cuts in prop::collection::vec(1_usize..60, 1..20)) {
            let mut encoded = Vec::new();
            let (mut rest, mut sizes) = (data.as_slice(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (chunk, tail) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                encoded.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
                rest = tail;
            }
            encoded.extend(b"0\r\n\r\n");
            let (mut pieces, mut rest, mut cuts) = (Vec::new(), encoded.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(read(BodyFraming::Chunked, &pieces).unwrap(), (data, Vec::new(), true));
        }

        /// No input makes it panic, and it never takes more than there is.
        #[test]
        fn hostile_chunks_do_no_harm(input in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = input.clone();
            if let Ok(rest) = Body::new(BodyFraming::Chunked, Limits::default()).unframe(&mut buffer) {
                prop_assert!(buffer.len() + rest.len() <= input.len());
            }
        }
    }
}
