//! What the consumers share: their arguments, one request, and the line that says why there was no response.
//!
//! They use urlpool as any component does, through bindings of their own and nothing of this workspace.

mod bindings;

pub use bindings::urlpool::client::{blocking, types};

use blocking::{Body, PoolManager, Response};
use types::{
    Error, Header, Limit, ManagerSettings, PoolSettings, RequestOptions, Timeouts, TlsSettings,
};

/// Why a consumer failed, as the line it prints says it.
#[derive(Debug)]
pub struct Failed {
    kind: &'static str,
    message: String,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}: {}", self.kind, self.message)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let (kind, message) = match error {
            Error::InvalidUrl(text) => ("invalid-url", text),
            Error::UnsupportedScheme(text) => ("unsupported-scheme", text),
            Error::InvalidRequest(text) => ("invalid-request", text),
            Error::InvalidSettings(text) => ("invalid-settings", text),
            Error::NameResolution(facts) => ("name-resolution", facts.message),
            Error::ConnectionFailed(facts) => ("connection-failed", facts.message),
            Error::ConnectTimeout(facts) => ("connect-timeout", facts.message),
            Error::ReadTimeout(facts) => ("read-timeout", facts.message),
            Error::DeadlineExceeded(facts) => ("deadline-exceeded", facts.message),
            Error::Tls(tls) => ("tls", tls.failure.message),
            Error::Protocol(facts) => ("protocol", facts.message),
            Error::IncompleteBody(body) => ("incomplete-body", body.failure.message),
            Error::InvalidChunk(facts) => ("invalid-chunk", facts.message),
            Error::BodyTooLarge(facts) => ("body-too-large", facts.message),
            Error::Denied(facts) => ("denied", facts.message),
            Error::Other(text) => ("other", text),
        };
        Self { kind, message }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self {
            kind: "io",
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
    let manager = PoolManager::open(&settings(told.roots))?;
    let options = RequestOptions {
        headers: (!told.headers.is_empty()).then_some(told.headers),
        timeouts: Some(told.timeouts),
    };
    Ok(manager.request(&told.method, &told.url, &Body::Empty, &options)?)
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
        kind: "usage",
        message: format!("{millis:?} is not a number of milliseconds"),
    })?;
    Ok(Limit::After(u64::from(millis) * 1_000_000))
}

fn settings(roots: Option<Vec<u8>>) -> ManagerSettings {
    ManagerSettings {
        num_pools: None,
        headers: None,
        pool: Some(PoolSettings {
            maxsize: None,
            idle_timeout: None,
            timeouts: None,
            tls: Some(TlsSettings { roots }),
        }),
        events: None,
    }
}
