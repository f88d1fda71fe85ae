//! The options about TLS.

use clap::Arg;

use super::{file, flag, text};

pub(super) fn args() -> [Arg; 11] {
    [
        flag("insecure", "Verify nobody; warn at each use").short('k'),
        file("cacert", "Trust these PEM certificates and no others"),
        file("cert", "Our own certificate, PEM or DER").short('E'),
        file("key", "Its key, where that is in another file"),
        text("key-password", "PASSWORD", "What the key is encrypted with"),
        version("tls-min", "Oldest version: 1.2 (default) or 1.3"),
        version("tls-max", "Newest version: 1.2 or 1.3 (default)"),
        text(
            "fingerprint",
            "HEX",
            "Hash of its certificate: SHA-256, -1, MD5",
        ),
        text(
            "assert-hostname",
            "NAME|false",
            "The name its certificate has; false: any",
        ),
        text(
            "server-hostname",
            "NAME",
            "The name it is asked for (SNI) and has",
        ),
        file("key-log", "Append the secrets of connections"),
    ]
    .map(|arg| arg.help_heading("TLS"))
}

fn version(name: &'static str, help: &'static str) -> Arg {
    text(name, "V", help)
        .value_parser(["1.2", "1.3"])
        .hide_possible_values(true)
}
