//! The whole client against a peer that does as the input says. Every request ends, in time; no connection is lost or closed twice; and
//! what the caller gets does not depend on how the peer's bytes were cut.
//!
//! The input: first the settings, as in `p19GPd`. `p` is http, `s` https; then come the most bytes that a read and a write take, then the
//! requests: `G`, `H` and `P` for a method whose response is read to its end, `d` for a GET whose response is dropped, `r` for one whose
//! response is released once some of its body is there. Then one text for each thing that the peer does: `q`, `h`, `a` wait for a request,
//! its head, anything; `c`, `r`, `v` close, break and leave the connection; `g` goes back to the first; `n` begins what the next
//! connection does; `.3` lets three seconds pass; `*3x` sends `x` three times, and whatever else it is, it is sent.
#![no_main]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use urlpool_core::driver::{Manager, Response};
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Content, Error, Event, Headers, Limit, ManagerSettings, PoolSettings, RequestOptions, Timeouts,
};
use urlpool_fuzz::{size, texts};

const SECOND: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(30);
const MAX_REQUESTS: usize = 4;
/// More than any limit for what a peer may send in front of a body.
const MAX_SENT: usize = 128 * 1024;
const MAX_BODY: u64 = 64 * 1024;
const HOST: &str = "a.test";
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What a caller got: status, headers, and the body where it was read to its end.
type Outcome = Option<(u16, Headers, Option<Vec<u8>>)>;

/// What the peer does, connection by connection.
fn scripts(steps: &[&[u8]]) -> Vec<Script> {
    let mut left = MAX_SENT;
    steps
        .split(|step| *step == b"n")
        .map(|steps| script(steps, &mut left))
        .collect()
}

fn script(steps: &[&[u8]], left: &mut usize) -> Script {
    let (mut script, mut waits) = (Script::new(), false);
    for step in steps {
        waits |= matches!(step, [b'q' | b'h' | b'a']);
        script = match step {
            [b'q'] => script.request(),
            [b'h'] => script.head(),
            [b'a'] => script.anything(),
            [b'c'] => script.close(),
            [b'r'] => script.reset(),
            [b'v'] => script.vanish(),
            // One that waits for nothing would go round for ever.
            [b'g'] if waits => return script.again(),
            [b'.', seconds] => script.pause(SECOND * u32::from(seconds.wrapping_sub(b'0'))),
            [b'*', times, bytes @ ..] => send(script, size(*times), bytes, left),
            bytes => send(script, 1, bytes, left),
        };
    }
    script
}

fn send(script: Script, times: usize, bytes: &[u8], left: &mut usize) -> Script {
    let times = times.min(left.checked_div(bytes.len()).unwrap_or(0));
    *left -= times * bytes.len();
    (0..times).fold(script, |script, _| script.send(bytes))
}

struct World {
    net: SimNet,
    manager: Manager<SimNet>,
    url: String,
}

impl World {
    fn new(scheme: &str, scripts: &[Script]) -> Self {
        let net = SimNet::new();
        net.name(HOST, &[ADDRESS]);
        for port in [80, 443] {
            let listener = Listener::Accept(scripts.to_vec());
            net.listen(SocketAddr::new(ADDRESS, port), listener);
        }
        let settings = ManagerSettings {
            pool: PoolSettings {
                timeouts: Timeouts {
                    read: Some(Limit::After(SECOND * 10)),
                    deadline: Some(Limit::After(DEADLINE)),
                    ..Timeouts::default()
                },
                ..PoolSettings::default()
            },
            events: Some(1000),
            ..ManagerSettings::default()
        };
        let manager = Manager::new(net.clone(), settings).expect("the settings are right");
        let url = format!("{scheme}://{HOST}/");
        Self { net, manager, url }
    }

    fn request(&self, kind: u8) -> Outcome {
        let before = self.net.elapsed();
        let outcome = self.net.run(self.exchange(kind)).ok();
        let took = self.net.elapsed() - before;
        assert!(took <= DEADLINE, "a request took {took:?}");
        outcome
    }

    async fn exchange(&self, kind: u8) -> Result<(u16, Headers, Option<Vec<u8>>), Error> {
        let (method, content) = match kind {
            b'H' => ("HEAD", Content::Empty),
            b'P' => ("POST", Content::Bytes(b"abc".to_vec())),
            _ => ("GET", Content::Empty),
        };
        let options = RequestOptions::default();
        let mut response: Response<SimNet> = self
            .manager
            .urlopen(method, &self.url, content, options)
            .await?;
        let head = response.head().clone();
        assert!((200..=999).contains(&head.status));
        let body = match kind {
            b'd' => None,
            b'r' => {
                let piece = response.read(10).await?;
                assert!(piece.len() <= 10);
                response.release();
                None
            }
            _ => {
                let body = response.read_all(MAX_BODY).await;
                // What came before a failure is still there, and then the same failure.
                let mut rest = 0;
                let end = loop {
                    match response.read(1000).await {
                        Ok(piece) if piece.is_empty() => break None,
                        Ok(piece) => rest += piece.len() as u64,
                        Err(error) => break Some(error),
                    }
                };
                assert_eq!(end, body.as_ref().err().cloned());
                assert!(rest <= MAX_BODY && (body.is_err() || rest == 0));
                Some(body?)
            }
        };
        if let Some(body) = &body {
            assert!(body.len() as u64 <= MAX_BODY);
            assert!(method != "HEAD" || body.is_empty());
        }
        Ok((head.status, head.headers, body))
    }

    /// Ends it all: every connection was opened once and closed once.
    fn end(self) {
        self.manager.clear();
        assert_eq!(self.net.open_connections(), 0);
        let mut open = HashMap::new();
        for event in self.manager.take_events() {
            match event {
                Event::Connected { number, .. } => assert_eq!(open.insert(number, true), None),
                Event::Closed { number, .. } => assert_eq!(open.insert(number, false), Some(true)),
                _ => {}
            }
        }
        assert_eq!(open.len(), self.net.connections());
        assert!(!open.values().any(|is_open| *is_open));
    }
}

fuzz_target!(|input: &[u8]| {
    let texts: Vec<&[u8]> = texts(input).collect();
    let [[scheme, reads, writes, requests @ ..], steps @ ..] = texts.as_slice() else {
        return;
    };
    let scheme = if *scheme == b's' { "https" } else { "http" };
    let scripts = scripts(steps);
    let [uncut, cut] = [false, true].map(|is_cut| {
        let world = World::new(scheme, &scripts);
        // A peer that waits for anything acts by how the request was cut, so that is the same for both.
        world.net.limit_writes(size(*writes));
        if is_cut {
            world.net.limit_reads(size(*reads));
        }
        let requests = requests.iter().take(MAX_REQUESTS);
        let outcomes: Vec<Outcome> = requests.map(|kind| world.request(*kind)).collect();
        world.end();
        outcomes
    });
    assert_eq!(uncut, cut);
});
