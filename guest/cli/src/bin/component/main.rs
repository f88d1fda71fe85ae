//! The command component: the command over the imported `urlpool:client/blocking`, as `wasi:cli/run`.
//!
//! Decides only what is peculiar to running under a WASI host: which permission is missing, and how an exit status leaves.

mod bindings;
#[path = "../../../../../host/src/convert/mod.rs"]
#[expect(
    clippy::allow_attributes,
    reason = "an expectation of dead code makes what it covers count as used"
)]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the host, which also makes pools from contexts"
)]
mod convert;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use urlpool_cli::{Body, Client, Streams};
use urlpool_core::types::{
    Content, Error, Event, Failure, HistoryEntry, ManagerSettings, RequestOptions, ResponseHead,
};

use bindings::urlpool::client::blocking;
use bindings::urlpool::client::types as wit;

/// How much of a body one call asks for: what a WASI 0.2 host reads at most.
const READ_SIZE: u32 = 64 * 1024;

/// What stock wasmtime wants to be told before it lets a component out.
const PERMISSIONS: &str = "run with -S inherit-network -S allow-ip-name-lookup";

fn main() -> ExitCode {
    let (mut input, mut output, mut errors) = (io::stdin(), io::stdout(), io::stderr());
    let streams = Streams {
        input: &mut input,
        output: &mut output,
        is_terminal: errors.is_terminal(),
        errors: &mut errors,
    };
    let status = urlpool_cli::run(std::env::args_os(), streams, Manager::open);
    if status > 1 {
        // The result of `wasi:cli/run` tells only well from ill, and leaving this way runs nothing of ours any more.
        let _ = io::stdout().flush();
        wasi::cli::exit::exit_with_code(status);
    }
    ExitCode::from(status)
}

/// The imported manager.
struct Manager(blocking::PoolManager);

impl Manager {
    fn open(settings: ManagerSettings) -> Result<Self, Error> {
        blocking::PoolManager::open(&convert::manager_settings(settings))
            .map(Self)
            .map_err(error)
    }
}

impl Client for Manager {
    type Body = Response;
    type Pending = blocking::Pending;

    fn request(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<(ResponseHead, Response), Error> {
        let body = convert::body(content.clone());
        let options = convert::request_options(options.clone());
        let response = self
            .0
            .request(method, url, &body, &options)
            .map_err(error)?;
        answered(response)
    }

    fn start(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<blocking::Pending, Error> {
        let body = convert::body(content.clone());
        let options = convert::request_options(options.clone());
        self.0.start(method, url, &body, &options).map_err(error)
    }

    fn wait(&mut self, requests: &[blocking::Pending]) -> Result<usize, Error> {
        let requests: Vec<_> = requests.iter().collect();
        let ready = blocking::wait(&requests, wit::Limit::Unlimited);
        Ok(ready.first().map_or(0, |place| *place as usize))
    }

    fn response(&mut self, request: blocking::Pending) -> Result<(ResponseHead, Response), Error> {
        answered(request.response().map_err(error)?)
    }

    fn take_events(&mut self) -> Vec<Event> {
        convert::events(self.0.take_events()).unwrap_or_default()
    }
}

fn answered(response: blocking::Response) -> Result<(ResponseHead, Response), Error> {
    let head = convert::response_head(response.head())?;
    Ok((head, Response(response)))
}

/// An imported response.
struct Response(blocking::Response);

impl Body for Response {
    fn history(&mut self) -> Result<Vec<HistoryEntry>, Error> {
        Ok(convert::history(self.0.history()))
    }

    fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.0.read(READ_SIZE).map_err(error)
    }
}

/// The error with advice where it is the host's permission that is missing.
fn error(error: wit::Error) -> Error {
    match convert::error(error) {
        Error::Denied(failure) => Error::Denied(Box::new(Failure {
            message: format!("{}; {PERMISSIONS}", failure.message),
            ..*failure
        })),
        other => other,
    }
}
