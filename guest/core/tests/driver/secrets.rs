//! Passwords in URLs, wherever a URL can stand, and everything that the caller is told.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::task::{Context, Poll};

use urlpool_core::driver::{ResolveError, Sink};
use urlpool_core::sim::{Listener, Script};
use urlpool_core::types::{
    Content, Error, Headers, Limit, ManagerSettings, PoolContext, PoolSettings, RequestOptions,
    Timeouts,
};

use crate::common::{World, connect, deadline, ok, read};

/// The password, as it is and as it is sent.
const SECRETS: [&str; 2] = ["hunter2", "dXNlcjpodW50ZXIy"];
/// A comma may stand in userinfo (RFC 3986, section 3.2.1).
const REFERER: &str = "http://user:,hunter2@elsewhere.test/from";
const LOCATION: &str = "Location: http://user:hunter2@elsewhere.test/to";

/// All that was told.
#[derive(Default)]
struct Told {
    texts: Vec<(String, String)>,
    kinds: BTreeSet<&'static str>,
}

impl Told {
    fn note(&mut self, case: &str, value: &impl Debug) {
        self.texts
            .push((case.to_owned(), format!("{value:?} {value:#?}")));
    }

    fn error(&mut self, case: &str, error: &Error) {
        self.kinds.insert(error.kind());
        self.note(case, error);
        self.texts
            .push((case.to_owned(), format!("{error} {}", error.message())));
    }

    /// Whatever comes of a request with secrets in its URL and in its `Referer`, up to the end of its body.
    fn request(&mut self, case: &str, world: &World, method: &str, url: &str, own: Timeouts) {
        let options = RequestOptions {
            headers: Some(Headers::parse([("Referer", REFERER)]).unwrap()),
            timeouts: own,
            ..RequestOptions::default()
        };
        let request = world.manager.request(method, url, Content::Empty, options);
        match world.net.run(request) {
            Err(error) => self.error(case, &error),
            Ok(mut response) => {
                self.note(case, response.head());
                self.note(case, &response.head().headers);
                if let Err(error) = world.net.run(response.read_all(1000)) {
                    self.error(case, &error);
                }
            }
        }
        self.events(case, world);
    }

    fn events(&mut self, case: &str, world: &World) {
        self.note(case, &world.manager.take_events());
    }

    /// Whatever of all that has a secret in it.
    fn leaks(&self) -> Vec<&(String, String)> {
        let leaks = |told: &&(String, String)| SECRETS.iter().any(|secret| told.1.contains(secret));
        self.texts.iter().filter(leaks).collect()
    }
}

fn answering(head: &str, body: &str) -> Listener {
    let response = format!("{head}\r\n{LOCATION}\r\n{body}");
    Listener::Accept(vec![Script::new().request().send(response).close()])
}

/// Hosts and what becomes of a request to them.
fn misfortunes() -> Vec<(&'static str, Listener, Timeouts)> {
    let none = Timeouts::default;
    let silent = || Listener::Accept(vec![Script::new().request()]);
    vec![
        (
            "redirected",
            answering("HTTP/1.1 302 Found", "Content-Length: 0\r\n\r\n"),
            none(),
        ),
        (
            "interim",
            answering("HTTP/1.1 103 Early Hints", "\r\n"),
            none(),
        ),
        ("refused", Listener::Refuse, none()),
        ("denied", Listener::Deny, none()),
        ("never connected", Listener::BlackHole, connect(1)),
        ("never answered", silent(), read(1)),
        ("never in time", silent(), deadline(1)),
        (
            "closed",
            Listener::Accept(vec![Script::new().request().close()]),
            none(),
        ),
        (
            "no head",
            answering("HTTP/1.1 302 Found", "no colon\r\n\r\n"),
            none(),
        ),
        ("no status", answering("HTTP/1.1 3xx Found", "\r\n"), none()),
        (
            "no length",
            answering("HTTP/1.1 302 Found", "Content-Length: x\r\n\r\n"),
            none(),
        ),
        (
            "incomplete",
            answering("HTTP/1.1 302 Found", "Content-Length: 9\r\n\r\n"),
            none(),
        ),
        (
            "too large",
            answering("HTTP/1.1 302 Found", "Content-Length: 1001\r\n\r\n"),
            none(),
        ),
        (
            "no chunk",
            answering("HTTP/1.1 302 Found", "Transfer-Encoding: chunked\r\n\r\nx"),
            none(),
        ),
    ]
}

/// A full disk.
struct Full;

impl Sink for Full {
    fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<usize, String>> {
        Poll::Ready(Err("the disk is full".into()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

fn tell_of_requests(told: &mut Told) {
    const URL: &str = "http://user:hunter2@a.test/x";
    for (case, listener, timeouts) in misfortunes() {
        let world = World::new();
        world.listen("a.test", 80, listener);
        told.request(case, &world, "GET", URL, timeouts);
    }
    let world = World::new();
    world
        .net
        .unname("a.test", ResolveError::Failed("no such name".into()));
    told.request("no address", &world, "GET", URL, Timeouts::default());
    told.request("no method", &world, "G T", URL, Timeouts::default());
    let zero = Timeouts {
        read: Some(Limit::After(std::time::Duration::ZERO)),
        ..Timeouts::default()
    };
    told.request("no time", &world, "GET", URL, zero);
    let no_tls = Script::new()
        .anything()
        .send("HTTP/1.1 400 Bad Request\r\n\r\n");
    world.listen("a.test", 443, Listener::Accept(vec![no_tls]));
    let secure = URL.replace("http:", "https:");
    told.request("no TLS", &world, "GET", &secure, Timeouts::default());
}

/// A replay, a pool that makes room, and a body that finds none.
fn tell_of_a_managers_life(told: &mut Told) {
    let world = World::with(ManagerSettings {
        num_pools: Some(1),
        ..ManagerSettings::default()
    });
    let dies = Script::new().request().send(ok("one")).request().close();
    world.serve("a.test", vec![dies, Script::always(ok("two"))]);
    world.serve("b.test", vec![Script::always(ok("three"))]);
    for host in ["a", "a", "b"] {
        let url = format!("http://user:hunter2@{host}.test/");
        told.request("a life", &world, "GET", &url, Timeouts::default());
    }
    let mut response = world.open("http://user:hunter2@b.test/");
    let error = world.net.run(response.copy_to(&mut Full)).unwrap_err();
    told.error("a full disk", &error);
    told.events("a full disk", &world);
}

fn tell_of_what_is_refused(told: &mut Told) {
    let world = World::new();
    for url in [
        "http:user:hunter2@a.test",
        "http://user:hunter2@",
        "http://user:hunter2@a.test:x/",
        "http://user:hunter2@a.test:99999/p@q",
        "http://user:hunter2 @a.test/",
        "http://user:hunter2\n@a.test/",
        "http://user:hunter2@[::1/",
        "http://user:x@hunter2@a b/",
        "ftp://user:hunter2@a.test/",
        "//user:hunter2@a.test/",
        "user:hunter2@a.test",
    ] {
        told.error(url, &world.get(url).expect_err(url));
        let pool = world.manager.connection_from_url(url, None);
        told.error(url, &pool.err().expect(url));
    }
    for host in [
        "user:hunter2@a.test",
        "user:hunter2@[::1",
        "user:hunter2 @a.test",
    ] {
        let pool = world.manager.connection_from_host(host, None, None, None);
        told.error(host, &pool.err().expect(host));
        let pool = world.manager.connection_from_context(PoolContext {
            scheme: "http".into(),
            host: host.into(),
            port: None,
            settings: PoolSettings::default(),
        });
        told.error(host, &pool.err().expect(host));
    }
    let refused = Headers::parse([("Referer", "http://user:hunter2@a.test/\n")]);
    told.error("Referer", &refused.unwrap_err());
    told.events("refused", &world);
}

#[test]
fn a_password_in_a_url_is_in_no_error_and_no_event() {
    let mut told = Told::default();
    tell_of_requests(&mut told);
    tell_of_a_managers_life(&mut told);
    tell_of_what_is_refused(&mut told);
    assert_eq!(told.leaks(), Vec::<&(String, String)>::new());

    let kinds = [
        "body-too-large",
        "connect-timeout",
        "connection-failed",
        "deadline-exceeded",
        "denied",
        "incomplete-body",
        "invalid-chunk",
        "invalid-request",
        "invalid-settings",
        "invalid-url",
        "name-resolution",
        "other",
        "protocol",
        "read-timeout",
        "tls",
        "unsupported-scheme",
    ];
    assert_eq!(
        Vec::from_iter(told.kinds),
        kinds,
        "every kind of error was told"
    );
    let all: String = told.texts.iter().map(|(_, told)| told.as_str()).collect();
    for event in [
        "Resolved",
        "Connected",
        "CheckedOut",
        "Sent",
        "Received",
        "CheckedIn",
        "Closed",
        "Evicted",
        "Replayed",
    ] {
        assert!(all.contains(&format!("{event} {{")), "{event} was told");
    }
    for field in [
        "referer: http://[redacted]@elsewhere.test/from",
        "Location: http://[redacted]@",
    ] {
        assert!(
            all.to_lowercase().contains(&field.to_lowercase()),
            "{field} was told"
        );
    }
}
