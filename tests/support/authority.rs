//! Certificates, as they should be and otherwise.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::NamedTempFile;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion, WantsVerifier,
};

/// A root that signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new root with a key of its own.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "urlpool test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a root signs itself");
        Self { issuer }
    }

    /// The root's certificate as a PEM bundle of one.
    #[must_use]
    pub fn pem(&self) -> Vec<u8> {
        self.issuer.pem().into_bytes()
    }

    /// The root's certificate as DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// The same in a file, for `--cacert`.
    #[must_use]
    pub fn file(&self) -> NamedTempFile {
        let file = NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), self.pem()).expect("a temporary file takes bytes");
        file
    }

    /// A certificate for these names and IP addresses.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.sign(&params(names))
    }

    /// The same, but it ran out in 2001.
    #[must_use]
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        let mut params = params(names);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = key();
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a root signs certificates");
        Identity::new(&certificate, &key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate and its key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pem: String,
}

impl Identity {
    /// A certificate for these names that nobody but itself has signed.
    #[must_use]
    pub fn self_signed(names: &[&str]) -> Self {
        let key = key();
        let certificate = params(names)
            .self_signed(&key)
            .expect("a certificate signs itself");
        Self::new(&certificate, &key)
    }

    /// What a server that speaks TLS 1.2 and 1.3 needs.
    #[must_use]
    pub fn tls(&self) -> Tls {
        self.speaking(&[&TLS12, &TLS13])
    }

    /// The same with TLS 1.2 only.
    #[must_use]
    pub fn tls12(&self) -> Tls {
        self.speaking(&[&TLS12])
    }

    /// The same with TLS 1.3 only.
    #[must_use]
    pub fn tls13(&self) -> Tls {
        self.speaking(&[&TLS13])
    }

    /// The same with either version, for clients alone that have a certificate of this authority.
    ///
    /// # Panics
    /// Where the authority's root is no root.
    #[must_use]
    pub fn tls_for_members(&self, authority: &Authority) -> Tls {
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.der().into())
            .expect("the root is a root");
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        let verifier = verifier.build().expect("there is a root");
        let config = builder(&[&TLS12, &TLS13])
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .expect("the key fits the certificate");
        Tls(Arc::new(config))
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate and its key in one text, for servers that read files.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("a key in PKCS #8"),
            pem: certificate.pem() + &key.serialize_pem(),
        }
    }

    fn speaking(&self, versions: &[&'static SupportedProtocolVersion]) -> Tls {
        let config = builder(versions)
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .expect("the key fits the certificate");
        Tls(Arc::new(config))
    }
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let provider = Arc::new(ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("ring speaks both versions")
}

/// What a server needs to speak TLS.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
    CertificateParams::new(names).expect("names that a certificate can carry")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("randomness")
}
