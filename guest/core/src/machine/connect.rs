//! Asking an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).
//!
//! Invariant: nothing that a proxy sends is taken for the server's. What follows the head that opens a tunnel is an error, since a server that
//! speaks TLS or HTTP waits to be spoken to.

use super::h1::{
    Body, BodyError, HeadReader, Malformed, ReceivedHead, request_head, shown_request,
};
use crate::policy::framing::{self, BodyFraming};
use crate::policy::interim::{Standing, standing};
use crate::types::{Header, Headers, Host, Limits, Method, Refusal};

/// As much of a refusal's body as is kept: enough to say why, for people.
const MAX_REFUSAL: usize = 4 * 1024;

/// Asks for a tunnel to a server, in one flight: the proxy's headers behind a `Host`, which they may name themselves.
///
/// Nothing else is sent, as in urllib3. Host and headers have been parsed, so none of them can hold a line break (CVE-2026-1502).
#[derive(Debug)]
pub struct ConnectRequest {
    authority: String,
    fields: Headers,
}

impl ConnectRequest {
    /// What asks for a tunnel to `host`.
    #[must_use]
    pub fn new(host: &Host, port: u16, headers: &Headers) -> Self {
        let authority = format!("{}:{port}", host.without_root_dot());
        let mut fields = Headers::default();
        if !headers.has("host") {
            fields.push(Header::received("Host", authority.as_bytes()));
        }
        for header in headers {
            fields.push(header.clone());
        }
        Self { authority, fields }
    }

    /// The bytes that are sent.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        request_head(&Method::connect(), &self.authority, &self.fields, 0)
    }

    /// The same for an event, credentials redacted.
    #[must_use]
    pub fn shown(&self) -> String {
        shown_request(&Method::connect(), &self.authority, &self.fields)
    }
}

/// What a proxy has answered so far.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// More must arrive first.
    More,
    /// The tunnel is open.
    Open,
    /// There is no tunnel.
    Refused(Refusal),
}

/// Reads the answer of a proxy, which arrives in any pieces.
#[derive(Debug)]
pub struct ConnectReply {
    limits: Limits,
    reader: HeadReader,
    /// What has arrived of a head.
    bytes: Vec<u8>,
    interim: u32,
    refusal: Option<(Refusal, Body)>,
}

impl ConnectReply {
    /// A reader of answers whose heads are no larger than this.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            reader: HeadReader::new(limits),
            bytes: Vec::new(),
            interim: 0,
            refusal: None,
        }
    }

    /// Takes what has arrived next. After anything but [`Outcome::More`] there is nothing left to take.
    ///
    /// Any 2xx opens the tunnel, where urllib3 takes only 200; lengths that it announces mean nothing. Every 1xx before it is passed over.
    ///
    /// # Errors
    /// Says what is wrong where the answer is not HTTP, is too large, or more follows the head that opens the tunnel.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Outcome, Malformed> {
        self.feed_noting(bytes, &mut |_| {})
    }

    /// The same, and hands each head to `note`, those of interim answers too.
    ///
    /// # Errors
    /// As for [`ConnectReply::feed`].
    pub fn feed_noting(
        &mut self,
        bytes: &[u8],
        note: &mut dyn FnMut(&ReceivedHead),
    ) -> Result<Outcome, Malformed> {
        if self.refusal.is_some() {
            return Ok(self.feed_refusal(bytes.to_vec()));
        }
        self.bytes.extend_from_slice(bytes);
        while let Some(head) = self.reader.read(&self.bytes)? {
            note(&head);
            let rest = self.bytes.split_off(head.length);
            match standing(head.line.status, self.interim) {
                Standing::Wrong(why) => return Err(why.into()),
                Standing::Interim => {
                    self.interim += 1;
                    self.reader = HeadReader::new(self.limits);
                    self.bytes = rest;
                }
                Standing::Final if (200..300).contains(&head.line.status) => return open(&rest),
                Standing::Final => return Ok(self.refuse(head, rest)),
            }
        }
        Ok(Outcome::More)
    }

    /// Whether there is no tunnel, though not all that the proxy says about it has arrived.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        self.refusal.is_some()
    }

    /// What has arrived of a refusal, for when the connection ends or time runs out before all of it is there; `None` where its head is not.
    #[must_use]
    pub fn into_refusal(self) -> Option<Refusal> {
        self.refusal.map(|(refusal, _)| refusal)
    }

    fn refuse(&mut self, head: ReceivedHead, rest: Vec<u8>) -> Outcome {
        let status = head.line.status;
        // What the status says counts, however the body is framed.
        let framing = framing::of_response(&Method::connect(), status, &head.headers)
            .unwrap_or(BodyFraming::Length(0));
        let refusal = Refusal {
            status,
            reason: head.line.reason,
            headers: head.headers,
            body: Vec::new(),
        };
        self.refusal = Some((refusal, Body::new(framing, self.limits)));
        self.feed_refusal(rest)
    }

    fn feed_refusal(&mut self, mut bytes: Vec<u8>) -> Outcome {
        let Some((mut refusal, mut body)) = self.refusal.take() else {
            return Outcome::More;
        };
        let is_broken = matches!(body.unframe(&mut bytes), Err(BodyError::Chunk(_)));
        let room = MAX_REFUSAL - refusal.body.len();
        refusal.body.extend(bytes.into_iter().take(room));
        if is_broken || body.has_ended() || refusal.body.len() == MAX_REFUSAL {
            return Outcome::Refused(refusal);
        }
        self.refusal = Some((refusal, body));
        Outcome::More
    }
}

fn open(rest: &[u8]) -> Result<Outcome, Malformed> {
    if rest.is_empty() {
        Ok(Outcome::Open)
    } else {
        Err(format!(
            "the proxy sent {} bytes behind its reply",
            rest.len()
        ))
    }
}

#[cfg(test)]
mod tests;
