//! What TLS is made with, and what it agreed on.

use urlpool_core::types as core;

use crate::bindings::exports::urlpool::client::types as wit;

pub(super) fn tls_settings(settings: wit::TlsSettings) -> core::TlsSettings {
    let wit::TlsSettings {
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
    core::TlsSettings {
        roots,
        cert_reqs: cert_reqs.map(|demand| match demand {
            wit::CertReqs::None => core::CertReqs::None,
            wit::CertReqs::Optional => core::CertReqs::Optional,
            wit::CertReqs::Required => core::CertReqs::Required,
        }),
        assert_hostname: assert_hostname.map(|name| match name {
            wit::AssertHostname::Off => core::AssertHostname::Off,
            wit::AssertHostname::Name(name) => core::AssertHostname::Name(name),
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

const fn version(version: wit::TlsVersion) -> core::TlsVersion {
    match version {
        wit::TlsVersion::Tls12 => core::TlsVersion::Tls12,
        wit::TlsVersion::Tls13 => core::TlsVersion::Tls13,
    }
}

pub(crate) fn tls_info(info: &core::TlsInfo) -> wit::TlsInfo {
    let core::TlsInfo {
        version,
        cipher,
        alpn,
        resumed,
        is_verified,
        certificates,
    } = info;
    wit::TlsInfo {
        version: tls_version(*version),
        cipher: cipher.clone(),
        alpn: alpn.clone(),
        resumed: *resumed,
        is_verified: *is_verified,
        certificates: certificates.clone(),
    }
}

pub(super) const fn tls_version(version: core::TlsVersion) -> wit::TlsVersion {
    match version {
        core::TlsVersion::Tls12 => wit::TlsVersion::Tls12,
        core::TlsVersion::Tls13 => wit::TlsVersion::Tls13,
    }
}
