//! Makes `dist/*.wasm` from what cargo built: labels the component, plugs it into the command, and holds the size budget.
//!
//! `make components` calls it. A file is written only where its bytes changed, so that nothing that depends on it is built again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use urlpool_compose::{BUDGET, COMPONENTS, Label, label, plug};

const CLIENT: Label<'_> = Label {
    name: "urlpool",
    description: "An HTTP client that keeps its connections, over WASI sockets.",
    version: env!("CARGO_PKG_VERSION"),
    licence: env!("CARGO_PKG_LICENSE"),
    source: env!("CARGO_PKG_REPOSITORY"),
};

const ASYNC: Label<'_> = Label {
    name: "urlpool-async",
    description: "An HTTP client that keeps its connections, with asynchronous functions and streams, over WASI sockets.",
    ..CLIENT
};

const DROP_IN: Label<'_> = Label {
    name: "urlpool-http",
    description: "wasi:http/client over connections of its own, which it keeps, over WASI sockets.",
    ..CLIENT
};

const COMMAND: Label<'_> = Label {
    name: "urlpool-cli",
    description: "The urlpool command: fetches URLs over WASI sockets.",
    ..CLIENT
};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(built), Some(dist), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!(
            "usage: compose BUILT DIST (the folder that cargo built into, the folder to write to)"
        );
        return ExitCode::from(2);
    };
    match compose(&built, &dist) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compose: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compose(built: &Path, dist: &Path) -> Result<(), Box<dyn Error>> {
    let client = label(&read(&built.join("urlpool.wasm"))?, CLIENT)?;
    let asynchronous = label(&read(&built.join("urlpool_async.wasm"))?, ASYNC)?;
    let drop_in = label(&read(&built.join("urlpool_http.wasm"))?, DROP_IN)?;
    let command = read(&built.join("urlpool-cli.wasm"))?;
    let command = label(&plug(&command, &[&client])?, COMMAND)?;

    fs::create_dir_all(dist)?;
    let made = [
        (&client, Some(BUDGET)),
        (&command, None),
        (&asynchronous, None),
        (&drop_in, None),
    ];
    for (name, (bytes, budget)) in COMPONENTS.into_iter().zip(made) {
        write_if_changed(&dist.join(name), bytes)?;
        report(name, bytes.len(), budget);
    }
    if client.len() > BUDGET {
        return Err(format!(
            "urlpool.wasm has {} bytes, more than its budget of {BUDGET}",
            client.len()
        )
        .into());
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("failed to read {}: {error}", path.display()))
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    // Renamed into place, so that whoever reads it meanwhile finds the old file or the new one and never half of it.
    let unfinished = path.with_extension("wasm.tmp");
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, path)
}

#[expect(clippy::print_stdout, reason = "the sizes are what the command prints")]
fn report(name: &str, size: usize, budget: Option<usize>) {
    match budget {
        Some(budget) => println!("{name:<18} {size:>9} bytes, budget {budget}"),
        None => println!("{name:<18} {size:>9} bytes"),
    }
}
