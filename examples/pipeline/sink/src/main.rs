//! Writes what comes to standard output.

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    world: "example:pipeline/sink",
    generate_all,
});

use std::error::Error;
use std::io::{Write, stdout};

use example::pipeline::bytes;

fn main() -> Result<(), Box<dyn Error>> {
    loop {
        let piece = bytes::next()?;
        if piece.is_empty() {
            return Ok(());
        }
        stdout().write_all(&piece)?;
    }
}
