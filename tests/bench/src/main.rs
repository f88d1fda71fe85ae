//! `make bench`: urlpool beside what else there is, from one run on one machine, against nginx.
//!
//! - `gets` is part (a): sequential keep-alive GETs of 100 bytes; `bulk` is part (b): one large body; `origins` is part (f): what a request
//!   costs beside ever more origins; `codings` is part (g): one large body in each coding.
//! - `command` is parts (c) and (e), how long the binary takes and how much memory; part (d), the component's size, stands in `main`; `slow`
//!   is part (h): many requests at once that are answered slowly; `tunnels` is part (i): the GETs of (a) through a proxy; `handshakes` is part
//!   (j): new TLS connections; `instances` is part (k): what a further instance costs; `behind` is part (l): our hooks behind `wasi:http`; `newer` is part (m): our components of
//!   WASI 0.3.
//! - `parts` reads the command line. `cpu` keeps client and server on one CPU for (a), (b), (f), (g) and (i) to (m); `rounds` measures contenders in
//!   alternation; `clients`, `python` and `guests` are the contenders: those on this machine's own processor, those in CPython, and those in
//!   wasm, in this process and with urlpool-host's engine; `aside` is the server where nginx is none, `relay` the proxy.
//! - `table` holds goals, prints, and writes `target/bench/report.json`.
//!
//! A missed goal is printed and is not an error; a contender that fails is.
#![expect(clippy::print_stdout, reason = "the table is what this is for")]

mod aside;
mod behind;
mod bulk;
mod clients;
mod codings;
mod command;
mod cpu;
mod gets;
mod guests;
mod handshakes;
mod hooks;
mod instances;
mod newer;
mod origins;
mod parts;
mod place;
mod python;
mod relay;
mod rounds;
mod slow;
mod table;
mod tunnels;

use std::process::ExitCode;

use urlpool_tests::nginx::{AccessLog, Nginx};
use wasmtime::Result;

use crate::cpu::OneCpu;
use crate::guests::Guests;
use crate::parts::{Asked, Parts, USAGE};
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
    lookups: u32,
    reconnects: u32,
    coded_bytes: u64,
    slow_rounds: u32,
}

const FULL: Scale = Scale {
    rounds: 5,
    requests: 2000,
    bulk_rounds: 5,
    bulk_bytes: 256 << 20,
    first_starts: 3,
    later_starts: 21,
    lookups: 20_000,
    reconnects: 512,
    coded_bytes: 64 << 20,
    slow_rounds: 3,
};

/// Enough to see that everything runs, and not to believe the numbers.
const QUICK: Scale = Scale {
    rounds: 2,
    requests: 50,
    bulk_rounds: 2,
    bulk_bytes: 16 << 20,
    first_starts: 1,
    later_starts: 3,
    lookups: 1000,
    reconnects: 64,
    coded_bytes: 4 << 20,
    slow_rounds: 1,
};

// One thread for everybody: what a request costs, and not how it is spread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (scale, parts) = match Asked::parse(std::env::args().skip(1)) {
        Some(Asked::Measure(scale, parts)) => (scale, parts),
        Some(Asked::Usage) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        None => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measure(scale, &parts).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(scale: Scale, parts: &Parts) -> Result<()> {
    let place = Place::find()?;
    let mut table = Table::new(scale);
    let one_cpu = OneCpu::take()?;
    let nginx = Nginx::start(AccessLog::Off);
    nginx.serve("small", &[b'x'; 100]);
    nginx.serve_zeros("large", scale.bulk_bytes);
    if ['a', 'b', 'j', 'l'].into_iter().any(|part| parts.has(part)) {
        let guests = Guests::new(&place, &nginx.authority_file())?;
        if parts.has('a') {
            gets::measure(&mut table, scale, &place, &nginx, &guests).await?;
        }
        if parts.has('b') {
            bulk::measure(&mut table, scale, &place, &nginx, &guests).await?;
        }
        if parts.has('j') {
            handshakes::measure(&mut table, scale, &place, &nginx, &guests).await?;
        }
        if parts.has('l') {
            behind::measure(&mut table, scale, &place, &nginx, &guests).await?;
        }
    }
    if parts.has('m') {
        newer::measure(&mut table, scale, &place, &nginx).await?;
    }
    if parts.has('i') {
        tunnels::measure(&mut table, scale, &place, &nginx).await?;
    }
    if parts.has('f') {
        origins::measure(&mut table, scale, &nginx).await?;
    }
    if parts.has('g') {
        codings::measure(&mut table, scale, &place).await?;
    }
    if parts.has('k') {
        instances::measure(&mut table, scale).await?;
    }
    // What comes now is not a race: the compiler may have all of them, and nginx is not what takes the time.
    drop(one_cpu);
    if parts.has('c') {
        command::start(&mut table, scale, &place, &nginx).await?;
    }
    if parts.has('d') {
        size(&mut table, &place)?;
    }
    if parts.has('e') {
        command::memory(&mut table, &place, &nginx).await?;
    }
    if parts.has('h') {
        slow::measure(&mut table, scale, &place).await?;
    }
    if parts.has('m') {
        newer::slow(&mut table, scale, &place, &nginx).await?;
    }
    table.sort();
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
