//! Whom we trust, and certificates as bytes.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::der::{Reader, SEQUENCE};
use super::pem::{Block, blocks, is_pem};

/// The certificates that others are traced back to.
pub(super) struct Roots {
    pub(super) store: Arc<RootCertStore>,
    /// Those that a caller gave, as they are.
    given: Arc<[CertificateDer<'static>]>,
}

impl Roots {
    /// Mozilla's.
    pub(super) fn built_in() -> Self {
        let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        Self {
            store: Arc::new(RootCertStore { roots }),
            given: Arc::default(),
        }
    }

    /// These and no others: PEM or DER.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let given = certificates(bytes)?;
        let mut store = RootCertStore::empty();
        for certificate in &given {
            store
                .add(certificate.clone())
                .map_err(|cause| cause.to_string())?;
        }
        Ok(Self {
            store: Arc::new(store),
            given: given.into(),
        })
    }

    /// Whether a caller gave this very certificate.
    pub(super) fn has(&self, certificate: &CertificateDer<'_>) -> bool {
        self.given.contains(certificate)
    }
}

/// One certificate or more, as PEM or as DER one after another.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = if is_pem(bytes) {
        let is_certificate =
            |block: &Block| matches!(&*block.label, "CERTIFICATE" | "X509 CERTIFICATE");
        let blocks = blocks(bytes)?.into_iter().filter(is_certificate);
        blocks.map(|block| block.der.into()).collect::<Vec<_>>()
    } else {
        let mut reader = Reader::new(bytes);
        let mut found = Vec::new();
        while !reader.is_empty() {
            let certificate = reader.whole(SEQUENCE);
            let certificate = certificate.ok_or("they are neither PEM nor DER")?;
            found.push(CertificateDer::from(certificate.to_vec()));
        }
        found
    };
    if found.is_empty() {
        return Err("there is no CERTIFICATE block among them".into());
    }
    Ok(found)
}
