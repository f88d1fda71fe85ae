//! Builds the component anew when the contract changes, which the macro that reads it does not tell cargo.

fn main() {
    println!("cargo::rerun-if-changed=../../../wit");
    println!("cargo::rerun-if-changed=../wit");
}
