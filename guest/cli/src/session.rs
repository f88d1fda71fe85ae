//! Sends the requests of a run, one after the other unless `together` does, and tallies how they end.
//!
//! Bodies that are pushed go one after the other, each to the end of its response: whoever pushes reads no other body, and that one may
//! have the connection that the push waits for.
//!
//! A request that fails does not end the run; a usage error and a standard output that cannot be written do.

use std::io;
use std::time::Instant;

use urlpool_core::types::{Error, Event, ResponseHead};

use crate::client::{Body as _, Client};
use crate::delivery::{Broken, Sink, Tally, head_bytes};
use crate::key_log::KeyLog;
use crate::options::{Options, Output, Target};
use crate::progress::{Progress, announced};
use crate::report::Exchange;
use crate::run::{Console, FAILED, STATUS, SUCCESS, status_of};
use crate::trace::{Connections, lines};

/// A run under way.
pub(crate) struct Session<'a, 's, C> {
    pub(crate) client: C,
    pub(crate) options: &'a Options,
    pub(crate) console: Console<'s>,
    pub(crate) connections: Connections,
    /// Until it cannot be written.
    key_log: Option<KeyLog>,
    has_failed: bool,
    has_bad_status: bool,
}

/// Why the rest of a run is not done.
pub(crate) enum Stop {
    /// The component refused what the caller typed.
    Usage(Error),
    /// Standard output cannot be written.
    Stdout(io::Error),
}

impl<'a, 's, C: Client> Session<'a, 's, C> {
    pub(crate) fn new(
        client: C,
        options: &'a Options,
        console: Console<'s>,
        key_log: Option<KeyLog>,
    ) -> Self {
        Self {
            client,
            options,
            console,
            connections: Connections::default(),
            key_log,
            has_failed: false,
            has_bad_status: false,
        }
    }

    /// Sends everything and returns the exit status.
    pub(crate) fn run(mut self) -> u8 {
        match self.fetch_all() {
            Ok(()) if self.has_failed => FAILED,
            Ok(()) if self.options.is_fail_set && self.has_bad_status => STATUS,
            Ok(()) => SUCCESS,
            Err(Stop::Usage(error)) => {
                self.console.complain_of(&error);
                status_of(&error)
            }
            // Whoever read our output has gone and wants no explanation.
            Err(Stop::Stdout(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => FAILED,
            Err(Stop::Stdout(cause)) => {
                let error = Error::Other(format!("cannot write to standard output: {cause}"));
                self.console.complain_of(&error);
                FAILED
            }
        }
    }

    fn fetch_all(&mut self) -> Result<(), Stop> {
        let options = self.options;
        let mut targets = (0..options.repeat).flat_map(|_| &options.targets);
        if options.parallel > 1 && options.upload.sources.is_empty() {
            return self.fetch_together(&mut targets);
        }
        for target in targets {
            let started = Instant::now();
            self.connections.begin();
            let answer = self.send(target);
            self.finish(target, started, answer)?;
        }
        Ok(())
    }

    /// Sends a request and waits for the head of its response.
    fn send(&mut self, target: &Target) -> Result<(ResponseHead, C::Body), Broken> {
        let options = self.options;
        if !options.upload.sources.is_empty() {
            let mut request = self.start(target)?;
            options.upload.push(&mut self.client, &mut request)?;
            return Ok(self.client.response(request)?);
        }
        let (method, content) = (options.method.as_str(), &options.upload.content);
        self.client
            .request(method, &target.url, content, &options.request)
            .map_err(Broken::unsent)
    }

    /// Starts a request.
    pub(crate) fn start(&mut self, target: &Target) -> Result<C::Pending, Broken> {
        let options = self.options;
        let (method, content) = (options.method.as_str(), &options.upload.content);
        self.client
            .start(method, &target.url, content, &options.request)
            .map_err(Broken::unsent)
    }

    /// Delivers what a request came to and tells how it ended.
    fn finish(
        &mut self,
        target: &Target,
        started: Instant,
        answer: Result<(ResponseHead, C::Body), Broken>,
    ) -> Result<(), Stop> {
        let mut exchange = self.exchange();
        let end = match answer {
            Ok((head, body)) => {
                exchange.first_byte = Some(started.elapsed());
                // Told before the body, which may be long in coming.
                self.note_events();
                let end = self.deliver(&head, body, target, &mut exchange);
                exchange.head = Some(head);
                end
            }
            Err(broken) => Err(broken),
        };
        exchange.total = started.elapsed();
        self.note_events();
        exchange.connection = self.connections.last();
        self.end(exchange, end, target)
    }

    pub(crate) fn exchange(&self) -> Exchange {
        Exchange {
            delivered: Tally::new(self.options.is_reported),
            ..Exchange::default()
        }
    }

    fn deliver(
        &mut self,
        head: &ResponseHead,
        mut body: C::Body,
        target: &Target,
        exchange: &mut Exchange,
    ) -> Result<(), Broken> {
        if self.options.is_reported {
            exchange.history = body.history()?;
        }
        let shows_progress = self.console.is_terminal && matches!(target.output, Output::File(_));
        let mut progress = shows_progress.then(|| {
            let (method, is_raw) = (&self.options.method, self.options.request.reading.is_raw);
            let started = Instant::now();
            Progress::new(
                announced(head, method, is_raw),
                move || started.elapsed(),
                self.console.errors,
            )
        });
        let mut sink = Sink::open(&target.output)?;
        if self.options.is_head_included {
            sink.write(&head_bytes(head), self.console.output)?;
        }
        loop {
            let bytes = body.read()?;
            if bytes.is_empty() {
                return sink.finish();
            }
            exchange.delivered.add(&bytes);
            sink.write(&bytes, self.console.output)?;
            if let Some(progress) = &mut progress {
                progress.show(exchange.delivered.bytes);
            }
        }
    }

    /// Ends a request with what its delivery came to, and the run where that leaves no sense in going on.
    pub(crate) fn end(
        &mut self,
        mut exchange: Exchange,
        end: Result<(), Broken>,
        target: &Target,
    ) -> Result<(), Stop> {
        exchange.error = match end {
            Ok(()) => None,
            Err(Broken::Stdout(cause)) => return Err(Stop::Stdout(cause)),
            Err(Broken::Usage(error)) => return Err(Stop::Usage(error)),
            Err(Broken::Request(error)) => Some(error),
        };
        self.conclude(&exchange, target)
    }

    /// Tells how a request ended.
    fn conclude(&mut self, exchange: &Exchange, target: &Target) -> Result<(), Stop> {
        self.has_bad_status |= exchange
            .head
            .as_ref()
            .is_some_and(|head| head.status >= 400);
        if let Some(error) = &exchange.error {
            self.has_failed = true;
            self.console.complain_of(error);
        }
        if self.options.is_reported {
            let line = exchange.line(self.options.method.as_str(), &target.shown);
            writeln!(self.console.output, "{line}")
                .and_then(|()| self.console.output.flush())
                .map_err(Stop::Stdout)?;
        }
        Ok(())
    }

    pub(crate) fn note_events(&mut self) {
        if self.options.manager.events.is_none() {
            return;
        }
        for event in self.client.take_events() {
            match &event {
                Event::Warned(text) => self.console.complain(&format!("warning: {text}")),
                Event::KeyLog(line) => self.log_key(line),
                _ => {}
            }
            if self.options.is_verbose {
                for line in lines(&event) {
                    self.console.tell(&line);
                }
            }
            self.connections.note(event);
        }
    }

    fn log_key(&mut self, line: &str) {
        let Some(key_log) = &mut self.key_log else {
            return;
        };
        if let Err(text) = key_log.append(line) {
            self.console.complain(&format!("--key-log: {text}"));
            self.has_failed = true;
            self.key_log = None;
        }
    }
}
