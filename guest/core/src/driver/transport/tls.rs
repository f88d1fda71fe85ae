//! TLS over any stream of bytes: rustls driven without I/O of its own.
//!
//! A flight is one write. That holds for the client's last handshake message too: it waits for the first bytes of the request and leaves with
//! them, because a small write of its own would hold the next one back until it is acknowledged (Nagle's algorithm, which WASI cannot
//! switch off).

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore};

use crate::driver::{ByteStream, IoError, IoKind};
use crate::types::{Error, Host, TlsReason, TlsVersion};

/// Plaintext that is encrypted in one go: rustls buffers no more.
const MAX_WRITE: usize = 64 * 1024;
/// Ciphertext that is read in one go.
const MAX_READ: usize = 64 * 1024;
/// The change of cipher that TLS 1.3 sends only for the sake of middleboxes (RFC 8446, appendix D.4).
const MIDDLEBOX_RECORD: [u8; 6] = [20, 3, 3, 0, 1, 1];

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

/// A client's side of TLS.
pub(in crate::driver) struct Tls<S> {
    inner: S,
    session: ClientConnection,
    /// Ciphertext that the stream has not taken yet, and how much of it has been.
    outgoing: Vec<u8>,
    taken: usize,
    /// Plaintext that nobody has read yet.
    plain: Vec<u8>,
    incoming: Vec<u8>,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    /// The peer said so.
    Announced,
    /// The stream just stopped.
    Cut,
}

impl<S: ByteStream> Tls<S> {
    /// A session that has yet to shake hands. The certificate must be for `host`.
    pub(in crate::driver) fn new(inner: S, config: &Config, host: &Host) -> Result<Self, IoError> {
        let name = host.without_root_dot();
        let name = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            tls_error(
                TlsReason::Hostname,
                format!("'{name}' is not a name that a certificate could be for"),
            )
        })?;
        let session =
            ClientConnection::new(Arc::clone(config), name).map_err(|cause| explain(&cause))?;
        Ok(Self {
            inner,
            session,
            outgoing: Vec::new(),
            taken: 0,
            plain: Vec::new(),
            incoming: Vec::new(),
            end: None,
        })
    }

    /// Agrees on keys and checks the certificate.
    pub(in crate::driver) fn poll_handshake(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), IoError>> {
        while self.session.is_handshaking() {
            self.collect();
            ready!(self.poll_drain_flight(context))?;
            if let Err(error) = ready!(self.poll_fill(context)) {
                self.send_alert(context);
                return Poll::Ready(Err(error));
            }
            if self.end.is_some() {
                return Poll::Ready(Err(tls_error(
                    TlsReason::Protocol,
                    "the peer closed the connection during the TLS handshake".into(),
                )));
            }
        }
        Poll::Ready(Ok(()))
    }

    pub(in crate::driver) fn version(&self) -> TlsVersion {
        match self.session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
            _ => TlsVersion::Tls13,
        }
    }

    /// The cipher suite by its registered name.
    pub(in crate::driver) fn suite(&self) -> String {
        self.session
            .negotiated_cipher_suite()
            .map_or_else(String::new, |suite| format!("{:?}", suite.suite()))
    }

    /// Takes in what has arrived, which on an idle connection may be a session ticket; anything else ends its use.
    pub(in crate::driver) fn is_quiet(&mut self) -> bool {
        loop {
            self.incoming.clear();
            match self.inner.try_read(MAX_READ, &mut self.incoming) {
                None => return self.plain.is_empty() && self.end.is_none(),
                Some(Ok(read)) if read > 0 && self.feed().is_ok() => {}
                Some(_) => return false,
            }
        }
    }

    /// Moves what rustls wants to send behind what is already waiting, so that both leave in one write.
    fn collect(&mut self) {
        while self.session.wants_write() {
            // Writing to a vector cannot fail.
            if self.session.write_tls(&mut self.outgoing).is_err() {
                break;
            }
        }
    }

    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        while let Some(rest) = self
            .outgoing
            .get(self.taken..)
            .filter(|rest| !rest.is_empty())
        {
            self.taken += ready!(self.inner.poll_write(context, rest))?;
        }
        self.outgoing.clear();
        self.taken = 0;
        self.inner.poll_flush(context)
    }

    /// Drains, unless all that waits is the record for middleboxes: rustls has it ready with the server's first message, nobody waits for it,
    /// and as a small write of its own it would hold back the rest of the flight.
    fn poll_drain_flight(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        if self.outgoing == MIDDLEBOX_RECORD {
            return Poll::Ready(Ok(()));
        }
        self.poll_drain(context)
    }

    /// The reason why we hang up, as far as the stream takes it at once.
    fn send_alert(&mut self, context: &mut Context<'_>) {
        self.collect();
        let _ = self.poll_drain(context);
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        self.incoming.clear();
        let read = ready!(self.inner.poll_read(context, MAX_READ, &mut self.incoming))?;
        if read == 0 {
            self.end.get_or_insert(End::Cut);
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(self.feed())
    }

    /// Gives what has arrived to rustls, and takes plaintext out as it comes: rustls holds only so much.
    fn feed(&mut self) -> Result<(), IoError> {
        let incoming = std::mem::take(&mut self.incoming);
        let mut rest = incoming.as_slice();
        while !rest.is_empty() {
            self.session
                .read_tls(&mut rest)
                .map_err(|cause| tls_error(TlsReason::Protocol, cause.to_string()))?;
            let state = self
                .session
                .process_new_packets()
                .map_err(|cause| explain(&cause))?;
            let (from, length) = (self.plain.len(), state.plaintext_bytes_to_read());
            if length > 0 {
                self.plain.resize(from + length, 0);
                let room = self.plain.get_mut(from..).unwrap_or_default();
                self.session
                    .reader()
                    .read_exact(room)
                    .map_err(|cause| tls_error(TlsReason::Protocol, cause.to_string()))?;
            }
            if state.peer_has_closed() {
                self.end = Some(End::Announced);
                break;
            }
        }
        self.incoming = incoming;
        Ok(())
    }

    /// What is there for a reader: bytes, an end, or nothing yet.
    fn take_plain(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        if !self.plain.is_empty() {
            return Some(Ok(give(&mut self.plain, max, into)));
        }
        self.end.map(|end| match end {
            End::Announced => Ok(0),
            End::Cut => Err(IoError {
                kind: IoKind::Truncated,
                message: "TLS ended without close_notify".into(),
            }),
        })
    }
}

/// Moves up to `max` bytes; all of them without a copy where `into` is empty.
fn give(plain: &mut Vec<u8>, max: usize, into: &mut Vec<u8>) -> usize {
    if plain.len() <= max && into.is_empty() {
        std::mem::swap(plain, into);
        return into.len();
    }
    let count = plain.len().min(max);
    into.extend(plain.drain(..count));
    count
}

impl<S: ByteStream> ByteStream for Tls<S> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        loop {
            if let Some(outcome) = self.take_plain(max, into) {
                return Poll::Ready(outcome);
            }
            // A handshake's last message or the answer to a key update; reading does not wait for it to leave.
            self.collect();
            if let Poll::Ready(Err(error)) = self.poll_drain(context) {
                return Poll::Ready(Err(error));
            }
            if let Err(error) = ready!(self.poll_fill(context)) {
                self.send_alert(context);
                return Poll::Ready(Err(error));
            }
        }
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        loop {
            if let Some(outcome) = self.take_plain(max, into) {
                return Some(outcome);
            }
            self.incoming.clear();
            match self.inner.try_read(MAX_READ, &mut self.incoming)? {
                Ok(0) => self.end = Some(End::Cut),
                Ok(_) => {
                    if let Err(error) = self.feed() {
                        return Some(Err(error));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        ready!(self.poll_drain_flight(context))?;
        // The end of a handshake counts against what rustls buffers, so it is taken out first.
        self.collect();
        let chunk = bytes.get(..bytes.len().min(MAX_WRITE)).unwrap_or(bytes);
        let count = self
            .session
            .writer()
            .write(chunk)
            .map_err(|cause| tls_error(TlsReason::Protocol, cause.to_string()))?;
        self.collect();
        // Whatever the stream does not take now, the next write or flush hands over.
        match self.poll_drain(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        self.collect();
        self.poll_drain(context)
    }
}

fn tls_error(reason: TlsReason, message: String) -> IoError {
    IoError {
        kind: IoKind::Tls(reason),
        message,
    }
}

/// rustls' error in the words that OpenSSL, and so urllib3's users, have for it, with rustls' own behind them.
fn explain(cause: &rustls::Error) -> IoError {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
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
