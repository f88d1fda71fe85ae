//! Writes the body at a URL to standard output, through `blocking` alone.

use std::io::Write;
use std::process::ExitCode;

use urlpool_consumers::{Failed, request_as_told};

fn main() -> ExitCode {
    match fetch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn fetch() -> Result<(), Failed> {
    let response = request_as_told()?;
    let mut out = std::io::stdout().lock();
    loop {
        let chunk = response.read(64 * 1024)?;
        if chunk.is_empty() {
            return Ok(out.flush()?);
        }
        out.write_all(&chunk)?;
    }
}
