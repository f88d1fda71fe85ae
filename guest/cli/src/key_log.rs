//! The file that `--key-log` names, with which whoever recorded a connection can read it.
//!
//! Lines are appended as they come, in the format that OpenSSL's users know from `SSLKEYLOGFILE`. No variable of the environment opens it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::text::file_error;

/// An open key log.
#[derive(Debug)]
pub(crate) struct KeyLog {
    file: File,
    path: PathBuf,
}

impl KeyLog {
    /// The file, made where it is not there, for nobody else to read. The error says what cannot be written and why.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(file) => Ok(Self {
                file,
                path: path.to_owned(),
            }),
            Err(cause) => Err(unwritable(path, &cause)),
        }
    }

    /// Appends a line in one write, so that those of two processes do not mix.
    pub(crate) fn append(&mut self, line: &str) -> Result<(), String> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|cause| unwritable(&self.path, &cause))
    }
}

fn unwritable(path: &Path, cause: &std::io::Error) -> String {
    format!("cannot write to {}: {}", path.display(), file_error(cause))
}
