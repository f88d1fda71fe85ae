//! What a connection's bytes travel through: TCP, or TLS over it.

mod tls;

use std::task::{Context, Poll};

pub(super) use tls::{Config, Tls, WallClock, check_roots, client_config};

use super::{ByteStream, IoError, Net};
use crate::types::TlsVersion;

/// A connection's bytes.
pub(super) enum Transport<N: Net> {
    Tcp(N::Tcp),
    Tls(Box<Tls<N::Tcp>>),
}

impl<N: Net> Transport<N> {
    /// Whether nothing has arrived and the peer has not gone: what an idle connection must be.
    pub(super) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.try_read(1, &mut Vec::new()).is_none(),
            Self::Tls(tls) => tls.is_quiet(),
        }
    }

    /// The version of TLS, where there is TLS.
    pub(super) fn tls_version(&self) -> Option<TlsVersion> {
        match self {
            Self::Tcp(_) => None,
            Self::Tls(tls) => Some(tls.version()),
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
}
