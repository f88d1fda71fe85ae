//! The same as `fetch` with `pipe`: the body goes to standard output without passing through this component.

use std::process::ExitCode;

use urlpool_consumers::{Failed, request_as_told};

mod bindings {
    //! The interface `pipe`, over the types of `blocking` and `wasi:io` that are there already.
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package urlpool:consumers;
            world copy {
                import urlpool:client/pipe@0.1.0;
            }
        ",
        world: "urlpool:consumers/copy",
        with: {
            "urlpool:client/pipe@0.1.0": generate,
            "urlpool:client/types@0.1.0": urlpool_consumers::types,
            "urlpool:client/blocking@0.1.0": urlpool_consumers::blocking,
            "wasi:io/error@0.2.12": wasi::io::error,
            "wasi:io/poll@0.2.12": wasi::io::poll,
            "wasi:io/streams@0.2.12": wasi::io::streams,
        },
    });
}

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
    bindings::urlpool::client::pipe::copy_to(&response, &out)?;
    Ok(())
}
