//! What an [`Origin`](crate::Origin) answers.

use std::sync::Arc;
use std::time::Duration;

use crate::gate::Gate;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    Length,
    Chunked(usize),
    UntilClose,
    None,
}

/// What becomes of the connection after a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Then {
    /// The next request is waited for.
    Next,
    /// An orderly close.
    Finish,
    /// A close without the words that TLS has for it.
    Drop,
}

/// One response.
#[derive(Clone, Debug)]
pub struct Reply {
    status: String,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: Arc<Vec<u8>>,
    framing: Framing,
    trailers: Vec<(String, String)>,
    extension: &'static str,
    interim: Vec<u8>,
    then: Then,
    before: Option<Gate>,
    before_body: Option<Gate>,
    delay: Duration,
}

impl Reply {
    /// A response of HTTP/1.1 whose body has its `Content-Length`.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: format!("{status} Status"),
            version: "HTTP/1.1",
            headers: Vec::new(),
            body: Arc::new(body.into()),
            framing: Framing::Length,
            trailers: Vec::new(),
            extension: "",
            interim: Vec::new(),
            then: Then::Next,
            before: None,
            before_body: None,
            delay: Duration::ZERO,
        }
    }

    /// One with status 200.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// Status code and reason, as they stand on the status line.
    #[must_use]
    pub fn status_line(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Answers as HTTP/1.0.
    #[must_use]
    pub fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    /// Sends the body in chunks of at most `size` bytes.
    #[must_use]
    pub fn chunked(mut self, size: usize) -> Self {
        self.framing = Framing::Chunked(size);
        self
    }

    /// Puts this, starting with `;`, behind the size of each chunk.
    #[must_use]
    pub fn chunk_extension(mut self, extension: &'static str) -> Self {
        self.extension = extension;
        self
    }

    /// Adds a field behind the last chunk.
    #[must_use]
    pub fn trailer(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.trailers.push((name.into(), value.into()));
        self
    }

    /// Sends the body without its length and closes.
    #[must_use]
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self.then = Then::Finish;
        self
    }

    /// Sends no body and says nothing of its length.
    #[must_use]
    pub fn without_framing(mut self) -> Self {
        self.framing = Framing::None;
        self
    }

    /// Closes after the response, without announcing it.
    #[must_use]
    pub fn hang_up(mut self) -> Self {
        self.then = Then::Finish;
        self
    }

    /// Closes after the response, over TLS without saying so (RFC 8446, section 6.1).
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.then = Then::Drop;
        self
    }

    /// Sends a whole interim response first, such as `HTTP/1.1 103 Early Hints\r\n\r\n`.
    #[must_use]
    pub fn interim(mut self, response: &str) -> Self {
        self.interim.extend_from_slice(response.as_bytes());
        self
    }

    /// Answers only when the gate is open.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.before = Some(gate.clone());
        self
    }

    /// Sends the head, and the body only when the gate is open.
    #[must_use]
    pub fn body_after(mut self, gate: &Gate) -> Self {
        self.before_body = Some(gate.clone());
        self
    }

    /// Answers so long after the request: for clients that wait for several answers at once.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    pub(crate) fn gate(&self) -> Option<&Gate> {
        self.before.as_ref()
    }

    pub(crate) fn body_gate(&self) -> Option<&Gate> {
        self.before_body.as_ref()
    }

    pub(crate) fn then(&self) -> Then {
        self.then
    }

    /// Interim responses and the head.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {}\r\n", self.version, self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            Framing::Length => head.push_str(&format!("Content-Length: {}\r\n", self.body.len())),
            Framing::Chunked(_) => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose | Framing::None => {}
        }
        head.push_str("\r\n");
        [self.interim.as_slice(), head.as_bytes()].concat()
    }

    /// The body with its framing; empty for an answer to HEAD.
    pub(crate) fn body_bytes(&self, is_head: bool) -> Vec<u8> {
        match self.framing {
            _ if is_head => Vec::new(),
            Framing::Length | Framing::UntilClose => self.body.to_vec(),
            Framing::None => Vec::new(),
            Framing::Chunked(size) => self.chunks(size),
        }
    }

    fn chunks(&self, size: usize) -> Vec<u8> {
        let mut framed = Vec::new();
        for chunk in self.body.chunks(size) {
            framed.extend_from_slice(format!("{:x}{}\r\n", chunk.len(), self.extension).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(format!("0{}\r\n", self.extension).as_bytes());
        for (name, value) in &self.trailers {
            framed.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        framed.extend_from_slice(b"\r\n");
        framed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_framed_as_asked() {
        for (case, reply, expected) in [
            (
                "length",
                Reply::ok("ab").header("X", "y"),
                "HTTP/1.1 200 Status\r\nX: y\r\nContent-Length: 2\r\n\r\nab",
            ),
            (
                "chunked",
                Reply::ok("abc")
                    .chunked(2)
                    .chunk_extension(";e=1")
                    .trailer("T", "v"),
                "HTTP/1.1 200 Status\r\nTransfer-Encoding: chunked\r\n\r\n2;e=1\r\nab\r\n1;e=1\r\nc\r\n0;e=1\r\nT: v\r\n\r\n",
            ),
            (
                "until close",
                Reply::ok("ab").http10().until_close(),
                "HTTP/1.0 200 Status\r\n\r\nab",
            ),
            (
                "no framing",
                Reply::new(204, "")
                    .status_line("204 No Content")
                    .without_framing(),
                "HTTP/1.1 204 No Content\r\n\r\n",
            ),
        ] {
            let bytes = [reply.head_bytes(), reply.body_bytes(false)].concat();
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{case}");
            assert_eq!(reply.body_bytes(true), b"", "{case}");
        }
    }
}
