//! The body of a request on its way out: what its caller hands over, with our framing around it.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::machine::h1::{chunk_into, last_chunk_into};
use crate::machine::multipart::SegmentWriter;
use crate::policy::fields::check_trailers;
use crate::policy::framing::RequestFraming;
use crate::types::{Cause, Error, Headers, Payload};

/// What a caller hands over of a streamed body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// A streamed part of a form has ended.
    PartEnd,
    /// The body has ended.
    End,
    /// The body has ended, and these fields come behind it: where it is chunked, since nothing else has room for them (RFC 9110, section 6.5).
    EndWith(Headers),
}

/// Where a streamed body comes from.
pub trait BodySource {
    /// The next piece, once there is one.
    ///
    /// # Errors
    /// Says why there will be no more, in words.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>>;

    /// Whether the first piece may come after the answer, so that the request begins without it where it is not there yet. Otherwise both
    /// leave together.
    fn may_come_late(&self) -> bool {
        false
    }

    /// Says that nobody waits for a piece any more, until one is asked for again.
    fn rest(&mut self) {}

    /// Starts again from the beginning. Only called where the caller has said that it can.
    fn rewind(&mut self);
}

/// A streamed body under way in all attempts.
pub(super) struct Upload<'s> {
    pub(super) source: Box<dyn BodySource + 's>,
    /// Whether anything was taken from the source: it must rewind before it is sent again.
    pub(super) has_begun: bool,
}

impl<'s> Upload<'s> {
    pub(super) fn new(source: Box<dyn BodySource + 's>) -> Self {
        Self {
            source,
            has_begun: false,
        }
    }
}

/// A streamed body under way in one attempt.
pub(super) struct Streaming<'a, 's> {
    upload: &'a mut Upload<'s>,
    framing: RequestFraming,
    segments: Option<SegmentWriter>,
    /// How many bytes there will be, where that is known; a chunked body may be announced too.
    announced: Option<u64>,
    taken: u64,
    has_ended: bool,
}

impl<'a, 's> Streaming<'a, 's> {
    pub(super) fn new(
        upload: &'a mut Upload<'s>,
        framing: RequestFraming,
        payload: &Payload,
    ) -> Self {
        let segments = match payload {
            Payload::Segments { segments, .. } => Some(SegmentWriter::new(Rc::clone(segments))),
            Payload::None | Payload::Bytes(_) | Payload::Streamed(_) => None,
        };
        let announced = match framing {
            RequestFraming::Length(length) => Some(length),
            RequestFraming::Absent | RequestFraming::Chunked => payload.length(),
        };
        Self {
            upload,
            framing,
            segments,
            announced,
            taken: 0,
            has_ended: false,
        }
    }

    pub(super) fn may_come_late(&self) -> bool {
        self.upload.source.may_come_late()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether the peer can tell that nothing more will come.
    pub(super) fn is_whole(&self) -> bool {
        match self.framing {
            RequestFraming::Length(length) => self.taken == length,
            RequestFraming::Absent | RequestFraming::Chunked => self.has_ended,
        }
    }

    /// Appends what is sent for the caller's next piece, in one flight with its framing.
    pub(super) fn poll_flight(
        &mut self,
        context: &mut Context<'_>,
        flight: &mut Vec<u8>,
    ) -> Poll<Result<(), Cause>> {
        let piece = ready!(self.upload.source.poll_piece(context)).map_err(Cause::BadBody)?;
        self.upload.has_begun = true;
        Poll::Ready(self.take(piece, flight))
    }

    fn take(&mut self, piece: Piece, flight: &mut Vec<u8>) -> Result<(), Cause> {
        let mut plain = Vec::new();
        if let Some(segments) = &mut self.segments {
            let refused = |error: Error| Cause::BadBody(error.to_string());
            ours(segments, &mut plain);
            match &piece {
                Piece::Bytes(bytes) => segments.take(bytes.len() as u64).map_err(refused)?,
                Piece::PartEnd => {
                    segments.end_part().map_err(refused)?;
                    ours(segments, &mut plain);
                }
                Piece::End | Piece::EndWith(_) => segments.finish().map_err(refused)?,
            }
        }
        let mut trailers = Headers::default();
        match piece {
            Piece::Bytes(bytes) if plain.is_empty() => plain = bytes,
            Piece::Bytes(bytes) => plain.extend_from_slice(&bytes),
            Piece::PartEnd => {}
            Piece::End => self.has_ended = true,
            Piece::EndWith(fields) => {
                check_trailers(&fields).map_err(Cause::BadBody)?;
                self.has_ended = true;
                trailers = fields;
            }
        }
        self.taken = self.taken.saturating_add(plain.len() as u64);
        self.check()?;
        self.frame(&plain, &trailers, flight);
        Ok(())
    }

    /// Compares what was taken with what was announced.
    fn check(&self) -> Result<(), Cause> {
        match self.announced {
            Some(length) if self.taken > length => Err(Cause::BadBody(format!(
                "The body is longer than the {length} bytes that were announced"
            ))),
            Some(length) if self.has_ended && self.taken < length => Err(Cause::BadBody(format!(
                "The body has {} of the {length} bytes that were announced",
                self.taken
            ))),
            _ => Ok(()),
        }
    }

    fn frame(&self, plain: &[u8], trailers: &Headers, flight: &mut Vec<u8>) {
        match self.framing {
            RequestFraming::Chunked => {
                chunk_into(plain, flight);
                if self.has_ended {
                    last_chunk_into(trailers, flight);
                }
            }
            RequestFraming::Absent | RequestFraming::Length(_) => flight.extend_from_slice(plain),
        }
    }
}

impl Drop for Streaming<'_, '_> {
    fn drop(&mut self) {
        self.upload.source.rest();
    }
}

/// All bytes of ours that are due.
fn ours(segments: &mut SegmentWriter, into: &mut Vec<u8>) {
    loop {
        let due = segments.framing();
        if due.is_empty() {
            return;
        }
        into.extend_from_slice(due);
    }
}
