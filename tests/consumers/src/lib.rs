//! What the consumers share: their arguments, one GET, and the line that says why there was no response.
//!
//! They use urlpool as any component does, through bindings of their own and nothing of this workspace.

mod bindings;

pub use bindings::urlpool::client::{blocking, types};

use blocking::{Body, PoolManager, Response};
use types::{Error, ManagerSettings, PoolSettings, RequestOptions, TlsSettings};

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

/// Sends the GET that the arguments `URL [--cacert FILE]` ask for.
///
/// The manager goes when this returns and the response does not, which is what the contract promises.
///
/// # Errors
///
/// What `blocking` answers, or a file that cannot be read.
pub fn get_as_told() -> Result<Response, Failed> {
    let mut url = String::new();
    let mut roots = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--cacert" {
            roots = Some(std::fs::read(arguments.next().unwrap_or_default())?);
        } else {
            url = argument;
        }
    }
    let manager = PoolManager::open(&settings(roots))?;
    let options = RequestOptions {
        headers: None,
        timeouts: None,
    };
    Ok(manager.request("GET", &url, &Body::Empty, &options)?)
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
