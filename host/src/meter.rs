//! How much memory a store has, and how much it may have.
//!
//! All that its components can make grow counts together: their memories, and their tables by what an element takes out here.

use wasmtime::{ResourceLimiter, Result, bail};

/// What an element of a table takes, in bytes, on a machine of 64 bits.
const ELEMENT: usize = 16;

/// Counts what is grown, and traps what grows beyond its limit.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: usize,
    used: usize,
}

impl Meter {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, used: 0 }
    }

    /// Bytes in use.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    fn grow(&mut self, bytes: usize) -> Result<bool> {
        let used = self.used.saturating_add(bytes);
        if used > self.limit {
            bail!(
                "it needs more than the {} bytes of memory allowed",
                self.limit
            );
        }
        self.used = used;
        Ok(true)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.grow(desired.saturating_sub(current))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.grow(desired.saturating_sub(current).saturating_mul(ELEMENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_together() {
        let mut meter = Meter::new(1000);
        assert!(meter.memory_growing(0, 400, None).unwrap());
        assert!(meter.memory_growing(0, 100, None).unwrap());
        assert!(meter.memory_growing(400, 600, None).unwrap());
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert_eq!(meter.used(), 860);
        assert!(meter.table_growing(10, 19, None).is_err());
        assert!(meter.memory_growing(0, usize::MAX, None).is_err());
        assert!(meter.table_growing(0, usize::MAX, None).is_err());
        assert_eq!(meter.used(), 860, "what was refused does not count");
        assert!(meter.memory_growing(600, 740, None).unwrap());
    }
}
