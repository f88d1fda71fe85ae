//! squid, as an http proxy and, where it is built for it, as an https proxy.

use std::path::Path;
use std::process::Command;

use super::names::Names;
use super::{Lookup, Proxy, Refusal, Started, write};
use crate::daemon::Daemon;

const CLIENT: &str = "127.0.0.11";

/// Starts it; without the files of a certificate with its key and of the root that it trusts, as an http proxy only.
pub(super) fn start(folder: &Path, names: &Names, tls: Option<(&Path, &Path)>) -> Started {
    let log = folder.join("output");
    let (daemon, ports) = Daemon::listening(&log, |ports| {
        let settings = folder.join("squid.conf");
        write(&settings, &configuration(folder, names, tls, ports));
        let mut command = Command::new("squid");
        // The service's name keeps it apart from another squid of this machine.
        command
            .args(["-N", "-n"])
            .arg(service(ports))
            .arg("-f")
            .arg(settings);
        command
    })?;
    let [open, guarded, secure_open, secure_guarded] = ports;
    let proxy = |name, scheme, open, guarded| Proxy {
        name,
        scheme,
        open: Some(open),
        guarded: Some(guarded),
        lookup: Lookup::Far,
        client: CLIENT,
        refusal: Refusal::Status {
            wrong: 407,
            missing: 407,
            hangs_up: false,
        },
    };
    let mut proxies = vec![proxy("http proxy squid", "http", open, guarded)];
    if tls.is_some() {
        let secure = proxy("https proxy squid", "https", secure_open, secure_guarded);
        proxies.push(secure);
    }
    Ok((vec![daemon], proxies))
}

fn service(ports: [u16; 4]) -> String {
    ports.iter().fold("urlpool".into(), |name: String, port| {
        format!("{name}{port}")
    })
}

fn configuration(
    folder: &Path,
    names: &Names,
    tls: Option<(&Path, &Path)>,
    ports: [u16; 4],
) -> String {
    let [open, guarded, secure_open, secure_guarded] = ports;
    let folder = folder.display();
    let secure = tls.map_or_else(
        || ["http_port".into(), String::new(), String::new()],
        |(identity, root)| {
            [
                "https_port".into(),
                format!("tls-cert={}", identity.display()),
                format!("tls_outgoing_options cafile={}", root.display()),
            ]
        },
    );
    let [listen, identity, outgoing] = secure;
    let (hosts, passwords) = (names.hosts(), names.passwords());
    let (hosts, passwords) = (hosts.display(), passwords.display());
    format!(
        "http_port 127.0.0.1:{open}
http_port 127.0.0.1:{guarded}
{listen} 127.0.0.1:{secure_open} {identity}
{listen} 127.0.0.1:{secure_guarded} {identity}
{outgoing}
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
auth_param basic children 2 startup=1
auth_param basic realm urlpool
acl open localport {open} {secure_open}
acl known proxy_auth REQUIRED
http_access allow open
http_access allow known
http_access deny all
tcp_outgoing_address {CLIENT}
hosts_file {hosts}
cache deny all
cache_mem 0
max_filedescriptors 1024
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
visible_hostname squid.test
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
coredump_dir {folder}
"
    )
}
