//! What a peer does on one connection.

use std::time::Duration;

use crate::machine::h1::Body;
use crate::policy::framing::BodyFraming;
use crate::types::Limits;

/// One thing a peer does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Waits until a request has arrived whole: its head, and its body as far as its framing says.
    Request,
    /// Waits until the head of a request has arrived, however much of its body has.
    Head,
    /// Waits until the body has arrived of the request whose head was waited for.
    Rest,
    /// Waits until anything has arrived.
    Anything,
    /// Sends these bytes in one piece.
    Send(Vec<u8>),
    /// Lets time pass before the next step.
    Pause(Duration),
    /// Ends its side in good order.
    Close,
    /// Breaks the connection.
    Reset,
    /// Is gone, which the client finds out only by writing.
    Vanish,
    /// Starts again from the first step.
    Again,
}

/// A list of steps. After the last one the peer does nothing more and keeps the connection open.
#[derive(Clone, Debug, Default)]
pub struct Script(pub(super) Vec<Step>);

impl Script {
    /// A peer that accepts and then does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A server that answers every request on a connection with the same bytes.
    #[must_use]
    pub fn always(response: impl Into<Vec<u8>>) -> Self {
        Self::new().request().send(response).again()
    }

    /// Waits for a request.
    #[must_use]
    pub fn request(self) -> Self {
        self.then(Step::Request)
    }

    /// Waits for the head of a request and reads no more of it.
    #[must_use]
    pub fn head(self) -> Self {
        self.then(Step::Head)
    }

    /// Waits for the body of the request whose head was waited for.
    #[must_use]
    pub fn rest(self) -> Self {
        self.then(Step::Rest)
    }

    /// Waits for bytes, whatever they are.
    #[must_use]
    pub fn anything(self) -> Self {
        self.then(Step::Anything)
    }

    /// Sends bytes in one piece.
    #[must_use]
    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(bytes.into()))
    }

    /// Sends bytes one at a time, that long apart.
    #[must_use]
    pub fn drip(self, bytes: &[u8], pause: Duration) -> Self {
        bytes
            .iter()
            .fold(self, |script, byte| script.pause(pause).send([*byte]))
    }

    /// Lets time pass.
    #[must_use]
    pub fn pause(self, span: Duration) -> Self {
        self.then(Step::Pause(span))
    }

    /// Closes the connection.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// Breaks the connection.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Is gone, which the client finds out only by writing.
    #[must_use]
    pub fn vanish(self) -> Self {
        self.then(Step::Vanish)
    }

    /// Starts again from the first step.
    #[must_use]
    pub fn again(self) -> Self {
        self.then(Step::Again)
    }

    /// Does what another script does after this one.
    #[must_use]
    pub fn followed_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }
}

/// What lies between a script's bytes and the wire: nothing, or TLS.
pub trait Codec {
    /// Takes bytes off the wire; adds what they mean to `plain` and what must be answered at once to `reply`.
    fn incoming(&mut self, wire: &[u8], plain: &mut Vec<u8>, reply: &mut Vec<u8>);

    /// The bytes on the wire for what the script sends.
    fn outgoing(&mut self, plain: &[u8]) -> Vec<u8>;

    /// The bytes on the wire with which it takes its leave.
    fn farewell(&mut self) -> Vec<u8>;
}

/// Nothing in between.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Codec for Plain {
    fn incoming(&mut self, wire: &[u8], plain: &mut Vec<u8>, _reply: &mut Vec<u8>) {
        plain.extend_from_slice(wire);
    }

    fn outgoing(&mut self, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn farewell(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

/// How long the head at the front of `bytes` is, once it is there whole.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// How long the request at the front of `bytes` is, once it is there whole. A chunked body that is malformed never is.
pub(super) fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = head_length(bytes)?;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name).map(str::trim))
    };
    if field("transfer-encoding:") == Some("chunked") {
        let mut body = Body::new(BodyFraming::Chunked, Limits::default());
        let mut buffer = bytes.get(head..)?.to_vec();
        let rest = body.unframe(&mut buffer).ok()?;
        return body.has_ended().then_some(bytes.len() - rest.len());
    }
    let body = field("content-length:").map_or(0, |length| length.parse().unwrap_or(0));
    (bytes.len() >= head + body).then_some(head + body)
}
