//! A request that was started.

use urlpool_core::driver::Piece;

use super::response::Response;
use crate::bindings::exports::urlpool::client::blocking::{self, Progress};
use crate::bindings::exports::urlpool::client::types as wit;
use crate::reactor::{block_on, would_stand_still};
use crate::{convert, pending};

pub(crate) struct Pending(pub(super) pending::Pending);

impl Pending {
    pub(super) fn export(pending: pending::Pending) -> blocking::Pending {
        blocking::Pending::new(Self(pending))
    }

    /// Pushes a piece of the body. Where nobody can ever take it, the outcome says why.
    fn push(&self, piece: Piece) -> Progress {
        block_on(self.0.push(piece)).map_or(Progress::Answered, convert::progress)
    }
}

impl blocking::GuestPending for Pending {
    fn write(&self, bytes: Vec<u8>) -> Progress {
        self.push(Piece::Bytes(bytes))
    }

    fn end_part(&self) -> Progress {
        self.push(Piece::PartEnd)
    }

    fn finish(&self) -> Progress {
        match self.push(Piece::End) {
            Progress::Accepted => {
                block_on(self.0.settled()).map_or(Progress::Answered, convert::progress)
            }
            interrupted => interrupted,
        }
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready() || would_stand_still()
    }

    fn response(&self) -> Result<blocking::Response, wit::Error> {
        let outcome = match block_on(self.0.outcome()) {
            None => Err(convert::stuck()),
            Some(None) => Err(convert::taken()),
            Some(Some(outcome)) => outcome,
        };
        outcome.map(Response::export).map_err(convert::error)
    }
}
