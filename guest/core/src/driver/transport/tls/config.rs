//! What TLS connections are made with: suites, roots, the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use crate::types::Error;

/// What a pool's connections agree on TLS with; holds their sessions, so it is never shared between pools.
pub(in crate::driver) type Config = Arc<ClientConfig>;

/// The wall clock as rustls wants it: shared between threads, although there is one. Set before each handshake.
#[derive(Clone, Debug, Default)]
pub(in crate::driver) struct WallClock(Arc<AtomicU64>);

impl WallClock {
    pub(in crate::driver) fn set(&self, since_1970: Duration) {
        self.0.store(since_1970.as_secs(), Ordering::Relaxed);
    }
}

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            self.0.load(Ordering::Relaxed),
        )))
    }
}

/// The configuration for a pool. `roots` is a PEM bundle; `None` means Mozilla's.
pub(in crate::driver) fn client_config(
    roots: Option<&[u8]>,
    clock: &WallClock,
) -> Result<Config, Error> {
    let store = match roots {
        None => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
        Some(bundle) => parse_roots(bundle)?,
    };
    let provider = Arc::new(provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(clock.clone()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::Other(format!("TLS cannot be set up: {cause}")))?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Whether `roots` can be used at all.
pub(in crate::driver) fn check_roots(roots: Option<&[u8]>) -> Result<(), Error> {
    roots.map_or(Ok(()), |bundle| parse_roots(bundle).map(drop))
}

/// ring's suites with ChaCha20-Poly1305 first: in WebAssembly, which has no AES instructions, it is four times as fast.
fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| !format!("{:?}", suite.suite()).contains("CHACHA20"));
    provider
}

fn parse_roots(bundle: &[u8]) -> Result<RootCertStore, Error> {
    let refused = |why: String| {
        Error::InvalidSettings(format!("the root certificates cannot be used: {why}"))
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        let certificate = certificate
            .map_err(|cause| refused(format!("the PEM bundle is malformed: {cause:?}")))?;
        store
            .add(certificate)
            .map_err(|cause| refused(cause.to_string()))?;
    }
    if store.is_empty() {
        return Err(refused("the PEM bundle holds no CERTIFICATE block".into()));
    }
    Ok(store)
}
