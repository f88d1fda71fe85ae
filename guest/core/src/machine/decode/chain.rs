//! One to five codings in a row, driven from their end: input moves only when output is asked for.

use std::error;
use std::fmt;

use super::undo::{self, Step, Undo};
use crate::policy::codings::Coding;

/// Bytes between two codings.
const LINK: usize = 16 * 1024;
/// Bytes of output made room for at once, whatever is asked for.
const ROOM: usize = 64 * 1024;
/// Bytes moved inside the chain before a call that has nothing to show returns. Codings inside codings can turn a few bytes of input into
/// gigabytes that come to nothing.
const WORK: usize = 1024 * 1024;
/// How many calls in a row may have nothing to show for the same input. No content that is any use needs a tenth of it.
const MAX_BUSY: u32 = 256;

/// What a call to [`Decoder::pull`] came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pulled {
    /// At least one byte was appended.
    Output,
    /// Nothing was appended yet, and there is more to do with what is here: look at the clock and call again. Also where 0 bytes were
    /// asked for.
    Busy,
    /// Nothing was appended: call [`push`](Decoder::push) or [`finish`](Decoder::finish).
    NeedsInput,
    /// The content has ended. Input that is left, or still comes, does not belong to it.
    End,
}

/// Content that cannot be decoded. Every later call gives the same error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// The coding that did not fit.
    pub coding: Coding,
    /// What is wrong, in a few words.
    pub detail: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl error::Error for DecodeError {}

/// Undoes content codings, without ever holding more decoded bytes than fixed buffers have room for.
pub struct Decoder {
    /// In the order of undoing; each holds its input. Empty once the content has ended.
    stages: Vec<Stage>,
    /// Whether no more input comes.
    is_finished: bool,
    /// How many calls had nothing to show since there was input or output.
    busy: u32,
    failure: Option<DecodeError>,
}

/// One coding and what it is fed.
struct Stage {
    coding: Coding,
    undo: Box<dyn Undo>,
    feed: Feed,
    /// Whether any byte came: no content at all is no error.
    was_fed: bool,
    has_ended: bool,
}

/// Bytes that wait for a stage.
#[derive(Default)]
struct Feed {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// How a stage fared.
enum Outcome {
    Moved(Step),
    /// It waits for the stage before it.
    Starved,
    Ended,
}

impl Decoder {
    /// A decoder that undoes `codings`, the first one first; none where there is nothing to undo.
    #[must_use]
    pub fn new(codings: &[Coding]) -> Option<Self> {
        let stage = |coding: &Coding| Stage {
            coding: *coding,
            undo: undo::start(*coding),
            feed: Feed::default(),
            was_fed: false,
            has_ended: false,
        };
        (!codings.is_empty()).then(|| Self {
            stages: codings.iter().map(stage).collect(),
            is_finished: false,
            busy: 0,
            failure: None,
        })
    }

    /// Whether all input is used up and more would help. Not after the end or an error.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        let is_hungry = |first: &Stage| first.feed.is_empty() && !first.has_ended;
        self.failure.is_none() && !self.is_finished && self.stages.first().is_some_and(is_hungry)
    }

    /// Hands compressed bytes in. They are kept until pulled through, so push only where [`wants_input`](Self::wants_input) says so;
    /// after the end they are dropped.
    pub fn push(&mut self, input: Vec<u8>) {
        self.busy = 0;
        if let Some(first) = self.stages.first_mut() {
            first.feed.push(input);
        }
    }

    /// Says that no more input comes: the body has ended whole.
    pub const fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Appends at most `max` decoded bytes to `into`.
    ///
    /// # Errors
    /// [`DecodeError`] where the content does not fit its coding or, once [`finish`](Self::finish) was called, ends early. What was decoded
    /// before comes first. Also where it comes to nothing for too long.
    pub fn pull(&mut self, max: usize, into: &mut Vec<u8>) -> Result<Pulled, DecodeError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let before = into.len();
        let mut outcome = Ok(Pulled::Output);
        while outcome == Ok(Pulled::Output) && into.len() - before < max {
            outcome = self.fill((max - (into.len() - before)).min(ROOM), into);
        }
        if into.len() > before {
            self.busy = 0;
        } else if outcome == Ok(Pulled::Busy) {
            self.busy += 1;
            if self.busy > MAX_BUSY {
                outcome = self.too_busy();
            }
        }
        match &outcome {
            Ok(Pulled::End) => self.stages = Vec::new(),
            Err(failure) => {
                self.failure = Some(failure.clone());
                self.stages = Vec::new();
            }
            Ok(_) => {}
        }
        if into.len() > before {
            return Ok(Pulled::Output);
        }
        if max == 0 { Ok(Pulled::Busy) } else { outcome }
    }

    fn too_busy(&self) -> Result<Pulled, DecodeError> {
        let failure = self
            .stages
            .last()
            .map(|last| last.failure("there is much data, and nothing in it".into()));
        failure.map_or(Ok(Pulled::End), Err)
    }

    /// Appends at most `room` bytes; says `Output` exactly where all of it was used.
    fn fill(&mut self, room: usize, into: &mut Vec<u8>) -> Result<Pulled, DecodeError> {
        let start = into.len();
        into.resize(start + room, 0);
        let mut given = 0;
        let outcome = self.run(into.get_mut(start..).unwrap_or_default(), &mut given);
        into.truncate(start + given);
        outcome
    }

    fn run(&mut self, output: &mut [u8], given: &mut usize) -> Result<Pulled, DecodeError> {
        let Some(last) = self.stages.len().checked_sub(1) else {
            return Ok(Pulled::End);
        };
        let (mut at, mut work) = (last, 0);
        while *given < output.len() {
            if work > WORK {
                return Ok(Pulled::Busy);
            }
            let is_last = at == 0 && self.is_finished || self.has_ended_before(at);
            let Some((stage, next)) = self.stage_and_next(at) else {
                return Ok(Pulled::End);
            };
            let room = match next {
                Some(next) => next.room(),
                None => output.get_mut(*given..).unwrap_or_default(),
            };
            match stage.step(is_last, room)? {
                Outcome::Moved(step) => {
                    work += 1 + step.taken + step.given;
                    match self.stages.get_mut(at + 1) {
                        Some(next) if step.given > 0 => {
                            next.feed.end = step.given;
                            at += 1;
                        }
                        Some(_) => {}
                        None => *given += step.given,
                    }
                }
                Outcome::Starved if at == 0 => return Ok(Pulled::NeedsInput),
                Outcome::Starved => at -= 1,
                Outcome::Ended if at < last => at += 1,
                Outcome::Ended => match self.next_to_discard() {
                    Some(earlier) => at = earlier,
                    None => return Ok(Pulled::End),
                },
            }
        }
        Ok(Pulled::Output)
    }

    /// The last stage that still has something behind the end of the content. It is undone all the same, so that what is wrong with it is
    /// found however the input arrives.
    fn next_to_discard(&mut self) -> Option<usize> {
        let at = self.stages.iter().rposition(|stage| !stage.has_ended)?;
        let behind = self.stages.get_mut(at + 1)?;
        behind.feed.start = behind.feed.end;
        Some(at)
    }

    /// Whether the stage before this one has ended.
    fn has_ended_before(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|before| self.stages.get(before))
            .is_some_and(|stage| stage.has_ended)
    }

    /// The stage at that place, and the feed of the one behind it.
    fn stage_and_next(&mut self, at: usize) -> Option<(&mut Stage, Option<&mut Feed>)> {
        let (stage, behind) = self.stages.get_mut(at..)?.split_first_mut()?;
        Some((stage, behind.first_mut().map(|next| &mut next.feed)))
    }
}

impl Stage {
    /// Lets the coding take one step; `is_last` says that nothing comes after what it is fed now.
    fn step(&mut self, is_last: bool, room: &mut [u8]) -> Result<Outcome, DecodeError> {
        if self.has_ended {
            return Ok(Outcome::Ended);
        }
        let input = self.feed.waiting();
        self.was_fed |= !input.is_empty();
        let step = match self.undo.step(input, room) {
            Ok(step) => step,
            Err(detail) => return Err(self.failure(detail)),
        };
        self.feed.start += step.taken;
        if step.has_ended {
            self.has_ended = true;
        }
        if step.taken > 0 || step.given > 0 {
            return Ok(Outcome::Moved(step));
        }
        if !self.has_ended && !self.feed.is_empty() {
            return Err(self.failure("the decoder takes no more of its input".into()));
        }
        if !self.has_ended && is_last {
            if self.was_fed && !self.undo.may_end() {
                return Err(self.failure(undo::incomplete(self.coding).into()));
            }
            self.has_ended = true;
        }
        Ok(if self.has_ended {
            Outcome::Ended
        } else {
            Outcome::Starved
        })
    }

    const fn failure(&self, detail: String) -> DecodeError {
        DecodeError {
            coding: self.coding,
            detail,
        }
    }
}

impl Feed {
    const fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn push(&mut self, input: Vec<u8>) {
        if self.is_empty() {
            self.bytes = input;
        } else {
            self.bytes.truncate(self.end);
            self.bytes.drain(..self.start);
            self.bytes.extend(input);
        }
        self.start = 0;
        self.end = self.bytes.len();
    }

    /// Where the stage before may write. Only called when all that waited was taken.
    fn room(&mut self) -> &mut [u8] {
        self.bytes.resize(LINK, 0);
        (self.start, self.end) = (0, 0);
        &mut self.bytes
    }
}
