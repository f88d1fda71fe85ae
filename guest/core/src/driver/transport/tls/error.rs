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

/// What is wrong with the names of a certificate.
fn mismatch(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::NotValidForNameContext {
            expected: ServerName::IpAddress(_),
            ..
        } => "IP address mismatch",
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "Hostname mismatch, no appropriate subjectAltName fields were found"
        }
        _ => "Hostname mismatch",
    }
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
                (TlsReason::Hostname, verify(mismatch(error), error))
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
