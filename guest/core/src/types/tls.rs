//! Whom TLS trusts, who we are, and what was agreed on.

use std::fmt;

use super::TlsVersion;

/// Whether a server must prove who it is (urllib3: `cert_reqs`).
///
/// ```
/// use urlpool_core::types::{CertReqs, TlsSettings};
///
/// let tls = TlsSettings { cert_reqs: Some(CertReqs::None), ..TlsSettings::default() };
/// assert_ne!(tls.cert_reqs, Some(CertReqs::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum CertReqs {
    /// It need not: anyone may answer in its place (`CERT_NONE`). Each use is reported as [`Event::Warned`](super::Event::Warned), unless a
    /// fingerprint matches.
    None,
    /// What the word means for a client: the same as required (`CERT_OPTIONAL`, and so in OpenSSL).
    Optional,
    /// It must (`CERT_REQUIRED`).
    #[default]
    Required,
}

/// Which name a server's certificate must be for (urllib3: `assert_hostname`).
///
/// ```
/// use urlpool_core::types::{AssertHostname, TlsSettings};
///
/// let name = AssertHostname::Name("internal.example".into());
/// let tls = TlsSettings { assert_hostname: Some(name), ..TlsSettings::default() };
/// assert_ne!(tls.assert_hostname, Some(AssertHostname::Off));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum AssertHostname {
    /// Any: only who vouches for it counts (urllib3: `False`).
    Off,
    /// This one, a name or an IP address.
    Name(String),
}

/// Whom TLS connections trust, who we are to the server, and how they are made. What is `None` is inherited.
///
/// ```
/// use urlpool_core::types::TlsSettings;
///
/// let tls = TlsSettings {
///     client_certificates: Some(b"-----BEGIN CERTIFICATE-----...".to_vec()),
///     client_key: Some(b"-----BEGIN PRIVATE KEY-----...".to_vec()),
///     ..TlsSettings::default()
/// };
/// assert!(format!("{tls:?}").contains(r#"client_key: Some("redacted")"#));
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct TlsSettings {
    /// The roots that are trusted, a PEM bundle or one certificate as DER (urllib3: `ca_cert_data`). They replace the built-in ones, which are
    /// Mozilla's and the default; there are never both (CVE-2019-11324).
    pub roots: Option<Vec<u8>>,
    /// Whether the server must prove who it is. The default is that it must.
    pub cert_reqs: Option<CertReqs>,
    /// Which name its certificate must be for. The default is the one in `server_hostname`, and without that the host of the URL.
    pub assert_hostname: Option<AssertHostname>,
    /// The hash of the server's certificate (DER) in hexadecimal digits, with colons or without: MD5, SHA-1 or SHA-256 by its length (urllib3:
    /// `assert_fingerprint`). It takes the place of the name; who vouches for the certificate is still checked as `cert_reqs` says.
    pub assert_fingerprint: Option<String>,
    /// The name that the server hears (SNI, RFC 6066, section 3) and whose certificate it must have. The default is the host of the URL.
    pub server_hostname: Option<String>,
    /// Our own certificate with those that lead to its root, our own first: PEM, which may hold the key too, or one certificate as DER
    /// (urllib3: `cert_file`). The default is that we have none.
    pub client_certificates: Option<Vec<u8>>,
    /// The key of our certificate, PEM or DER: PKCS#8, PKCS#1 or SEC 1 (urllib3: `key_file`). The default is the one among
    /// `client_certificates`.
    pub client_key: Option<Vec<u8>>,
    /// What an encrypted key is decrypted with (urllib3: `key_password`). A key that is not encrypted must come without.
    pub key_password: Option<Vec<u8>>,
    /// The oldest version that is agreed on (urllib3: `ssl_minimum_version`). The default is TLS 1.2.
    pub min_version: Option<TlsVersion>,
    /// The newest version that is agreed on (urllib3: `ssl_maximum_version`). The default is TLS 1.3.
    pub max_version: Option<TlsVersion>,
    /// The protocols that are offered (ALPN, RFC 7301), the preferred first; an empty list offers none. The default is `http/1.1`, which is what
    /// is spoken whatever the server picks.
    pub alpn: Option<Vec<Vec<u8>>>,
    /// Whether a pool's connections take up the sessions of earlier ones, which saves a round of signatures. The default is `true`.
    pub resumption: Option<bool>,
    /// Whether the secrets of each connection are reported as [`Event::KeyLog`](super::Event::KeyLog), with which whoever recorded it can read
    /// it (OpenSSL's users know `SSLKEYLOGFILE`). The default is `false`.
    pub key_log: Option<bool>,
}

impl TlsSettings {
    /// These, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        // A certificate, its key and the key's password belong together: they come from one place as far as what is named here allows.
        let (client_certificates, client_key, key_password) =
            match (self.client_certificates, self.client_key) {
                (Some(own), key) => (Some(own), key, self.key_password),
                (None, Some(key)) => (
                    base.client_certificates.clone(),
                    Some(key),
                    self.key_password,
                ),
                (None, None) => (
                    base.client_certificates.clone(),
                    base.client_key.clone(),
                    self.key_password.or_else(|| base.key_password.clone()),
                ),
            };
        Self {
            roots: self.roots.or_else(|| base.roots.clone()),
            cert_reqs: self.cert_reqs.or(base.cert_reqs),
            assert_hostname: self
                .assert_hostname
                .or_else(|| base.assert_hostname.clone()),
            assert_fingerprint: self
                .assert_fingerprint
                .or_else(|| base.assert_fingerprint.clone()),
            server_hostname: self
                .server_hostname
                .or_else(|| base.server_hostname.clone()),
            client_certificates,
            client_key,
            key_password,
            min_version: self.min_version.or(base.min_version),
            max_version: self.max_version.or(base.max_version),
            alpn: self.alpn.or_else(|| base.alpn.clone()),
            resumption: self.resumption.or(base.resumption),
            key_log: self.key_log.or(base.key_log),
        }
    }

    /// What of these also holds for TLS to a proxy that has no settings of its own: whom to trust and which versions. Names, fingerprints and
    /// our certificate are between us and the origin (CVE-2026-97687).
    #[must_use]
    pub fn for_proxy(&self) -> Self {
        Self {
            roots: self.roots.clone(),
            cert_reqs: self.cert_reqs,
            min_version: self.min_version,
            max_version: self.max_version,
            ..Self::default()
        }
    }
}

/// What a connection agreed on.
///
/// ```
/// use urlpool_core::types::{TlsInfo, TlsVersion};
///
/// let tls = TlsInfo {
///     version: TlsVersion::Tls13,
///     cipher: "TLS13_CHACHA20_POLY1305_SHA256".into(),
///     alpn: Some(b"http/1.1".to_vec()),
///     resumed: false,
///     is_verified: true,
///     certificates: Vec::new(),
/// };
/// assert_eq!(tls.alpn.as_deref(), Some(&b"http/1.1"[..]));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsInfo {
    /// The version.
    pub version: TlsVersion,
    /// The cipher suite by its registered name.
    pub cipher: String,
    /// The protocol that the server picked of those offered (ALPN); `None` where it picked none.
    pub alpn: Option<Vec<u8>>,
    /// Whether the session of an earlier connection was taken up.
    pub resumed: bool,
    /// Whether the server proved who it is, or had the certificate that was asked for (urllib3: `is_verified`).
    pub is_verified: bool,
    /// The certificates that the server sent, its own first, as DER.
    pub certificates: Vec<Vec<u8>>,
}

/// How many bytes there are of something that is not for logs.
struct Redacted(usize);

impl fmt::Debug for Redacted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0)
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| Redacted(bytes.len()));
        let alpn = self.alpn.as_ref().map(|protocols| {
            let texts = protocols.iter().map(|name| String::from_utf8_lossy(name));
            texts.collect::<Vec<_>>()
        });
        formatter
            .debug_struct("TlsSettings")
            .field("roots", &redacted(&self.roots))
            .field("cert_reqs", &self.cert_reqs)
            .field("assert_hostname", &self.assert_hostname)
            .field("assert_fingerprint", &self.assert_fingerprint)
            .field("server_hostname", &self.server_hostname)
            .field("client_certificates", &redacted(&self.client_certificates))
            .field("client_key", &self.client_key.as_ref().map(|_| "redacted"))
            .field(
                "key_password",
                &self.key_password.as_ref().map(|_| "redacted"),
            )
            .field("min_version", &self.min_version)
            .field("max_version", &self.max_version)
            .field("alpn", &alpn)
            .field("resumption", &self.resumption)
            .field("key_log", &self.key_log)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> TlsSettings {
        TlsSettings {
            roots: Some(b"roots".to_vec()),
            cert_reqs: Some(CertReqs::None),
            assert_hostname: Some(AssertHostname::Off),
            assert_fingerprint: Some("aa".into()),
            server_hostname: Some("s.test".into()),
            client_certificates: Some(b"PUBLIC".to_vec()),
            client_key: Some(b"SECRET-KEY".to_vec()),
            key_password: Some(b"SECRET-WORD".to_vec()),
            min_version: Some(TlsVersion::Tls12),
            max_version: Some(TlsVersion::Tls13),
            alpn: Some(vec![b"http/1.1".to_vec()]),
            resumption: Some(false),
            key_log: Some(true),
        }
    }

    #[test]
    fn what_is_left_open_is_inherited() {
        assert_eq!(TlsSettings::default().or(&full()), full());
        assert_eq!(full().or(&TlsSettings::default()), full());
        let other = TlsSettings {
            cert_reqs: Some(CertReqs::Required),
            ..TlsSettings::default()
        };
        let merged = other.or(&full());
        assert_eq!(merged.cert_reqs, Some(CertReqs::Required));
        assert_eq!(merged.key_password, full().key_password);
    }

    #[test]
    fn a_certificate_of_ones_own_comes_without_the_other_ones_key() {
        let own = TlsSettings {
            client_certificates: Some(b"mine".to_vec()),
            ..TlsSettings::default()
        };
        let merged = own.or(&full());
        assert_eq!((merged.client_key, merged.key_password), (None, None));
        let password = TlsSettings {
            key_password: Some(b"word".to_vec()),
            ..TlsSettings::default()
        };
        let merged = password.or(&full());
        assert_eq!(merged.client_key, full().client_key);
        assert_eq!(merged.key_password.as_deref(), Some(&b"word"[..]));
    }

    #[test]
    fn cve_2026_97687_a_proxy_inherits_trust_and_versions_alone() {
        let expected = TlsSettings {
            roots: full().roots,
            cert_reqs: full().cert_reqs,
            min_version: full().min_version,
            max_version: full().max_version,
            ..TlsSettings::default()
        };
        assert_eq!(full().for_proxy(), expected);
    }

    #[test]
    fn secrets_are_not_for_logs() {
        let shown = format!("{:?}", full());
        let as_numbers = format!("{:?}", b"SECRET-KEY").replace(['[', ']'], "");
        assert!(
            !shown.contains("SECRET") && !shown.contains(&as_numbers),
            "{shown}"
        );
        assert!(
            shown.contains("s.test") && shown.contains("http/1.1"),
            "{shown}"
        );
    }
}
