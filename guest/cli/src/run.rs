//! From arguments to an exit status.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;

use urlpool_core::types::{Error, ManagerSettings};

use crate::client::Client;
use crate::key_log::KeyLog;
use crate::options::{Early, Options};
use crate::paint::Paint;
use crate::session::Session;
use crate::text::one_line;

/// Every request got a whole response.
pub(crate) const SUCCESS: u8 = 0;
/// A request failed, or the output could not be written.
pub(crate) const FAILED: u8 = 1;
/// A usage error: nothing was sent.
pub(crate) const USAGE: u8 = 2;
/// With `--fail`: every request got a response, and one had a status of 400 or above.
pub(crate) const STATUS: u8 = 22;

/// Standard output and error, or what stands for them.
pub struct Streams<'a> {
    /// Bodies, reports, help and the version.
    pub output: &'a mut dyn Write,
    /// One line for each error, and what `--verbose` tells.
    pub errors: &'a mut dyn Write,
    /// Whether standard error is a terminal, on which progress can be shown.
    pub is_terminal: bool,
}

impl fmt::Debug for Streams<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// The streams of a run, and how they are written to.
pub(crate) struct Console<'a> {
    pub(crate) output: &'a mut dyn Write,
    pub(crate) errors: &'a mut dyn Write,
    /// Whether progress is shown.
    pub(crate) is_terminal: bool,
    paint: Paint,
}

impl<'a> Console<'a> {
    fn new(streams: Streams<'a>, variables: &[(OsString, OsString)]) -> Self {
        let Streams {
            output,
            errors,
            is_terminal,
        } = streams;
        Self {
            output,
            errors,
            is_terminal,
            paint: Paint::new(is_terminal, variables),
        }
    }

    /// Writes a line of `--verbose`. Where standard error has gone, the request still counts.
    pub(crate) fn tell(&mut self, line: &str) {
        let _ = writeln!(self.errors, "{}", self.paint.told(line));
    }

    /// Writes a line on standard error. There is nobody left to tell where that fails.
    pub(crate) fn complain(&mut self, text: &str) {
        let name = self.paint.name("urlpool:");
        let _ = writeln!(self.errors, "{name} {}", one_line(text));
    }

    /// The same for an error, its kind first.
    pub(crate) fn complain_of(&mut self, error: &Error) {
        self.complain(&format!("({}) {error}", error.kind()));
    }
}

/// Does what `arguments` ask for, over the client that `open` makes, and returns the exit status.
///
/// The first argument is the program's name. Of the environment's `variables` only those count that name proxies or are about colours. `open` is called once, after everything that was typed has been found sound.
pub fn run<C: Client>(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    streams: Streams<'_>,
    open: impl FnOnce(ManagerSettings) -> Result<C, Error>,
) -> u8 {
    let variables: Vec<_> = variables.into_iter().collect();
    let mut console = Console::new(streams, &variables);
    let options = match Options::parse(arguments, variables) {
        Ok(options) => options,
        Err(Early::Print(text)) => return print(&text, &mut console),
        Err(Early::Usage(text)) => {
            console.complain(&text);
            return USAGE;
        }
    };
    let key_log = match options.key_log.as_deref().map(KeyLog::open).transpose() {
        Ok(key_log) => key_log,
        Err(text) => {
            console.complain(&format!("--key-log: {text}"));
            return USAGE;
        }
    };
    match open(options.manager.clone()) {
        Ok(client) => Session::new(client, &options, console, key_log).run(),
        Err(error) => {
            console.complain_of(&error);
            status_of(&error)
        }
    }
}

/// The exit status for an error that ends the run.
pub(crate) const fn status_of(error: &Error) -> u8 {
    if error.is_callers_input() {
        USAGE
    } else {
        FAILED
    }
}

fn print(text: &str, console: &mut Console<'_>) -> u8 {
    let written = console
        .output
        .write_all(text.as_bytes())
        .and_then(|()| console.output.flush());
    if written.is_ok() { SUCCESS } else { FAILED }
}

#[cfg(test)]
mod tests;
