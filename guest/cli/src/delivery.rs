//! Brings the body of a response to where it belongs, piece by piece and never whole in memory.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use urlpool_core::types::{Error, ResponseHead};

use crate::options::Output;
use crate::part::Part;
use crate::text::http_version;

/// Why a body was not delivered whole.
#[derive(Debug)]
pub(crate) enum Broken {
    /// What was typed cannot be sent, and nothing was.
    Usage(Error),
    /// It did not arrive, or its file cannot be written.
    Request(Error),
    /// Standard output cannot be written: no other request fares better.
    Stdout(io::Error),
}

impl Broken {
    /// Why a request could not be started: the caller's own mistakes are found before anything is sent.
    pub(crate) fn unsent(error: Error) -> Self {
        if error.is_callers_input() {
            Self::Usage(error)
        } else {
            Self::Request(error)
        }
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

/// Counts the bytes that were delivered.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) bytes: u64,
    /// Only where somebody asks for it.
    hash: Option<Sha256>,
}

impl Tally {
    pub(crate) fn new(is_hashed: bool) -> Self {
        Self {
            bytes: 0,
            hash: is_hashed.then(Sha256::new),
        }
    }

    /// The SHA-256 of the bytes in hexadecimal; empty where none was asked for.
    pub(crate) fn sha256(&self) -> String {
        self.hash
            .iter()
            .flat_map(|hash| hash.clone().finalize())
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }
}

/// Where a body goes, open.
pub(crate) enum Sink {
    Stdout,
    File(Part),
    Nowhere,
}

impl Sink {
    pub(crate) fn open(output: &Output) -> Result<Self, Broken> {
        Ok(match output {
            Output::Stdout => Self::Stdout,
            Output::File(file) => Self::File(Part::create(file)?),
            Output::Nowhere => Self::Nowhere,
        })
    }

    /// Writes some bytes; `stdout` is where those for standard output go.
    pub(crate) fn write(&mut self, bytes: &[u8], stdout: &mut dyn Write) -> Result<(), Broken> {
        match self {
            // Flushed each time, so that a slow body is seen as it comes.
            Self::Stdout => stdout
                .write_all(bytes)
                .and_then(|()| stdout.flush())
                .map_err(Broken::Stdout),
            Self::File(part) => Ok(part.write(bytes)?),
            Self::Nowhere => Ok(()),
        }
    }

    /// Puts a file under its final name. Dropping a sink without it leaves none there.
    pub(crate) fn finish(self) -> Result<(), Broken> {
        match self {
            Self::File(part) => Ok(part.finish()?),
            Self::Stdout | Self::Nowhere => Ok(()),
        }
    }
}

/// The status line and the header fields as they came, and the empty line.
pub(crate) fn head_bytes(head: &ResponseHead) -> Vec<u8> {
    let version = http_version(head.version);
    let mut text = format!("HTTP/{version} {} {}\r\n", head.status, head.reason).into_bytes();
    for header in &head.headers {
        for piece in [header.name().as_bytes(), b": ", header.value(), b"\r\n"] {
            text.extend_from_slice(piece);
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_hashed_where_that_is_asked_for() {
        for (is_hashed, expected) in [
            (
                true,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (false, ""),
        ] {
            let mut tally = Tally::new(is_hashed);
            tally.add(b"a");
            tally.add(b"bc");
            assert_eq!(
                (tally.bytes, tally.sha256().as_str()),
                (3, expected),
                "{is_hashed}"
            );
        }
    }
}
