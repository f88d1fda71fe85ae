//! What our errors are to programs that speak `wasi:http`: one of its cases of `error-code`, and nothing that tells how we are configured.

use crate::types::{Error, Failure, LastOutcome, Phase, Refusal, TlsReason};

/// The cases of `error-code` that our errors come to. Both generations of `wasi:http` have all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HttpErrorCode {
    /// `DNS-timeout`: the name was not found in time.
    DnsTimeout,
    /// `DNS-error`: the name has no address.
    DnsError,
    /// `destination-unavailable`: what is on the way to the server does not reach it.
    DestinationUnavailable,
    /// `connection-refused`: no address accepted a connection.
    ConnectionRefused,
    /// `connection-terminated`: the connection ended before the request was sent.
    ConnectionTerminated,
    /// `connection-timeout`: no connection was there in time.
    ConnectionTimeout,
    /// `connection-read-timeout`: the peer was silent for too long.
    ConnectionReadTimeout,
    /// `connection-write-timeout`: the peer took nothing for too long.
    ConnectionWriteTimeout,
    /// `connection-limit-reached`: no connection of the pool became free in time.
    ConnectionLimitReached,
    /// `TLS-protocol-error`: TLS could not be agreed on.
    TlsProtocolError,
    /// `TLS-certificate-error`: the peer is not who it should be.
    TlsCertificateError,
    /// `TLS-alert-received`: the peer ended TLS, for example because it wants a certificate.
    TlsAlertReceived,
    /// `HTTP-request-denied`: it is not allowed.
    HttpRequestDenied,
    /// `HTTP-request-URI-invalid`: the URL does not parse.
    HttpRequestUriInvalid,
    /// `HTTP-response-incomplete`: the body ended too early.
    HttpResponseIncomplete,
    /// `HTTP-response-body-size`: the body is larger than is allowed.
    HttpResponseBodySize,
    /// `HTTP-response-transfer-coding`: the body's chunks are malformed.
    HttpResponseTransferCoding,
    /// `HTTP-response-content-coding`: the body cannot be decoded.
    HttpResponseContentCoding,
    /// `HTTP-response-timeout`: the time for all of it ran out.
    HttpResponseTimeout,
    /// `HTTP-protocol-error`: what was to be sent or what came is not HTTP.
    HttpProtocolError,
    /// `loop-detected`: there were too many redirects.
    LoopDetected,
    /// `configuration-error`: our settings are wrong.
    ConfigurationError,
    /// `internal-error`: anything else.
    InternalError,
}

/// What an error of ours is called in `wasi:http`.
#[must_use]
pub fn http_error(error: &Error) -> HttpErrorCode {
    use HttpErrorCode as Code;
    match error {
        Error::InvalidUrl(_) => Code::HttpRequestUriInvalid,
        Error::UnsupportedScheme(_) | Error::InvalidRequest(_) => Code::HttpProtocolError,
        Error::UnsupportedProxyScheme(_) | Error::InvalidSettings(_) => Code::ConfigurationError,
        Error::HostChanged(_) | Error::Denied(_) => Code::HttpRequestDenied,
        Error::NameResolution(_) => Code::DnsError,
        Error::ConnectionFailed(_) => Code::ConnectionRefused,
        Error::ConnectTimeout(failure) => before_sending(failure.phase),
        Error::ReadTimeout(failure) if failure.phase == Phase::Send => Code::ConnectionWriteTimeout,
        Error::ReadTimeout(_) => Code::ConnectionReadTimeout,
        Error::DeadlineExceeded(failure) if failure.phase < Phase::Send => {
            before_sending(failure.phase)
        }
        Error::DeadlineExceeded(_) => Code::HttpResponseTimeout,
        Error::PoolTimeout(_) => Code::ConnectionLimitReached,
        Error::PoolClosed(_) | Error::BodyNotReplayable(_) => Code::ConnectionTerminated,
        Error::Proxy(failure) => of_proxy(failure),
        Error::Tls(reason, _) => match reason {
            TlsReason::Certificate | TlsReason::Hostname | TlsReason::Fingerprint => {
                Code::TlsCertificateError
            }
            TlsReason::Alert => Code::TlsAlertReceived,
            TlsReason::Protocol => Code::TlsProtocolError,
        },
        Error::Protocol(failure) if failure.phase == Phase::Send => Code::ConnectionTerminated,
        Error::Protocol(_) => Code::HttpProtocolError,
        Error::IncompleteBody { .. } => Code::HttpResponseIncomplete,
        Error::InvalidChunk(_) => Code::HttpResponseTransferCoding,
        Error::BodyTooLarge(_) => Code::HttpResponseBodySize,
        Error::Decode(_) => Code::HttpResponseContentCoding,
        Error::TooManyRedirects(_) => Code::LoopDetected,
        Error::RetriesExhausted(exhausted) => match &exhausted.last {
            LastOutcome::Failed(error) => http_error(error),
            LastOutcome::Status(_) => Code::DestinationUnavailable,
        },
        Error::Other(_) => Code::InternalError,
    }
}

/// Time that ran out before a request was sent.
const fn before_sending(phase: Phase) -> HttpErrorCode {
    match phase {
        Phase::Checkout => HttpErrorCode::ConnectionLimitReached,
        Phase::Resolve => HttpErrorCode::DnsTimeout,
        Phase::Backoff => HttpErrorCode::HttpResponseTimeout,
        _ => HttpErrorCode::ConnectionTimeout,
    }
}

/// A proxy's failure. One that wants to know who we are, or forbids it, denies the request; any other is in the way.
fn of_proxy(failure: &Failure) -> HttpErrorCode {
    match failure.refusal.as_deref() {
        Some(Refusal {
            status: 401 | 403 | 407 | 451,
            ..
        }) => HttpErrorCode::HttpRequestDenied,
        _ => HttpErrorCode::DestinationUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Exhausted, Headers};

    fn failure(phase: Phase) -> Box<Failure> {
        Box::new(Failure {
            message: String::new(),
            method: "GET".into(),
            url: "http://a.test/".into(),
            phase,
            attempt: 1,
            reused: false,
            may_have_been_acted_on: false,
            history: Default::default(),
            refusal: None,
        })
    }

    fn refused(status: u16) -> Error {
        let refusal = Refusal {
            status,
            reason: String::new(),
            headers: Headers::default(),
            body: Vec::new(),
        };
        Error::Proxy(Box::new(Failure {
            refusal: Some(Box::new(refusal)),
            ..*failure(Phase::Tunnel)
        }))
    }

    fn exhausted(last: LastOutcome) -> Box<Exhausted> {
        Box::new(Exhausted {
            message: String::new(),
            method: "GET".into(),
            url: "http://a.test/".into(),
            attempts: 1,
            last,
            history: Vec::new(),
        })
    }

    #[test]
    fn every_error_has_a_code() {
        use HttpErrorCode as Code;
        let text = String::new;
        let rows = [
            (Error::InvalidUrl(text()), Code::HttpRequestUriInvalid),
            (Error::UnsupportedScheme(text()), Code::HttpProtocolError),
            (
                Error::UnsupportedProxyScheme(text()),
                Code::ConfigurationError,
            ),
            (Error::InvalidRequest(text()), Code::HttpProtocolError),
            (Error::InvalidSettings(text()), Code::ConfigurationError),
            (Error::HostChanged(text()), Code::HttpRequestDenied),
            (Error::Other(text()), Code::InternalError),
            (refused(407), Code::HttpRequestDenied),
            (refused(403), Code::HttpRequestDenied),
            (refused(502), Code::DestinationUnavailable),
            (
                Error::TooManyRedirects(exhausted(LastOutcome::Status(302))),
                Code::LoopDetected,
            ),
            (
                Error::RetriesExhausted(exhausted(LastOutcome::Status(503))),
                Code::DestinationUnavailable,
            ),
            (
                Error::RetriesExhausted(exhausted(LastOutcome::Failed(Error::NameResolution(
                    failure(Phase::Resolve),
                )))),
                Code::DnsError,
            ),
            (
                Error::IncompleteBody {
                    received: 1,
                    missing: Some(1),
                    failure: failure(Phase::ReceiveBody),
                },
                Code::HttpResponseIncomplete,
            ),
        ];
        for (error, expected) in rows {
            assert_eq!(http_error(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn a_failure_is_called_by_what_was_under_way() {
        use HttpErrorCode as Code;
        type Case = fn(Box<Failure>) -> Error;
        let tls = |reason| move |failure| Error::Tls(reason, failure);
        let check = |case: &dyn Fn(Box<Failure>) -> Error, phase, expected| {
            let error = case(failure(phase));
            assert_eq!(http_error(&error), expected, "{error:?}");
        };
        let rows: [(Case, Phase, Code); 24] = [
            (Error::NameResolution, Phase::Resolve, Code::DnsError),
            (
                Error::ConnectionFailed,
                Phase::Connect,
                Code::ConnectionRefused,
            ),
            (Error::ConnectTimeout, Phase::Resolve, Code::DnsTimeout),
            (
                Error::ConnectTimeout,
                Phase::Connect,
                Code::ConnectionTimeout,
            ),
            (
                Error::ConnectTimeout,
                Phase::Tunnel,
                Code::ConnectionTimeout,
            ),
            (
                Error::ConnectTimeout,
                Phase::Handshake,
                Code::ConnectionTimeout,
            ),
            (
                Error::ReadTimeout,
                Phase::Send,
                Code::ConnectionWriteTimeout,
            ),
            (
                Error::ReadTimeout,
                Phase::AwaitHead,
                Code::ConnectionReadTimeout,
            ),
            (
                Error::ReadTimeout,
                Phase::ReceiveBody,
                Code::ConnectionReadTimeout,
            ),
            (
                Error::DeadlineExceeded,
                Phase::Backoff,
                Code::HttpResponseTimeout,
            ),
            (
                Error::DeadlineExceeded,
                Phase::Checkout,
                Code::ConnectionLimitReached,
            ),
            (Error::DeadlineExceeded, Phase::Resolve, Code::DnsTimeout),
            (
                Error::DeadlineExceeded,
                Phase::Connect,
                Code::ConnectionTimeout,
            ),
            (
                Error::DeadlineExceeded,
                Phase::AwaitHead,
                Code::HttpResponseTimeout,
            ),
            (
                Error::DeadlineExceeded,
                Phase::ReceiveBody,
                Code::HttpResponseTimeout,
            ),
            (
                Error::PoolTimeout,
                Phase::Checkout,
                Code::ConnectionLimitReached,
            ),
            (
                Error::PoolClosed,
                Phase::Checkout,
                Code::ConnectionTerminated,
            ),
            (Error::Proxy, Phase::Connect, Code::DestinationUnavailable),
            (Error::Protocol, Phase::Send, Code::ConnectionTerminated),
            (Error::Protocol, Phase::AwaitHead, Code::HttpProtocolError),
            (
                Error::InvalidChunk,
                Phase::ReceiveBody,
                Code::HttpResponseTransferCoding,
            ),
            (
                Error::BodyTooLarge,
                Phase::ReceiveBody,
                Code::HttpResponseBodySize,
            ),
            (
                Error::BodyNotReplayable,
                Phase::Send,
                Code::ConnectionTerminated,
            ),
            (Error::Denied, Phase::Connect, Code::HttpRequestDenied),
        ];
        for (case, phase, expected) in rows {
            check(&case, phase, expected);
        }
        check(
            &Error::Decode,
            Phase::ReceiveBody,
            Code::HttpResponseContentCoding,
        );
        for (reason, expected) in [
            (TlsReason::Certificate, Code::TlsCertificateError),
            (TlsReason::Hostname, Code::TlsCertificateError),
            (TlsReason::Fingerprint, Code::TlsCertificateError),
            (TlsReason::Alert, Code::TlsAlertReceived),
            (TlsReason::Protocol, Code::TlsProtocolError),
        ] {
            check(&tls(reason), Phase::Handshake, expected);
        }
    }
}
