//! tinyproxy, once for everybody and once with a password.

use std::path::Path;

use super::names::Names;
use super::{Lookup, PASSWORD, Proxy, Refusal, Started, USER, write};
use crate::daemon::Daemon;

const CLIENT: &str = "127.0.0.12";

pub(super) fn start(folder: &Path, names: &Names) -> Started {
    let (open, open_port) = instance(folder, names, "open", "")?;
    let password = format!("BasicAuth {USER} {PASSWORD}\n");
    let (guarded, guarded_port) = instance(folder, names, "guarded", &password)?;
    let proxy = Proxy {
        name: "http proxy tinyproxy",
        scheme: "http",
        open: Some(open_port),
        guarded: Some(guarded_port),
        lookup: Lookup::Far,
        client: CLIENT,
        // Version 1.11 answers a wrong password with the status of an origin.
        refusal: Refusal::Status {
            wrong: 401,
            missing: 407,
            hangs_up: true,
        },
    };
    Ok((vec![open, guarded], vec![proxy]))
}

fn instance(folder: &Path, names: &Names, name: &str, more: &str) -> Result<(Daemon, u16), String> {
    let (daemon, [port]) = Daemon::listening(&folder.join(name), |[port]| {
        let settings = folder.join(format!("{name}.conf"));
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nBind {CLIENT}\nTimeout 60\nMaxClients 50\nLogLevel Info\n{more}"
        );
        write(&settings, &text);
        let mut command = names.command("tinyproxy");
        command.arg("-d").arg("-c").arg(settings);
        command
    })?;
    Ok((daemon, port))
}
