//! Whom TLS trusts, and who we are.

use clap::ArgMatches;
use urlpool_core::types::{AssertHostname, CertReqs, TlsSettings, TlsVersion};

use super::Early;
use super::content::named_file;
use crate::text::tls_version;

/// The settings of TLS. Whether the files hold what they should, the component says before anything is sent.
pub(super) fn settings(matches: &mut ArgMatches, key_log: bool) -> Result<TlsSettings, Early> {
    if !matches.contains_id("cert") {
        for option in ["key", "key-password"] {
            if matches.contains_id(option) {
                let text = format!("--{option} is of no use without --cert FILE");
                return Err(Early::Usage(text));
            }
        }
    }
    let assert_hostname = matches
        .remove_one::<String>("assert-hostname")
        .map(hostname);
    let assert_fingerprint = matches.remove_one("fingerprint");
    if assert_fingerprint.is_some() && matches!(assert_hostname, Some(AssertHostname::Name(_))) {
        return Err(Early::Usage(
            "--fingerprint takes the place of the name; leave --assert-hostname out".into(),
        ));
    }
    Ok(TlsSettings {
        roots: named_file(matches, "cacert")?,
        cert_reqs: matches.get_flag("insecure").then_some(CertReqs::None),
        assert_hostname,
        assert_fingerprint,
        server_hostname: matches.remove_one("server-hostname"),
        client_certificates: named_file(matches, "cert")?,
        client_key: named_file(matches, "key")?,
        key_password: matches.remove_one("key-password").map(String::into_bytes),
        min_version: version(matches, "tls-min"),
        max_version: version(matches, "tls-max"),
        key_log: key_log.then_some(true),
        ..TlsSettings::default()
    })
}

/// `false` as in urllib3 and as in `--retries`. A host of that name can be written `false.`, which is the same host.
fn hostname(typed: String) -> AssertHostname {
    match typed.as_str() {
        "false" => AssertHostname::Off,
        _ => AssertHostname::Name(typed),
    }
}

fn version(matches: &mut ArgMatches, option: &str) -> Option<TlsVersion> {
    let typed = matches.remove_one::<String>(option)?;
    [TlsVersion::Tls12, TlsVersion::Tls13]
        .into_iter()
        .find(|version| tls_version(*version) == typed)
}
