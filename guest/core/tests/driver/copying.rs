//! Bodies that are copied to somewhere else, at the pace of that somewhere.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use urlpool_core::driver::{Net as _, Sink};
use urlpool_core::sim::{Script, SimNet};
use urlpool_core::types::Instant;

use crate::common::{SECOND, World, chunked, deadline, ok, read};

const URL: &str = "http://a.test/";

/// Takes a few bytes at a time, with pauses, and may fail.
struct Slow {
    net: SimNet,
    taken: Rc<RefCell<Vec<u8>>>,
    most: usize,
    pause: Duration,
    until: Option<Instant>,
    fails_after: usize,
    is_flushed: bool,
}

impl Slow {
    fn new(world: &World, most: usize, pause: Duration) -> Self {
        Self {
            net: world.net.clone(),
            taken: Rc::default(),
            most,
            pause,
            until: None,
            fails_after: usize::MAX,
            is_flushed: false,
        }
    }

    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let at = self
            .until
            .unwrap_or_else(|| self.net.now().after(self.pause));
        self.until = Some(at);
        ready!(std::pin::pin!(self.net.sleep_until(at)).poll(context));
        self.until = None;
        Poll::Ready(())
    }
}

impl Sink for Slow {
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, String>> {
        ready!(self.poll_pause(context));
        if self.taken.borrow().len() >= self.fails_after {
            return Poll::Ready(Err("the disk is full".into()));
        }
        let count = bytes.len().min(self.most);
        self.taken.borrow_mut().extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), String>> {
        ready!(self.poll_pause(context));
        self.is_flushed = true;
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_copy_has_every_byte_and_its_count_and_is_flushed() {
    for (case, response, body) in [
        ("length", ok("hello"), "hello"),
        ("chunked", chunked(&["he", "llo"]), "hello"),
        ("empty", ok(""), ""),
    ] {
        let world = World::serving(vec![Script::always(response)]);
        for most in [1, 2, 100] {
            let mut sink = Slow::new(&world, most, Duration::ZERO);
            let mut response = world.open(URL);
            let copied = world.net.run(response.copy_to(&mut sink));
            assert_eq!(copied, Ok(body.len() as u64), "{case}");
            assert_eq!(*sink.taken.borrow(), body.as_bytes(), "{case}");
            assert!(sink.is_flushed, "{case}");
        }
        assert_eq!(world.net.connections(), 1, "{case}");
    }
}

#[test]
fn a_copy_begins_where_reading_stopped() {
    let world = World::serving(vec![Script::always(ok("hello world"))]);
    let mut response = world.open(URL);
    assert_eq!(world.read(&mut response, 6).unwrap(), b"hello ");
    let mut sink = Slow::new(&world, 100, Duration::ZERO);
    assert_eq!(world.net.run(response.copy_to(&mut sink)), Ok(5));
    assert_eq!(*sink.taken.borrow(), b"world");
}

#[test]
fn a_slow_sink_is_bounded_by_the_deadline_alone() {
    let serving = |timeouts| {
        let world = World::timed(timeouts);
        world.serve("a.test", vec![Script::always(ok("hello"))]);
        world
    };
    let world = serving(read(1));
    let mut response = world.open(URL);
    let mut sink = Slow::new(&world, 1, SECOND * 9);
    let (copied, took) = world.timed_by(|| world.net.run(response.copy_to(&mut sink)));
    assert_eq!(
        (copied, took),
        (Ok(5), SECOND * 54),
        "five writes and a flush"
    );

    let world = serving(deadline(20));
    let mut sink = Slow::new(&world, 1, SECOND * 9);
    let outcome = {
        let mut response = world.open(URL);
        world.net.run(response.copy_to(&mut sink))
    };
    assert_eq!(outcome.unwrap_err().kind(), "deadline-exceeded");
    assert_eq!(world.net.elapsed(), SECOND * 20);
    assert_eq!(*sink.taken.borrow(), b"he");
}

#[test]
fn a_sink_that_fails_ends_the_copy_and_closes_the_connection() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    let world = World::serving(vec![Script::new().request().send(head)]);
    let mut response = world.open(URL);
    let mut sink = Slow::new(&world, 2, Duration::ZERO);
    sink.fails_after = 4;
    let error = world.net.run(response.copy_to(&mut sink)).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        ("other", "the body could not be copied: the disk is full")
    );
    assert_eq!(*sink.taken.borrow(), b"hell");
    assert_eq!(world.net.open_connections(), 0);
}

#[test]
fn a_body_that_breaks_is_copied_as_far_as_it_came() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    let world = World::serving(vec![Script::new().request().send(head).close()]);
    let mut response = world.open(URL);
    let mut sink = Slow::new(&world, 100, Duration::ZERO);
    let error = world.net.run(response.copy_to(&mut sink)).unwrap_err();
    assert_eq!(error.kind(), "incomplete-body");
    assert_eq!(*sink.taken.borrow(), b"hello");
    assert!(!sink.is_flushed);
    assert_eq!(world.net.open_connections(), 0);
}
