//! What we promise on paper and in `dist/`: every item documented, standard imports only, the size within its budget.
//!
//! Reads `wit/` and the built components; runs none of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use urlpool_compose::{COMPONENTS, interface};
use wasm_metadata::Payload;
use wit_component::WitPrinter;
use wit_parser::decoding::decode;
use wit_parser::{PackageId, Resolve, WorldItem, WorldKey};

mod undocumented;

#[test]
fn every_item_of_the_contract_is_documented() {
    let mut resolve = Resolve::default();
    for folder in ["wit", "wit/async"] {
        let (package, _) = resolve.push_dir(root().join(folder)).expect(folder);
        let missing = undocumented::items(&resolve, package);
        assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
    }
}

#[test]
fn blocking_needs_nothing_of_wasi() {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("wit")).expect("wit/ parses");
    let consumer = "package test:consumer; world fetch { import urlpool:client/blocking@0.1.0; }";
    let package = resolve
        .push_source("consumer.wit", consumer)
        .expect("the consumer's world parses");
    let world = resolve
        .select_world(&[package], None)
        .expect("the package has one world");
    let world = resolve.worlds.get(world).expect("an id of this resolve");
    let imports: Vec<String> = world
        .imports
        .iter()
        .filter(|(_, item)| matches!(item, WorldItem::Interface { .. }))
        .map(|(key, _): (&WorldKey, _)| resolve.name_world_key(key))
        .collect();
    assert_eq!(
        imports,
        [
            "urlpool:client/types@0.1.0",
            "urlpool:client/blocking@0.1.0"
        ]
    );
}

#[test]
fn the_copied_wit_is_that_of_the_crate() {
    let copies = root().join("wit").join("deps");
    let originals = folder_of("urlpool-guest@", &["wasi", "wasip2"]);
    let originals = originals.join("wit").join("deps");
    let mut compared = 0;
    for entry in fs::read_dir(&copies).expect("wit/deps is there") {
        let copy = entry.expect("a folder lists its files").path();
        let name = copy.file_name().expect("a file has a name");
        let (ours, theirs) = (fs::read(&copy), fs::read(originals.join(name)));
        let theirs = theirs.expect("the crate has a file of the same name");
        assert!(
            ours.expect("the copy can be read") == theirs,
            "{} differs from {}",
            copy.display(),
            originals.display()
        );
        compared += 1;
    }
    assert!(compared > 0, "nothing was compared");
}

#[test]
fn the_copied_wit_of_0_3_is_that_of_the_crate() {
    let copies = root().join("wit").join("async").join("deps");
    let originals = folder_of("urlpool-consumers-http03@", &["wasip3"]);
    let originals = originals.join("wit").join("deps");
    let mut compared = 0;
    for entry in fs::read_dir(&copies).expect("wit/async/deps is there") {
        let copy = entry.expect("a folder lists its files").path();
        let name = copy.file_name().expect("a file has a name");
        let ours = fs::read_to_string(&copy).expect("the copy can be read");
        let theirs = fs::read_to_string(originals.join(name));
        let theirs = theirs.expect("the crate has a file of the same name");
        // jco knows no other 0.3 than this, and everybody else takes it for the same.
        assert!(
            ours == theirs.replace("@0.3.2", "@0.3.0"),
            "{} differs from {}",
            copy.display(),
            originals.display()
        );
        compared += 1;
    }
    assert!(compared > 0, "nothing was compared");
}

#[test]
fn the_component_imports_what_is_written_down() {
    let found = interface(&dist("urlpool.wasm")).expect("it is a component");
    let mut imports = found.imports;
    imports.sort();
    let written: Vec<&str> = include_str!("imports.txt").lines().collect();
    assert_eq!(imports, written, "tests/suites/imports.txt lists them");
    assert_eq!(
        found.exports,
        [
            "urlpool:client/types@0.1.0",
            "urlpool:client/blocking@0.1.0",
            "urlpool:client/pipe@0.1.0"
        ]
    );
}

#[test]
fn the_component_brings_its_wit() {
    let mut written = Resolve::default();
    let (package, _) = written.push_dir(root().join("wit")).expect("wit/ parses");
    let decoded = decode(&dist("urlpool.wasm")).expect("it is a component");
    let found = decoded.resolve();
    let ours = package_named(found, "urlpool:client@0.1.0");
    let (written, found) = (items(&written, package), items(found, ours));
    assert!(written.contains("blocking.request"));
    assert_eq!(found, written);
}

#[test]
fn the_wit_of_the_components_can_be_printed_and_read_again() {
    for name in COMPONENTS {
        let decoded = decode(&dist(name)).expect(name);
        let (found, main) = (decoded.resolve(), decoded.package());
        let others: Vec<PackageId> = found.packages.iter().map(|(id, _)| id).collect();
        let others: Vec<PackageId> = others.into_iter().filter(|id| *id != main).collect();
        let mut printer = WitPrinter::default();
        printer.print(found, main, &others).expect(name);
        let text = printer.output.to_string();

        let mut again = Resolve::default();
        again.push_source("printed.wit", &text).expect(&text);
        let names = |resolve: &Resolve| -> BTreeSet<String> {
            let packages = resolve.packages.iter();
            packages.map(|(_, it)| it.name.to_string()).collect()
        };
        assert_eq!(names(&again), names(found), "{name}");
        for (id, package) in &found.packages {
            let read = package_named(&again, &package.name.to_string());
            assert_eq!(items(&again, read), items(found, id), "{name}");
        }
    }
}

#[test]
fn the_components_say_what_they_are() {
    for file in COMPONENTS {
        let name = file.trim_end_matches(".wasm");
        let component = dist(file);
        let payload = Payload::from_binary(&component).expect("it is a component");
        let found = payload.metadata();
        assert_eq!(found.name.as_deref(), Some(name));
        let version = found.version.as_ref().map(ToString::to_string);
        assert_eq!(
            version.as_deref(),
            Some(env!("CARGO_PKG_VERSION")),
            "{name}"
        );
        let licences = found.licenses.as_ref().map(ToString::to_string);
        assert_eq!(licences.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(found.source.is_some(), "{name}");
    }
}

/// What could make the bytes differ from machine to machine: paths in them, and composing by chance.
#[test]
fn nothing_of_this_machine_is_in_the_components() {
    let workspace = root().display().to_string();
    let folders = [&*workspace, "/.cargo/", "/registry/src/"];
    for name in COMPONENTS {
        let component = dist(name);
        for folder in folders {
            let is_there = component
                .windows(folder.len())
                .any(|bytes| bytes == folder.as_bytes());
            assert!(!is_there, "{folder} is in {name}");
        }
    }
    let (socket, plug) = (consumer("fetch"), dist("urlpool.wasm"));
    let compose = || urlpool_compose::plug(&socket, &[&plug]).expect("they fit");
    assert!(compose() == compose(), "two compositions differ");
}

#[test]
fn the_command_imports_only_wasi() {
    let found = interface(&dist("urlpool-cli.wasm")).expect("it is a component");
    for import in &found.imports {
        assert!(import.starts_with("wasi:"), "{import} is left open");
    }
    assert!(
        found
            .exports
            .iter()
            .any(|export| export.starts_with("wasi:cli/run@0.2")),
        "{:?}",
        found.exports
    );
}

#[test]
fn the_component_is_within_its_budget() {
    let size = dist("urlpool.wasm").len();
    assert!(
        size <= urlpool_compose::BUDGET,
        "{size} bytes, the budget is {}",
        urlpool_compose::BUDGET
    );
}

#[test]
fn a_consumer_imports_only_the_interfaces_it_names() {
    for (name, expected) in [
        ("fetch", &["types", "blocking"][..]),
        ("copy", &["types", "blocking", "pipe"][..]),
        ("proxied", &["types", "blocking"][..]),
        ("readme", &["types", "blocking"][..]),
        ("several", &["types", "blocking", "pipe"][..]),
    ] {
        let found = interface(&consumer(name)).expect("it is a component");
        let ours: Vec<&str> = found
            .imports
            .iter()
            .filter_map(|import| import.strip_prefix("urlpool:client/"))
            .filter_map(|import| import.strip_suffix("@0.1.0"))
            .collect();
        assert_eq!(ours, expected, "{name}");
    }
}

#[test]
fn every_consumer_has_a_test() {
    let suites = root().join("tests").join("suites");
    let text: String = fs::read_dir(suites)
        .expect("this file is in that folder")
        .map(|entry| entry.expect("a folder lists its files").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .filter(|path| !path.ends_with("contract.rs"))
        .map(|path| fs::read_to_string(path).expect("a suite can be read"))
        .collect();
    let consumers = root().join("tests").join("consumers").join("src/bin");
    for entry in fs::read_dir(consumers).expect("the consumers are there") {
        let path = entry.expect("a folder lists its files").path();
        let name = path.file_stem().expect("a file has a name");
        let name = name.to_string_lossy();
        assert!(
            text.contains(&format!("\"{name}\"")),
            "no suite runs the consumer {name}"
        );
    }
}

fn package_named(resolve: &Resolve, name: &str) -> PackageId {
    let found = resolve
        .packages
        .iter()
        .find(|(_, package)| package.name.to_string() == name);
    found.expect("the package is there").0
}

/// The types and functions of a package's interfaces, as in `blocking.wait`.
fn items(resolve: &Resolve, package: PackageId) -> BTreeSet<String> {
    let package = resolve
        .packages
        .get(package)
        .expect("an id of this resolve");
    let mut items = BTreeSet::new();
    for (interface, id) in &package.interfaces {
        let found = resolve.interfaces.get(*id).expect("an id of this resolve");
        for item in found.types.keys().chain(found.functions.keys()) {
            items.insert(format!("{interface}.{item}"));
        }
    }
    items
}

fn dist(name: &str) -> Vec<u8> {
    built(&root().join("dist").join(name))
}

/// A consumer before it is composed.
fn consumer(name: &str) -> Vec<u8> {
    let test = std::env::current_exe().expect("a test knows its own path");
    let target = test
        .ancestors()
        .nth(3)
        .expect("tests are in target/PROFILE/deps");
    let file = format!("wasm32-wasip2/component/{name}.wasm");
    built(&target.join(file))
}

fn built(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path);
    assert!(
        bytes.is_ok(),
        "{} is missing: `make test` builds it",
        path.display()
    );
    bytes.unwrap_or_default()
}

/// The folder of the crate that these names lead to, each a dependency of the one before.
fn folder_of(member: &str, names: &[&str]) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", "wasm32-wasip2"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "`make setup` fetches what is missing: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let found = names.iter().fold(member.to_owned(), |of, name| {
        dependency(&metadata, &of, name)
    });
    packages(&metadata, "packages")
        .find(|package| package.get("id").and_then(Value::as_str) == Some(&found))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .expect("a package has a folder")
        .to_owned()
}

/// The identity of the package that `of` depends on under the name `name`; a part of `of`'s identity is enough.
fn dependency(metadata: &Value, of: &str, name: &str) -> String {
    let resolved = metadata.get("resolve").expect("cargo resolves");
    packages(resolved, "nodes")
        .filter(|node| {
            node.get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| id.contains(of))
        })
        .flat_map(|node| packages(node, "deps"))
        .find(|dependency| dependency.get("name").and_then(Value::as_str) == Some(name))
        .and_then(|dependency| dependency.get("pkg")?.as_str())
        .expect("it depends on it")
        .to_owned()
}

fn packages<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in a folder of the workspace")
        .to_owned()
}
