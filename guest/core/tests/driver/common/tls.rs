//! A TLS server between a script and the wire, and who vouches for it.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ConfigBuilder, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion, WantsVerifier,
};
use urlpool_core::sim::{Codec, Listener, Script};

/// What time it is: in the summer of 2025.
pub(crate) const NOW: Duration = Duration::from_secs(1_750_000_000);
/// What a script sends to make its server change keys instead.
pub(crate) const KEY_UPDATE: &[u8] = b"(other keys from here on)";

/// What a script sends to make its server announce the end of TLS and no more.
pub(crate) const GOODBYE: &[u8] = b"(no more from here on)";

/// Where in what a script sends its server stops to encrypt.
pub(crate) const BARE: &[u8] = b"(bare from here on)";

/// Where in what a script sends the record begins of which half is kept back until the script sends again.
pub(crate) const HALF: &[u8] = b"(half from here on)";

/// A root that signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = CertificateParams::default();
        // Roots of one name are told apart by their signatures only, which is another error.
        let name = format!("a root for tests {:x?}", &key.public_key_raw()[1..9]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key).expect("a root signs itself"))
    }

    /// The root as a PEM bundle.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// The root as DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A server whose certificate has a common name and no other.
    pub(crate) fn server_of_common_name(&self, name: &str) -> TlsServer {
        self.server_with(
            |params| params.distinguished_name.push(DnType::CommonName, name),
            &[],
            &[&TLS13],
        )
    }

    /// A certificate for a client's key, as PEM.
    pub(crate) fn client(&self, key: &str) -> String {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "a client");
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 1);
        let key = KeyPair::from_pem(key).expect("the key is a key");
        let certificate = params.signed_by(&key, &self.0);
        certificate.expect("the root signs certificates").pem()
    }

    /// The same as [`Authority::server`], which demands a certificate of this authority.
    pub(crate) fn server_for_members(
        &self,
        names: &[&str],
        version: &'static SupportedProtocolVersion,
    ) -> TlsServer {
        let mut server = self.server(names, &[version]);
        let mut roots = RootCertStore::empty();
        roots.add(self.der().into()).expect("the root is a root");
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().expect("there is a root");
        server.config = builder(&[version])
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&server.config.cert_resolver));
        server.config.alpn_protocols = vec![b"http/1.1".to_vec()];
        server
    }

    /// A server with a certificate for these names and addresses, good throughout 2025.
    pub(crate) fn server(
        &self,
        names: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsServer {
        self.server_with(|_| {}, names, versions)
    }

    fn server_with(
        &self,
        change: impl FnOnce(&mut CertificateParams),
        names: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsServer {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("the names are names");
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params
            .signed_by(&key, &self.0)
            .expect("the root signs certificates");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("the key is a key");
        let mut config = builder(versions)
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate belong together");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsServer::new(config, certificate.der().to_vec())
    }
}

/// A server that vouches for itself, and its certificate as PEM.
pub(crate) fn self_signed(names: &[&str], is_authority: bool) -> (TlsServer, Vec<u8>) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("the names are names");
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2026, 1, 1);
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().expect("there is randomness");
    let certificate = params.self_signed(&key).expect("it signs itself");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("the key is a key");
    let mut config = builder(&[&TLS13, &TLS12])
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("key and certificate belong together");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server = TlsServer::new(config, certificate.der().to_vec());
    (server, certificate.pem().into_bytes())
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let provider = Arc::new(ring::default_provider());
    ServerConfig::builder_with_details(provider, Arc::new(Clock))
        .with_protocol_versions(versions)
        .expect("the versions are supported")
}

#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(NOW))
    }
}

/// What a server saw of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) version: Option<rustls::ProtocolVersion>,
    /// How many certificates the client has shown.
    pub(crate) certificates: usize,
    pub(crate) kind: Option<HandshakeKind>,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) name: Option<String>,
    pub(crate) failure: Option<rustls::Error>,
}

/// A TLS server, one session for each connection.
pub(crate) struct TlsServer {
    pub(crate) config: ServerConfig,
    /// Whether it closes without a word.
    pub(crate) is_rude: bool,
    /// Its certificate as DER.
    pub(crate) certificate: Vec<u8>,
    seen: Rc<RefCell<Vec<Seen>>>,
}

impl TlsServer {
    fn new(config: ServerConfig, certificate: Vec<u8>) -> Self {
        Self {
            config,
            is_rude: false,
            certificate,
            seen: Rc::default(),
        }
    }

    /// Closes without `close_notify`.
    pub(crate) fn rude(self) -> Self {
        Self {
            is_rude: true,
            ..self
        }
    }

    /// What it will have seen, connection by connection.
    pub(crate) fn seen(&self) -> impl Fn() -> Vec<Seen> + use<> {
        let seen = Rc::clone(&self.seen);
        move || seen.borrow().clone()
    }

    /// Puts it to work.
    pub(crate) fn listener(self, scripts: Vec<Script>) -> Listener {
        Listener::Through(scripts, self.sessions())
    }

    /// Its end of one connection after the other.
    pub(crate) fn sessions(self) -> Box<dyn FnMut() -> Box<dyn Codec>> {
        let config = Arc::new(self.config);
        Box::new(move || {
            self.seen.borrow_mut().push(Seen::default());
            Box::new(Session {
                tls: ServerConnection::new(Arc::clone(&config)).expect("the settings are right"),
                is_rude: self.is_rude,
                number: self.seen.borrow().len() - 1,
                seen: Rc::clone(&self.seen),
                kept_back: Vec::new(),
            })
        })
    }
}

struct Session {
    tls: ServerConnection,
    is_rude: bool,
    number: usize,
    seen: Rc<RefCell<Vec<Seen>>>,
    kept_back: Vec<u8>,
}

impl Session {
    fn encrypt(&mut self, plain: &[u8]) -> Vec<u8> {
        self.tls.set_buffer_limit(None);
        self.tls
            .writer()
            .write_all(plain)
            .expect("there is no limit");
        self.take()
    }

    fn take(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut wire).expect("a vector takes all");
        }
        wire
    }

    fn decrypt(&mut self, mut wire: &[u8], plain: &mut Vec<u8>) -> Result<(), rustls::Error> {
        while !wire.is_empty() {
            self.tls.read_tls(&mut wire).expect("a slice can be read");
            let ready = self.tls.process_new_packets()?.plaintext_bytes_to_read();
            let mut bytes = vec![0; ready];
            self.tls
                .reader()
                .read_exact(&mut bytes)
                .expect("as many are ready");
            plain.append(&mut bytes);
        }
        Ok(())
    }
}

impl Codec for Session {
    fn incoming(&mut self, wire: &[u8], plain: &mut Vec<u8>, reply: &mut Vec<u8>) {
        let failure = self.decrypt(wire, plain).err();
        reply.append(&mut self.take());
        self.seen.borrow_mut()[self.number] = Seen {
            version: self.tls.protocol_version(),
            certificates: self.tls.peer_certificates().map_or(0, <[_]>::len),
            kind: self.tls.handshake_kind(),
            alpn: self.tls.alpn_protocol().map(<[u8]>::to_vec),
            name: self.tls.server_name().map(str::to_owned),
            failure,
        };
    }

    fn outgoing(&mut self, plain: &[u8]) -> Vec<u8> {
        if plain == KEY_UPDATE {
            self.tls.refresh_traffic_keys().expect("TLS 1.3 is agreed");
            return self.take();
        }
        if plain == GOODBYE {
            self.tls.send_close_notify();
            return self.take();
        }
        let mut wire = std::mem::take(&mut self.kept_back);
        if let Some((before, bare)) = split_at_mark(plain, BARE) {
            wire.append(&mut self.encrypt(before));
            wire.extend_from_slice(bare);
        } else if let Some((before, halved)) = split_at_mark(plain, HALF) {
            wire.append(&mut self.encrypt(before));
            let mut record = self.encrypt(halved);
            self.kept_back = record.split_off(record.len() / 2);
            wire.append(&mut record);
        } else {
            wire.append(&mut self.encrypt(plain));
        }
        wire
    }

    fn farewell(&mut self) -> Vec<u8> {
        if self.is_rude {
            return Vec::new();
        }
        self.tls.send_close_notify();
        self.take()
    }
}

/// What stands before a mark and what stands behind it.
fn split_at_mark<'a>(plain: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = plain
        .windows(mark.len())
        .position(|window| window == mark)?;
    Some((&plain[..at], &plain[at + mark.len()..]))
}
