//! Between the contract's types and core's. The only module that names both, so that a change to either breaks here, at compile time.

use std::time::Duration;

use urlpool_core::types as core;

use crate::bindings::exports::urlpool::client::blocking::Body;
use crate::bindings::exports::urlpool::client::types as wit;

/// What core answers.
pub(crate) type Outcome<T> = Result<T, core::Error>;

/// The error of a call that found its resource held by another.
pub(crate) fn in_use() -> wit::Error {
    wit::Error::Other("the response is in use by another call".into())
}

pub(crate) fn manager_settings(
    settings: wit::ManagerSettings,
) -> Result<core::ManagerSettings, core::Error> {
    let wit::ManagerSettings {
        num_pools,
        headers,
        pool,
        events,
    } = settings;
    let refused = |error: core::Error| core::Error::InvalidSettings(error.to_string());
    Ok(core::ManagerSettings {
        num_pools,
        headers: headers
            .map(core::Headers::parse)
            .transpose()
            .map_err(refused)?,
        pool: pool.map(pool_settings).unwrap_or_default(),
        events,
    })
}

pub(crate) fn pool_settings(settings: wit::PoolSettings) -> core::PoolSettings {
    let wit::PoolSettings {
        maxsize,
        idle_timeout,
        timeouts: spans,
        tls,
    } = settings;
    core::PoolSettings {
        maxsize,
        idle_timeout: idle_timeout.map(limit),
        timeouts: timeouts(spans),
        tls: tls
            .map(|wit::TlsSettings { roots }| core::TlsSettings { roots })
            .unwrap_or_default(),
    }
}

pub(crate) fn pool_context(context: wit::PoolContext) -> core::PoolContext {
    let wit::PoolContext {
        scheme,
        host,
        port,
        settings,
    } = context;
    core::PoolContext {
        scheme,
        host,
        port,
        settings: settings.map(pool_settings).unwrap_or_default(),
    }
}

pub(crate) fn request_options(
    options: wit::RequestOptions,
) -> Result<core::RequestOptions, core::Error> {
    let wit::RequestOptions {
        headers,
        timeouts: spans,
    } = options;
    Ok(core::RequestOptions {
        headers: headers.map(core::Headers::parse).transpose()?,
        timeouts: timeouts(spans),
    })
}

fn timeouts(timeouts: Option<wit::Timeouts>) -> core::Timeouts {
    let Some(wit::Timeouts {
        connect,
        read,
        total,
        deadline,
    }) = timeouts
    else {
        return core::Timeouts::default();
    };
    core::Timeouts {
        connect: connect.map(limit),
        read: read.map(limit),
        total: total.map(limit),
        deadline: deadline.map(limit),
    }
}

const fn limit(limit: wit::Limit) -> core::Limit {
    match limit {
        wit::Limit::Unlimited => core::Limit::Unlimited,
        wit::Limit::After(nanos) => core::Limit::After(Duration::from_nanos(nanos)),
    }
}

pub(crate) fn content(body: Body) -> core::Content {
    match body {
        Body::Empty => core::Content::Empty,
        Body::Bytes(bytes) => core::Content::Bytes(bytes),
    }
}

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
    } = connection;
    wit::ResponseHead {
        status: *status,
        version: match version {
            core::Version::Http10 => wit::HttpVersion::Http10,
            core::Version::Http11 => wit::HttpVersion::Http11,
        },
        reason: reason.clone(),
        url: url.clone(),
        headers: headers
            .iter()
            .map(|header| (header.name().to_owned(), header.value().to_vec()))
            .collect(),
        connection: wit::ConnectionInfo {
            number: *number,
            reused: *reused,
            remote: remote.clone(),
            tls: tls.map(tls_version),
        },
    }
}

const fn tls_version(version: core::TlsVersion) -> wit::TlsVersion {
    match version {
        core::TlsVersion::Tls12 => wit::TlsVersion::Tls12,
        core::TlsVersion::Tls13 => wit::TlsVersion::Tls13,
    }
}

pub(crate) fn error(error: core::Error) -> wit::Error {
    match error {
        core::Error::InvalidUrl(text) => wit::Error::InvalidUrl(text),
        core::Error::UnsupportedScheme(text) => wit::Error::UnsupportedScheme(text),
        core::Error::InvalidRequest(text) => wit::Error::InvalidRequest(text),
        core::Error::InvalidSettings(text) => wit::Error::InvalidSettings(text),
        core::Error::NameResolution(facts) => wit::Error::NameResolution(failure(*facts)),
        core::Error::ConnectionFailed(facts) => wit::Error::ConnectionFailed(failure(*facts)),
        core::Error::ConnectTimeout(facts) => wit::Error::ConnectTimeout(failure(*facts)),
        core::Error::ReadTimeout(facts) => wit::Error::ReadTimeout(failure(*facts)),
        core::Error::DeadlineExceeded(facts) => wit::Error::DeadlineExceeded(failure(*facts)),
        core::Error::Tls(reason, facts) => wit::Error::Tls(wit::TlsFailure {
            reason: tls_reason(reason),
            failure: failure(*facts),
        }),
        core::Error::Protocol(facts) => wit::Error::Protocol(failure(*facts)),
        core::Error::IncompleteBody {
            received,
            missing,
            failure: facts,
        } => wit::Error::IncompleteBody(wit::IncompleteBody {
            received,
            missing,
            failure: failure(*facts),
        }),
        core::Error::InvalidChunk(facts) => wit::Error::InvalidChunk(failure(*facts)),
        core::Error::BodyTooLarge(facts) => wit::Error::BodyTooLarge(failure(*facts)),
        core::Error::Denied(facts) => wit::Error::Denied(failure(*facts)),
        core::Error::Other(text) => wit::Error::Other(text),
    }
}

const fn tls_reason(reason: core::TlsReason) -> wit::TlsReason {
    match reason {
        core::TlsReason::Certificate => wit::TlsReason::Certificate,
        core::TlsReason::Hostname => wit::TlsReason::Hostname,
        core::TlsReason::Alert => wit::TlsReason::Alert,
        core::TlsReason::Protocol => wit::TlsReason::Protocol,
    }
}

fn failure(failure: core::Failure) -> wit::Failure {
    let core::Failure {
        message,
        method,
        url,
        phase,
        attempt,
        reused,
        may_have_been_acted_on,
    } = failure;
    let phase = match phase {
        core::Phase::Resolve => wit::Phase::Resolve,
        core::Phase::Connect => wit::Phase::Connect,
        core::Phase::Handshake => wit::Phase::Handshake,
        core::Phase::Send => wit::Phase::Send,
        core::Phase::AwaitHead => wit::Phase::AwaitHead,
        core::Phase::ReceiveBody => wit::Phase::ReceiveBody,
    };
    wit::Failure {
        message,
        method,
        url,
        phase,
        attempt,
        reused,
        may_have_been_acted_on,
    }
}

pub(crate) fn event(event: core::Event) -> wit::Event {
    match event {
        core::Event::Resolved { host, addresses } => {
            wit::Event::Resolved(wit::Resolved { host, addresses })
        }
        core::Event::Connected { number, remote } => {
            wit::Event::Connected(wit::Connected { number, remote })
        }
        core::Event::Secured {
            number,
            version,
            suite,
        } => {
            let version = tls_version(version);
            wit::Event::Secured(wit::Secured {
                number,
                version,
                suite,
            })
        }
        core::Event::CheckedOut { number } => wit::Event::CheckedOut(number),
        core::Event::Sent { number, head } => wit::Event::Sent(wit::MessageHead { number, head }),
        core::Event::Received { number, head } => {
            wit::Event::Received(wit::MessageHead { number, head })
        }
        core::Event::CheckedIn { number } => wit::Event::CheckedIn(number),
        core::Event::Closed { number, reason } => {
            wit::Event::Closed(wit::Closed { number, reason })
        }
        core::Event::Evicted { origin: evicted } => wit::Event::Evicted(origin(&evicted)),
        core::Event::Replayed { number } => wit::Event::Replayed(number),
    }
}
