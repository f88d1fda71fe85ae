//! How each door is opened.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use urlpool_tests::{Outcome, Program, dist};

/// Everything has been built; asking cargo and the linker again takes a while.
const BUILD: Duration = Duration::from_secs(300);

/// Where the bytes come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Door {
    /// The binary `urlpool`.
    Native,
    /// `wasmtime run … urlpool-cli.wasm`, with the wasmtime that everybody can install.
    Stock,
    /// `jco run … urlpool-cli.wasm`, under Node.
    Jco,
}

impl Door {
    /// The door's name in a row.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "urlpool",
            Self::Stock => "wasmtime run urlpool-cli.wasm",
            Self::Jco => "jco run urlpool-cli.wasm",
        }
    }

    /// Runs the command with these arguments in a folder.
    pub(crate) async fn run(self, folder: &Path, arguments: &[&str]) -> Outcome {
        self.program(folder).args(arguments).run().await
    }

    /// The command about to run in a folder, which it may read and write, under its own path too. Its environment names no proxies.
    pub(crate) fn program(self, folder: &Path) -> Program {
        match self {
            Self::Native => native().directory(folder),
            Self::Stock => stock(&dist("urlpool-cli.wasm"), Network::Granted, folder),
            Self::Jco => jco(&dist("urlpool-cli.wasm"), folder),
        }
    }
}

/// The binary `urlpool` about to run.
pub(crate) fn native() -> Program {
    without_proxies(Program::from_file(sibling("urlpool")))
}

/// A program without the proxies that our own environment may name.
fn without_proxies(program: Program) -> Program {
    ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
        .into_iter()
        .flat_map(|name| [name.to_owned(), name.to_uppercase()])
        .fold(program, Program::without_env)
}

/// A component about to run under Node.
fn jco(component: &Path, folder: &Path) -> Program {
    let mut folders = OsString::from(".:");
    folders.push(folder);
    let module = root().join("guest/cli/jco.mjs");
    without_proxies(Program::from_file(built(
        "interop/node/node_modules/.bin/jco",
    )))
    .env("URLPOOL_DIRS", folders)
    .directory(folder)
    .args(["run", "--jco-import"])
    .args([module.as_path(), component])
}

/// Whether the stock `wasmtime` lets a component have sockets and name lookup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Network {
    Granted,
    /// Addresses only.
    WithoutNames,
    Denied,
}

/// The stock `wasmtime` about to run a component.
pub(crate) fn stock(component: &Path, network: Network, folder: &Path) -> Program {
    let mapped = [folder, Path::new(".")].into_iter().flat_map(|name| {
        let mut mapped = folder.as_os_str().to_owned();
        mapped.push("::");
        mapped.push(name);
        ["--dir".into(), mapped]
    });
    without_proxies(run_with(network))
        .args(["-S", "inherit-env"])
        .args(mapped)
        .args([component])
}

/// The stock `wasmtime` about to run what the arguments that follow say.
pub(crate) fn run_with(network: Network) -> Program {
    let granted: &[&str] = match network {
        Network::Granted => &["inherit-network", "allow-ip-name-lookup"],
        Network::WithoutNames => &["inherit-network"],
        Network::Denied => &[],
    };
    let options = granted.iter().flat_map(|option| ["-S", *option]);
    Program::from_file(wasmtime()).args(["run"]).args(options)
}

/// The stock `wasmtime`.
pub(crate) fn wasmtime() -> PathBuf {
    built("interop/wasmtime/wasmtime_cli/wasmtime")
}

/// Compiles a component with the stock `wasmtime`, for more runs than one with `--allow-precompiled`.
pub(crate) async fn compile(component: &Path, to: &Path, patience: Duration) {
    let done = Program::from_file(wasmtime())
        .args([Path::new("compile"), Path::new("-o"), to, component])
        .patience(patience)
        .run()
        .await;
    assert_eq!(done.status, 0, "exit status");
}

/// `make -s run` as from a shell: what cargo and make tell those that they run would make it build anew.
pub(crate) async fn make_run(url: &str) -> Outcome {
    let make = Program::from_file("make").directory(root()).patience(BUILD);
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| is_of_cargo_or_make(&name.to_string_lossy()))
        .fold(make, Program::without_env)
        .args(["-s".to_owned(), "run".to_owned(), format!("URL={url}")])
        .run()
        .await
}

fn is_of_cargo_or_make(name: &str) -> bool {
    const OF_CARGO_RUN: [&str; 4] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    const OF_MAKE: [&str; 5] = [
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "MAKEOVERRIDES",
        "MAKE_TERMOUT",
    ];
    OF_CARGO_RUN.contains(&name)
        || OF_MAKE.contains(&name)
        || name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
}

/// A file that was made under the target folder.
#[track_caller]
pub(crate) fn built(path: &str) -> PathBuf {
    let file = targets().join(path);
    assert!(
        file.is_file(),
        "{} is missing: `make interop` makes it",
        file.display()
    );
    file
}

/// The folder of the repository.
fn root() -> PathBuf {
    let component = dist("urlpool.wasm");
    let root = component.ancestors().nth(2).expect("dist/ is in the root");
    root.to_owned()
}

/// The target folder.
pub(crate) fn targets() -> PathBuf {
    sibling("..")
}

/// A path beside this binary, which is in `target/PROFILE`.
fn sibling(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a program knows its own path");
    this.with_file_name(name)
}
