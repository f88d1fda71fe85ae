//! Bodies that are handed over while they are sent.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use urlpool_core::driver::{BodySource, Net, Piece, Progress, Pusher, Response, pushed};
use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::SimNet;
use urlpool_core::types::{
    Content, Error, Multipart, Part, PartData, RequestOptions, Streamed, Writing,
};

use super::{Boxed, World, both, text};

/// A method and a URL.
pub(crate) const POST: (&str, &str) = ("POST", "http://a.test/");

/// What a caller does next.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Hand(Piece),
    Wait(Duration),
    Fail(&'static str),
    /// Nothing, ever.
    Stall,
}

pub(crate) fn bytes(bytes: impl Into<Vec<u8>>) -> Act {
    Act::Hand(Piece::Bytes(bytes.into()))
}

pub(crate) const END: Act = Act::Hand(Piece::End);
pub(crate) const PART_END: Act = Act::Hand(Piece::PartEnd);

/// What became of a source.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) taken: Rc<Cell<u32>>,
    pub(crate) rewound: Rc<Cell<u32>>,
}

/// A source that follows a list.
pub(crate) struct Feed {
    net: SimNet,
    acts: Vec<Act>,
    at: usize,
    pause: Option<Boxed<'static, ()>>,
    tally: Tally,
}

impl BodySource for Feed {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Piece, String>> {
        loop {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.pause = None;
                self.at += 1;
            }
            match self.acts.get(self.at) {
                Some(Act::Hand(piece)) => {
                    self.at += 1;
                    self.tally.taken.set(self.tally.taken.get() + 1);
                    return Poll::Ready(Ok(piece.clone()));
                }
                Some(Act::Wait(span)) => {
                    let (net, at) = (self.net.clone(), self.net.now().after(*span));
                    self.pause = Some(Box::pin(async move { net.sleep_until(at).await }));
                }
                Some(Act::Fail(why)) => return Poll::Ready(Err((*why).to_owned())),
                Some(Act::Stall) => return Poll::Pending,
                None => panic!("there is nothing after the end"),
            }
        }
    }

    fn rewind(&mut self) {
        self.at = 0;
        self.pause = None;
        self.tally.rewound.set(self.tally.rewound.get() + 1);
    }
}

impl World {
    /// A source of these acts, and what will have become of it.
    pub(crate) fn feed(&self, acts: &[Act]) -> (Box<Feed>, Tally) {
        let tally = Tally::default();
        let feed = Feed {
            net: self.net.clone(),
            acts: acts.to_vec(),
            at: 0,
            pause: None,
            tally: tally.clone(),
        };
        (Box::new(feed), tally)
    }

    /// Sends a body that comes from these acts, and waits for the head of the response.
    pub(crate) fn upload(
        &self,
        (method, url): (&str, &str),
        content: Content,
        acts: &[Act],
        options: RequestOptions,
    ) -> Result<Response<SimNet>, Error> {
        let source = self.feed(acts).0;
        let sending = self
            .manager
            .send(method, url, content, Some(source), options);
        self.net.run(sending)
    }
}

/// A response that is on its way.
pub(crate) type Coming<'a> = Boxed<'a, Result<Response<SimNet>, Error>>;

impl World {
    /// Starts a request whose body is pushed.
    pub(crate) fn pushing<'a>(
        &'a self,
        (method, url): (&'a str, &'a str),
        content: Content,
    ) -> (Pusher, Coming<'a>) {
        let (pusher, source) = pushed();
        let source = Some(Box::new(source) as Box<_>);
        let options = plain_options();
        let sending = self.manager.send(method, url, content, source, options);
        (pusher, Box::pin(sending))
    }

    /// Starts a GET.
    pub(crate) fn start<'a>(&'a self, url: &'a str) -> Coming<'a> {
        let options = plain_options();
        Box::pin(self.manager.request("GET", url, Content::Empty, options))
    }
}

pub(crate) const fn streamed(length: Option<u64>) -> Content {
    Content::Streamed(Streamed {
        length,
        can_rewind: false,
    })
}

pub(crate) const fn rewindable(length: Option<u64>) -> Content {
    Content::Streamed(Streamed {
        length,
        can_rewind: true,
    })
}

/// A form of a field, a streamed file and a streamed field, of these lengths.
pub(crate) fn form(first: Option<u64>, second: Option<u64>) -> Content {
    Content::Multipart(Multipart {
        parts: vec![
            Part::field("x", "1"),
            Part::file("f", "f.bin", PartData::Streamed(first)),
            Part {
                name: "g".into(),
                data: PartData::Streamed(second),
                ..Part::default()
            },
        ],
        boundary: Some("b".into()),
        can_rewind: true,
    })
}

/// What stands in that form before the first streamed part, between the two, and after the second.
pub(crate) const FORM: [&str; 3] = [
    "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\n\
     Content-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\
     Content-Type: application/octet-stream\r\n\r\n",
    "\r\n--b\r\nContent-Disposition: form-data; name=\"g\"\r\n\r\n",
    "\r\n--b--\r\n",
];

/// The head of a request for `/` of `a.test`, with these fields where they belong among ours.
pub(crate) fn head(method: &str, framing: &str, last: &str) -> String {
    format!(
        "{method} / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: identity\r\n{framing}\r\n\
         User-Agent: {USER_AGENT}\r\n{last}\r\n"
    )
}

pub(crate) const IN_CHUNKS: &str = "Transfer-Encoding: chunked";

/// A chunk.
pub(crate) fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

pub(crate) fn expecting() -> RequestOptions {
    writing(Writing {
        expects_continue: true,
        ..Writing::default()
    })
}

pub(crate) fn in_chunks() -> RequestOptions {
    writing(Writing {
        is_chunked: true,
        ..Writing::default()
    })
}

fn writing(writing: Writing) -> RequestOptions {
    RequestOptions {
        writing,
        ..RequestOptions::default()
    }
}

/// Pushes one piece.
pub(crate) async fn push(pusher: &Pusher, piece: Piece) -> Progress {
    let mut piece = Some(piece);
    poll_fn(|context| pusher.poll_push(context, &mut piece)).await
}

/// Pushes all of these, again from the first as often as it hears so, until the request is over; what it heard besides that they were accepted.
pub(crate) async fn push_all(pusher: &Pusher, pieces: &[Piece]) -> Vec<Progress> {
    let mut heard = Vec::new();
    let mut rest = pieces.iter();
    loop {
        let progress = match rest.next() {
            Some(piece) => push(pusher, piece.clone()).await,
            None => poll_fn(|context| pusher.poll_interruption(context)).await,
        };
        match progress {
            Progress::Accepted => continue,
            Progress::Rewind => rest = pieces.iter(),
            Progress::Answered => {}
        }
        heard.push(progress);
        if progress == Progress::Answered {
            return heard;
        }
    }
}

pub(crate) fn plain_options() -> RequestOptions {
    RequestOptions::default()
}

pub(crate) fn writes(world: &World, connection: usize) -> Vec<String> {
    let writes = world.net.writes(connection);
    writes.iter().map(|write| text(write)).collect()
}

pub(crate) fn piece(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

/// Sends a body that is pushed, and returns what its pusher heard too.
pub(crate) fn push_through(
    world: &World,
    (method, url): (&str, &str),
    content: Content,
    pieces: &[Piece],
    options: RequestOptions,
) -> (Result<Response<SimNet>, Error>, Vec<Progress>) {
    let (pusher, source) = pushed();
    let sending = world
        .manager
        .send(method, url, content, Some(Box::new(source)), options);
    world.net.run(both(sending, push_all(&pusher, pieces)))
}

/// What a whole body of these is on the wire.
pub(crate) fn whole(method: &str, data: &[&str]) -> String {
    let chunks = data.iter().map(|data| chunk(data)).collect::<String>();
    head(method, IN_CHUNKS, "") + &chunks + "0\r\n\r\n"
}
