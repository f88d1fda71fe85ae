//! Several requests under way at once: each is delivered as it comes, and none waits for another's body.
//!
//! Files are written side by side. On standard output bodies are never mixed: one of them has the turn, and a body without it is held in
//! memory, up to its share. What is whole gets the turn before what is not, in order of completion.
//!
//! Invariants: at most one body has the turn; no more than [`MAX_HELD`] bytes are held, but for a last piece of each body.

use std::collections::VecDeque;
use std::time::Instant;

use urlpool_core::types::ResponseHead;

use crate::client::{Body, Client, Ready};
use crate::delivery::{Broken, Sink, head_bytes};
use crate::options::Target;
use crate::report::Exchange;
use crate::session::{Session, Stop};

/// How many bytes wait for standard output, those of all bodies together.
const MAX_HELD: usize = 32 << 20;

/// A request whose response is waited for.
struct Waiting<'a, P> {
    target: &'a Target,
    started: Instant,
    request: P,
}

/// A response whose body is being delivered.
struct Open<'a, B> {
    target: &'a Target,
    started: Instant,
    body: B,
    exchange: Exchange,
    sink: Sink,
    /// What waits for the turn.
    held: Vec<u8>,
    has_turn: bool,
}

/// A body that has come to its end and waits for the turn.
struct Ended<'a> {
    target: &'a Target,
    exchange: Exchange,
    held: Vec<u8>,
    end: Result<(), Broken>,
}

/// All that is under way.
struct Flock<'a, C: Client> {
    waiting: Vec<Waiting<'a, C::Pending>>,
    open: Vec<Open<'a, C::Body>>,
    ended: VecDeque<Ended<'a>>,
    /// How much of a body is held.
    share: usize,
}

impl<C: Client> Flock<'_, C> {
    fn len(&self) -> usize {
        self.waiting.len() + self.open.len() + self.ended.len()
    }

    /// The places of the bodies that there is room for.
    fn readable(&self) -> Vec<usize> {
        let has_room = |open: &Open<'_, _>| {
            !matches!(open.sink, Sink::Stdout) || open.has_turn || open.held.len() < self.share
        };
        let places = self.open.iter().enumerate();
        places
            .filter(|(_, open)| has_room(open))
            .map(|(place, _)| place)
            .collect()
    }

    /// What there is to do: which responses to take and which bodies to read. Where waiting fails, so does the oldest, and says why.
    fn wait(&self, client: &mut C) -> Ready {
        let readable = self.readable();
        let requests: Vec<_> = self
            .waiting
            .iter()
            .map(|waiting| &waiting.request)
            .collect();
        let bodies: Vec<_> = readable
            .iter()
            .filter_map(|place| Some(&self.open.get(*place)?.body))
            .collect();
        let ready = client.wait(&requests, &bodies).unwrap_or_default();
        let mut ready = Ready {
            requests: ready.requests,
            bodies: ready
                .bodies
                .iter()
                .filter_map(|place| readable.get(*place).copied())
                .collect(),
        };
        ready.requests.retain(|place| *place < self.waiting.len());
        if ready == Ready::default() {
            if self.waiting.is_empty() {
                ready.bodies.extend(readable.first());
            } else {
                ready.requests.push(0);
            }
        }
        ready
    }
}

impl<'a, C: Client> Session<'a, '_, C> {
    /// Keeps as many requests under way as there may be and ends them as they come.
    pub(crate) fn fetch_together(
        &mut self,
        targets: &mut dyn Iterator<Item = &'a Target>,
    ) -> Result<(), Stop> {
        let parallel = self.options.parallel;
        let mut flock: Flock<'a, C> = Flock {
            waiting: Vec::new(),
            open: Vec::new(),
            ended: VecDeque::new(),
            share: MAX_HELD / parallel,
        };
        loop {
            while flock.len() < parallel
                && let Some(target) = targets.next()
            {
                let started = Instant::now();
                self.connections.begin();
                match self.start(target) {
                    Ok(request) => flock.waiting.push(Waiting {
                        target,
                        started,
                        request,
                    }),
                    Err(broken) => self.failed(target, started, broken)?,
                }
            }
            if flock.len() == 0 {
                return Ok(());
            }
            let ready = flock.wait(&mut self.client);
            self.read(&mut flock, &ready.bodies)?;
            for (taken, place) in ready.requests.iter().enumerate() {
                let Waiting {
                    target,
                    started,
                    request,
                } = flock.waiting.remove(place - taken);
                match self.client.response(request) {
                    Ok(answer) => flock.open.extend(self.open(target, started, answer)?),
                    Err(error) => self.failed(target, started, error.into())?,
                }
            }
            self.note_events();
            self.take_turns(&mut flock)?;
        }
    }

    fn failed(&mut self, target: &Target, started: Instant, broken: Broken) -> Result<(), Stop> {
        let mut exchange = self.exchange();
        exchange.total = started.elapsed();
        self.note_events();
        self.end(exchange, Err(broken), target)
    }

    /// A response whose body can be delivered; nothing where its place is not to be had, which ends it.
    fn open(
        &mut self,
        target: &'a Target,
        started: Instant,
        (head, mut body): (ResponseHead, C::Body),
    ) -> Result<Option<Open<'a, C::Body>>, Stop> {
        let mut exchange = self.exchange();
        exchange.first_byte = Some(started.elapsed());
        let mut held = Vec::new();
        let opened = (|| {
            if self.options.is_reported {
                exchange.history = body.history()?;
            }
            let mut sink = Sink::open(&target.output)?;
            if self.options.is_head_included {
                held = head_bytes(&head);
                if !matches!(sink, Sink::Stdout) {
                    sink.write(&std::mem::take(&mut held), self.console.output)?;
                }
            }
            Ok(sink)
        })();
        exchange.head = Some(head);
        match opened {
            Ok(sink) => Ok(Some(Open {
                target,
                started,
                body,
                exchange,
                sink,
                held,
                has_turn: false,
            })),
            Err(broken) => {
                exchange.total = started.elapsed();
                self.end(exchange, Err(broken), target).map(|()| None)
            }
        }
    }

    /// Reads a piece of each of these bodies.
    fn read(&mut self, flock: &mut Flock<'a, C>, places: &[usize]) -> Result<(), Stop> {
        let mut ended = 0;
        for place in places {
            let Some(open) = flock.open.get_mut(place - ended) else {
                continue;
            };
            let end = match open.body.read() {
                Ok(bytes) if bytes.is_empty() => Ok(()),
                Ok(bytes) => {
                    open.exchange.delivered.add(&bytes);
                    if matches!(open.sink, Sink::Stdout) {
                        open.held.extend_from_slice(&bytes);
                        continue;
                    }
                    match open.sink.write(&bytes, self.console.output) {
                        Ok(()) => continue,
                        Err(broken) => Err(broken),
                    }
                }
                Err(error) => Err(Broken::Request(error)),
            };
            let open = flock.open.remove(place - ended);
            ended += 1;
            self.ended(flock, open, end)?;
        }
        Ok(())
    }

    /// Ends what has come to its end, unless standard output is still to have it.
    fn ended(
        &mut self,
        flock: &mut Flock<'a, C>,
        open: Open<'a, C::Body>,
        end: Result<(), Broken>,
    ) -> Result<(), Stop> {
        let Open {
            target,
            started,
            mut exchange,
            sink,
            held,
            has_turn,
            ..
        } = open;
        exchange.total = started.elapsed();
        if !matches!(sink, Sink::Stdout) {
            self.note_events();
            let end = end.and_then(|()| sink.finish());
            return self.end(exchange, end, target);
        }
        let ended = Ended {
            target,
            exchange,
            held,
            end,
        };
        if has_turn {
            flock.ended.push_front(ended);
        } else {
            flock.ended.push_back(ended);
        }
        Ok(())
    }

    /// Gives standard output to whoever has the turn, and passes the turn on.
    fn take_turns(&mut self, flock: &mut Flock<'a, C>) -> Result<(), Stop> {
        let share = flock.share;
        if !flock.open.iter().any(|open| open.has_turn) {
            while let Some(Ended {
                target,
                exchange,
                held,
                end,
            }) = flock.ended.pop_front()
            {
                self.put_out(&held)?;
                self.end(exchange, end, target)?;
            }
            let next = flock.open.iter_mut().find(|open| open.held.len() >= share);
            if let Some(open) = next {
                open.has_turn = true;
            }
        }
        match flock.open.iter_mut().find(|open| open.has_turn) {
            Some(open) => self.put_out(&std::mem::take(&mut open.held)),
            None => Ok(()),
        }
    }

    fn put_out(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match Sink::Stdout.write(bytes, self.console.output) {
            Err(Broken::Stdout(cause)) => Err(Stop::Stdout(cause)),
            Ok(()) | Err(Broken::Usage(_) | Broken::Request(_)) => Ok(()),
        }
    }
}
