//! `make interop`: whether the exact bytes come from real servers, through every door that people use and every proxy that they have.
//!
//! - `doors` is how each door is opened: the native binary, the command component under the stock `wasmtime` and under `jco run`, and a
//!   consumer component.
//! - `command` holds the rows that the first three have in common, `options` every option of theirs, `generated` what the first generates,
//!   `consumer` the rows of the fourth.
//! - `matrix` is the table of proxies: what `origins` serve, by way of each of `proxies`; `routes` are its special cases. `secure` is TLS, with `certificates` of every kind.
//! - `drop_in` is what takes the place of the stock `wasmtime`'s client.
//! - `examples` makes components of `examples/` and runs them.
//! - `report` is a request by the native binary and what it reports; `daemon` a server that these use.
//! - `tally` runs the rows, one after the other or several at once, and counts.
//!
//! `make interop ARGS='tls examples'` runs only these parts, of `doors`, `proxies`, `tls`, `drop-in` and `examples`.
//!
//! Each row prints its name. What a row needs and does not find makes it fail. A proxy that cannot be had is named and counted; nothing is
//! skipped in silence. A command that does not end is a failure too, after the patience of `Program`.
#![expect(clippy::print_stdout, reason = "the table of rows is what this is for")]

mod certificates;
mod command;
mod consumer;
mod daemon;
mod doors;
mod drop_in;
mod examples;
mod generated;
mod matrix;
mod options;
mod origins;
mod proxies;
mod report;
mod routes;
mod secure;
mod served;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;

use crate::doors::Door;
use crate::origins::Origins;
use crate::served::Served;
use crate::tally::Tally;

#[tokio::main]
async fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    let mut tally = Tally::default();
    if is_wanted("doors") {
        doors(&mut tally).await;
    }
    if is_wanted("proxies") {
        let origins = Arc::new(Origins::start());
        for (what, why) in &origins.proxies.missing {
            tally.missing(what, why);
        }
        tally.table(matrix::rows(&origins)).await;
        tally.table(routes::rows(&origins)).await;
    }
    if is_wanted("tls") {
        tally.table(secure::rows()).await;
    }
    if is_wanted("drop-in") {
        tally.table(drop_in::rows()).await;
    }
    if is_wanted("examples") {
        tally.table(examples::rows()).await;
    }
    tally.report()
}

/// The rows of a server without any proxy.
async fn doors(tally: &mut Tally) {
    let served = Arc::new(Served::start());
    let doors = [Door::Native, Door::Stock, Door::Jco];
    for door in doors {
        command::rows(tally, door, &served).await;
    }
    tally.table(options::rows(&doors).await).await;
    generated::rows(tally).await;
    command::row_of_an_interruption(tally).await;
    command::row_of_make(tally, &served).await;
    command::rows_without_network(tally, &served).await;
    consumer::rows(tally, &served).await;
}
