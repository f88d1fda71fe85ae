//! TLS errors in the words that OpenSSL, and so urllib3's users, have for them.

use std::fmt;

use rustls::{CertificateError, OtherError};

use super::fingerprint::Mismatch;
use crate::driver::{IoError, IoKind};
use crate::types::TlsReason;

pub(super) fn tls_error(reason: TlsReason, message: String) -> IoError {
    IoError {
        kind: IoKind::Tls(reason),
        message,
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
                (TlsReason::Hostname, verify("Hostname mismatch", error))
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
            format!("wrong version number: the peer does not speak TLS as it should ({detail:?})"),
        ),
        other => (TlsReason::Protocol, other.to_string()),
    };
    tls_error(reason, message)
}
