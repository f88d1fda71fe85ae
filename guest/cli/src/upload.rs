//! The body of a request, and how what is not in memory is pushed: from standard input as it comes, from files as they are read.
//!
//! Invariant: of a body that is pushed, one piece is in memory at a time.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use urlpool_core::driver::Progress;
use urlpool_core::types::{Content, Error};

use crate::client::Client;
use crate::text::file_error;

/// How much of a file is pushed at a time.
const PIECE: usize = 64 * 1024;

/// What a request carries.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) content: Content,
    /// Where the streamed parts of the content come from, in order; none where all of it is there.
    pub(crate) sources: Vec<Source>,
}

/// Where a streamed body, or a streamed part of a form, comes from.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// Standard input.
    Input,
    /// A file, and how long it is; `None` for what is no plain file, and may be read once only.
    File(PathBuf, Option<u64>),
}

impl Source {
    /// How many bytes it has, where that is known.
    pub(crate) const fn length(&self) -> Option<u64> {
        match self {
            Self::Input => None,
            Self::File(_, length) => *length,
        }
    }

    /// Whether it can be read again from its start.
    pub(crate) const fn can_rewind(&self) -> bool {
        self.length().is_some()
    }
}

impl Upload {
    /// Whether it can be sent more than once.
    pub(crate) fn can_rewind(&self) -> bool {
        self.sources.iter().all(Source::can_rewind)
    }

    /// Pushes the body of a request that was started, again from its start where that is needed, until no more of it is.
    ///
    /// # Errors
    /// Where a file cannot be read, or standard input; what becomes of the request is for its response to say.
    pub(crate) fn push<C: Client>(
        &self,
        client: &mut C,
        request: &mut C::Pending,
    ) -> Result<(), Error> {
        while self.push_once(client, request)? == Progress::Rewind {}
        Ok(())
    }

    fn push_once<C: Client>(
        &self,
        client: &mut C,
        request: &mut C::Pending,
    ) -> Result<Progress, Error> {
        let is_form = matches!(self.content, Content::Multipart(_));
        for source in &self.sources {
            let mut progress = match source {
                Source::Input => push_input(client, request)?,
                Source::File(path, length) => {
                    let pushed = push_file(client, request, path, *length);
                    pushed.map_err(|cause| match cause {
                        Broken::Request(error) => error,
                        Broken::File(cause) => {
                            let why = file_error(&cause);
                            Error::Other(format!("cannot read {}: {why}", path.display()))
                        }
                    })?
                }
            };
            if is_form && progress == Progress::Accepted {
                progress = client.end_part(request)?;
            }
            if progress != Progress::Accepted {
                return Ok(progress);
            }
        }
        client.finish(request)
    }
}

/// Pushes standard input to its end.
fn push_input<C: Client>(client: &mut C, request: &mut C::Pending) -> Result<Progress, Error> {
    loop {
        let Some(piece) = client.read_input(request)? else {
            return Ok(Progress::Answered);
        };
        if piece.is_empty() {
            return Ok(Progress::Accepted);
        }
        let progress = client.write(request, &piece)?;
        if progress != Progress::Accepted {
            return Ok(progress);
        }
    }
}

/// Whose fault it is.
enum Broken {
    Request(Error),
    File(std::io::Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

impl From<std::io::Error> for Broken {
    fn from(cause: std::io::Error) -> Self {
        Self::File(cause)
    }
}

/// Pushes a file, no more of it than was announced.
fn push_file<C: Client>(
    client: &mut C,
    request: &mut C::Pending,
    path: &PathBuf,
    length: Option<u64>,
) -> Result<Progress, Broken> {
    let mut file = File::open(path)?.take(length.unwrap_or(u64::MAX));
    let mut piece = vec![0; PIECE];
    loop {
        let count = match file.read(&mut piece) {
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
            outcome => outcome?,
        };
        if count == 0 {
            return Ok(Progress::Accepted);
        }
        let progress = client.write(request, piece.get(..count).unwrap_or_default())?;
        if progress != Progress::Accepted {
            return Ok(progress);
        }
    }
}
