//! Whether a server is who it should be.
//!
//! In urllib3's order: who vouches for the certificate, as far as that is asked for; then the fingerprint, or else the name. Whatever is asked
//! for, the server must have signed the handshake with the key of the certificate that it showed.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::fingerprint::Fingerprint;
use super::roots::Roots;

/// Which certificate a server must have.
pub(super) enum Identity {
    /// One for the name that the connection was opened with.
    Host,
    /// One for this name.
    Name(ServerName<'static>),
    /// One with this hash.
    Fingerprint(Fingerprint),
    /// Any.
    Any,
}

/// What is asked of a server's certificate.
pub(super) struct Verifier {
    /// Who may vouch for it; `None` where anyone may.
    pub(super) roots: Option<Roots>,
    pub(super) identity: Identity,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier")
    }
}

impl Verifier {
    /// Whether a server that passes has proved who it is (urllib3: `is_verified`).
    pub(super) const fn is_proof(&self) -> bool {
        self.roots.is_some() || matches!(self.identity, Identity::Fingerprint(_))
    }

    /// Whether somebody vouches for the certificate, or it is itself among the roots.
    fn check_chain(
        &self,
        roots: &Roots,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let outcome = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &roots.store,
            intermediates,
            now,
            self.algorithms.all,
        );
        match outcome {
            Err(Error::InvalidCertificate(CertificateError::Other(OtherError(cause))))
                if roots.has(certificate) && is_only_an_authority(&*cause) =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Whether all that is wrong with a certificate is that it may sign others. `openssl req -x509` makes such ones; OpenSSL, and so urllib3, takes
/// them from a server where they are among the roots. Its times have been looked at by then.
fn is_only_an_authority(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            self.check_chain(roots, end_entity, intermediates, now)?;
        }
        let is_for = |name: &ServerName<'_>| {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)
        };
        match &self.identity {
            Identity::Fingerprint(fingerprint) => fingerprint
                .check(end_entity)
                .map_err(|mismatch| CertificateError::Other(OtherError(Arc::new(mismatch))))?,
            // Where nobody vouches for a name, it says nothing.
            _ if self.roots.is_none() => {}
            Identity::Any => {}
            Identity::Host => is_for(server_name)?,
            Identity::Name(name) => is_for(name)?,
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
