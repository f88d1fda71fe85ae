//! The two origins of the matrix, and what they serve.
//!
//! Both are nginx. They say in their responses which address came and which credentials it showed, and give an upload back as it came.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use tempfile::TempDir;
use urlpool_tests::Authority;
use urlpool_tests::nginx::{AccessLog, Nginx};

use crate::proxies::{FAR_FIRST, FAR_SECOND, Lookup, Proxies};
use crate::served::random;

/// Enough that a proxy cannot hold it all.
const DOWNLOAD: usize = 20 * 1024 * 1024;
const UPLOAD: usize = 300_000;
const PAGE: usize = 100;

/// Who says what it saw.
const SEEN: &str = "add_header X-Client $remote_addr always;
add_header X-Authorization $http_authorization always;
add_header X-Proxy-Authorization $http_proxy_authorization always;
add_header X-Via $http_x_via always;
location = /away { return 302 $arg_to; }
";

/// Everything that the rows of the matrix use.
pub(crate) struct Origins {
    pub(crate) first: Nginx,
    pub(crate) second: Nginx,
    pub(crate) proxies: Proxies,
    /// The roots of the origins and of the https proxy.
    pub(crate) roots: PathBuf,
    /// The root of the https proxy alone.
    pub(crate) proxy_root: PathBuf,
    pub(crate) page: Vec<u8>,
    pub(crate) download: Vec<u8>,
    pub(crate) upload: Vec<u8>,
    _folder: TempDir,
}

impl Origins {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("urlpool-interop-")
            // Some servers go on as another user.
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a temporary folder");
        let echo = echo();
        let directives = format!("{SEEN}location = /echo {{ proxy_pass http://{echo}; }}\n");
        let start = |name| Nginx::configured(AccessLog::Kept, &[name], &directives);
        let (first, second) = (start(FAR_FIRST), start(FAR_SECOND));
        let authority = Authority::new();
        let identity = folder.path().join("proxy.pem");
        let roots = folder.path().join("roots.pem");
        let proxy_root = folder.path().join("proxy-root.pem");
        let read = |path| std::fs::read(path).expect("nginx's root is in a file");
        let bundle = [
            authority.pem(),
            read(first.authority_file()),
            read(second.authority_file()),
        ];
        for (path, text) in [
            (&roots, bundle.concat()),
            (&proxy_root, authority.pem()),
            (&identity, authority.issue(&["127.0.0.1"]).pem().into()),
        ] {
            std::fs::write(path, text).expect("a temporary folder takes files");
        }
        let (page, download) = (random(PAGE), random(DOWNLOAD));
        first.serve("download", &download);
        for origin in [&first, &second] {
            origin.serve("page", &page);
        }
        Self {
            proxies: Proxies::start(folder.path(), &identity, &first.authority_file()),
            first,
            second,
            roots,
            proxy_root,
            page,
            download,
            upload: random(UPLOAD),
            _folder: folder,
        }
    }

    /// The URL of a path on the first origin, by a name that only who looks it up knows.
    pub(crate) fn first(&self, is_secure: bool, lookup: Lookup, path: &str) -> String {
        url(&self.first, FAR_FIRST, is_secure, lookup, path)
    }

    /// The same on the second.
    pub(crate) fn second(&self, is_secure: bool, lookup: Lookup, path: &str) -> String {
        url(&self.second, FAR_SECOND, is_secure, lookup, path)
    }
}

fn url(origin: &Nginx, far: &str, is_secure: bool, lookup: Lookup, path: &str) -> String {
    let host = match lookup {
        Lookup::Near => "localhost",
        Lookup::Far => far,
    };
    let (scheme, port) = if is_secure {
        ("https", origin.secure().port())
    } else {
        ("http", origin.plain().port())
    };
    format!("{scheme}://{host}:{port}{path}")
}

/// A server behind nginx that answers with the body of the request. nginx itself cannot. It serves until this process ends.
fn echo() -> SocketAddr {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    let address = listener.local_addr().expect("a bound listener");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who breaks off gets no answer, and the row sees that.
            thread::spawn(move || give_back(stream));
        }
    });
    address
}

/// nginx announces the length, whatever its client did.
fn give_back(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    write!(
        stream,
        "HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n"
    )?;
    stream.write_all(&body)
}
