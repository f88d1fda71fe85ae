//! Uploads standard input to the first URL; then gets all of the others at once and prints their bodies as they come.

use std::io::Write;
use std::process::ExitCode;

use urlpool_consumers::blocking::{self, Body, Pending, Response};
use urlpool_consumers::types::Limit;
use urlpool_consumers::{Failed, manager, options, pipe};
use wasi::cli::stdin::get_stdin;
use wasi::clocks::monotonic_clock::subscribe_duration;

fn main() -> ExitCode {
    match several() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn several() -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    let mut urls = std::env::args().skip(1);
    let (manager, options) = (manager(None)?, options());
    let upload = urls.next().unwrap_or_default();
    let uploaded = pipe::send_from(&manager, "PUT", &upload, &get_stdin(), None, &options)?;
    writeln!(out, "{}", text(&uploaded)?)?;

    let start = |url: String| manager.start("GET", &url, &Body::Empty, &options);
    let started: Vec<Pending> = urls.map(start).collect::<Result<_, _>>()?;
    let mut waiting: Vec<usize> = (0..started.len()).collect();
    let borrowed: Vec<&Pending> = started.iter().collect();
    // Something that is ready at once, before any server can have answered.
    if pipe::wait(&borrowed, &subscribe_duration(0), Limit::Unlimited).other {
        writeln!(out, "the other")?;
    }
    while !waiting.is_empty() {
        let borrowed: Vec<&Pending> = waiting
            .iter()
            .filter_map(|number| started.get(*number))
            .collect();
        for place in blocking::wait(&borrowed, Limit::Unlimited)
            .into_iter()
            .rev()
        {
            let number = waiting.remove(place as usize);
            if let Some(pending) = started.get(number) {
                writeln!(out, "{number} {}", text(&pending.response()?)?)?;
            }
        }
    }
    Ok(out.flush()?)
}

fn text(response: &Response) -> Result<String, Failed> {
    Ok(response.text(1 << 20)?)
}
