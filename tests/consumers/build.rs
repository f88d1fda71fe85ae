//! Builds the consumers anew when the contract changes, which the macro that reads it does not tell cargo, and takes the program of README.md
//! out of it, for `src/bin/readme.rs`.

use std::path::Path;
use std::{env, fs};

const README: &str = "../../README.md";

fn main() {
    println!("cargo::rerun-if-changed=../../wit");
    println!("cargo::rerun-if-changed={README}");
    let page = fs::read_to_string(README).expect("the page is in the root");
    let (_, rest) = page.split_once("\n```rs\n").expect("it has a program");
    let (program, _) = rest.split_once("\n```\n").expect("that ends");
    // All that a package of its own has elsewhere.
    let program = program
        .replace("path: \"wit\"", "path: \"../../wit\"")
        .replace("\"https://example.org/\"", "&address()");
    let folder = env::var_os("OUT_DIR").expect("cargo sets it");
    let file = Path::new(&folder).join("readme.rs");
    fs::write(file, program).expect("cargo has made the folder");
}
