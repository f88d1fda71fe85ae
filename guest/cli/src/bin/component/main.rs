//! The command component: the command over the imported `urlpool:client/blocking`, as `wasi:cli/run`. `pipe` waits for standard input.
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

use urlpool_cli::{Body, Client, Ready, Streams};
use urlpool_core::driver::Progress;
use urlpool_core::types::{
    Content, Error, Event, Failure, HistoryEntry, ManagerSettings, RequestOptions, ResponseHead,
};

use wasi::io::streams::{InputStream, StreamError};

use bindings::urlpool::client::types as wit;
use bindings::urlpool::client::{blocking, pipe};

/// How much of a body one call asks for: what a WASI 0.2 host reads at most.
const READ_SIZE: u32 = 64 * 1024;

/// What stock wasmtime wants to be told before it lets a component out.
const PERMISSIONS: &str = "run with -S inherit-network -S allow-ip-name-lookup";

fn main() -> ExitCode {
    let (mut output, mut errors) = (io::stdout(), io::stderr());
    let streams = Streams {
        output: &mut output,
        is_terminal: errors.is_terminal(),
        errors: &mut errors,
    };
    let status = urlpool_cli::run(
        std::env::args_os(),
        std::env::vars_os(),
        streams,
        Manager::open,
    );
    if status > 0 {
        // The result of `wasi:cli/run` tells only well from ill, and some hosts add words of their own to ill. Leaving this way runs
        // nothing of ours any more.
        let _ = io::stdout().flush();
        wasi::cli::exit::exit_with_code(status);
    }
    ExitCode::from(status)
}

/// The imported manager.
struct Manager {
    manager: blocking::PoolManager,
    /// Standard input, once somebody reads it.
    input: Option<InputStream>,
}

impl Manager {
    fn open(settings: ManagerSettings) -> Result<Self, Error> {
        blocking::PoolManager::open(&convert::manager_settings(settings))
            .map(|manager| Self {
                manager,
                input: None,
            })
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
            .manager
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
        self.manager
            .start(method, url, &body, &options)
            .map_err(error)
    }

    fn write(&mut self, request: &mut blocking::Pending, bytes: &[u8]) -> Result<Progress, Error> {
        Ok(progress(request.write(bytes)))
    }

    fn end_part(&mut self, request: &mut blocking::Pending) -> Result<Progress, Error> {
        Ok(progress(request.end_part()))
    }

    fn finish(&mut self, request: &mut blocking::Pending) -> Result<Progress, Error> {
        Ok(progress(request.finish()))
    }

    fn read_input(&mut self, request: &blocking::Pending) -> Result<Option<Vec<u8>>, Error> {
        let input = self.input.get_or_insert_with(wasi::cli::stdin::get_stdin);
        let pollable = input.subscribe();
        loop {
            match input.read(u64::from(READ_SIZE)) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(Some(bytes)),
                Err(StreamError::Closed) => return Ok(Some(Vec::new())),
                Err(StreamError::LastOperationFailed(cause)) => {
                    let why = cause.to_debug_string();
                    return Err(Error::Other(format!("cannot read standard input: {why}")));
                }
            }
            let ready = pipe::wait(&[request], &pollable, wit::Limit::Unlimited);
            if !ready.requests.is_empty() {
                return Ok(None);
            }
        }
    }

    fn wait(
        &mut self,
        requests: &[&blocking::Pending],
        bodies: &[&Response],
    ) -> Result<Ready, Error> {
        let bodies: Vec<_> = bodies.iter().map(|body| &body.0).collect();
        let ready = blocking::wait_any(requests, &bodies, wit::Limit::Unlimited);
        let places = |places: Vec<u32>| places.into_iter().map(|place| place as usize).collect();
        Ok(Ready {
            requests: places(ready.requests),
            bodies: places(ready.responses),
        })
    }

    fn response(&mut self, request: blocking::Pending) -> Result<(ResponseHead, Response), Error> {
        answered(request.response().map_err(error)?)
    }

    fn take_events(&mut self) -> Vec<Event> {
        convert::events(self.manager.take_events()).unwrap_or_default()
    }
}

const fn progress(pushed: blocking::Progress) -> Progress {
    match pushed {
        blocking::Progress::Accepted => Progress::Accepted,
        blocking::Progress::Rewind => Progress::Rewind,
        blocking::Progress::Answered => Progress::Answered,
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
