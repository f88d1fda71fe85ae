//! A client's side of TLS.
//!
//! A flight is one write. That holds for the client's last handshake message too: it waits for the first bytes of the request and leaves with
//! them, because a small write of its own would hold the next one back until it is acknowledged (Nagle's algorithm, which WASI cannot
//! switch off).

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{ClientConnection, HandshakeKind};

use super::config::{Config, server_name};
use super::error::{explain, tls_error};
use super::record::Boundary;
use crate::driver::{ByteStream, IoError, IoKind};
use crate::types::{Host, TlsInfo, TlsReason, TlsVersion};

/// Plaintext that is encrypted in one go: rustls buffers no more.
const MAX_WRITE: usize = 64 * 1024;
/// What a record may add to the bytes that it carries, with some room for a second one.
const RECORD_OVERHEAD: usize = 512;
/// Ciphertext that is read in one go during a handshake, and from an idle connection. A host may prepare a buffer of the size that is asked
/// for, so it is not more than needed.
const MAX_READ: usize = 4 * 1024;
/// How often an idle connection is read for session tickets before it counts as one that will not be quiet.
const MAX_IDLE_READS: usize = 4;
/// How often a reader reads records without plaintext before it lets others run, its own clocks among them.
const MAX_FILLS: usize = 16;
/// The change of cipher that TLS 1.3 sends only for the sake of middleboxes (RFC 8446, appendix D.4).
const MIDDLEBOX_RECORD: [u8; 6] = [20, 3, 3, 0, 1, 1];

/// TLS over a stream.
pub(in crate::driver) struct Tls<S> {
    inner: S,
    session: ClientConnection,
    /// Whether a peer that is accepted has proved who it is.
    is_proof: bool,
    /// Ciphertext that the stream has not taken yet, and how much of it has been.
    outgoing: Vec<u8>,
    taken: usize,
    /// Why the stream takes nothing more. What has arrived can still be read.
    broken: Option<IoError>,
    /// Plaintext that nobody has read yet.
    plain: Vec<u8>,
    incoming: Vec<u8>,
    boundary: Boundary,
    end: Option<End>,
}

/// What comes after the last plaintext.
enum End {
    /// The peer said that there is no more.
    Announced,
    /// The stream just stopped.
    Cut,
    /// Something that is not TLS as agreed.
    Failed(IoError),
}

impl<S: ByteStream> Tls<S> {
    /// A session that has yet to shake hands. The certificate must be for `host`, unless the configuration says otherwise.
    pub(in crate::driver) fn new(inner: S, config: &Config, host: &Host) -> Result<Self, IoError> {
        let name = match &config.server {
            Some(name) => name.clone(),
            None => {
                server_name(host.as_str()).map_err(|why| tls_error(TlsReason::Hostname, why))?
            }
        };
        let session = ClientConnection::new(Arc::clone(&config.client), name)
            .map_err(|cause| explain(&cause))?;
        Ok(Self {
            inner,
            session,
            is_proof: config.is_proof,
            outgoing: Vec::new(),
            taken: 0,
            broken: None,
            plain: Vec::new(),
            incoming: Vec::new(),
            boundary: Boundary::default(),
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
            ready!(self.poll_fill(context, MAX_READ))?;
            match &self.end {
                None => {}
                Some(End::Failed(error)) => {
                    let error = error.clone();
                    self.send_alert(context);
                    return Poll::Ready(Err(error));
                }
                Some(End::Announced | End::Cut) => {
                    let why = "the peer closed the connection during the TLS handshake";
                    return Poll::Ready(Err(tls_error(TlsReason::Protocol, why.into())));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// What was agreed on.
    pub(in crate::driver) fn info(&self) -> TlsInfo {
        let version = match self.session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
            _ => TlsVersion::Tls13,
        };
        let suite = self.session.negotiated_cipher_suite();
        let certificates = self.session.peer_certificates().unwrap_or_default();
        TlsInfo {
            version,
            cipher: suite.map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
            alpn: self.session.alpn_protocol().map(<[u8]>::to_vec),
            resumed: self.session.handshake_kind() == Some(HandshakeKind::Resumed),
            is_verified: self.is_proof,
            certificates: certificates
                .iter()
                .map(|certificate| certificate.to_vec())
                .collect(),
        }
    }

    pub(in crate::driver) const fn inner(&self) -> &S {
        &self.inner
    }

    /// Whether the last record has arrived whole.
    pub(in crate::driver) const fn is_between_records(&self) -> bool {
        self.boundary.is_between_records()
    }

    /// Takes in what has arrived, which on an idle connection may be a few session tickets. Anything else, and also the beginning of a record
    /// whose rest is yet to come, ends its use.
    pub(in crate::driver) fn is_quiet(&mut self) -> bool {
        for _ in 0..MAX_IDLE_READS {
            self.incoming.clear();
            match self.inner.try_read(MAX_READ, &mut self.incoming) {
                None => {
                    let is_clean = self.plain.is_empty() && self.end.is_none();
                    return is_clean && self.boundary.is_between_records();
                }
                Some(Ok(read)) if read > 0 => self.feed(),
                Some(_) => return false,
            }
            if !self.plain.is_empty() || self.end.is_some() {
                return false;
            }
        }
        false
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
        if let Some(error) = &self.broken {
            return Poll::Ready(Err(error.clone()));
        }
        while let Some(rest) = self
            .outgoing
            .get(self.taken..)
            .filter(|rest| !rest.is_empty())
        {
            match ready!(self.inner.poll_write(context, rest)) {
                Ok(count) => self.taken += count,
                Err(error) => {
                    let error = error.of_layer_below();
                    return Poll::Ready(Err(self.broken.insert(error).clone()));
                }
            }
        }
        self.outgoing.clear();
        self.taken = 0;
        let flushed = self.inner.poll_flush(context);
        flushed.map_err(IoError::of_layer_below)
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

    fn poll_fill(&mut self, context: &mut Context<'_>, max: usize) -> Poll<Result<(), IoError>> {
        self.incoming.clear();
        let read = ready!(self.inner.poll_read(context, max, &mut self.incoming));
        let read = read.map_err(IoError::of_layer_below)?;
        if read == 0 {
            self.end.get_or_insert(End::Cut);
        } else {
            self.feed();
        }
        Poll::Ready(Ok(()))
    }

    /// Gives what has arrived to rustls, and takes plaintext out as it comes: rustls holds only so much, and what came before a mistake counts.
    fn feed(&mut self) {
        let incoming = std::mem::take(&mut self.incoming);
        self.boundary.pass(&incoming);
        let mut rest = incoming.as_slice();
        while !rest.is_empty() && self.end.is_none() {
            let outcome = match self.session.read_tls(&mut rest) {
                Ok(_) => self.session.process_new_packets(),
                Err(cause) => Err(rustls::Error::General(cause.to_string())),
            };
            self.take_from_rustls();
            match outcome {
                Ok(state) if state.peer_has_closed() => self.end = Some(End::Announced),
                Ok(_) => {}
                Err(cause) => self.end = Some(End::Failed(explain(&cause))),
            }
        }
        self.incoming = incoming;
    }

    fn take_from_rustls(&mut self) {
        let mut reader = self.session.reader();
        // An error says that there is no plaintext for now.
        while let Ok(chunk) = reader.fill_buf()
            && !chunk.is_empty()
        {
            self.plain.extend_from_slice(chunk);
            let count = chunk.len();
            reader.consume(count);
        }
    }

    /// What is there for a reader: bytes, an end, or nothing yet.
    fn take_plain(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        if !self.plain.is_empty() {
            return Some(Ok(give(&mut self.plain, max, into)));
        }
        self.end.as_ref().map(|end| match end {
            End::Announced => Ok(0),
            End::Failed(error) => Err(error.clone()),
            End::Cut => Err(IoError {
                kind: IoKind::Truncated,
                message: "TLS ended without close_notify".into(),
                is_outer: false,
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
        for _ in 0..MAX_FILLS {
            if let Some(outcome) = self.take_plain(max, into) {
                if matches!(self.end, Some(End::Failed(_))) {
                    self.send_alert(context);
                }
                return Poll::Ready(outcome);
            }
            // A handshake's last message or the answer to a key update. Reading does not wait for it to leave, and a stream that takes
            // nothing more may still have an answer in it.
            self.collect();
            let _ = self.poll_drain(context);
            ready!(self.poll_fill(context, max.saturating_add(RECORD_OVERHEAD)))?;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        for _ in 0..MAX_FILLS {
            if let Some(outcome) = self.take_plain(max, into) {
                return Some(outcome);
            }
            self.incoming.clear();
            match self.inner.try_read(MAX_READ, &mut self.incoming)? {
                Ok(0) => self.end = Some(End::Cut),
                Ok(_) => self.feed(),
                Err(error) => return Some(Err(error.of_layer_below())),
            }
        }
        None
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
        // Whatever the stream does not take now, the next write or flush hands over. Where it took some and then broke, the peer may have
        // read that much: these bytes count as taken, and the next call says what happened.
        match self.poll_drain(context) {
            Poll::Ready(Err(error)) if self.taken == 0 => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        self.collect();
        self.poll_drain(context)
    }

    fn give_up_writing(&mut self) {
        self.inner.give_up_writing();
    }
}
