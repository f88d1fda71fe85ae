//! A server that follows a script, for everything that a proper one never does.

use std::time::Duration;

use crate::gate::Gate;
use crate::ledger::Connection;
use crate::server::{Conversation, Link, Server};

/// How fast [`Step::Drip`] goes.
const DRIP: Duration = Duration::from_millis(10);

/// One thing that a peer does with a connection. After the last it closes, unless that was [`Step::Reset`].
#[derive(Clone, Debug)]
pub enum Step {
    /// Waits for one more whole request.
    Request,
    /// Waits for any byte that has not been waited for.
    Bytes,
    /// Sends these bytes in one write.
    Send(Vec<u8>),
    /// Sends these bytes again and again until the client goes away.
    Flood(Vec<u8>),
    /// Sends these bytes one by one, 10 ms apart, from the start again when they run out, until the client goes away.
    Drip(Vec<u8>),
    /// Waits for the gate.
    Wait(Gate),
    /// Does nothing until the client goes away.
    Hold,
    /// Resets the connection instead of closing it.
    Reset,
}

impl Step {
    /// Sends this text.
    #[must_use]
    pub fn send(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Send(bytes.into())
    }
}

/// What a server will do: a script for each connection in the order accepted; the last is repeated.
#[derive(Default)]
pub struct Peer {
    scripts: Vec<Vec<Step>>,
}

impl Peer {
    /// A peer that closes at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A peer that does the same on every connection.
    #[must_use]
    pub fn always(script: impl IntoIterator<Item = Step>) -> Self {
        Self::new().connection(script)
    }

    /// A peer that reads a request, sends these bytes and closes.
    #[must_use]
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        Self::always([Step::Request, Step::send(bytes)])
    }

    /// Adds the script of the next connection.
    #[must_use]
    pub fn connection(mut self, script: impl IntoIterator<Item = Step>) -> Self {
        self.scripts.push(script.into_iter().collect());
        self
    }

    /// Starts to listen.
    pub async fn start(self) -> Server {
        Server::start(self, None, false).await
    }

    fn script(&self, number: usize) -> &[Step] {
        self.scripts
            .get(number)
            .or_else(|| self.scripts.last())
            .map_or(&[], Vec::as_slice)
    }
}

impl Conversation for Peer {
    async fn talk(&self, mut link: Link) {
        let mut awaited = Awaited::default();
        for step in self.script(link.number) {
            if !play(step, &mut link, &mut awaited).await {
                return;
            }
        }
        if !self.resets(link.number) {
            link.finish().await;
            link.drained().await;
        }
    }

    fn resets(&self, number: usize) -> bool {
        matches!(self.script(number).last(), Some(Step::Reset))
    }
}

/// How much of what arrives the script has waited for so far.
#[derive(Default)]
struct Awaited {
    requests: usize,
    bytes: usize,
}

/// Takes one step; false where the client has gone away meanwhile.
async fn play(step: &Step, link: &mut Link, awaited: &mut Awaited) -> bool {
    match step {
        Step::Request => {
            awaited.requests += 1;
            let enough = |connection: &Connection| connection.requests.len() >= awaited.requests;
            let arrived = link.ledger.until(link.number, enough);
            link.unless_ended(arrived).await
        }
        Step::Bytes => {
            let more = |connection: &Connection| connection.received.len() > awaited.bytes;
            let arrived = link.ledger.until(link.number, more);
            let has_arrived = link.unless_ended(arrived).await;
            awaited.bytes = link.ledger.look(|connections| {
                connections
                    .get(link.number)
                    .map_or(0, |connection| connection.received.len())
            });
            has_arrived
        }
        Step::Send(bytes) => link.send(bytes).await,
        Step::Flood(bytes) => {
            while link.send(bytes).await {
                tokio::task::yield_now().await;
            }
            false
        }
        Step::Drip(bytes) => {
            let mut pace = tokio::time::interval(DRIP);
            for byte in bytes.iter().cycle() {
                pace.tick().await;
                if !link.send(&[*byte]).await {
                    break;
                }
            }
            false
        }
        Step::Wait(gate) => link.unless_ended(gate.passed()).await,
        Step::Hold => {
            link.ended().await;
            false
        }
        Step::Reset => true,
    }
}
