//! The queue between a caller and its request, from both ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One end of the queue and how often it was woken.
#[derive(Default)]
struct Listener(Arc<Bell>);

impl Listener {
    fn push(&self, pusher: &Pusher, piece: Piece) -> Poll<Progress> {
        let waker = Waker::from(Arc::clone(&self.0));
        pusher.poll_push(&mut Context::from_waker(&waker), &mut Some(piece))
    }

    fn listen(&self, pusher: &Pusher) -> Poll<Progress> {
        let waker = Waker::from(Arc::clone(&self.0));
        pusher.poll_interruption(&mut Context::from_waker(&waker))
    }

    fn take(&self, pushed: &mut Pushed) -> Poll<Result<Piece, String>> {
        let waker = Waker::from(Arc::clone(&self.0));
        pushed.poll_piece(&mut Context::from_waker(&waker))
    }

    fn woken(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }
}

fn bytes(size: usize) -> Piece {
    Piece::Bytes(vec![b'x'; size])
}

const ACCEPTED: Poll<Progress> = Poll::Ready(Progress::Accepted);
const REWIND: Poll<Progress> = Poll::Ready(Progress::Rewind);
const ANSWERED: Poll<Progress> = Poll::Ready(Progress::Answered);

#[test]
fn pieces_come_out_as_they_went_in() {
    let (pusher, mut pushed) = pushed();
    let (caller, request) = (Listener::default(), Listener::default());
    assert!(request.take(&mut pushed).is_pending());
    let pieces = [
        bytes(3),
        Piece::PartEnd,
        bytes(0),
        bytes(100_000),
        Piece::End,
    ];
    for piece in &pieces {
        let mut offered = Some(piece.clone());
        let waker = Waker::from(Arc::clone(&caller.0));
        let mut context = Context::from_waker(&waker);
        if pusher.poll_push(&mut context, &mut offered).is_pending() {
            assert_eq!(offered.as_ref(), Some(piece), "it is still the caller's");
            assert_eq!(request.take(&mut pushed), Poll::Ready(Ok(bytes(3))));
            assert_eq!(caller.woken(), 1, "{piece:?}");
            assert_eq!(pusher.poll_push(&mut context, &mut offered), ACCEPTED);
        }
        assert_eq!(offered, None);
    }
    assert_eq!(request.woken(), 1, "once, for it waited once");
    for piece in &pieces[1..] {
        assert_eq!(request.take(&mut pushed), Poll::Ready(Ok(piece.clone())));
    }
    assert!(request.take(&mut pushed).is_pending());
}

#[test]
fn a_caller_waits_while_the_queue_is_full() {
    const KIB: usize = 1024;
    for (case, waiting, next, is_full) in [
        ("an empty queue takes anything", vec![], 1 << 20, false),
        (
            "64 KiB together",
            vec![bytes(63 * KIB), bytes(512)],
            512,
            false,
        ),
        ("a byte more", vec![bytes(63 * KIB), bytes(512)], 513, true),
        ("after a large one", vec![bytes(1 << 20)], 1, true),
        ("nothing has no size", vec![bytes(64 * KIB)], 0, false),
        (
            "but counts",
            vec![Piece::Bytes(Vec::new()); MAX_PIECES],
            0,
            true,
        ),
        ("as ends do", vec![Piece::PartEnd; MAX_PIECES], 1, true),
        (
            "as many as allowed",
            vec![bytes(1); MAX_PIECES - 1],
            1,
            false,
        ),
    ] {
        let (pusher, mut pushed) = pushed();
        let (caller, request) = (Listener::default(), Listener::default());
        for piece in &waiting {
            assert_eq!(caller.push(&pusher, piece.clone()), ACCEPTED, "{case}");
        }
        assert_eq!(
            caller.push(&pusher, bytes(next)).is_pending(),
            is_full,
            "{case}"
        );
        if is_full {
            assert!(request.take(&mut pushed).is_ready(), "{case}");
            assert_eq!(caller.woken(), 1, "{case}");
        }
    }
}

#[test]
fn who_asks_for_no_piece_waits_for_none() {
    type Stop = fn(&mut Pushed);
    let stops: [(&str, Stop); 2] = [("rest", Pushed::rest), ("rewind", Pushed::rewind)];
    for (case, stop) in stops {
        let (pusher, mut pushed) = pushed();
        let request = Listener::default();
        assert!(!pusher.is_waited_for(), "{case}");
        assert!(request.take(&mut pushed).is_pending(), "{case}");
        assert!(pusher.is_waited_for(), "{case}");
        stop(&mut pushed);
        assert!(!pusher.is_waited_for(), "{case}");
        assert!(request.take(&mut pushed).is_pending(), "{case}");
        assert!(pusher.is_waited_for(), "{case}: again");
    }
}

#[test]
fn a_rewind_is_heard_once_and_empties_the_queue() {
    let (pusher, mut pushed) = pushed();
    let (caller, request) = (Listener::default(), Listener::default());
    assert_eq!(caller.push(&pusher, bytes(64 * 1024)), ACCEPTED);
    assert!(caller.push(&pusher, bytes(1)).is_pending());
    pushed.rewind();
    pushed.rewind();
    assert_eq!(caller.woken(), 1);
    assert!(pusher.must_rewind());
    assert!(request.take(&mut pushed).is_pending(), "nothing is left");
    assert_eq!(caller.push(&pusher, bytes(1)), REWIND);
    assert!(!pusher.must_rewind());
    assert!(request.take(&mut pushed).is_pending(), "nor was it taken");
    assert!(caller.listen(&pusher).is_pending());
    assert_eq!(
        caller.push(&pusher, bytes(64 * 1024)),
        ACCEPTED,
        "room again"
    );
    assert_eq!(request.woken(), 1);
    assert_eq!(request.take(&mut pushed), Poll::Ready(Ok(bytes(64 * 1024))));
    let waker = Waker::from(Arc::clone(&caller.0));
    let mut context = Context::from_waker(&waker);
    assert_eq!(caller.woken(), 2, "there is room");
    assert!(pusher.poll_rewind(&mut context).is_pending());
    pushed.rewind();
    assert_eq!(caller.woken(), 3);
    assert!(pusher.poll_rewind(&mut context).is_ready());
    assert!(
        pusher.poll_rewind(&mut context).is_ready(),
        "it is still to be heard"
    );
    assert_eq!(caller.listen(&pusher), REWIND, "without a push too");
}

#[test]
fn the_end_of_the_request_is_heard_for_good() {
    let (pusher, mut pushed) = pushed();
    let caller = Listener::default();
    assert!(caller.listen(&pusher).is_pending());
    pushed.rewind();
    drop(pushed);
    assert_eq!(caller.woken(), 1);
    for _ in 0..3 {
        assert_eq!(caller.push(&pusher, bytes(1)), ANSWERED);
        assert_eq!(caller.listen(&pusher), ANSWERED);
        assert!(!pusher.must_rewind(), "that is over too");
    }
}

#[test]
fn a_body_that_is_given_up_is_not_waited_for() {
    let (pusher, mut pushed) = pushed();
    let (caller, request) = (Listener::default(), Listener::default());
    assert!(request.take(&mut pushed).is_pending());
    drop(pusher);
    assert_eq!(request.woken(), 1);
    assert_eq!(request.take(&mut pushed), Poll::Ready(Err(GIVEN_UP.into())));

    let (pusher, mut pushed) = super::pushed();
    assert_eq!(caller.push(&pusher, bytes(1)), ACCEPTED);
    assert_eq!(caller.push(&pusher, Piece::End), ACCEPTED);
    drop(pusher);
    assert_eq!(request.take(&mut pushed), Poll::Ready(Ok(bytes(1))));
    assert_eq!(
        request.take(&mut pushed),
        Poll::Ready(Ok(Piece::End)),
        "what was pushed counts"
    );
    pushed.rewind();
    assert!(
        matches!(request.take(&mut pushed), Poll::Ready(Err(_))),
        "nobody can push it again"
    );
}

#[test]
fn whoever_is_woken_may_look_at_the_queue_at_once() {
    thread_local! {
        static PUSHER: RefCell<Option<Pusher>> = const { RefCell::new(None) };
        static SEEN: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
    }
    struct Curious;
    impl Wake for Curious {
        fn wake(self: Arc<Self>) {
            let seen = PUSHER.with_borrow(|pusher| pusher.as_ref().map(Pusher::must_rewind));
            SEEN.with_borrow_mut(|all| all.extend(seen));
        }
    }
    let waker = Waker::from(Arc::new(Curious));
    let mut context = Context::from_waker(&waker);
    let (pusher, mut pushed) = pushed();
    PUSHER.set(Some(pusher));
    assert!(pushed.poll_piece(&mut context).is_pending());
    PUSHER.with_borrow(|pusher| {
        let pusher = pusher.as_ref().unwrap();
        assert_eq!(
            pusher.poll_push(&mut context, &mut Some(bytes(1))),
            ACCEPTED
        );
        assert!(pusher.poll_interruption(&mut context).is_pending());
    });
    assert!(pushed.poll_piece(&mut context).is_ready());
    PUSHER.with_borrow(|pusher| {
        assert!(
            pusher
                .as_ref()
                .unwrap()
                .poll_interruption(&mut context)
                .is_pending()
        );
    });
    pushed.rewind();
    drop(pushed);
    // A push, a piece that is taken, and a rewind; nobody waits for the end.
    assert_eq!(SEEN.take(), [false, false, true]);
}
