//! What came: where a pool leads, and all of a response but its body.

use urlpool_core::types as core;

use super::tls::tls_version;
use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) fn origin(origin: &core::Origin) -> wit::Origin {
    wit::Origin {
        scheme: origin.scheme().as_str().to_owned(),
        host: origin.host().as_str().to_owned(),
        port: origin.port(),
    }
}

pub(crate) fn response_head(head: &core::ResponseHead) -> wit::ResponseHead {
    let core::ResponseHead {
        status,
        version,
        reason,
        url,
        headers,
        connection,
    } = head;
    let core::ConnectionInfo {
        number,
        reused,
        remote,
        tls,
        is_verified,
        proxy_is_verified,
    } = connection;
    wit::ResponseHead {
        status: *status,
        version: match version {
            core::Version::Http10 => wit::HttpVersion::Http10,
            core::Version::Http11 => wit::HttpVersion::Http11,
        },
        reason: reason.clone(),
        url: url.clone(),
        headers: super::headers(headers),
        connection: wit::ConnectionInfo {
            number: *number,
            reused: *reused,
            remote: remote.clone(),
            tls: tls.map(tls_version),
            is_verified: *is_verified,
            proxy_is_verified: *proxy_is_verified,
        },
    }
}
