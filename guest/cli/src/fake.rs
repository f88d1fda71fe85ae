//! A client whose answers are written down, for tests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use urlpool_core::types::{
    ConnectionInfo, Content, Error, Event, Failure, Headers, ManagerSettings, Phase,
    RequestOptions, ResponseHead, Version,
};

use crate::client::{Body, Client};

/// What a test looks at afterwards.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) settings: Vec<ManagerSettings>,
    /// Method, URL, body and options of each request.
    pub(crate) requests: Vec<(String, String, Content, RequestOptions)>,
}

/// What the next request finds.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Result<u16, Error>,
    pub(crate) body: Vec<Result<&'static str, Error>>,
    pub(crate) events: Vec<Event>,
}

impl Answer {
    pub(crate) fn of(status: u16, body: &[&'static str]) -> Self {
        Self {
            head: Ok(status),
            body: body.iter().copied().map(Ok).collect(),
            events: Vec::new(),
        }
    }

    pub(crate) fn broken(status: u16, body: &'static str, error: Error) -> Self {
        Self {
            head: Ok(status),
            body: vec![Ok(body), Err(error)],
            events: Vec::new(),
        }
    }

    pub(crate) fn failing(error: Error) -> Self {
        Self {
            head: Err(error),
            body: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events = events.into_iter().collect();
        self
    }
}

/// Answers from a list, in order.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) seen: Rc<RefCell<Seen>>,
    pub(crate) events: Vec<Event>,
}

impl Client for Fake {
    type Body = Pieces;

    fn request(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<(ResponseHead, Pieces), Error> {
        self.seen.borrow_mut().requests.push((
            method.to_owned(),
            url.to_owned(),
            content.clone(),
            options.clone(),
        ));
        let answer = self
            .answers
            .pop_front()
            .ok_or_else(|| Error::Other("the script has no answer left".into()))?;
        self.events = answer.events;
        let head = ResponseHead {
            status: answer.head?,
            version: Version::Http11,
            reason: "Fine".into(),
            url: "http://h/final".into(),
            headers: Headers::parse([("X-One", &b"1"[..]), ("x-two", b"\xe9")])?,
            connection: ConnectionInfo {
                number: 1,
                reused: false,
                remote: "192.0.2.1:80".into(),
                tls: None,
            },
        };
        Ok((head, Pieces(answer.body.into())))
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

/// The pieces of a body, and the error that cuts it short.
#[derive(Debug)]
pub(crate) struct Pieces(VecDeque<Result<&'static str, Error>>);

impl Body for Pieces {
    fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.0.pop_front().unwrap_or(Ok("")).map(Vec::from)
    }
}

/// The facts of a failed request.
pub(crate) fn failure(message: &str) -> Box<Failure> {
    Box::new(Failure {
        message: message.into(),
        method: "GET".into(),
        url: "http://h/".into(),
        phase: Phase::AwaitHead,
        attempt: 1,
        reused: false,
        may_have_been_acted_on: false,
    })
}
