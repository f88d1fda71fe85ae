//! What came: where a pool leads, and all of a response but its body.

use urlpool_core::types::{
    ConnectionInfo, Error, Headers, Host, Origin, ResponseHead, Scheme, Version,
};

use super::super::wit;
use super::tls::tls_version;

/// The head of a response.
///
/// # Errors
/// [`Error::Other`] where a field is not what [`Headers::parse`] accepts: the component itself lets no such field through.
pub(crate) fn response_head(head: wit::ResponseHead) -> Result<ResponseHead, Error> {
    Ok(ResponseHead {
        status: head.status,
        version: match head.version {
            wit::HttpVersion::Http10 => Version::Http10,
            wit::HttpVersion::Http11 => Version::Http11,
        },
        reason: head.reason,
        url: head.url,
        headers: headers(head.headers)?,
        connection: connection_info(head.connection),
    })
}

/// Fields that came.
///
/// # Errors
/// As for [`response_head`].
pub(crate) fn headers(fields: Vec<wit::Header>) -> Result<Headers, Error> {
    Headers::parse(fields).map_err(unexpected)
}

fn connection_info(connection: wit::ConnectionInfo) -> ConnectionInfo {
    ConnectionInfo {
        number: connection.number,
        reused: connection.reused,
        remote: connection.remote,
        tls: connection.tls.map(tls_version),
        is_verified: connection.is_verified,
        proxy_is_verified: connection.proxy_is_verified,
    }
}

/// Scheme, host and port of a pool.
///
/// # Errors
/// [`Error::Other`] where they are no origin: the component itself makes no such pool.
pub(crate) fn origin(origin: wit::Origin) -> Result<Origin, Error> {
    let scheme = Scheme::parse(&origin.scheme).map_err(unexpected)?;
    let host = Host::parse(&origin.host).map_err(unexpected)?;
    Ok(Origin::new(scheme, host, Some(origin.port)))
}

/// An answer that no caller's input explains.
fn unexpected(error: Error) -> Error {
    Error::Other(format!("the component answered what it must not: {error}"))
}
