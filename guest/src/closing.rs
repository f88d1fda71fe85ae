//! Closing a connection without waiting for its peer.
//!
//! Dropping an output stream makes wasmtime wait until a write that is under way has ended, which a peer that takes nothing can put off for
//! ever. No timeout of ours could end that wait, so such a stream is put aside instead and dropped once it no longer waits.

use std::cell::RefCell;
use std::net::SocketAddr;

use wasi::io::streams::OutputStream;
use wasi::sockets::tcp::{ShutdownType, TcpSocket};

use crate::reactor::Source;

/// How many connections to one address and port may be put aside; with that many of them no further one to it is opened, so that one peer
/// cannot use up what all share.
const MAX_ASIDE_FOR_ONE: usize = 8;
/// How many may be put aside in all.
const MAX_ASIDE: usize = 512;

thread_local! {
    static ASIDE: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

/// The sending half of a connection, and its socket. The fields are dropped in this order.
pub(crate) struct Open {
    pub(crate) writable: Option<Source>,
    pub(crate) output: OutputStream,
    socket: TcpSocket,
    remote: SocketAddr,
}

impl Open {
    /// Whether dropping it would wait.
    fn is_stuck(&self) -> bool {
        matches!(self.output.check_write(), Ok(0))
    }
}

/// The sending half of a connection that is closed without waiting. The receiving half must have been dropped before.
pub(crate) struct Sending(Option<Open>);

impl Sending {
    pub(crate) const fn new(socket: TcpSocket, output: OutputStream, remote: SocketAddr) -> Self {
        Self(Some(Open {
            writable: None,
            output,
            socket,
            remote,
        }))
    }

    /// The half itself; there until it is dropped.
    pub(crate) const fn open(&mut self) -> Option<&mut Open> {
        self.0.as_mut()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(mut open) = self.0.take() else {
            return;
        };
        open.writable = None;
        if open.is_stuck() {
            // Enough where the socket's buffer is full and no write is under way. It cannot fail for a connected socket, and if it did,
            // the stream would just stay stuck.
            let _ = open.socket.shutdown(ShutdownType::Both);
            if open.is_stuck() {
                ASIDE.with_borrow_mut(|aside| aside.push(open));
            }
        }
    }
}

/// Drops what no longer waits, and says whether another connection to an address may be opened.
pub(crate) fn sweep(remote: SocketAddr) -> bool {
    ASIDE.with_borrow_mut(|aside| {
        aside.retain(Open::is_stuck);
        let same = aside.iter().filter(|open| open.remote == remote).count();
        aside.len() < MAX_ASIDE && same < MAX_ASIDE_FOR_ONE
    })
}
