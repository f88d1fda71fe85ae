//! The `urlpool` command over the embedded component. What it does and says is `urlpool_cli`'s; this is its native front.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::rc::Rc;

use tokio::runtime::{Builder, Runtime};
use urlpool_cli::{Body, Client, Streams};
use urlpool_core::types::{Content, Event, HistoryEntry, RequestOptions, ResponseHead};
use urlpool_host::{
    ClientError, Error, Grants, Limits, ManagerSettings, Pending, PoolManager, RequestBuilder,
    Settings,
};

fn main() -> ExitCode {
    let (mut input, mut output, mut errors) = (io::stdin(), io::stdout(), io::stderr());
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Rc::new(runtime),
        Err(cause) => {
            // There is no better place left to say it where even this cannot be written.
            let _ = writeln!(errors, "urlpool: cannot start: {cause}");
            return ExitCode::FAILURE;
        }
    };
    let streams = Streams {
        input: &mut input,
        output: &mut output,
        is_terminal: errors.is_terminal(),
        errors: &mut errors,
    };
    let open = |settings| Native::open(Rc::clone(&runtime), settings);
    let status = urlpool_cli::run(std::env::args_os(), streams, open);
    if let Some(runtime) = Rc::into_inner(runtime) {
        // A name lookup that was given up runs on in a thread of its own, and nobody waits for it.
        runtime.shutdown_background();
    }
    status.into()
}

/// A manager, and the runtime on which this one thread waits for it.
struct Native {
    runtime: Rc<Runtime>,
    manager: PoolManager,
}

impl Native {
    fn open(runtime: Rc<Runtime>, manager: ManagerSettings) -> Result<Self, ClientError> {
        let settings = Settings {
            manager,
            // Whoever types a command may connect wherever they like.
            grants: Grants::all(),
            limits: Limits::default(),
        };
        let manager = runtime
            .block_on(PoolManager::new(settings))
            .map_err(client_error)?;
        Ok(Self { runtime, manager })
    }

    fn builder(
        &self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> RequestBuilder {
        self.manager
            .request(method, url)
            .content(content.clone())
            .options(options.clone())
    }

    fn answered(
        &self,
        response: Result<urlpool_host::Response, Error>,
    ) -> Result<(ResponseHead, Response), ClientError> {
        let response = response.map_err(client_error)?;
        let runtime = Rc::clone(&self.runtime);
        Ok((response.head().clone(), Response { runtime, response }))
    }
}

impl Client for Native {
    type Body = Response;
    type Pending = Pending;

    fn request(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<(ResponseHead, Response), ClientError> {
        let request = self.builder(method, url, content, options);
        let response = self.runtime.block_on(request.send());
        self.answered(response)
    }

    fn start(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<Pending, ClientError> {
        let request = self.builder(method, url, content, options);
        self.runtime.block_on(request.start()).map_err(client_error)
    }

    fn wait(&mut self, requests: &[Pending]) -> Result<usize, ClientError> {
        let ready = self.runtime.block_on(self.manager.wait(requests, None));
        let ready = ready.map_err(client_error)?;
        Ok(ready.first().copied().unwrap_or(0))
    }

    fn response(&mut self, request: Pending) -> Result<(ResponseHead, Response), ClientError> {
        let response = self.runtime.block_on(request.response());
        self.answered(response)
    }

    fn take_events(&mut self) -> Vec<Event> {
        // What keeps a manager from telling has ended its request too, and is told there.
        self.runtime
            .block_on(self.manager.take_events())
            .unwrap_or_default()
    }
}

/// A response and the runtime that reads it.
struct Response {
    runtime: Rc<Runtime>,
    response: urlpool_host::Response,
}

impl Body for Response {
    fn history(&mut self) -> Result<Vec<HistoryEntry>, ClientError> {
        self.runtime
            .block_on(self.response.history())
            .map_err(client_error)
    }

    fn read(&mut self) -> Result<Vec<u8>, ClientError> {
        self.runtime
            .block_on(self.response.chunk())
            .map(Option::unwrap_or_default)
            .map_err(client_error)
    }
}

/// The component's own error, or the host's as one that is not for matching.
fn client_error(error: Error) -> ClientError {
    match error {
        Error::Client(error) => error,
        other => ClientError::Other(other.to_string()),
    }
}
