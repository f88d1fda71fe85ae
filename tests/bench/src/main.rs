//! `make bench`: urlpool beside what else there is, from one run on one machine, against nginx.
//!
//! - `gets` is part (a): sequential keep-alive GETs of 100 bytes; `bulk` is part (b): one large body.
//! - `command` is parts (c) and (e), how long the binary takes and how much memory; part (d), the component's size, stands in `main`.
//! - `cpu` keeps client and server on one CPU for (a) and (b); `rounds` measures contenders in alternation; `clients` and `guests` are the contenders: those on this machine's own processor, and
//!   those in wasm, in this process and with urlpool-host's engine.
//! - `table` holds goals, prints, and writes `target/bench/report.json`.
//!
//! A missed goal is printed and is not an error; a contender that fails is.
#![expect(clippy::print_stdout, reason = "the table is what this is for")]

mod bulk;
mod clients;
mod command;
mod cpu;
mod gets;
mod guests;
mod hooks;
mod place;
mod rounds;
mod table;

use std::process::ExitCode;

use urlpool_tests::nginx::{AccessLog, Nginx};
use wasmtime::Result;

use crate::cpu::OneCpu;
use crate::guests::Guests;
use crate::place::Place;
use crate::table::{Goal, Quantity, Row, Table};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Scale {
    rounds: u32,
    requests: u32,
    bulk_rounds: u32,
    bulk_bytes: u64,
    first_starts: u32,
    later_starts: u32,
}

const FULL: Scale = Scale {
    rounds: 5,
    requests: 2000,
    bulk_rounds: 5,
    bulk_bytes: 256 << 20,
    first_starts: 3,
    later_starts: 21,
};

/// Enough to see that everything runs, and not to believe the numbers.
const QUICK: Scale = Scale {
    rounds: 2,
    requests: 50,
    bulk_rounds: 2,
    bulk_bytes: 16 << 20,
    first_starts: 1,
    later_starts: 3,
};

// One thread for everybody: what a request costs, and not how it is spread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let scale = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => FULL,
        ["--quick"] => QUICK,
        _ => {
            eprintln!("usage: urlpool-bench [--quick]");
            return ExitCode::from(2);
        }
    };
    match measure(scale).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(scale: Scale) -> Result<()> {
    let place = Place::find()?;
    let one_cpu = OneCpu::take()?;
    let nginx = Nginx::start(AccessLog::Off);
    nginx.serve("small", &[b'x'; 100]);
    nginx.serve_zeros("large", scale.bulk_bytes);
    let guests = Guests::new(&place, &nginx.authority_file())?;
    let mut table = Table::new(scale);
    gets::measure(&mut table, scale, &place, &nginx, &guests).await?;
    bulk::measure(&mut table, scale, &place, &nginx, &guests).await?;
    // What comes now is not a race: the compiler may have all of them, and nginx is not what takes the time.
    drop(one_cpu);
    command::start(&mut table, scale, &place, &nginx).await?;
    size(&mut table, &place)?;
    command::memory(&mut table, &place, &nginx).await?;
    table.print();
    let report = place.target.join("bench").join("report.json");
    table.write(&report)?;
    println!("also in {}", report.display());
    Ok(())
}

fn size(table: &mut Table, place: &Place) -> Result<()> {
    let bytes = std::fs::metadata(place.component())?.len();
    table.add(Row::alone(
        "(d) size",
        "urlpool.wasm",
        Quantity::Bytes(bytes),
        Some(Goal::AtMost(Quantity::Bytes(1_600_000))),
    ));
    Ok(())
}
