//! `br` (RFC 7932). The window is what the RFC allows, 16 MiB at most; larger ones are an extension that no content coding has.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::undo::{Step, Undo};

pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default();
        Self {
            state: Box::new(BrotliState::new_strict(alloc, alloc, alloc)),
        }
    }
}

impl Undo for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        let (mut left, mut taken) = (input.len(), 0);
        let (mut room, mut given) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut taken,
            input,
            &mut room,
            &mut given,
            output,
            &mut 0,
            &mut self.state,
        );
        if matches!(result, BrotliResult::ResultFailure) {
            return Err("invalid brotli data".into());
        }
        Ok(Step {
            taken,
            given,
            has_ended: matches!(result, BrotliResult::ResultSuccess),
        })
    }

    fn may_end(&self) -> bool {
        false
    }
}
