//! A body of our bytes and the caller's in turns, while it is sent: a form with streamed parts.
//!
//! It says which bytes of ours are due and counts the caller's. A streamed part ends when its caller says so, also where its length was
//! announced, so that one that is too short or too long is noticed before the body has ended.
//!
//! Invariant: what is written is what was announced, or there is an error.

use std::rc::Rc;

use crate::types::{Error, Segment};

/// Where the writing of a segmented body is.
#[derive(Clone, Debug)]
pub struct SegmentWriter {
    segments: Rc<[Segment]>,
    /// Which segment is next, or open where it is streamed.
    at: usize,
    /// How many bytes of the open segment the caller has handed over.
    taken: u64,
}

impl SegmentWriter {
    /// A writer at the start of a body.
    #[must_use]
    pub const fn new(segments: Rc<[Segment]>) -> Self {
        Self {
            segments,
            at: 0,
            taken: 0,
        }
    }

    /// The bytes of ours that are due, each stretch of them once; empty where the caller's turn has come, and at the end.
    pub fn framing(&mut self) -> &[u8] {
        match self.segments.get(self.at) {
            Some(Segment::Bytes(bytes)) => {
                self.at += 1;
                bytes
            }
            Some(Segment::Streamed(_)) | None => &[],
        }
    }

    /// Counts bytes of the open part; they follow whatever [`SegmentWriter::framing`] gave. Nothing is counted where it fails.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where they are more than announced, or no part is open.
    pub fn take(&mut self, count: u64) -> Result<(), Error> {
        let announced = self.open()?;
        let taken = self.taken.saturating_add(count);
        match announced {
            Some(length) if taken > length => Err(self.wrong(&format!(
                "is longer than the {length} bytes that were announced"
            ))),
            _ => {
                self.taken = taken;
                Ok(())
            }
        }
    }

    /// Ends the open part. [`SegmentWriter::framing`] then has what follows it.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where it has fewer bytes than announced, or no part is open.
    pub fn end_part(&mut self) -> Result<(), Error> {
        match self.open()? {
            Some(length) if self.taken < length => Err(self.wrong(&format!(
                "has {} of the {length} bytes that were announced",
                self.taken
            ))),
            _ => {
                self.at += 1;
                self.taken = 0;
                Ok(())
            }
        }
    }

    /// Checks that everything has been written.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] where a streamed part has not been ended or bytes of ours have not been taken.
    pub fn finish(&self) -> Result<(), Error> {
        if self.at == self.segments.len() {
            Ok(())
        } else {
            Err(self.wrong("has not been ended"))
        }
    }

    /// Goes back to the start, for the body to be sent again.
    pub const fn rewind(&mut self) {
        self.at = 0;
        self.taken = 0;
    }

    /// The announced length of the open part.
    fn open(&self) -> Result<Option<u64>, Error> {
        match self.segments.get(self.at) {
            Some(Segment::Streamed(length)) => Ok(*length),
            Some(Segment::Bytes(_)) => Err(self.wrong("has not begun: what precedes it is due")),
            None => Err(Error::InvalidRequest(
                "all streamed parts of the body have ended".into(),
            )),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        let before = self.segments.iter().take(self.at);
        let number = 1 + before
            .filter(|segment| matches!(segment, Segment::Streamed(_)))
            .count();
        Error::InvalidRequest(format!("streamed part {number} of the body {what}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::policy::multipart::lay_out;
    use crate::types::{Multipart, Part, PartData, Payload};

    #[derive(Clone, Copy)]
    enum Act {
        Framing(&'static str),
        Take(u64),
        End,
        Finish,
        Rewind,
    }
    use Act::{End, Finish, Framing, Rewind, Take};

    #[test]
    fn parts_are_as_long_as_announced() {
        let two = || {
            [
                Segment::Bytes(b"a".to_vec()),
                Segment::Streamed(Some(3)),
                Segment::Bytes(b"b".to_vec()),
                Segment::Streamed(None),
                Segment::Bytes(b"c".to_vec()),
            ]
        };
        let whole = [
            Framing("a"),
            Framing(""),
            Take(1),
            Take(2),
            End,
            Framing("b"),
            Take(9),
            End,
            Framing("c"),
            Framing(""),
        ];
        let with = |acts: &[Act]| [&whole[..], acts].concat();
        for (case, acts, fails) in [
            ("whole", with(&[Finish]), None),
            (
                "again",
                [&whole[..3], &[Rewind], &whole[..], &[Finish]].concat(),
                None,
            ),
            (
                "an empty part of unknown length",
                vec![
                    Framing("a"),
                    Take(3),
                    End,
                    Framing("b"),
                    End,
                    Framing("c"),
                    Finish,
                ],
                None,
            ),
            (
                "too long at once",
                vec![Framing("a"), Take(4)],
                Some("streamed part 1 of the body is longer than the 3 bytes that were announced"),
            ),
            (
                "too long in the end",
                vec![Framing("a"), Take(3), Take(1)],
                Some("streamed part 1 of the body is longer than the 3 bytes that were announced"),
            ),
            (
                "longer than can be counted",
                vec![Framing("a"), Take(1), Take(u64::MAX)],
                Some("streamed part 1 of the body is longer than the 3 bytes that were announced"),
            ),
            (
                "too short",
                vec![Framing("a"), Take(2), End],
                Some("streamed part 1 of the body has 2 of the 3 bytes that were announced"),
            ),
            (
                "not begun",
                vec![Take(1)],
                Some("streamed part 1 of the body has not begun: what precedes it is due"),
            ),
            (
                "not ended",
                vec![Framing("a"), Take(3), End, Framing("b"), Finish],
                Some("streamed part 2 of the body has not been ended"),
            ),
            (
                "past the end",
                with(&[Take(1)]),
                Some("all streamed parts of the body have ended"),
            ),
            (
                "an end too many",
                with(&[End]),
                Some("all streamed parts of the body have ended"),
            ),
        ] {
            let mut writer = SegmentWriter::new(two().into());
            let mut failed = None;
            for act in acts {
                assert_eq!(failed, None, "{case}: fails too early");
                let outcome = match act {
                    Framing(expected) => {
                        assert_eq!(writer.framing(), expected.as_bytes(), "{case}");
                        Ok(())
                    }
                    Take(count) => writer.take(count),
                    End => writer.end_part(),
                    Finish => writer.finish(),
                    Rewind => {
                        writer.rewind();
                        Ok(())
                    }
                };
                failed = outcome.err().map(|error| error.to_string());
            }
            assert_eq!(failed.as_deref(), fails, "{case}");
        }
    }

    /// A part's data, whether it is streamed, and whether its length is announced.
    type Data = (Vec<u8>, bool, bool);

    fn form(parts: &[Data], is_in_memory: bool) -> Payload {
        let part = |(data, is_streamed, is_announced): &Data| Part {
            data: if *is_streamed && !is_in_memory {
                PartData::Streamed(is_announced.then_some(data.len() as u64))
            } else {
                PartData::Bytes(data.clone())
            },
            ..Part::field("n\r\n\"", [])
        };
        let multipart = Multipart {
            parts: parts.iter().map(part).collect(),
            ..Multipart::default()
        };
        lay_out(multipart, None, || [7; 16]).unwrap().payload
    }

    proptest! {
        /// Whichever parts are streamed, and in whatever pieces they come, the body is the one that would be in memory, and its length,
        /// where it is known beforehand, is its length.
        #[test]
        fn streamed_or_not_a_form_is_the_same(
            parts in vec((vec(any::<u8>(), 0..40), any::<bool>(), any::<bool>()), 0..6),
            piece in 1_usize..9,
        ) {
            let expected = form(&parts, true);
            let payload = form(&parts, false);
            let Payload::Segments { segments, .. } = &payload else {
                prop_assert_eq!(payload, expected);
                return Ok(());
            };
            let mut writer = SegmentWriter::new(Rc::clone(segments));
            let mut written = writer.framing().to_vec();
            for (data, ..) in parts.iter().filter(|(_, is_streamed, _)| *is_streamed) {
                for piece in data.chunks(piece) {
                    writer.take(piece.len() as u64).unwrap();
                    written.extend_from_slice(piece);
                }
                writer.end_part().unwrap();
                written.extend_from_slice(writer.framing());
            }
            writer.finish().unwrap();
            let is_known = parts.iter().all(|(_, is_streamed, is_announced)| !is_streamed || *is_announced);
            prop_assert_eq!(payload.length(), is_known.then_some(written.len() as u64));
            prop_assert_eq!(written, expected.as_bytes());
        }
    }
}
