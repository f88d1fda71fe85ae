//! The hosts and users that the proxies know and the rest of this machine does not.
//!
//! Uses Debian's libnss-wrapper, which answers a program's look-ups from files.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PASSWORD, USER, write};

/// The first origin, to those who ask a proxy for it.
pub(crate) const FAR_FIRST: &str = "first.test";
/// The second.
pub(crate) const FAR_SECOND: &str = "second.test";

/// Where Debian's architectures have their libraries.
const LIBRARIES: &str = "/usr/lib";
const WRAPPER: &str = "libnss_wrapper.so";

/// The files.
pub(crate) struct Names {
    folder: PathBuf,
    wrapper: Option<PathBuf>,
    is_root: bool,
}

impl Names {
    pub(super) fn write(folder: &Path) -> Self {
        let user = std::fs::metadata(folder)
            .expect("the temporary folder is there")
            .uid();
        let hash = hash("-6");
        write(
            &folder.join("hosts"),
            &format!("127.0.0.1 localhost {FAR_FIRST} {FAR_SECOND}\n"),
        );
        write(
            &folder.join("users"),
            &format!(
                "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nself:x:{user}:65534::/:/bin/sh\n{USER}:{hash}:65533:65534::/:/bin/sh\n"
            ),
        );
        write(&folder.join("groups"), "root:x:0:\nnogroup:x:65534:\n");
        write(
            &folder.join("shadow"),
            &format!("{USER}:{hash}:19000:0:99999:7:::\n"),
        );
        write(
            &folder.join("passwords"),
            &format!("{USER}:{}\n", self::hash("-apr1")),
        );
        Self {
            folder: folder.to_owned(),
            wrapper: wrapper(),
            is_root: user == 0,
        }
    }

    /// Whether there is a way to make programs use them.
    pub(super) fn wrapper(&self) -> Result<(), String> {
        match self.wrapper {
            Some(_) => Ok(()),
            None => Err("libnss-wrapper is missing".into()),
        }
    }

    /// A command that sees them.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (variable, file) in [
            ("NSS_WRAPPER_HOSTS", "hosts"),
            ("NSS_WRAPPER_PASSWD", "users"),
            ("NSS_WRAPPER_GROUP", "groups"),
            ("NSS_WRAPPER_SHADOW", "shadow"),
        ] {
            command.env(variable, self.folder.join(file));
        }
        command.envs(self.wrapper.iter().map(|path| ("LD_PRELOAD", path)));
        command
    }

    /// Hosts, in the form of `/etc/hosts`.
    pub(super) fn hosts(&self) -> PathBuf {
        self.folder.join("hosts")
    }

    /// Users and their passwords, in the form of Apache's `htpasswd`.
    pub(super) fn passwords(&self) -> PathBuf {
        self.folder.join("passwords")
    }

    /// Whether servers are started by root.
    pub(super) fn is_root(&self) -> bool {
        self.is_root
    }
}

fn wrapper() -> Option<PathBuf> {
    std::fs::read_dir(LIBRARIES)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join(WRAPPER)))
        .find(|path| path.is_file())
}

fn hash(kind: &str) -> String {
    let output = Command::new("openssl")
        .args(["passwd", kind, PASSWORD])
        .output()
        .expect("openssl is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
