//! The options about proxies.

use clap::{Arg, ArgAction};

use super::{file, flag, text};

/// Those that say how a proxy is spoken to, and mean nothing without one.
pub(crate) const ABOUT_A_PROXY: [&str; 5] = [
    "proxy-user",
    "proxy-header",
    "forward-https",
    "proxy-cacert",
    "proxy-insecure",
];

pub(super) fn args() -> [Arg; 7] {
    [
        text("proxy", "URL", "http, https, socks4[a], socks5[h]; '' none").short('x'),
        text(
            "proxy-user",
            "NAME:PASSWORD",
            "Basic or SOCKS credentials for it",
        )
        .short('U'),
        text(
            "proxy-header",
            "'NAME: VALUE'",
            "Add a header for it alone; repeatable",
        )
        .action(ArgAction::Append),
        text(
            "noproxy",
            "LIST",
            "Hosts and networks without it; * for all",
        ),
        flag("forward-https", "Ask an https proxy without a tunnel"),
        file("proxy-cacert", "--cacert for an https proxy alone"),
        flag("proxy-insecure", "--insecure for an https proxy alone"),
    ]
    .map(|arg| arg.help_heading("Proxy"))
}
