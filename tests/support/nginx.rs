//! Debian's nginx in a temporary folder, with a configuration, a certificate and ports of its own.
//!
//! The listening sockets are made here and handed down, as nginx hands them to its successor when it is upgraded. So nobody else can
//! take a port in between, and connections queue from the start: nothing has to wait until the server is ready.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::Authority;
use crate::guard::fail;

/// How long nginx may take to answer the smallest of requests.
const PATIENCE: Duration = Duration::from_secs(10);

/// A path that is answered with 204.
const BARRIER: &str = "/barrier";

/// Whether requests are written down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessLog {
    /// Each request is a line that [`Nginx::exchanges`] finds.
    Kept,
    /// Nothing is written, so that nothing but the server itself is measured.
    Off,
}

/// A request as nginx's access log has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// nginx's serial number of the connection.
    pub connection: u64,
    /// The status of the response.
    pub status: u16,
    /// `TLSv1.3`, `TLSv1.2`, or `-` for a connection without TLS.
    pub protocol: String,
}

/// A running server that listens on 127.0.0.1, once without TLS and once with it. Dropping it stops it.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    plain: SocketAddr,
    secure: SocketAddr,
}

impl Nginx {
    /// Starts it with no file to serve.
    ///
    /// # Panics
    /// Where nginx is not installed or does not start.
    #[must_use]
    pub fn start(log: AccessLog) -> Self {
        Self::configured(log, &[], "")
    }

    /// The same with a certificate for these names too, and with these directives in its server block.
    ///
    /// # Panics
    /// Where nginx is not installed, does not start or does not like the directives.
    #[must_use]
    pub fn configured(log: AccessLog, names: &[&str], directives: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("urlpool-nginx-")
            // nginx's worker is another user where the master is root.
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a temporary folder");
        let (plain, secure) = (listener(), listener());
        let (plain_address, secure_address) = (address(&plain), address(&secure));
        let authority = Authority::new();
        let identity = authority.issue(&[&["localhost", "127.0.0.1"], names].concat());
        for (name, text) in [
            ("authority.pem", authority.pem()),
            ("identity.pem", identity.pem().into()),
            (
                "nginx.conf",
                configuration(plain_address, secure_address, log, directives).into_bytes(),
            ),
        ] {
            fs::write(folder.path().join(name), text).expect("a temporary folder takes files");
        }
        fs::create_dir(folder.path().join("files")).expect("a temporary folder takes folders");
        let child = command(&folder)
            .env("NGINX", "0;1;")
            .stdin(OwnedFd::from(plain))
            .stdout(OwnedFd::from(secure))
            .spawn()
            .unwrap_or_else(|error| fail(&format!("nginx does not start: {error}; Debian's package is nginx-light, and `make interop` installs it")));
        let server = Self {
            child,
            folder,
            plain: plain_address,
            secure: secure_address,
        };
        if let Err(error) = server.barrier() {
            let log = fs::read_to_string(server.path("error.log")).unwrap_or_default();
            fail(&format!("nginx does not answer: {error}\n{log}"));
        }
        server
    }

    /// Serves these bytes under this name.
    ///
    /// # Panics
    /// Where the temporary folder is full.
    pub fn serve(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path("files").join(name), bytes).expect("a temporary folder takes files");
    }

    /// Serves that many zeros under this name. They take no room on the disk.
    ///
    /// # Panics
    /// Where the temporary folder is full.
    pub fn serve_zeros(&self, name: &str, length: u64) {
        fs::File::create(self.path("files").join(name))
            .and_then(|file| file.set_len(length))
            .expect("a temporary folder takes files");
    }

    /// Where the server without TLS listens.
    #[must_use]
    pub fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// Where the server with TLS listens. Its certificate is for `localhost`, `127.0.0.1` and what [`Nginx::configured`] was told.
    #[must_use]
    pub fn secure(&self) -> SocketAddr {
        self.secure
    }

    /// The `http` URL of a path.
    #[must_use]
    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.plain)
    }

    /// The `https` URL of a path.
    #[must_use]
    pub fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.secure)
    }

    /// Where its files are; there is room for more.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate to trust, in a file, for `--cacert`.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// What the access log says of requests for exactly this path and query, oldest first.
    ///
    /// # Panics
    /// Where nginx does not answer any more.
    #[must_use]
    pub fn exchanges(&self, path: &str) -> Vec<Exchange> {
        self.barrier()
            .unwrap_or_else(|error| fail(&format!("nginx does not answer: {error}")));
        let log = fs::read_to_string(self.path("access.log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| exchange(line, path))
            .collect()
    }

    /// Waits until everything that came before is done: there is one worker, and it writes the line of a request's end before it takes the
    /// next connection.
    fn barrier(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(self.plain)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET {BARRIER} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        if answer.starts_with(b"HTTP/1.1 204 ") {
            Ok(())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&answer).into_owned(),
            ))
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master tells its worker; killed, it would leave it behind.
        let stopped = command(&self.folder)
            .args(["-s", "stop"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) && self.child.kill().is_err() {
            eprintln!("nginx could not be stopped");
        }
        if let Err(error) = self.child.wait() {
            eprintln!("nginx could not be waited for: {error}");
        }
    }
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(folder.path().join("nginx.conf"))
        .arg("-e")
        .arg(folder.path().join("error.log"))
        .env_remove("NGINX")
        .stderr(Stdio::null());
    command
}

/// nginx makes its own sockets non-blocking, and expects that of those it is given.
fn listener() -> TcpListener {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    listener.set_nonblocking(true).expect("a socket");
    listener
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound listener")
}

fn exchange(line: &str, path: &str) -> Option<Exchange> {
    let mut words = line.split(' ');
    let exchange = Exchange {
        connection: words.next()?.parse().ok()?,
        status: words.next()?.parse().ok()?,
        protocol: words.next()?.to_owned(),
    };
    (words.next()? == path).then_some(exchange)
}

fn configuration(
    plain: SocketAddr,
    secure: SocketAddr,
    log: AccessLog,
    directives: &str,
) -> String {
    let log = match log {
        AccessLog::Kept => "access.log exchange",
        AccessLog::Off => "off",
    };
    format!(
        "daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 1024; }}
http {{
  log_format exchange '$connection $status $ssl_protocol $request_uri';
  access_log {log};
  client_body_temp_path bodies;
  proxy_temp_path proxied;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers off;
  ssl_certificate identity.pem;
  ssl_certificate_key identity.pem;
  server {{
    listen {plain};
    listen {secure} ssl;
    root files;
    location = {BARRIER} {{ return 204; }}
    {directives}
  }}
}}
"
    )
}
