//! getrandom 0.2's interface, answered by getrandom 0.4.
//!
//! getrandom 0.2 knows WASI only as preview 1, and ring still uses it. Linking it would pull the preview-1 adapter, and
//! with it `wasi:filesystem`, into a component that opens no file. This crate takes its place through `[patch]`.

/// Fills `dest` with bytes from the system's source of randomness.
///
/// # Errors
/// When that source fails; on WASI 0.2 it cannot.
pub fn getrandom(dest: &mut [u8]) -> Result<(), Error> {
    getrandom_04::fill(dest)
}

pub use getrandom_04::Error;
