//! Real proxies: squid, tinyproxy, Dante and Twisted, each as Debian packages it, with ports and a folder of its own.
//!
//! Each has an origin's address that no other client uses, where it can be told one, so that an origin sees who came. The names under
//! `.test` are known to the proxies alone: a request that reaches one of them was looked up by the proxy.

mod dante;
mod names;
mod squid;
mod tinyproxy;
mod twisted;

pub(crate) use names::{FAR_FIRST, FAR_SECOND};

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use names::Names;

use crate::daemon::Daemon;

/// Who may use a guarded proxy.
pub(crate) const USER: &str = "urlpool";
/// With what.
pub(crate) const PASSWORD: &str = "correct-password";

/// Who looks up the name of the origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lookup {
    /// The client does.
    Near,
    /// The proxy does.
    Far,
}

/// What a proxy says to a client that it does not know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// A response of HTTP with one of these statuses.
    Status {
        /// To a wrong password.
        wrong: u16,
        /// To none at all.
        missing: u16,
        /// Whether it closes on a body that is on its way, so that its answer may be lost.
        hangs_up: bool,
    },
    /// A reply of SOCKS.
    Socks,
}

/// One way to use a running proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// As rows call it.
    pub(crate) name: &'static str,
    /// The scheme of its URL.
    pub(crate) scheme: &'static str,
    /// The port that takes everybody.
    pub(crate) open: Option<u16>,
    /// The port that asks for a password.
    pub(crate) guarded: Option<u16>,
    pub(crate) lookup: Lookup,
    /// The address that origins see.
    pub(crate) client: &'static str,
    pub(crate) refusal: Refusal,
}

/// What is running and what is not.
pub(crate) struct Proxies {
    pub(crate) all: Vec<Proxy>,
    /// What could not be had, and why.
    pub(crate) missing: Vec<(&'static str, String)>,
    daemons: Vec<Daemon>,
}

/// What starting one of them gives.
type Started = Result<(Vec<Daemon>, Vec<Proxy>), String>;

impl Proxies {
    /// Starts all that are installed. `identity` is the file of a certificate for 127.0.0.1 and its key, `root` that of the first origin's root.
    pub(crate) fn start(folder: &Path, identity: &Path, root: &Path) -> Self {
        let mut proxies = Self {
            all: Vec::new(),
            missing: Vec::new(),
            daemons: Vec::new(),
        };
        let names = Names::write(folder);
        let secure = squid::start(&within(folder, "squid"), &names, Some((identity, root)));
        if let Err(why) = secure {
            proxies.missing.push(("https proxy squid", why));
            let plain = squid::start(&within(folder, "plain-squid"), &names, None);
            proxies.add("http proxy squid", plain);
        } else {
            proxies.add("squid", secure);
        }
        let shared = names.wrapper();
        for (name, start) in [
            (
                "tinyproxy",
                tinyproxy::start as fn(&Path, &Names) -> Started,
            ),
            ("Dante", dante::start),
            ("Twisted", twisted::start),
        ] {
            let started = shared
                .clone()
                .and_then(|()| start(&within(folder, name), &names));
            proxies.add(name, started);
        }
        proxies
    }

    fn add(&mut self, name: &'static str, started: Started) {
        match started {
            Ok((daemons, proxies)) => {
                self.daemons.extend(daemons);
                self.all.extend(proxies);
            }
            Err(why) => self.missing.push((name, why)),
        }
    }
}

/// A folder that the unprivileged user of a proxy may write to.
fn within(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir(&path)
        .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)))
        .expect("a temporary folder takes folders");
    path
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a temporary folder takes files");
}
