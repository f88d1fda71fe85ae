//! Core values made of the component's, and the component's of core values. Nothing else names both.
//!
//! Two crates compile this file: the host, whose `wit` wasmtime's generator writes, and the command component, whose `wit` is
//! wit-bindgen's. Both give the records and variants of `urlpool:client/types` the same names and shapes, and no more is used here.

use std::time::Duration;

use urlpool_core::types::{
    ConnectionInfo, Error, Event, Failure, Header, Headers, Host, Limit, ManagerSettings, Origin,
    Phase, PoolContext, PoolSettings, RequestOptions, ResponseHead, Scheme, Timeouts, TlsReason,
    TlsSettings, TlsVersion, Version,
};

use super::wit;

/// Nanoseconds; what is longer than they can count (584 years) is as long as they can.
fn duration(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn limit(limit: Limit) -> wit::Limit {
    match limit {
        Limit::Unlimited => wit::Limit::Unlimited,
        Limit::After(span) => wit::Limit::After(duration(span)),
    }
}

fn timeouts(timeouts: Timeouts) -> wit::Timeouts {
    wit::Timeouts {
        connect: timeouts.connect.map(limit),
        read: timeouts.read.map(limit),
        total: timeouts.total.map(limit),
        deadline: timeouts.deadline.map(limit),
    }
}

fn header_list(headers: Headers) -> Vec<(String, Vec<u8>)> {
    headers.into_iter().map(Header::into_parts).collect()
}

/// The component's settings for a pool.
pub(crate) fn pool_settings(settings: PoolSettings) -> wit::PoolSettings {
    let TlsSettings { roots } = settings.tls;
    wit::PoolSettings {
        maxsize: settings.maxsize,
        idle_timeout: settings.idle_timeout.map(limit),
        timeouts: Some(timeouts(settings.timeouts)),
        tls: Some(wit::TlsSettings { roots }),
    }
}

/// The component's settings for a manager.
pub(crate) fn manager_settings(settings: ManagerSettings) -> wit::ManagerSettings {
    wit::ManagerSettings {
        num_pools: settings.num_pools,
        headers: settings.headers.map(header_list),
        pool: Some(pool_settings(settings.pool)),
        events: settings.events,
    }
}

/// The component's description of a pool.
pub(crate) fn pool_context(context: PoolContext) -> wit::PoolContext {
    wit::PoolContext {
        scheme: context.scheme,
        host: context.host,
        port: context.port,
        settings: Some(pool_settings(context.settings)),
    }
}

/// The component's options for a request.
pub(crate) fn request_options(options: RequestOptions) -> wit::RequestOptions {
    wit::RequestOptions {
        headers: options.headers.map(header_list),
        timeouts: Some(timeouts(options.timeouts)),
    }
}

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
        headers: Headers::parse(head.headers).map_err(unexpected)?,
        connection: connection_info(head.connection),
    })
}

fn connection_info(connection: wit::ConnectionInfo) -> ConnectionInfo {
    ConnectionInfo {
        number: connection.number,
        reused: connection.reused,
        remote: connection.remote,
        tls: connection.tls.map(tls_version),
    }
}

fn tls_version(version: wit::TlsVersion) -> TlsVersion {
    match version {
        wit::TlsVersion::Tls12 => TlsVersion::Tls12,
        wit::TlsVersion::Tls13 => TlsVersion::Tls13,
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

/// What the manager did.
///
/// # Errors
/// As for [`origin`].
pub(crate) fn events(events: Vec<wit::Event>) -> Result<Vec<Event>, Error> {
    events.into_iter().map(event).collect()
}

fn event(event: wit::Event) -> Result<Event, Error> {
    Ok(match event {
        wit::Event::Resolved(wit::Resolved { host, addresses }) => {
            Event::Resolved { host, addresses }
        }
        wit::Event::Connected(wit::Connected { number, remote }) => {
            Event::Connected { number, remote }
        }
        wit::Event::Secured(wit::Secured {
            number,
            version,
            suite,
        }) => Event::Secured {
            number,
            version: tls_version(version),
            suite,
        },
        wit::Event::CheckedOut(number) => Event::CheckedOut { number },
        wit::Event::Sent(wit::MessageHead { number, head }) => Event::Sent { number, head },
        wit::Event::Received(wit::MessageHead { number, head }) => Event::Received { number, head },
        wit::Event::CheckedIn(number) => Event::CheckedIn { number },
        wit::Event::Closed(wit::Closed { number, reason }) => Event::Closed { number, reason },
        wit::Event::Evicted(pool) => Event::Evicted {
            origin: origin(pool)?,
        },
        wit::Event::Replayed(number) => Event::Replayed { number },
    })
}

/// Why there is no response, or no more of its body.
pub(crate) fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::InvalidUrl(text) => Error::InvalidUrl(text),
        wit::Error::UnsupportedScheme(text) => Error::UnsupportedScheme(text),
        wit::Error::InvalidRequest(text) => Error::InvalidRequest(text),
        wit::Error::InvalidSettings(text) => Error::InvalidSettings(text),
        wit::Error::NameResolution(facts) => Error::NameResolution(failure(facts)),
        wit::Error::ConnectionFailed(facts) => Error::ConnectionFailed(failure(facts)),
        wit::Error::ConnectTimeout(facts) => Error::ConnectTimeout(failure(facts)),
        wit::Error::ReadTimeout(facts) => Error::ReadTimeout(failure(facts)),
        wit::Error::DeadlineExceeded(facts) => Error::DeadlineExceeded(failure(facts)),
        wit::Error::Tls(tls) => Error::Tls(tls_reason(tls.reason), failure(tls.failure)),
        wit::Error::Protocol(facts) => Error::Protocol(failure(facts)),
        wit::Error::IncompleteBody(body) => Error::IncompleteBody {
            received: body.received,
            missing: body.missing,
            failure: failure(body.failure),
        },
        wit::Error::InvalidChunk(facts) => Error::InvalidChunk(failure(facts)),
        wit::Error::BodyTooLarge(facts) => Error::BodyTooLarge(failure(facts)),
        wit::Error::Denied(facts) => Error::Denied(failure(facts)),
        wit::Error::Other(text) => Error::Other(text),
    }
}

fn tls_reason(reason: wit::TlsReason) -> TlsReason {
    match reason {
        wit::TlsReason::Certificate => TlsReason::Certificate,
        wit::TlsReason::Hostname => TlsReason::Hostname,
        wit::TlsReason::Alert => TlsReason::Alert,
        wit::TlsReason::Protocol => TlsReason::Protocol,
    }
}

fn failure(failure: wit::Failure) -> Box<Failure> {
    Box::new(Failure {
        message: failure.message,
        method: failure.method,
        url: failure.url,
        phase: match failure.phase {
            wit::Phase::Resolve => Phase::Resolve,
            wit::Phase::Connect => Phase::Connect,
            wit::Phase::Handshake => Phase::Handshake,
            wit::Phase::Send => Phase::Send,
            wit::Phase::AwaitHead => Phase::AwaitHead,
            wit::Phase::ReceiveBody => Phase::ReceiveBody,
        },
        attempt: failure.attempt,
        reused: failure.reused,
        may_have_been_acted_on: failure.may_have_been_acted_on,
    })
}
