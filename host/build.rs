//! Finds the component that the library embeds. It is built by `make components`, never from here: a build script that runs cargo waits for
//! itself.

use std::path::Path;

fn main() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/urlpool.wasm");
    println!("cargo:rerun-if-changed={}", component.display());
    if component.is_file() {
        println!("cargo:rustc-env=URLPOOL_COMPONENT={}", component.display());
    } else {
        println!("cargo::error=dist/urlpool.wasm is missing: run `make components` first");
    }
}
