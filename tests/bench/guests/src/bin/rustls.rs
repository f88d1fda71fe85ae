//! The limit for `https`: the same loop through rustls, with the cipher suite that is fastest in wasm.
//!
//! For connections that are kept, or one for each request, with a full handshake or a resumed one.
//!
//! The certificates to trust are in the file that the variable `ROOTS` names.

use std::io::{BufRead, ErrorKind, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use urlpool_bench_guests::{Channel, Connections, Error, Task, Wire, run, run_anew};

fn main() -> Result<(), Error> {
    let task = Task::from_arguments()?;
    let config = Arc::new(config(task.connections)?);
    if task.connections == Connections::Kept {
        return run(&mut Session::open(&task, &config)?, &task);
    }
    let mut resumable = false;
    run_anew(
        || {
            let session = Session::open(&task, &config)?;
            if (session.tls.handshake_kind() == Some(HandshakeKind::Resumed)) != resumable {
                return Err("the wrong kind of handshake".into());
            }
            resumable = task.connections == Connections::Resumed;
            Ok(session)
        },
        &task,
    )
}

fn config(connections: Connections) -> Result<ClientConfig, Error> {
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(std::env::var("ROOTS")?)? {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if connections == Connections::Full {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

struct Session {
    wire: Wire,
    tls: ClientConnection,
    flight: Vec<u8>,
}

impl Session {
    fn open(task: &Task, config: &Arc<ClientConfig>) -> Result<Self, Error> {
        let name = ServerName::from(std::net::IpAddr::V4(*task.address.ip()));
        let mut session = Self {
            tls: ClientConnection::new(Arc::clone(config), name)?,
            wire: Wire::connect(task.address)?,
            flight: Vec::new(),
        };
        session.handshake()?;
        Ok(session)
    }

    fn handshake(&mut self) -> Result<(), Error> {
        self.flush()?;
        while self.tls.is_handshaking() {
            let bytes = self.wire.read()?;
            self.decrypt(&bytes, &mut |_| ())?;
            self.flush()?;
        }
        Ok(())
    }

    /// Everything that rustls has to say, in one write.
    fn flush(&mut self) -> Result<(), Error> {
        self.flight.clear();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.flight)?;
        }
        self.wire.send(&self.flight)
    }

    fn decrypt(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes)?;
            self.tls.process_new_packets()?;
            loop {
                let mut reader = self.tls.reader();
                let plain = match reader.fill_buf() {
                    Ok(plain) => plain,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                if plain.is_empty() {
                    // The end of TLS may come with the last of a body: whoever wants more finds the connection closed.
                    return Ok(());
                }
                let length = plain.len();
                sink(plain);
                reader.consume(length);
            }
        }
        Ok(())
    }
}

impl Channel for Session {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.tls.writer().write_all(bytes)?;
        self.flush()
    }

    fn receive(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let bytes = self.wire.read()?;
        self.decrypt(&bytes, sink)
    }
}
