//! What TLS is made with, and what it agreed on.

use urlpool_core::types::{AssertHostname, CertReqs, TlsInfo, TlsSettings, TlsVersion};

use super::super::wit;

pub(super) fn tls_settings(settings: TlsSettings) -> wit::TlsSettings {
    let TlsSettings {
        roots,
        cert_reqs,
        assert_hostname,
        assert_fingerprint,
        server_hostname,
        client_certificates,
        client_key,
        key_password,
        min_version,
        max_version,
        alpn,
        resumption,
        key_log,
    } = settings;
    wit::TlsSettings {
        roots,
        cert_reqs: cert_reqs.map(|demand| match demand {
            CertReqs::None => wit::CertReqs::None,
            CertReqs::Optional => wit::CertReqs::Optional,
            CertReqs::Required => wit::CertReqs::Required,
        }),
        assert_hostname: assert_hostname.map(|name| match name {
            AssertHostname::Off => wit::AssertHostname::Off,
            AssertHostname::Name(name) => wit::AssertHostname::Name(name),
        }),
        assert_fingerprint,
        server_hostname,
        client_certificates,
        client_key,
        key_password,
        min_version: min_version.map(version),
        max_version: max_version.map(version),
        alpn,
        resumption,
        key_log,
    }
}

const fn version(version: TlsVersion) -> wit::TlsVersion {
    match version {
        TlsVersion::Tls12 => wit::TlsVersion::Tls12,
        TlsVersion::Tls13 => wit::TlsVersion::Tls13,
    }
}

/// What TLS agreed on.
pub(crate) fn tls_info(info: wit::TlsInfo) -> TlsInfo {
    TlsInfo {
        version: tls_version(info.version),
        cipher: info.cipher,
        alpn: info.alpn,
        resumed: info.resumed,
        is_verified: info.is_verified,
        certificates: info.certificates,
    }
}

pub(super) fn tls_version(version: wit::TlsVersion) -> TlsVersion {
    match version {
        wit::TlsVersion::Tls12 => TlsVersion::Tls12,
        wit::TlsVersion::Tls13 => TlsVersion::Tls13,
    }
}
