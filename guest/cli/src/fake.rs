//! A client whose answers are written down, for tests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use urlpool_core::driver::Progress;
use urlpool_core::types::{
    ConnectionInfo, Content, Error, Event, Failure, Headers, HistoryEntry, ManagerSettings, Phase,
    RequestOptions, ResponseHead, Version,
};

use crate::client::{Body, Client, Ready};

/// What a test looks at afterwards.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) settings: Vec<ManagerSettings>,
    /// Method, URL, body and options of each request.
    pub(crate) requests: Vec<(String, String, Content, RequestOptions)>,
    /// How many requests and bodies were waited for, each time.
    pub(crate) waits: Vec<(usize, usize)>,
    /// The pieces that were pushed; what ends a part or a body is a word.
    pub(crate) pushed: Vec<String>,
    /// How many pieces had been pushed when a body was read to its end, each time.
    pub(crate) pushed_before_ends: Vec<usize>,
}

/// What the next request finds.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) head: Result<u16, Error>,
    pub(crate) body: Vec<Result<&'static str, Error>>,
    pub(crate) events: Vec<Event>,
    pub(crate) history: Vec<HistoryEntry>,
    /// Of several requests, the one with the least is ready first, and then its body.
    pub(crate) rank: u32,
    /// The same for its body, where that is not as soon.
    pub(crate) body_rank: Option<u32>,
    /// What pushes come to, in order; accepted, or answered at the end, once there are none left.
    pub(crate) pushes: VecDeque<Progress>,
}

impl Answer {
    pub(crate) fn of(status: u16, body: &[&'static str]) -> Self {
        Self {
            head: Ok(status),
            body: body.iter().copied().map(Ok).collect(),
            events: Vec::new(),
            history: Vec::new(),
            rank: 0,
            body_rank: None,
            pushes: VecDeque::new(),
        }
    }

    pub(crate) fn broken(status: u16, body: &'static str, error: Error) -> Self {
        Self {
            head: Ok(status),
            body: vec![Ok(body), Err(error)],
            events: Vec::new(),
            history: Vec::new(),
            rank: 0,
            body_rank: None,
            pushes: VecDeque::new(),
        }
    }

    pub(crate) fn failing(error: Error) -> Self {
        Self {
            head: Err(error),
            body: Vec::new(),
            events: Vec::new(),
            history: Vec::new(),
            rank: 0,
            body_rank: None,
            pushes: VecDeque::new(),
        }
    }

    pub(crate) fn with(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events = events.into_iter().collect();
        self
    }

    pub(crate) fn ranked(mut self, rank: u32) -> Self {
        self.rank = rank;
        self
    }

    pub(crate) fn with_body_ranked(mut self, rank: u32) -> Self {
        self.body_rank = Some(rank);
        self
    }

    pub(crate) fn hearing(mut self, pushes: impl IntoIterator<Item = Progress>) -> Self {
        self.pushes = pushes.into_iter().collect();
        self
    }

    pub(crate) fn after(mut self, history: impl IntoIterator<Item = HistoryEntry>) -> Self {
        self.history = history.into_iter().collect();
        self
    }
}

/// Answers from a list, in order.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) seen: Rc<RefCell<Seen>>,
    pub(crate) events: Vec<Event>,
    /// Pieces of standard input; `None` where the request is ready first.
    pub(crate) input: VecDeque<Option<&'static str>>,
}

impl Fake {
    pub(crate) fn new(answers: impl Into<VecDeque<Answer>>, seen: &Rc<RefCell<Seen>>) -> Self {
        Self {
            answers: answers.into(),
            seen: Rc::clone(seen),
            events: Vec::new(),
            input: VecDeque::new(),
        }
    }

    fn push(&self, request: &mut Answer, piece: &str, otherwise: Progress) -> Progress {
        self.seen.borrow_mut().pushed.push(piece.to_owned());
        request.pushes.pop_front().unwrap_or(otherwise)
    }
}

impl Client for Fake {
    type Body = Pieces;
    type Pending = Answer;

    fn request(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<(ResponseHead, Pieces), Error> {
        let answer = self.start(method, url, content, options)?;
        self.response(answer)
    }

    fn start(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<Answer, Error> {
        self.seen.borrow_mut().requests.push((
            method.to_owned(),
            url.to_owned(),
            content.clone(),
            options.clone(),
        ));
        self.answers
            .pop_front()
            .ok_or_else(|| Error::Other("the script has no answer left".into()))
    }

    fn write(&mut self, request: &mut Answer, bytes: &[u8]) -> Result<Progress, Error> {
        let piece = String::from_utf8_lossy(bytes);
        Ok(self.push(request, &piece, Progress::Accepted))
    }

    fn end_part(&mut self, request: &mut Answer) -> Result<Progress, Error> {
        Ok(self.push(request, "(part)", Progress::Accepted))
    }

    fn finish(&mut self, request: &mut Answer) -> Result<Progress, Error> {
        Ok(self.push(request, "(end)", Progress::Answered))
    }

    fn read_input(&mut self, _: &Answer) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.input.pop_front().unwrap_or(Some("")).map(Vec::from))
    }

    fn wait(&mut self, requests: &[&Answer], bodies: &[&Pieces]) -> Result<Ready, Error> {
        let waits = (requests.len(), bodies.len());
        self.seen.borrow_mut().waits.push(waits);
        let requests = requests.iter().map(|answer| answer.rank).enumerate();
        let bodies = bodies.iter().map(|body| body.rank).enumerate();
        let first = |least: Option<(usize, u32)>| least.map_or((0, u32::MAX), |least| least);
        let request = first(requests.min_by_key(|(_, rank)| *rank));
        let body = first(bodies.min_by_key(|(_, rank)| *rank));
        let mut ready = Ready::default();
        if waits.1 > 0 && body.1 <= request.1 {
            ready.bodies.push(body.0);
        } else {
            ready.requests.push(request.0);
        }
        Ok(ready)
    }

    fn response(&mut self, answer: Answer) -> Result<(ResponseHead, Pieces), Error> {
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
                is_verified: false,
                proxy_is_verified: false,
            },
        };
        let body = Pieces {
            rank: answer.body_rank.unwrap_or(answer.rank),
            pieces: answer.body.into(),
            history: answer.history,
            seen: Rc::clone(&self.seen),
        };
        Ok((head, body))
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

/// The pieces of a body, and the error that cuts it short.
#[derive(Debug)]
pub(crate) struct Pieces {
    rank: u32,
    pieces: VecDeque<Result<&'static str, Error>>,
    history: Vec<HistoryEntry>,
    seen: Rc<RefCell<Seen>>,
}

impl Body for Pieces {
    fn history(&mut self) -> Result<Vec<HistoryEntry>, Error> {
        Ok(self.history.clone())
    }

    fn read(&mut self) -> Result<Vec<u8>, Error> {
        let Some(piece) = self.pieces.pop_front() else {
            let mut seen = self.seen.borrow_mut();
            let pushed = seen.pushed.len();
            seen.pushed_before_ends.push(pushed);
            return Ok(Vec::new());
        };
        piece.map(Vec::from)
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
        history: Default::default(),
        refusal: None,
    })
}
