//! The loop itself: the same GET over one connection, again and again.

use std::net::SocketAddrV4;
use std::time::Instant;

use crate::{Channel, Error};

/// Sent and not timed: the first requests on a connection, which meet cold caches.
const WARM_UP: u32 = 20;

/// How connections are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Connections {
    /// One for all requests.
    Kept,
    /// One for each, which knows nothing of those before.
    Full,
    /// One for each, which resumes the one before.
    Resumed,
}

/// What to do, as the arguments `ADDRESS PATH [full|resumed] [COUNT]` say it.
pub struct Task {
    /// How connections are made.
    pub connections: Connections,
    /// Where the server listens.
    pub address: SocketAddrV4,
    request: Vec<u8>,
    count: u32,
}

impl Task {
    /// Reads the arguments.
    ///
    /// # Errors
    /// Where one is missing or does not parse.
    pub fn from_arguments() -> Result<Self, Error> {
        let mut arguments = std::env::args().skip(1);
        let mut next = || {
            arguments
                .next()
                .ok_or("usage: ADDRESS PATH [full|resumed] [COUNT]")
        };
        let (address, path) = (next()?, next()?);
        let mut last = next().ok();
        let connections = match last.as_deref() {
            Some("full") => Connections::Full,
            Some("resumed") => Connections::Resumed,
            _ => Connections::Kept,
        };
        let closing = if connections == Connections::Kept {
            ""
        } else {
            last = next().ok();
            "Connection: close\r\n"
        };
        let count = last.map_or(Ok(1), |count| count.parse())?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: identity\r\nUser-Agent: urlpool-bench\r\n{closing}\r\n"
        );
        Ok(Self {
            connections,
            address: address.parse()?,
            request: request.into_bytes(),
            count,
        })
    }
}

/// Sends the request as often as told and prints, on standard error, how many nanoseconds that took.
///
/// # Errors
/// Where the connection broke or the answer is not a 200 with a length.
pub fn run(channel: &mut impl Channel, task: &Task) -> Result<(), Error> {
    let mut head = Vec::with_capacity(1024);
    if task.count > 1 {
        for _ in 0..WARM_UP {
            exchange(channel, &task.request, &mut head)?;
        }
    }
    let started = Instant::now();
    for _ in 0..task.count {
        exchange(channel, &task.request, &mut head)?;
    }
    eprintln!("{}", started.elapsed().as_nanos());
    Ok(())
}

/// The same with a connection for each request, which `open` makes.
///
/// # Errors
/// Where one could not be made, or as for [`run`].
pub fn run_anew<C: Channel>(
    mut open: impl FnMut() -> Result<C, Error>,
    task: &Task,
) -> Result<(), Error> {
    let mut head = Vec::with_capacity(1024);
    let mut once = || exchange(&mut open()?, &task.request, &mut head);
    once()?;
    let started = Instant::now();
    for _ in 0..task.count {
        once()?;
    }
    eprintln!("{}", started.elapsed().as_nanos());
    Ok(())
}

fn exchange(channel: &mut impl Channel, request: &[u8], head: &mut Vec<u8>) -> Result<(), Error> {
    channel.send(request)?;
    head.clear();
    let mut missing = loop {
        channel.receive(&mut |bytes| head.extend_from_slice(bytes))?;
        if let Some(missing) = missing(head)? {
            break missing;
        }
    };
    while missing > 0 {
        let mut arrived = 0;
        channel.receive(&mut |bytes| arrived += bytes.len())?;
        missing = missing
            .checked_sub(arrived)
            .ok_or("more bytes than announced")?;
    }
    Ok(())
}

/// How much of the body is not here yet; `None` where not even the head is whole.
fn missing(received: &[u8]) -> Result<Option<usize>, Error> {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, body) = received.split_at(end + 4);
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(head.into());
    }
    let (_, length) = head
        .split_once("\r\nContent-Length: ")
        .ok_or("the response has no length")?;
    let (length, _) = length.split_once("\r\n").ok_or("the head has no end")?;
    let missing = length.parse::<usize>()?.checked_sub(body.len());
    Ok(Some(missing.ok_or("more bytes than announced")?))
}
