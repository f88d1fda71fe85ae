//! What every coding offers to the chain.

use super::brotli::Brotli;
use super::deflate::Deflate;
use super::gzip::Gzip;
use super::zstd::Zstd;
use crate::policy::codings::Coding;

/// Undoes one coding, a step at a time.
pub(super) trait Undo {
    /// Takes from the front of `input` and writes to the front of `output`, which is not empty.
    ///
    /// A step that neither takes, gives nor ends has taken all there was before and needs more.
    ///
    /// # Errors
    /// Says what is wrong with the data. There is no step after that.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String>;

    /// Whether the data may end here. Asked after a step that needed more.
    fn may_end(&self) -> bool;
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Bytes of input that are done with.
    pub(super) taken: usize,
    /// Bytes of output that were written.
    pub(super) given: usize,
    /// Whether the data has ended. What follows in the input does not belong to it.
    pub(super) has_ended: bool,
}

impl Step {
    /// A step that only took input.
    pub(super) const fn took(taken: usize) -> Self {
        Self {
            taken,
            given: 0,
            has_ended: false,
        }
    }
}

/// Starts to undo `coding`.
pub(super) fn start(coding: Coding) -> Box<dyn Undo> {
    match coding {
        Coding::Gzip => Box::new(Gzip::new()),
        Coding::Deflate => Box::new(Deflate::new()),
        Coding::Brotli => Box::new(Brotli::new()),
        Coding::Zstd => Box::new(Zstd::new()),
    }
}

/// What to say of data that ends early, in the words urllib3 has for zstd.
pub(super) const fn incomplete(coding: Coding) -> &'static str {
    match coding {
        Coding::Gzip => "gzip data is incomplete",
        Coding::Deflate => "deflate data is incomplete",
        Coding::Brotli => "brotli data is incomplete",
        Coding::Zstd => "Zstandard data is incomplete",
    }
}
