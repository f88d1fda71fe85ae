//! TLS errors in the words that OpenSSL, and so urllib3's users, have for them.

use std::fmt;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, OtherError};

use super::fingerprint::Mismatch;
use crate::driver::{IoError, IoKind};
use crate::policy::blame::NOT_TLS;
use crate::types::TlsReason;

pub(super) fn tls_error(reason: TlsReason, message: String) -> IoError {
    IoError {
        kind: IoKind::Tls(reason),
        message,
        is_outer: false,
    }
}

/// What is wrong with the names of a certificate: what OpenSSL says of it, and what Python's own comparison does.
fn mismatch(error: &CertificateError) -> String {
    let CertificateError::NotValidForNameContext {
        expected,
        presented,
    } = error
    else {
        return "certificate verify failed: Hostname mismatch".into();
    };
    let kind = match expected {
        ServerName::IpAddress(_) => "IP address",
        _ => "Hostname",
    };
    let name = expected.to_str();
    let found = match presented.as_slice() {
        [] => "no appropriate subjectAltName fields were found".into(),
        [only] => format!("hostname '{name}' doesn't match '{}'", bare(only)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|name| format!("'{}'", bare(name)))
                .collect();
            format!(
                "hostname '{name}' doesn't match either of {}",
                names.join(", ")
            )
        }
    };
    format!(
        "certificate verify failed: {kind} mismatch, certificate is not valid for '{name}': {found}"
    )
}

/// A name out of the words that it is presented in, such as `DnsName("a.test")`.
fn bare(presented: &str) -> &str {
    presented
        .split_once('(')
        .and_then(|(_, name)| name.strip_suffix(')'))
        .unwrap_or(presented)
        .trim_matches('"')
}

/// rustls' error, its own words behind those that people know.
pub(super) fn explain(cause: &rustls::Error) -> IoError {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, UnknownIssuer,
    };
    let verify = |what: &str, detail: &dyn fmt::Display| {
        format!("certificate verify failed: {what} ({detail})")
    };
    let (reason, message) = match cause {
        rustls::Error::InvalidCertificate(error) => match error {
            NotValidForName | NotValidForNameContext { .. } => {
                (TlsReason::Hostname, mismatch(error))
            }
            UnknownIssuer => (
                TlsReason::Certificate,
                verify("unable to get local issuer certificate", error),
            ),
            Expired | ExpiredContext { .. } => (
                TlsReason::Certificate,
                verify("certificate has expired", error),
            ),
            NotValidYet | NotValidYetContext { .. } => (
                TlsReason::Certificate,
                verify("certificate is not yet valid", error),
            ),
            Other(OtherError(cause)) if cause.is::<Mismatch>() => {
                (TlsReason::Fingerprint, cause.to_string())
            }
            other => (
                TlsReason::Certificate,
                format!("certificate verify failed: {other}"),
            ),
        },
        rustls::Error::AlertReceived(alert) => (
            TlsReason::Alert,
            format!("the peer ended TLS with the alert {alert:?}"),
        ),
        rustls::Error::InvalidMessage(detail) => (
            TlsReason::Protocol,
            format!("{NOT_TLS}: the peer does not speak TLS as it should ({detail:?})"),
        ),
        other => (TlsReason::Protocol, other.to_string()),
    };
    tls_error(reason, message)
}
