//! A body as it is handed out: decoded unless its caller wants it as it was sent, and no longer than its caller allows.
//!
//! Invariants: never more is decoded than was asked for, but for a line, whose end must be looked for. What came before a failure can be read
//! before the failure is told, and what was read ahead survives a read that is given up.

use super::Net;
use super::buffer::Buffer;
use super::incoming::Incoming;
use crate::machine::decode::{DecodeError, Decoder, Pulled};
use crate::policy::codings::{self, Codings};
use crate::types::{Cause, Headers, Reading};

/// What a body is read and decoded in. A peer that can make a few bytes come to gigabytes must not decide how much memory that takes.
pub(super) const MAX_READ: usize = 64 * 1024;

pub(super) struct Reader<N: Net> {
    incoming: Incoming<N>,
    decoder: Option<Decoder>,
    /// Whether something of the body has been taken, be it to decode it or to hand it out.
    has_begun: bool,
    /// How many bytes the last piece was decoded to.
    decoded: usize,
    /// Bytes that were read but not asked for yet.
    ahead: Buffer,
    /// How many more decoded bytes the body may have.
    allowance: Option<Allowance>,
    failed: Option<Cause>,
}

/// How large a body may be.
#[derive(Clone, Copy)]
struct Allowance {
    limit: u64,
    left: u64,
}

/// How much is asked for at once.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Portion {
    /// Whatever is there.
    Some,
    /// A chunk as the peer sent it.
    Chunk,
}

impl<N: Net> Reader<N> {
    /// A body that is handed out as it arrives, with what is wrong with it already.
    pub(super) fn new((incoming, failure): (Incoming<N>, Option<Cause>)) -> Self {
        let mut reader = Self {
            incoming,
            decoder: None,
            has_begun: false,
            decoded: 0,
            ahead: Buffer::default(),
            allowance: None,
            failed: None,
        };
        if let Some(cause) = failure {
            reader.fail(cause);
        }
        reader
    }

    /// From here on the body is handed out as `reading` says. It is preloaded here too.
    pub(super) async fn begin(
        &mut self,
        reading: Reading,
        headers: &Headers,
        max_codings: usize,
    ) -> Result<(), Cause> {
        self.allowance = reading
            .limit()
            .map(|limit| Allowance { limit, left: limit });
        if !reading.is_raw {
            self.decode(true, headers, max_codings)?;
        }
        if reading.is_preloaded {
            self.read_ahead(usize::MAX).await?;
        }
        Ok(())
    }

    /// Whether codings are undone.
    pub(super) const fn is_decoded(&self) -> bool {
        self.decoder.is_some()
    }

    /// From here on the codings that `headers` name are undone, or not. False where it is too late for that.
    pub(super) fn decode(
        &mut self,
        is_wanted: bool,
        headers: &Headers,
        max_codings: usize,
    ) -> Result<bool, Cause> {
        // The answer to HEAD names the codings of a body that it does not have.
        let is_absent =
            !self.has_begun && self.incoming.has_ended() && self.incoming.waiting() == 0;
        if is_absent || is_wanted == self.decoder.is_some() {
            return Ok(true);
        }
        match codings::of_response(headers, max_codings) {
            Ok(Codings::Undo(_)) if self.has_begun => return Ok(false),
            Ok(Codings::Undo(codings)) if is_wanted => self.decoder = Decoder::new(&codings),
            Err(why) if is_wanted => {
                self.forget();
                return Err(self.fail(Cause::TooManyCodings(why)));
            }
            _ => self.decoder = None,
        }
        Ok(true)
    }

    /// What it is read from.
    pub(super) const fn incoming(&self) -> &Incoming<N> {
        &self.incoming
    }

    /// Some bytes; none at the end, or where none were asked for.
    pub(super) async fn some(&mut self, max: usize) -> Result<Vec<u8>, Cause> {
        self.piece(max, Portion::Some).await
    }

    /// Waits until some bytes can be had at once, or the end, or a failure, which the next read tells.
    ///
    /// What is not decoded stays where it is, so that its chunks keep their ends.
    pub(super) async fn ready(&mut self) {
        if !self.ahead.is_empty() {
            return;
        }
        if self.decoder.is_none() {
            // A failure is kept for who reads.
            let _ = self.there(1, Portion::Some).await;
        } else if let Ok(piece) = self.piece(MAX_READ, Portion::Some).await {
            self.ahead.push(piece);
        }
    }

    /// A chunk as the peer sent it, or `max` bytes of it; none at the end.
    pub(super) async fn chunk(&mut self, max: usize) -> Result<Vec<u8>, Cause> {
        self.piece(max, Portion::Chunk).await
    }

    /// `amount` bytes, or as many as there are up to the end.
    pub(super) async fn full(&mut self, amount: usize) -> Result<Vec<u8>, Cause> {
        self.read_ahead(amount).await?;
        Ok(self.ahead.take(amount))
    }

    /// A line with the LF that ends it, or `max` bytes of it; none at the end.
    pub(super) async fn line(&mut self, max: usize) -> Result<Vec<u8>, Cause> {
        let mut searched = 0;
        let length = loop {
            let there = self.ahead.as_slice();
            let there = there.get(..max).unwrap_or(there);
            let mut fresh = there.iter().skip(searched);
            if let Some(at) = fresh.position(|byte| *byte == b'\n') {
                break searched + at + 1;
            }
            searched = there.len();
            if searched == max {
                break max;
            }
            match self.fresh(MAX_READ, Portion::Some).await {
                Ok(piece) if piece.is_empty() => break searched,
                Ok(piece) => self.ahead.push(piece),
                Err(cause) if searched == 0 => return Err(cause),
                Err(_) => break searched,
            }
        };
        Ok(self.ahead.take(length))
    }

    /// All of the rest, which may have `limit` bytes.
    pub(super) async fn all(&mut self, limit: u64) -> Result<Vec<u8>, Cause> {
        loop {
            let known = (self.ahead.len() as u64).saturating_add(self.announced());
            if known > limit {
                self.ahead.clear();
                return Err(self.refuse(limit));
            }
            let piece = self.fresh(MAX_READ, Portion::Some).await?;
            if piece.is_empty() {
                return Ok(self.ahead.take(usize::MAX));
            }
            self.ahead.push(piece);
        }
    }

    /// Takes back all of the rest.
    pub(super) fn unread(&mut self, rest: Vec<u8>) {
        self.ahead.push(rest);
    }

    /// Reads the rest without decoding it and throws it away.
    pub(super) async fn drain(&mut self) -> Result<(), Cause> {
        self.forget();
        while self.failed.is_none() && !self.incoming.has_ended() {
            if let Err(cause) = self.incoming.fill().await {
                self.fail(cause);
            }
            self.incoming.clear();
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Ends the body here.
    pub(super) fn close(&mut self) {
        self.incoming
            .give_up("its response was not read to the end");
        self.forget();
    }

    /// Reads what is left if that is cheaper than another connection, and gives the connection up otherwise.
    pub(super) async fn discard(self) {
        self.incoming.discard().await;
    }

    /// Ends the body with what became of it: every further read fails like this, once what came before has been read.
    pub(super) fn fail(&mut self, cause: Cause) -> Cause {
        self.failed = Some(cause.clone());
        self.incoming
            .give_up("its response could not be read to the end");
        cause
    }

    /// Refuses a body that is too large, but for what was read ahead.
    fn refuse(&mut self, limit: u64) -> Cause {
        let ahead = std::mem::take(&mut self.ahead);
        self.forget();
        self.ahead = ahead;
        self.fail(Cause::TooLarge { limit })
    }

    /// Throws away what was not handed out yet.
    fn forget(&mut self) {
        self.ahead.clear();
        self.incoming.clear();
        self.decoder = None;
        self.allowance = None;
    }

    /// How many bytes are to come beside those read ahead, as far as that is announced; once decoded there may be any number.
    fn announced(&self) -> u64 {
        match &self.decoder {
            None => self.incoming.to_come().unwrap_or(0),
            Some(_) => 0,
        }
    }

    /// Reads until `amount` bytes are there, or the end.
    async fn read_ahead(&mut self, amount: usize) -> Result<(), Cause> {
        while self.ahead.len() < amount {
            let piece = self.fresh(amount - self.ahead.len(), Portion::Some).await?;
            if piece.is_empty() {
                break;
            }
            self.ahead.push(piece);
        }
        Ok(())
    }

    async fn piece(&mut self, max: usize, portion: Portion) -> Result<Vec<u8>, Cause> {
        if max == 0 {
            return Ok(Vec::new());
        }
        if !self.ahead.is_empty() {
            return Ok(self.ahead.take(max));
        }
        self.fresh(max, portion).await
    }

    /// What comes behind the bytes read ahead, as far as it is allowed.
    async fn fresh(&mut self, max: usize, portion: Portion) -> Result<Vec<u8>, Cause> {
        let Some(Allowance { limit, left }) = self.allowance else {
            return self.decoded(max, portion).await;
        };
        if self.announced() > left {
            return Err(self.refuse(limit));
        }
        // Once all that is allowed was had, one more byte tells whether that was all.
        let room = usize::try_from(left).unwrap_or(usize::MAX).max(1);
        let piece = self.decoded(max.min(room), portion).await?;
        match left.checked_sub(piece.len() as u64) {
            Some(left) => {
                self.allowance = Some(Allowance { limit, left });
                Ok(piece)
            }
            None => Err(self.refuse(limit)),
        }
    }

    async fn decoded(&mut self, max: usize, portion: Portion) -> Result<Vec<u8>, Cause> {
        // Before anything is taken, so that nothing is lost where the wait is given up.
        let decoded = std::mem::take(&mut self.decoded);
        if decoded > 0 {
            self.incoming.worked(decoded).await;
        }
        let mut piece = Vec::new();
        loop {
            let Some(decoder) = &mut self.decoder else {
                return self.taken(max, portion).await;
            };
            match decoder.pull(max.min(MAX_READ), &mut piece) {
                Ok(Pulled::Output) => {
                    self.decoded += piece.len();
                    return Ok(piece);
                }
                Ok(Pulled::Busy) => {
                    self.check_the_clock()?;
                    self.incoming.worked(MAX_READ).await;
                }
                Ok(Pulled::NeedsInput) => {
                    let input = self.taken(MAX_READ, portion).await?;
                    match &mut self.decoder {
                        Some(decoder) if input.is_empty() => decoder.finish(),
                        Some(decoder) => decoder.push(input),
                        None => return Ok(input),
                    }
                }
                Ok(Pulled::End) => return self.past_the_end().await.map(|()| piece),
                Err(DecodeError { coding, detail }) => {
                    let coding = coding.name();
                    return Err(self.fail(Cause::Undecodable { coding, detail }));
                }
            }
        }
    }

    /// Bytes as they were sent; none at the end.
    async fn taken(&mut self, max: usize, portion: Portion) -> Result<Vec<u8>, Cause> {
        let there = self.there(max, portion).await?;
        self.has_begun = true;
        Ok(self.incoming.take(there.min(max)))
    }

    /// Waits until as much as is asked for can be taken, and says how much that is; nothing at the end.
    async fn there(&mut self, max: usize, portion: Portion) -> Result<usize, Cause> {
        loop {
            let (there, is_whole) = match portion {
                Portion::Chunk => self.incoming.chunk(),
                Portion::Some => (self.incoming.waiting(), self.incoming.waiting() > 0),
            };
            match &self.failed {
                Some(cause) if there == 0 => return Err(cause.clone()),
                None if !is_whole && there < max && !self.incoming.has_ended() => {}
                _ => return Ok(there),
            }
            if let Err(cause) = self.incoming.fill().await {
                self.fail(cause);
            }
        }
    }

    /// Reads on from the end of the decoded content to that of the body.
    async fn past_the_end(&mut self) -> Result<(), Cause> {
        if self.failed.is_none()
            && let Err(cause) = self.incoming.pass_over().await
        {
            self.fail(cause);
        }
        self.incoming.clear();
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Checks the time where decoding takes long and waits for nobody.
    fn check_the_clock(&mut self) -> Result<(), Cause> {
        match self.incoming.expiry() {
            Some(expiry) => Err(self.fail(Cause::TimedOut(expiry))),
            None => Ok(()),
        }
    }
}
