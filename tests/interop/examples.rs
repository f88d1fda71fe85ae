//! The rows of `examples/`: other people's tools make components of them, by the commands of their page, and the stock `wasmtime` runs
//! these.
//!
//! - `fetching` is the component that fetches, in each language.
//! - `workshop` is where they are made.

mod fetching;
mod workshop;

pub(crate) use fetching::rows;
