//! What the arguments of the `wasi:http` consumers ask for, and what they print: the same for both generations of WASI.
//!
//! `URL` comes first, then any of these, in any order: `method=PUT`, `count=100` requests in all and `parallel=8` at a time, `body=65536`
//! bytes to send, `length=announced` where `Content-Length` is to say so, `header=Name: value` and `trailer=Name: value`, `keep=10` bytes of
//! each response before it is dropped, `buffer=4096` bytes of it read at a time, `pause=URL` to ask for between one request and the next,
//! `given-up=URL` to ask for three times and to be given up once a first request has been answered, `after=failure` to go on, `connect=1000`, `first=1000` and `between=1000` milliseconds of the three timeouts, `print=total`
//! for nothing but the last line.

use std::cell::Cell;
use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::io::Write as _;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

/// A name and its value.
pub type Field = (String, Vec<u8>);

/// How much of a body is sent at once.
pub const PIECE: usize = 64 * 1024;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where to.
    pub url: String,
    /// The method, `GET` by default.
    pub method: String,
    /// How many requests, 1 by default.
    pub count: u32,
    /// How many of them at a time, 1 by default.
    pub parallel: u32,
    /// Bytes of the request's body; `None` is no body.
    pub body: Option<u64>,
    /// Whether the body's length is announced.
    pub is_announced: bool,
    /// The request's header fields.
    pub headers: Vec<Field>,
    /// The request's trailer fields.
    pub trailers: Vec<Field>,
    /// Whether the body ends in an error of its own (0.3 only).
    pub gives_up: bool,
    /// Bytes of the response after which it is dropped; `None` is never.
    pub keep: Option<u64>,
    /// How many bytes of the response are read at a time.
    pub buffer: usize,
    /// The timeout of connecting.
    pub connect: Option<Duration>,
    /// The timeout of the first byte.
    pub first: Option<Duration>,
    /// The timeout between bytes.
    pub between: Option<Duration>,
    /// What else is asked for between one request and the next.
    pub pause: Option<String>,
    /// What is asked for and given up while it is waited for.
    pub given_up: Option<String>,
    /// Whether what failed is printed and the next is sent.
    pub goes_on: bool,
    /// Whether only the total is printed.
    pub is_quiet: bool,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields, in order.
    pub headers: Vec<Field>,
    /// How many bytes of the body were read.
    pub bytes: u64,
    /// The sum of their values, which tells bodies of the same length apart.
    pub sum: u64,
    /// The trailer fields, in order.
    pub trailers: Vec<Field>,
}

impl Asked {
    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    /// Says which argument is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let mut asked = Self {
            url: arguments.next().ok_or("usage: URL [name=value]...")?,
            method: "GET".into(),
            count: 1,
            parallel: 1,
            body: None,
            is_announced: false,
            headers: Vec::new(),
            trailers: Vec::new(),
            gives_up: false,
            keep: None,
            buffer: PIECE,
            connect: None,
            first: None,
            between: None,
            pause: None,
            given_up: None,
            goes_on: false,
            is_quiet: false,
        };
        for argument in arguments {
            let understood = argument
                .split_once('=')
                .and_then(|(name, value)| asked.take(name, value));
            understood.ok_or_else(|| format!("not understood: {argument}"))?;
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        let span = || Some(Duration::from_millis(value.parse().ok()?));
        match (name, value) {
            ("method", _) => self.method = value.into(),
            ("count", _) => self.count = value.parse().ok()?,
            ("parallel", _) => self.parallel = value.parse().ok()?,
            ("body", "given-up") => self.gives_up = true,
            ("body", _) => self.body = Some(value.parse().ok()?),
            ("length", "announced") => self.is_announced = true,
            ("header", _) => self.headers.push(field(value)?),
            ("trailer", _) => self.trailers.push(field(value)?),
            ("keep", _) => self.keep = Some(value.parse().ok()?),
            ("buffer", _) => self.buffer = value.parse().ok()?,
            ("connect", _) => self.connect = Some(span()?),
            ("first", _) => self.first = Some(span()?),
            ("between", _) => self.between = Some(span()?),
            ("pause", _) => self.pause = Some(value.into()),
            ("given-up", _) => self.given_up = Some(value.into()),
            ("after", "failure") => self.goes_on = true,
            ("print", "total") => self.is_quiet = true,
            _ => return None,
        }
        Some(())
    }

    /// How many bytes of a response are to be read.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.keep.unwrap_or(u64::MAX)
    }

    /// Takes note of some of a body. What is not printed is not summed up, as that takes longer than reading it.
    pub fn note(&self, answer: &mut Answer, bytes: &[u8]) {
        if self.is_quiet {
            answer.bytes += bytes.len() as u64;
        } else {
            answer.read(bytes);
        }
    }

    /// Sends all requests, as many at a time as are asked for, and prints what comes of them.
    ///
    /// # Errors
    /// The first failure, in words; nothing is sent after it unless that is asked for.
    pub async fn send_all(
        &self,
        send: impl AsyncFn(&Self) -> Result<Answer, String>,
    ) -> Result<(), String> {
        let started = Instant::now();
        if let Some(url) = &self.given_up {
            self.give_up(&self.elsewhere(url), &send).await?;
        }
        let left = Cell::new(self.count);
        let bytes = Cell::new(0);
        let worker = async || -> Result<(), String> {
            while let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                match send(self).await {
                    Ok(answer) => {
                        bytes.set(bytes.get() + answer.bytes);
                        if !self.is_quiet {
                            say(&answer.shown())?;
                        }
                    }
                    Err(why) if self.goes_on => say(&format!("failed {why}\n"))?,
                    Err(why) => {
                        left.set(0);
                        return Err(why);
                    }
                }
                if let Some(url) = self.pause.as_ref().filter(|_| left.get() > 0) {
                    send(&self.elsewhere(url)).await?;
                }
            }
            Ok(())
        };
        all((0..self.parallel).map(|_| worker())).await?;
        say(&format!(
            "total {} {} bytes {} ns\n",
            self.count,
            bytes.get(),
            started.elapsed().as_nanos()
        ))
    }

    /// Sends one request, and three others that are given up once that is answered.
    async fn give_up(
        &self,
        others: &Self,
        send: &impl AsyncFn(&Self) -> Result<Answer, String>,
    ) -> Result<(), String> {
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(send(others))).collect();
        let mut answered = pin!(send(self));
        poll_fn(|context| {
            for other in &mut waiting {
                if let Poll::Ready(outcome) = other.as_mut().poll(context) {
                    return Poll::Ready(Err(format!("it did not wait: {outcome:?}")));
                }
            }
            answered.as_mut().poll(context).map_ok(|_| ())
        })
        .await
    }

    /// A plain request for this URL.
    fn elsewhere(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            method: "GET".into(),
            body: None,
            trailers: Vec::new(),
            ..self.clone()
        }
    }
}

impl Answer {
    /// Takes note of some of the body.
    pub fn read(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sum += bytes.iter().copied().map(u64::from).sum::<u64>();
    }

    fn shown(&self) -> String {
        let mut text = format!("status {}\n", self.status);
        for (kind, fields) in [("header", &self.headers), ("trailer", &self.trailers)] {
            for (name, value) in fields {
                let value = String::from_utf8_lossy(value);
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{kind} {name}: {value}");
            }
        }
        let _ = writeln!(text, "body {} sum {}", self.bytes, self.sum);
        text
    }
}

/// The body of a request from a byte on: the values count from 0 to 250 and start again.
pub fn piece(from: u64, whole: u64) -> Vec<u8> {
    let end = whole.min(from + PIECE as u64);
    (from..end).map(|place| (place % 251) as u8).collect()
}

fn field(text: &str) -> Option<Field> {
    let (name, value) = text.split_once(':')?;
    Some((name.into(), value.trim_start().into()))
}

fn say(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|cause| format!("standard output: {cause}"))
}

/// Waits for all of them, and no longer than for the first failure.
async fn all<F>(futures: impl Iterator<Item = F>) -> Result<(), String>
where
    F: Future<Output = Result<(), String>>,
{
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    poll_fn(|context| {
        let mut failed = None;
        running.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(outcome) => {
                if let Err(why) = outcome {
                    failed.get_or_insert(why);
                }
                false
            }
        });
        match failed {
            Some(why) => Poll::Ready(Err(why)),
            None if running.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}
