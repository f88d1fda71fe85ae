//! The `urlpool` command: options, output and the report, over a [`Client`] that somebody else implements.
//!
//! Two fronts share it: the command component (`src/bin/component`), whose client is the imported `urlpool:client/blocking`, and the
//! native binary of `urlpool-host`. Neither decides anything; what the command does and says is decided here.
//!
//! - `command` declares the options, `options` turns what was typed into values that parse or do not exist; `generate` makes the man page and
//!   the completions of shells of the same declaration.
//! - `upload` pushes what is sent from files and standard input.
//! - `session` sends the requests in turn, `together` several at once; `session` tallies the exit status.
//! - `delivery` brings a body to standard output or, through `part`, to its file; `progress` shows how far it is.
//! - `paint` colours what is told on a terminal.
//! - `report` writes the JSON line, `trace` the lines of `--verbose`, `key_log` the secrets of connections into their file.

mod client;
mod command;
mod delivery;
#[cfg(not(target_os = "wasi"))]
mod generate;
#[cfg(target_os = "wasi")]
#[path = "generate/nothing.rs"]
mod generate;
mod key_log;
mod options;
mod paint;
mod part;
mod progress;
mod report;
mod run;
mod session;
mod text;
mod together;
mod trace;
mod upload;

#[cfg(test)]
mod fake;

pub use client::{Body, Client, Ready};
pub use part::{NoMoreFiles, remove_unfinished};
pub use run::{Streams, run};
