//! What the consumers share: their arguments, one request, and the line that says why there was no response.
//!
//! They use urlpool as any component does, through bindings of their own and nothing of this workspace.

mod bindings;
#[path = "pipe.rs"]
mod pipe_bindings;

pub use bindings::urlpool::client::{blocking, types};
pub use pipe_bindings::urlpool::client::pipe;

use blocking::{Body, PoolManager, Response};
use types::{
    Budget, Error, Header, Limit, ManagerSettings, PoolSettings, RequestOptions, Retries, Timeouts,
    TlsSettings,
};

/// Why a consumer failed, as the line it prints says it.
#[derive(Debug)]
pub struct Failed {
    kind: String,
    message: String,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}: {}", self.kind, self.message)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            kind: kebab(&format!("{:?}", error.kind)),
            message: error.message,
        }
    }
}

/// The name of an enum's case as the contract writes it.
fn kebab(case: &str) -> String {
    let name = case.rsplit("::").next().unwrap_or_default();
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self {
            kind: "io".into(),
            message: error.to_string(),
        }
    }
}

/// Sends the request that the arguments ask for:
/// `URL [--method M] [--header 'N: v']... [--connect-timeout MS] [--read-timeout MS] [--deadline MS] [--cacert FILE]`.
///
/// The manager goes when this returns and the response does not, which is what the contract promises.
///
/// # Errors
///
/// What `blocking` answers, or a file that cannot be read.
pub fn request_as_told() -> Result<Response, Failed> {
    let told = Told::parse(std::env::args().skip(1))?;
    let manager = manager(told.roots)?;
    let options = RequestOptions {
        headers: (!told.headers.is_empty()).then_some(told.headers),
        timeouts: Some(told.timeouts),
        ..options()
    };
    Ok(manager.request(&told.method, &told.url, &Body::Empty, &options)?)
}

/// A manager that trusts these roots, or the built-in ones.
///
/// # Errors
///
/// What `blocking` answers.
pub fn manager(roots: Option<Vec<u8>>) -> Result<PoolManager, Failed> {
    Ok(PoolManager::open(&settings(roots))?)
}

/// Options of a request that is sent once.
#[must_use]
pub const fn options() -> RequestOptions {
    RequestOptions {
        headers: None,
        timeouts: None,
        retries: Some(once()),
        redirects: None,
        pool_timeout: None,
        skip_headers: None,
        chunked: None,
        expect_continue: None,
        decode_content: None,
        enforce_content_length: None,
        max_body: None,
        preload_content: None,
        assert_same_host: None,
    }
}

/// One attempt, whose failure is handed out as it is.
const fn once() -> Retries {
    Retries {
        total: Some(Budget::Off),
        connect: None,
        read: None,
        redirect: None,
        status: None,
        other: None,
        methods: None,
        statuses: None,
        backoff_factor: None,
        backoff_max: None,
        backoff_jitter: None,
        raise_on_redirect: None,
        raise_on_status: None,
        respect_retry_after: None,
        retry_after_max: None,
        remove_headers_on_redirect: None,
    }
}

/// What the arguments say. Nothing in it is checked: that is urlpool's part, and what the suites look at.
struct Told {
    method: String,
    url: String,
    headers: Vec<Header>,
    timeouts: Timeouts,
    roots: Option<Vec<u8>>,
}

impl Told {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut told = Self {
            method: "GET".to_owned(),
            url: String::new(),
            headers: Vec::new(),
            timeouts: Timeouts {
                connect: None,
                read: None,
                total: None,
                head: None,
                deadline: None,
            },
            roots: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_default();
            match argument.as_str() {
                "--method" => told.method = value(),
                "--header" => told.headers.push(header(&value())),
                "--connect-timeout" => told.timeouts.connect = Some(limit(&value())?),
                "--read-timeout" => told.timeouts.read = Some(limit(&value())?),
                "--deadline" => told.timeouts.deadline = Some(limit(&value())?),
                "--cacert" => told.roots = Some(std::fs::read(value())?),
                _ => told.url = argument,
            }
        }
        Ok(told)
    }
}

fn header(line: &str) -> Header {
    let (name, value) = line.split_once(": ").unwrap_or((line, ""));
    (name.to_owned(), value.as_bytes().to_vec())
}

/// A number of milliseconds.
fn limit(millis: &str) -> Result<Limit, Failed> {
    let millis: u32 = millis.parse().map_err(|_| Failed {
        kind: "usage".into(),
        message: format!("{millis:?} is not a number of milliseconds"),
    })?;
    Ok(Limit::After(u64::from(millis) * 1_000_000))
}

/// Settings of a manager that trusts these roots, or the built-in ones.
#[must_use]
pub const fn settings(roots: Option<Vec<u8>>) -> ManagerSettings {
    ManagerSettings {
        num_pools: None,
        headers: None,
        pool: Some(pool_settings(roots)),
        max_connections: None,
        host_rules: None,
        hosts: None,
        events: None,
    }
}

/// Settings of pools that trust these roots, or the built-in ones.
#[must_use]
pub const fn pool_settings(roots: Option<Vec<u8>>) -> PoolSettings {
    PoolSettings {
        maxsize: None,
        block: None,
        pool_timeout: None,
        idle_timeout: None,
        max_lifetime: None,
        headers: None,
        timeouts: None,
        retries: None,
        proxies: None,
        tls: Some(TlsSettings {
            roots,
            cert_reqs: None,
            assert_hostname: None,
            assert_fingerprint: None,
            server_hostname: None,
            client_certificates: None,
            client_key: None,
            key_password: None,
            min_version: None,
            max_version: None,
            alpn: None,
            resumption: None,
            key_log: None,
        }),
        source_address: None,
        tcp: None,
        address_delay: None,
        address_family: None,
        limits: None,
    }
}
