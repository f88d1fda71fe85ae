//! Builds the consumers anew when the contract changes, which the macro that reads it does not tell cargo, and takes the program of README.md
//! out of it, for `src/bin/readme.rs`.

use std::path::Path;
use std::{env, fs};

const README: &str = "../../README.md";
/// What whoever follows it copies beside the program.
const DEFAULTS: &str = "../../examples/consumers/rust/src/defaults.rs";

fn main() {
    println!("cargo::rerun-if-changed=../../wit");
    println!("cargo::rerun-if-changed={README}");
    println!("cargo::rerun-if-changed={DEFAULTS}");
    let page = fs::read_to_string(README).expect("the page is in the root");
    let (_, rest) = page.split_once("\n```rs\n").expect("it has a program");
    let (program, _) = rest.split_once("\n```\n").expect("that ends");
    // All that a package of its own has elsewhere.
    let program = program
        .replace("path: \"wit\"", "path: \"../../wit\"")
        .replace("\"https://example.org/\"", "&address()");
    let folder = env::var_os("OUT_DIR").expect("cargo sets it");
    let folder = Path::new(&folder);
    fs::write(folder.join("readme.rs"), program).expect("cargo has made the folder");
    fs::copy(DEFAULTS, folder.join("defaults.rs")).expect("the example has the file");
}
