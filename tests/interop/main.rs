//! `make interop`: whether the exact bytes come from a real server (Debian's nginx) through every door that people use.
//!
//! - `doors` is how each door is opened: the native binary, the stock `wasmtime` with the command component, and a consumer component.
//! - `command` holds the rows that the first two have in common, `consumer` those of the third.
//! - `tally` runs the rows, one after the other, and counts.
//!
//! Each row prints its name. What a row needs and does not find makes it fail; nothing is skipped. A command that does not end is a
//! failure too, after the patience of `Program`.
#![expect(clippy::print_stdout, reason = "the table of rows is what this is for")]

mod command;
mod consumer;
mod doors;
mod served;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;

use crate::doors::Door;
use crate::served::Served;
use crate::tally::Tally;

#[tokio::main]
async fn main() -> ExitCode {
    let served = Arc::new(Served::start());
    let mut tally = Tally::default();
    for door in [Door::Native, Door::Stock] {
        command::rows(&mut tally, door, &served).await;
    }
    command::row_of_make(&mut tally, &served).await;
    command::rows_without_network(&mut tally, &served).await;
    consumer::rows(&mut tally, &served).await;
    tally.report()
}
