//! The one kind of stream that a connection has, whatever its layers.

use std::task::{Context, Poll};

use super::Tls;
use crate::driver::{ByteStream, IoError, Net};
use crate::types::TlsVersion;

/// A connection's bytes.
pub(in crate::driver) enum Transport<N: Net> {
    Tcp(N::Tcp),
    Tls(Box<Tls<N::Tcp>>),
}

impl<N: Net> Transport<N> {
    /// Whether nothing has arrived and the peer has not gone: what an idle connection must be.
    pub(in crate::driver) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.try_read(1, &mut Vec::new()).is_none(),
            Self::Tls(tls) => tls.is_quiet(),
        }
    }

    /// The version of TLS, where there is TLS.
    pub(in crate::driver) fn tls_version(&self) -> Option<TlsVersion> {
        match self {
            Self::Tcp(_) => None,
            Self::Tls(tls) => Some(tls.version()),
        }
    }

    /// As [`ByteStream::poll_read`].
    pub(in crate::driver) fn poll_read(
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

    /// As [`ByteStream::poll_write`].
    pub(in crate::driver) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_write(context, bytes),
            Self::Tls(tls) => tls.poll_write(context, bytes),
        }
    }

    /// As [`ByteStream::poll_flush`].
    pub(in crate::driver) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), IoError>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_flush(context),
            Self::Tls(tls) => tls.poll_flush(context),
        }
    }
}
