//! What TLS connections are made with: suites, trust, our certificate, the clock.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, KeyLog, SupportedProtocolVersion};

use super::fingerprint::Fingerprint;
use super::hex::hexadecimal;
use super::key::identity;
use super::roots::Roots;
use super::verify::{Identity, Verifier};
use crate::types::{AssertHostname, CertReqs, Error, TlsSettings, TlsVersion};

/// Of how many different settings what was parsed is kept.
const MAX_PARSED: NonZeroUsize = NonZeroUsize::new(16).expect("it is not 0");
/// What is offered where nothing is said about it.
const HTTP: &[u8] = b"http/1.1";
/// The longest name of a protocol (RFC 7301, section 3.1).
const MAX_PROTOCOL: usize = 255;

static OLD: [&SupportedProtocolVersion; 1] = [&TLS12];
static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static NEW: [&SupportedProtocolVersion; 1] = [&TLS13];

/// What a pool's connections agree on TLS with; holds their sessions, so it is never shared between pools.
#[derive(Clone)]
pub(in crate::driver) struct Config {
    pub(super) client: Arc<ClientConfig>,
    /// Whom the server is asked to be, where that is not the host.
    pub(super) server: Option<ServerName<'static>>,
    /// Whether a server that is accepted has proved who it is.
    pub(super) is_proof: bool,
    secrets: Option<Arc<Secrets>>,
}

impl Config {
    /// The lines of the key log since the last call.
    pub(in crate::driver) fn take_secrets(&self) -> Vec<String> {
        let secrets = self.secrets.as_ref();
        secrets.map_or_else(Vec::new, |secrets| secrets.take())
    }
}

/// What the configurations of all pools under one manager are made of. Whatever settings hold as bytes is parsed once for all pools.
pub(in crate::driver) struct Outfit {
    provider: Arc<CryptoProvider>,
    clock: WallClock,
    parsed: RefCell<LruCache<Rc<TlsSettings>, Rc<Parsed>>>,
}

impl Outfit {
    pub(in crate::driver) fn new() -> Self {
        Self {
            provider: Arc::new(provider()),
            clock: WallClock::default(),
            parsed: RefCell::new(LruCache::new(MAX_PARSED)),
        }
    }

    /// Says what time it is, which each handshake wants to know.
    pub(in crate::driver) fn set_time(&self, since_1970: Duration) {
        self.clock.0.store(since_1970.as_secs(), Ordering::Relaxed);
    }

    /// Whether settings can be used at all.
    pub(in crate::driver) fn check(&self, settings: &Rc<TlsSettings>) -> Result<(), Error> {
        if **settings == TlsSettings::default() {
            return Ok(());
        }
        self.parsed(settings).map(drop)
    }

    /// A configuration with no sessions yet.
    pub(in crate::driver) fn config(&self, settings: &Rc<TlsSettings>) -> Result<Config, Error> {
        let parsed = self.parsed(settings)?;
        let provider = Arc::clone(&self.provider);
        let builder = ClientConfig::builder_with_details(provider, Arc::new(self.clock.clone()))
            .with_protocol_versions(parsed.versions)
            .map_err(|cause| Error::Other(format!("TLS cannot be set up: {cause}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&parsed.verifier) as Arc<_>);
        let mut client = match &parsed.own {
            None => builder.with_no_client_auth(),
            Some(own) => builder.with_client_cert_resolver(Arc::clone(own) as Arc<_>),
        };
        client.alpn_protocols.clone_from(&parsed.alpn);
        if !parsed.may_resume {
            client.resumption = Resumption::disabled();
        }
        let secrets = parsed.is_logged.then(Arc::<Secrets>::default);
        if let Some(secrets) = &secrets {
            client.key_log = Arc::clone(secrets) as Arc<_>;
        }
        Ok(Config {
            client: Arc::new(client),
            server: parsed.server.clone(),
            is_proof: parsed.verifier.is_proof(),
            secrets,
        })
    }

    fn parsed(&self, settings: &Rc<TlsSettings>) -> Result<Rc<Parsed>, Error> {
        if let Some(parsed) = self.parsed.borrow_mut().get(settings) {
            return Ok(Rc::clone(parsed));
        }
        let parsed = Parsed::parse(settings, &self.provider).map_err(Error::InvalidSettings)?;
        let parsed = Rc::new(parsed);
        self.parsed
            .borrow_mut()
            .put(Rc::clone(settings), Rc::clone(&parsed));
        Ok(parsed)
    }
}

/// Settings that were found to make sense.
struct Parsed {
    verifier: Arc<Verifier>,
    own: Option<Arc<SingleCertAndKey>>,
    versions: &'static [&'static SupportedProtocolVersion],
    server: Option<ServerName<'static>>,
    alpn: Vec<Vec<u8>>,
    may_resume: bool,
    is_logged: bool,
}

impl Parsed {
    fn parse(settings: &TlsSettings, provider: &CryptoProvider) -> Result<Self, String> {
        let roots = match &settings.roots {
            None => Roots::built_in(),
            Some(given) => Roots::parse(given)
                .map_err(|why| format!("the root certificates cannot be used: {why}"))?,
        };
        let name = |text: &String| server_name(text).map(Some);
        let server = settings.server_hostname.as_ref().map_or(Ok(None), name)?;
        let identity_of_server = match (&settings.assert_fingerprint, &settings.assert_hostname) {
            (Some(text), _) => Identity::Fingerprint(Fingerprint::parse(text)?),
            (None, Some(AssertHostname::Off)) => Identity::Any,
            (None, Some(AssertHostname::Name(text))) => Identity::Name(server_name(text)?),
            (None, None) => Identity::Host,
        };
        let demand = settings.cert_reqs.unwrap_or_default();
        let verifier = Verifier {
            roots: (demand != CertReqs::None).then_some(roots),
            identity: identity_of_server,
            algorithms: provider.signature_verification_algorithms,
        };
        let alpn = settings.alpn.clone().unwrap_or_else(|| vec![HTTP.to_vec()]);
        for protocol in &alpn {
            check_protocol(protocol)?;
        }
        Ok(Self {
            verifier: Arc::new(verifier),
            own: identity(settings, provider)?,
            versions: versions(settings)?,
            server,
            alpn,
            may_resume: settings.resumption.unwrap_or(true),
            is_logged: settings.key_log.unwrap_or(false),
        })
    }
}

/// Who a certificate is for: a name, without the root's dot, or an IP address, without brackets and zone.
pub(super) fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let inside = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let name = inside.unwrap_or(name);
    let name = match name.split_once('%') {
        Some((address, _)) if address.contains(':') => address,
        _ => name,
    };
    ServerName::try_from(name.to_owned())
        .map_err(|_| format!("'{text}' is not a name that a certificate could be for"))
}

fn versions(
    settings: &TlsSettings,
) -> Result<&'static [&'static SupportedProtocolVersion], String> {
    use TlsVersion::{Tls12, Tls13};
    let oldest = settings.min_version.unwrap_or(Tls12);
    let newest = settings.max_version.unwrap_or(Tls13);
    match (oldest, newest) {
        (Tls12, Tls12) => Ok(&OLD),
        (Tls12, Tls13) => Ok(&BOTH),
        (Tls13, Tls13) => Ok(&NEW),
        (Tls13, Tls12) => Err("The oldest version of TLS is newer than the newest.".into()),
    }
}

fn check_protocol(protocol: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(protocol);
    if protocol.is_empty() || protocol.len() > MAX_PROTOCOL {
        return Err(format!(
            "A protocol for ALPN has from 1 to {MAX_PROTOCOL} bytes, which {shown:?} has not."
        ));
    }
    if matches!(protocol, b"h2" | b"h3") {
        return Err(format!(
            "The protocol {shown:?} cannot be offered: a server that picks it would be answered in HTTP/1.1."
        ));
    }
    Ok(())
}

/// ring's suites with ChaCha20-Poly1305 first: in WebAssembly, which has no AES instructions, it is four times as fast.
fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| !format!("{:?}", suite.suite()).contains("CHACHA20"));
    provider
}

/// The wall clock as rustls wants it: shared between threads, although there is one.
#[derive(Clone, Debug, Default)]
struct WallClock(Arc<AtomicU64>);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            self.0.load(Ordering::Relaxed),
        )))
    }
}

/// The secrets of connections, until they are taken out: a line for each, as in NSS' key logs.
#[derive(Default)]
struct Secrets(Mutex<Vec<String>>);

impl Secrets {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (hexadecimal(client_random), hexadecimal(secret));
        let line = format!("{label} {random} {secret}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets")
    }
}
