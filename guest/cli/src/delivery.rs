//! Brings the body of a response to where it belongs, piece by piece and never whole in memory.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use urlpool_core::types::{Error, ResponseHead};

use crate::client::Body;
use crate::options::Output;
use crate::part::Part;
use crate::text::http_version;

/// Why a body was not delivered whole.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It did not arrive, or its file cannot be written.
    Request(Error),
    /// It is larger than it may be.
    TooLarge,
    /// Standard output cannot be written: no other request fares better.
    Stdout(io::Error),
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
    limit: Option<u64>,
}

impl Tally {
    pub(crate) fn new(is_hashed: bool, limit: Option<u64>) -> Self {
        Self {
            bytes: 0,
            hash: is_hashed.then(Sha256::new),
            limit,
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

    /// As much of `bytes` as the limit leaves room for, counted.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self
            .limit
            .and_then(|limit| usize::try_from(limit - self.bytes).ok())
            .unwrap_or(usize::MAX);
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.bytes += taken.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(taken);
        }
        taken
    }
}

/// Where a body goes, open.
pub(crate) enum Sink<'a> {
    Stdout(&'a mut dyn Write),
    File(Part),
    Nowhere,
}

impl<'a> Sink<'a> {
    pub(crate) fn open(output: &Output, stdout: &'a mut dyn Write) -> Result<Self, Broken> {
        Ok(match output {
            Output::Stdout => Self::Stdout(stdout),
            Output::File(file) => Self::File(Part::create(file)?),
            Output::Nowhere => Self::Nowhere,
        })
    }

    /// Writes the status line and the header fields as they came.
    pub(crate) fn write_head(&mut self, head: &ResponseHead) -> Result<(), Broken> {
        let version = http_version(head.version);
        let mut text = format!("HTTP/{version} {} {}\r\n", head.status, head.reason).into_bytes();
        for header in &head.headers {
            for piece in [header.name().as_bytes(), b": ", header.value(), b"\r\n"] {
                text.extend_from_slice(piece);
            }
        }
        text.extend_from_slice(b"\r\n");
        self.write(&text)
    }

    /// Writes all of the body.
    pub(crate) fn write_body(
        &mut self,
        body: &mut impl Body,
        tally: &mut Tally,
    ) -> Result<(), Broken> {
        loop {
            let bytes = body.read()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let taken = tally.take(&bytes);
            self.write(taken)?;
            if taken.len() < bytes.len() {
                return Err(Broken::TooLarge);
            }
        }
    }

    /// Puts a file under its final name. Dropping a sink without it leaves none there.
    pub(crate) fn finish(self) -> Result<(), Broken> {
        match self {
            Self::File(part) => Ok(part.finish()?),
            Self::Stdout(_) | Self::Nowhere => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        match self {
            // Flushed each time, so that a slow body is seen as it comes.
            Self::Stdout(stdout) => stdout
                .write_all(bytes)
                .and_then(|()| stdout.flush())
                .map_err(Broken::Stdout),
            Self::File(part) => Ok(part.write(bytes)?),
            Self::Nowhere => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_the_limit() {
        for (limit, pieces, expected) in [
            (None, ["abc", "def"], "abcdef"),
            (Some(6), ["abc", "def"], "abcdef"),
            (Some(5), ["abc", "def"], "abcde"),
            (Some(3), ["abc", "def"], "abc"),
            (Some(0), ["abc", "def"], ""),
        ] {
            let mut tally = Tally::new(true, limit);
            let taken: Vec<u8> = pieces
                .iter()
                .flat_map(|piece| tally.take(piece.as_bytes()).to_vec())
                .collect();
            assert_eq!(taken, expected.as_bytes(), "{limit:?}");
            assert_eq!(tally.bytes, expected.len() as u64, "{limit:?}");
        }
    }

    #[test]
    fn the_hash_is_of_what_was_taken() {
        let mut tally = Tally::new(true, Some(3));
        tally.take(b"abcdef");
        assert_eq!(
            tally.sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
