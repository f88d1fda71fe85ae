//! A file that appears under its name only when it is whole.
//!
//! Invariant: a name that is used until then is in [`UNFINISHED`] exactly as long as there is a file of ours under it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use urlpool_core::types::Error;

use crate::text::file_error;

/// How many leftovers of other runs are stepped over in search of a free name.
const NAMES_TRIED: u32 = 100;

/// The names of all that is not whole yet. Of the process, because so is the signal that ends it.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As long as it lives, no file is made and none gets its final name.
#[derive(Debug)]
pub struct NoMoreFiles(
    #[expect(dead_code, reason = "it is held")] MutexGuard<'static, BTreeSet<PathBuf>>,
);

/// Removes the files that are not whole yet, for a front whose process ends before [`run`](crate::run) does.
///
/// It may be called on any thread. The process ends while what is returned lives, so that no further file comes to be.
#[must_use = "what the run does next makes new files"]
pub fn remove_unfinished() -> NoMoreFiles {
    let mut unfinished = unfinished();
    for temporary in std::mem::take(&mut *unfinished) {
        // There is nobody left to tell.
        let _ = fs::remove_file(temporary);
    }
    NoMoreFiles(unfinished)
}

/// A file being written. Dropping it unfinished removes what was written.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    /// The final name.
    path: PathBuf,
    /// The name until then; `None` once it is gone, and where the final name belongs to something that is no plain file
    /// (a device, a pipe, a link), which is written in place.
    temporary: Option<PathBuf>,
}

impl Part {
    /// Opens a file beside `path`.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let open = || match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(found) if !found.is_file() => Ok((File::create(path)?, None)),
            found => {
                let (file, temporary) = create_beside(path)?;
                if let Ok(found) = found {
                    // What replaces a file that only its owner may read stays so; not every platform can.
                    let _ = fs::set_permissions(&temporary, found.permissions());
                }
                Ok((file, Some(temporary)))
            }
        };
        let (file, temporary) = open().map_err(|cause| failure(path, &cause))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            temporary,
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .map_err(|cause| failure(&self.path, &cause))
    }

    /// Gives the file its final name.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        if let Some(temporary) = &self.temporary {
            let mut unfinished = unfinished();
            fs::rename(temporary, &self.path).map_err(|cause| failure(&self.path, &cause))?;
            unfinished.remove(temporary);
            self.temporary = None;
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary
            && unfinished().remove(temporary)
        {
            // There is no better place for it, and the request's own error is the one to tell.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut unfinished = unfinished();
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..NAMES_TRIED {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{number}.part"));
        let temporary = path.with_file_name(name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => {
                unfinished.insert(temporary.clone());
                return Ok((file, temporary));
            }
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => taken = cause,
            Err(cause) => return Err(cause),
        }
    }
    Err(taken)
}

fn failure(path: &Path, cause: &io::Error) -> Error {
    let why = file_error(cause);
    Error::Other(format!("cannot write to {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut part = Part::create(&path).unwrap();
        part.write(b"one").unwrap();
        assert_eq!(names(folder.path()), ["a.0.part"]);
        part.finish().unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn what_was_there_stays_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut part = Part::create(&path).unwrap();
        part.write(b"new").unwrap();
        drop(part);
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_leftover_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.0.part"), "other").unwrap();
        Part::create(&folder.path().join("a"))
            .unwrap()
            .finish()
            .unwrap();
        assert_eq!(names(folder.path()), ["a", "a.0.part"]);
        assert_eq!(fs::read(folder.path().join("a.0.part")).unwrap(), b"other");
    }

    #[test]
    fn a_folder_and_a_missing_one_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/a")] {
            let error = Part::create(&path).unwrap_err();
            assert_eq!(error.kind(), "other");
            assert!(error.to_string().contains(&path.display().to_string()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_written_through_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, folder.path().join("link")).unwrap();

        let mut part = Part::create(&folder.path().join("link")).unwrap();
        part.write(b"through").unwrap();
        part.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"through");
        assert_eq!(names(folder.path()), ["a", "link"]);

        Part::create(&path).unwrap().finish().unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
