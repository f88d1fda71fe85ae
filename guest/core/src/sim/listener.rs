//! Who is at an address, and what became of each try to connect to it.

use std::net::SocketAddr;
use std::time::Duration;

use super::script::{Codec, Plain, Script};
use super::stream::SimStream;
use super::world::SimNet;
use crate::driver::ConnectError;
use crate::types::SocketOptions;

/// How an address behaves.
pub enum Listener {
    /// Accepts; each connection takes the next script, and the last one serves all further ones.
    Accept(Vec<Script>),
    /// Accepts, and speaks through what the function makes for each connection.
    Through(Vec<Script>, Box<dyn FnMut() -> Box<dyn Codec>>),
    /// Refuses.
    Refuse,
    /// Never answers.
    BlackHole,
    /// Is not allowed.
    Deny,
    /// Does what another does, that much later.
    Late(Duration, Box<Self>),
}

impl Listener {
    /// How much later than others it answers; `None` where it never does.
    pub(super) fn delay(&self) -> Option<Duration> {
        match self {
            Self::BlackHole => None,
            Self::Late(delay, other) => Some(*delay + other.delay()?),
            _ => Some(Duration::ZERO),
        }
    }

    /// What it does once the time has come.
    pub(super) fn answer(&mut self, net: &SimNet) -> Result<SimStream, ConnectError> {
        match self {
            Self::Accept(scripts) => Ok(net.accept(scripts, Box::new(Plain))),
            Self::Through(scripts, codec) => {
                let codec = codec();
                Ok(net.accept(scripts, codec))
            }
            Self::Refuse | Self::BlackHole => refused(),
            Self::Deny => Err(ConnectError::Denied("not allowed here".into())),
            Self::Late(_, other) => other.answer(net),
        }
    }
}

pub(super) fn refused<T>() -> Result<T, ConnectError> {
    Err(ConnectError::Failed("Connection refused".into()))
}

/// One try to connect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Where to.
    pub address: SocketAddr,
    /// What the socket was told before.
    pub socket: SocketOptions,
    /// How much time had passed since the beginning.
    pub at: Duration,
    /// What became of it.
    pub state: AttemptState,
}

/// What becomes of a try to connect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AttemptState {
    /// It is under way.
    Running,
    /// It succeeded.
    Connected,
    /// It failed.
    Failed,
    /// The client gave it up.
    GivenUp,
}

/// Notes that an attempt was given up unless it came to something.
pub(super) struct Trying {
    net: SimNet,
    index: usize,
}

impl Trying {
    pub(super) const fn new(net: SimNet, index: usize) -> Self {
        Self { net, index }
    }

    pub(super) fn ends(&self, state: AttemptState) {
        self.net.note(self.index, state);
    }
}

impl Drop for Trying {
    fn drop(&mut self) {
        self.ends(AttemptState::GivenUp);
    }
}
