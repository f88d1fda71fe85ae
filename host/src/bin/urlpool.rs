//! The `urlpool` command over the embedded component. What it does and says is `urlpool_cli`'s; this is its native front.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use urlpool_cli::{Body, Client, Ready, Streams};
use urlpool_core::driver::Progress;
use urlpool_core::types::{Content, Event, HistoryEntry, RequestOptions, ResponseHead};
use urlpool_host::{
    ClientError, Error, Grants, Limits, ManagerSettings, Pending, PoolManager, RequestBuilder,
    Settings,
};

/// How much of standard input is read at a time.
const PIECE: usize = 64 * 1024;
/// How many pieces of it are read ahead.
const AHEAD: usize = 2;
/// For how long the component is left alone with a request while standard input says nothing: at first, and at most.
const TURNS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));

fn main() -> ExitCode {
    #[cfg(unix)]
    end_without_traces();
    let (mut output, mut errors) = (io::stdout(), io::stderr());
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Rc::new(runtime),
        Err(cause) => {
            // There is no better place left to say it where even this cannot be written.
            let _ = writeln!(errors, "urlpool: cannot start: {cause}");
            return ExitCode::FAILURE;
        }
    };
    let streams = Streams {
        output: &mut output,
        is_terminal: errors.is_terminal(),
        errors: &mut errors,
    };
    let open = |settings| Native::open(Rc::clone(&runtime), settings);
    let status = urlpool_cli::run(std::env::args_os(), std::env::vars_os(), streams, open);
    if let Some(runtime) = Rc::into_inner(runtime) {
        // A name lookup that was given up runs on in a thread of its own, and nobody waits for it.
        runtime.shutdown_background();
    }
    status.into()
}

/// Has Ctrl-C and `kill` end us as they always do, but without the files that are not whole yet.
///
/// We die of the signal instead of exiting: a shell that runs us in a loop ends the loop only then.
#[cfg(unix)]
fn end_without_traces() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    // Where they cannot be listened to, they end us all the same.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    thread::spawn(move || {
        for signal in signals.forever() {
            let _held = urlpool_cli::remove_unfinished();
            let _ = emulate_default_handler(signal);
        }
    });
}

/// A manager, and the runtime on which this one thread waits for it.
struct Native {
    runtime: Rc<Runtime>,
    manager: PoolManager,
    /// Made once somebody reads it.
    input: Option<Input>,
}

/// Standard input, read in a thread of its own, which ends with the process.
type Input = Receiver<io::Result<Vec<u8>>>;

fn read_aside() -> Input {
    let (sender, input) = sync_channel(AHEAD);
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut piece = vec![0; PIECE];
            let piece = match stdin.read(&mut piece) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) => return,
                Ok(count) => {
                    piece.truncate(count);
                    Ok(piece)
                }
                Err(cause) => Err(cause),
            };
            let is_over = piece.is_err();
            if sender.send(piece).is_err() || is_over {
                return;
            }
        }
    });
    input
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
        Ok(Self {
            runtime,
            manager,
            input: None,
        })
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

    fn write(&mut self, request: &mut Pending, bytes: &[u8]) -> Result<Progress, ClientError> {
        progress(self.runtime.block_on(request.write(bytes)))
    }

    fn end_part(&mut self, request: &mut Pending) -> Result<Progress, ClientError> {
        progress(self.runtime.block_on(request.end_part()))
    }

    fn finish(&mut self, request: &mut Pending) -> Result<Progress, ClientError> {
        progress(self.runtime.block_on(request.finish()))
    }

    fn read_input(&mut self, request: &Pending) -> Result<Option<Vec<u8>>, ClientError> {
        let input = self.input.get_or_insert_with(read_aside);
        let (mut turn, longest) = TURNS;
        loop {
            match input.try_recv() {
                Ok(Ok(piece)) => return Ok(Some(piece)),
                Ok(Err(cause)) => {
                    let text = format!("cannot read standard input: {cause}");
                    return Err(ClientError::Other(text));
                }
                Err(TryRecvError::Disconnected) => return Ok(Some(Vec::new())),
                Err(TryRecvError::Empty) => {}
            }
            // The component cannot wait for what is not its own, and a call that is broken off costs the instance.
            let wait = async { self.manager.wait_any(&[request], &[], Some(turn)).await };
            let ready = self.runtime.block_on(wait).map_err(client_error)?;
            if !ready.requests.is_empty() {
                return Ok(None);
            }
            turn = longest.min(turn * 2);
        }
    }

    fn wait(&mut self, requests: &[&Pending], bodies: &[&Response]) -> Result<Ready, ClientError> {
        let bodies: Vec<_> = bodies.iter().map(|body| &body.response).collect();
        let wait = self.manager.wait_any(requests, &bodies, None);
        let ready = self.runtime.block_on(wait).map_err(client_error)?;
        Ok(Ready {
            requests: ready.requests,
            bodies: ready.responses,
        })
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

fn progress(pushed: Result<urlpool_host::Progress, Error>) -> Result<Progress, ClientError> {
    pushed.map_err(client_error).map(|progress| match progress {
        urlpool_host::Progress::Accepted => Progress::Accepted,
        urlpool_host::Progress::Rewind => Progress::Rewind,
        urlpool_host::Progress::Answered => Progress::Answered,
    })
}

/// The component's own error, or the host's as one that is not for matching.
fn client_error(error: Error) -> ClientError {
    match error {
        Error::Client(error) => error,
        other => ClientError::Other(other.to_string()),
    }
}
