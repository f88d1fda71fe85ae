//! Sends the requests of a run one after the other and tallies how they end.
//!
//! A request that fails does not end the run; a usage error and a standard output that cannot be written do.

use std::io;
use std::time::Instant;

use urlpool_core::types::{Error, Failure, Phase, ResponseHead};

use crate::client::Client;
use crate::delivery::{Broken, Sink, Tally};
use crate::options::{Options, Target};
use crate::report::Exchange;
use crate::run::{FAILED, STATUS, SUCCESS, Streams, status_of};
use crate::trace::{Connections, lines};

/// A run under way.
pub(crate) struct Session<'a, 's, C> {
    client: C,
    options: &'a Options,
    streams: Streams<'s>,
    connections: Connections,
    has_failed: bool,
    has_bad_status: bool,
}

/// Why the rest of a run is not done.
enum Stop {
    /// The component refused what the caller typed.
    Usage(Error),
    /// Standard output cannot be written.
    Stdout(io::Error),
}

impl<'a, 's, C: Client> Session<'a, 's, C> {
    pub(crate) fn new(client: C, options: &'a Options, streams: Streams<'s>) -> Self {
        Self {
            client,
            options,
            streams,
            connections: Connections::default(),
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
                self.streams.complain_of(&error);
                status_of(&error)
            }
            // Whoever read our output has gone and wants no explanation.
            Err(Stop::Stdout(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => FAILED,
            Err(Stop::Stdout(cause)) => {
                let error = Error::Other(format!("cannot write to standard output: {cause}"));
                self.streams.complain_of(&error);
                FAILED
            }
        }
    }

    fn fetch_all(&mut self) -> Result<(), Stop> {
        let options = self.options;
        for _ in 0..options.repeat {
            for target in &options.targets {
                self.fetch(target)?;
            }
        }
        Ok(())
    }

    fn fetch(&mut self, target: &Target) -> Result<(), Stop> {
        let mut exchange = Exchange {
            delivered: Tally::new(self.options.is_reported, self.options.max_body),
            ..Exchange::default()
        };
        let started = Instant::now();
        self.connections.begin();
        let end = match self.request(target) {
            Ok((head, body)) => {
                exchange.first_byte = Some(started.elapsed());
                // Told before the body, which may be long in coming.
                self.note_events();
                let end = self.deliver(&head, body, target, &mut exchange.delivered);
                exchange.head = Some(head);
                end
            }
            Err(error) => Err(Broken::Request(error)),
        };
        exchange.total = started.elapsed();
        self.note_events();
        exchange.connection = self.connections.last();
        exchange.error = match end {
            Ok(()) => None,
            Err(Broken::Stdout(cause)) => return Err(Stop::Stdout(cause)),
            Err(Broken::Request(error)) if error.is_callers_input() => {
                return Err(Stop::Usage(error));
            }
            Err(Broken::Request(error)) => Some(error),
            Err(Broken::TooLarge) => exchange.head.as_ref().map(|head| self.too_large(head)),
        };
        self.conclude(&exchange, target)
    }

    fn request(&mut self, target: &Target) -> Result<(ResponseHead, C::Body), Error> {
        self.client.request(
            self.options.method.as_str(),
            &target.url,
            &self.options.content,
            &self.options.request,
        )
    }

    fn deliver(
        &mut self,
        head: &ResponseHead,
        mut body: C::Body,
        target: &Target,
        tally: &mut Tally,
    ) -> Result<(), Broken> {
        let mut sink = Sink::open(&target.output, self.streams.output)?;
        if self.options.is_head_included {
            sink.write_head(head)?;
        }
        sink.write_body(&mut body, tally)?;
        sink.finish()
    }

    fn too_large(&self, head: &ResponseHead) -> Error {
        Error::BodyTooLarge(Box::new(Failure {
            message: format!(
                "the body is larger than the {} bytes of --max-body",
                self.options.max_body.unwrap_or_default()
            ),
            method: self.options.method.as_str().to_owned(),
            url: head.url.clone(),
            phase: Phase::ReceiveBody,
            attempt: 1,
            reused: head.connection.reused,
            may_have_been_acted_on: true,
        }))
    }

    /// Tells how a request ended.
    fn conclude(&mut self, exchange: &Exchange, target: &Target) -> Result<(), Stop> {
        self.has_bad_status |= exchange
            .head
            .as_ref()
            .is_some_and(|head| head.status >= 400);
        if let Some(error) = &exchange.error {
            self.has_failed = true;
            self.streams.complain_of(error);
        }
        if self.options.is_reported {
            let line = exchange.line(self.options.method.as_str(), &target.shown);
            writeln!(self.streams.output, "{line}")
                .and_then(|()| self.streams.output.flush())
                .map_err(Stop::Stdout)?;
        }
        Ok(())
    }

    fn note_events(&mut self) {
        if self.options.manager.events.is_none() {
            return;
        }
        for event in self.client.take_events() {
            if self.options.is_verbose {
                for line in lines(&event) {
                    // Standard error has gone: the request still counts.
                    let _ = writeln!(self.streams.errors, "{line}");
                }
            }
            self.connections.note(event);
        }
    }
}
