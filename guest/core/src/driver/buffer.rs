//! Bytes that arrive at one end and are taken at the other, in pieces of any size.
//!
//! Taking a little at a time copies only what is taken, so a reader of short lines costs no more than one of long ones.

#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many of them were taken.
    start: usize,
}

impl Buffer {
    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if self.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.drain(..self.start);
            self.bytes.extend_from_slice(&bytes);
        }
        self.start = 0;
    }

    /// Takes what is there, at most `max` bytes.
    pub(super) fn take(&mut self, max: usize) -> Vec<u8> {
        if self.len() <= max {
            self.bytes.drain(..self.start);
            self.start = 0;
            return std::mem::take(&mut self.bytes);
        }
        let taken = self.as_slice().get(..max).unwrap_or_default().to_vec();
        self.start += taken.len();
        taken
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is pushed and taken in whatever order comes out as it went in.
        #[test]
        fn it_agrees_with_a_vector(steps in prop::collection::vec((any::<bool>(), 0..40_usize), 0..60)) {
            let (mut buffer, mut model) = (Buffer::default(), Vec::new());
            for (number, (is_push, size)) in (0_u8..).zip(steps) {
                if is_push {
                    model.extend(vec![number; size]);
                    buffer.push(vec![number; size]);
                } else {
                    let rest = model.split_off(size.min(model.len()));
                    prop_assert_eq!(buffer.take(size), std::mem::replace(&mut model, rest));
                }
                prop_assert_eq!(buffer.as_slice(), model.as_slice());
                prop_assert_eq!((buffer.len(), buffer.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
