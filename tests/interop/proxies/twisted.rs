//! Twisted's SOCKS server, the one of Debian that speaks SOCKS 4a.

use std::path::Path;

use super::names::Names;
use super::{Lookup, Proxy, Refusal, Started};
use crate::daemon::Daemon;

pub(super) fn start(folder: &Path, names: &Names) -> Started {
    let (daemon, [port]) = Daemon::listening(&folder.join("output"), |[port]| {
        let mut command = names.command("twistd3");
        command
            .args(["--nodaemon", "--pidfile=", "--rundir"])
            .arg(folder);
        command.args(["socks", "--interface", "127.0.0.1", "--port"]);
        command.arg(port.to_string());
        command
    })?;
    let proxy = |name, scheme, lookup| Proxy {
        name,
        scheme,
        open: Some(port),
        guarded: None,
        lookup,
        // It cannot be told an address to go out from.
        client: "127.0.0.1",
        refusal: Refusal::Socks,
    };
    let proxies = vec![
        proxy("socks4 Twisted", "socks4", Lookup::Near),
        proxy("socks4a Twisted", "socks4a", Lookup::Far),
    ];
    Ok((vec![daemon], proxies))
}
