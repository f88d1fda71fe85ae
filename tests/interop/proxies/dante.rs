//! Dante, for SOCKS 4 and 5, once for everybody and once with a password.
//!
//! It is not asked for SOCKS 4a: version 1.4.2 takes the address that stands for a name for an address and answers 91.

use std::path::Path;

use super::names::Names;
use super::{Lookup, Proxy, Refusal, Started, write};
use crate::daemon::Daemon;

const CLIENT: &str = "127.0.0.13";

pub(super) fn start(folder: &Path, names: &Names) -> Started {
    let (open, open_port) = instance(folder, names, "none")?;
    let (guarded, guarded_port) = instance(folder, names, "username")?;
    let proxy = |name, scheme, guarded, lookup| Proxy {
        name,
        scheme,
        open: Some(open_port),
        guarded,
        lookup,
        client: CLIENT,
        refusal: Refusal::Socks,
    };
    let proxies = vec![
        proxy("socks4 Dante", "socks4", None, Lookup::Near),
        proxy("socks5 Dante", "socks5", Some(guarded_port), Lookup::Near),
        proxy("socks5h Dante", "socks5h", Some(guarded_port), Lookup::Far),
    ];
    Ok((vec![open, guarded], proxies))
}

fn instance(folder: &Path, names: &Names, method: &str) -> Result<(Daemon, u16), String> {
    let log = folder.join(format!("{method}.output"));
    let (daemon, [port]) = Daemon::listening(&log, |[port]| {
        let settings = folder.join(format!("{method}.conf"));
        write(&settings, &configuration(folder, names, method, port));
        let mut command = names.command("danted");
        command.arg("-f").arg(settings);
        command.arg("-p").arg(folder.join(format!("{method}.pid")));
        command
    })?;
    Ok((daemon, port))
}

fn configuration(folder: &Path, names: &Names, method: &str, port: u16) -> String {
    let folder = folder.display();
    let users = if names.is_root() {
        "user.privileged: root\nuser.unprivileged: nobody\n"
    } else {
        ""
    };
    format!(
        "logoutput: {folder}/{method}.log
internal: 127.0.0.1 port = {port}
external: {CLIENT}
socksmethod: {method}
clientmethod: none
{users}client pass {{
  from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks pass {{
  from: 127.0.0.0/8 to: 0.0.0.0/0
  command: connect
  log: error connect
}}
"
    )
}
