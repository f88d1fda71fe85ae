//! The one kind of stream that a connection has, whatever its layers.

use std::task::{Context, Poll};

use super::Tls;
use crate::driver::{ByteStream, IoError, Net};

/// A connection's bytes. TLS may run over TLS: inside a tunnel through a proxy that is spoken to over TLS itself.
pub(in crate::driver) enum Transport<N: Net> {
    Tcp(N::Tcp),
    Tls(Box<Tls<Self>>),
}

impl<N: Net> Transport<N> {
    /// Whether nothing has arrived and the peer has not gone: what an idle connection must be.
    pub(in crate::driver) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.try_read(1, &mut Vec::new()).is_none(),
            Self::Tls(tls) => tls.is_quiet() && tls.inner().is_between_records(),
        }
    }

    /// Whether no layer holds the beginning of a record whose rest is yet to come.
    fn is_between_records(&self) -> bool {
        match self {
            Self::Tcp(_) => true,
            Self::Tls(tls) => tls.is_between_records() && tls.inner().is_between_records(),
        }
    }
}

impl<N: Net> ByteStream for Transport<N> {
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        max: usize,
        into: &mut Vec<u8>,
    ) -> Poll<Result<usize, IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_read(context, max, into),
            Self::Tls(tls) => tls.poll_read(context, max, into),
        }
    }

    fn try_read(&mut self, max: usize, into: &mut Vec<u8>) -> Option<Result<usize, IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.try_read(max, into),
            Self::Tls(tls) => tls.try_read(max, into),
        }
    }

    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_write(context, bytes),
            Self::Tls(tls) => tls.poll_write(context, bytes),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_flush(context),
            Self::Tls(tls) => tls.poll_flush(context),
        }
    }

    fn give_up_writing(&mut self) {
        match self {
            Self::Tcp(tcp) => tcp.give_up_writing(),
            Self::Tls(tls) => tls.give_up_writing(),
        }
    }
}
