//! The same as `fetch` with `pipe`: the body goes to standard output without passing through this component.

use std::process::ExitCode;

use urlpool_consumers::{Failed, pipe, request_as_told};

fn main() -> ExitCode {
    match copy() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn copy() -> Result<(), Failed> {
    let response = request_as_told()?;
    let out = wasi::cli::stdout::get_stdout();
    pipe::copy_to(&response, &out)?;
    Ok(())
}
