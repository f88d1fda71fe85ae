//! The program of README.md as it stands there, which `build.rs` takes out of it, for the URL that is its argument.
#![expect(missing_docs, reason = "generated from wit/")]
#![expect(clippy::print_stdout, reason = "it prints what it fetches")]

include!(concat!(env!("OUT_DIR"), "/readme.rs"));

fn address() -> String {
    std::env::args().nth(1).unwrap_or_default()
}
