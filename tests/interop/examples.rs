//! The rows of `examples/`: other people's tools make components of them, by the commands of their page, and the stock `wasmtime` runs
//! these.
//!
//! - `dropping` is the component that speaks `wasi:http`.
//! - `fetching` is the component that fetches, in each language.
//! - `hosting` is the program in JavaScript that has urlpool inside.
//! - `piping` is the pipeline.
//! - `workshop` is where they are made.

mod dropping;
mod fetching;
mod hosting;
mod piping;
mod workshop;

use crate::tally::Row;

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = fetching::rows();
    rows.extend(dropping::rows());
    rows.push(piping::row());
    rows.extend(hosting::rows());
    rows
}
