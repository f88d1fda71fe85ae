//! What core's errors are in `wasi:http`. Which is which, core says.

use urlpool_core::policy::http_error::{HttpErrorCode, http_error};
use urlpool_core::types::Error;

use crate::bindings::wasi::http::types::{DnsErrorPayload, ErrorCode, TlsAlertReceivedPayload};

pub(crate) fn of(error: &Error) -> ErrorCode {
    match http_error(error) {
        HttpErrorCode::DnsTimeout => ErrorCode::DnsTimeout,
        HttpErrorCode::DnsError => ErrorCode::DnsError(DnsErrorPayload {
            rcode: None,
            info_code: None,
        }),
        HttpErrorCode::DestinationUnavailable => ErrorCode::DestinationUnavailable,
        HttpErrorCode::ConnectionRefused => ErrorCode::ConnectionRefused,
        HttpErrorCode::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        HttpErrorCode::ConnectionTimeout => ErrorCode::ConnectionTimeout,
        HttpErrorCode::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        HttpErrorCode::ConnectionWriteTimeout => ErrorCode::ConnectionWriteTimeout,
        HttpErrorCode::ConnectionLimitReached => ErrorCode::ConnectionLimitReached,
        HttpErrorCode::TlsProtocolError => ErrorCode::TlsProtocolError,
        HttpErrorCode::TlsCertificateError => ErrorCode::TlsCertificateError,
        HttpErrorCode::TlsAlertReceived => ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
            alert_id: None,
            alert_message: None,
        }),
        HttpErrorCode::HttpRequestDenied => ErrorCode::HttpRequestDenied,
        HttpErrorCode::HttpRequestUriInvalid => ErrorCode::HttpRequestUriInvalid,
        HttpErrorCode::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        HttpErrorCode::HttpResponseBodySize => ErrorCode::HttpResponseBodySize(None),
        HttpErrorCode::HttpResponseTransferCoding => ErrorCode::HttpResponseTransferCoding(None),
        HttpErrorCode::HttpResponseContentCoding => ErrorCode::HttpResponseContentCoding(None),
        HttpErrorCode::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        HttpErrorCode::HttpProtocolError => ErrorCode::HttpProtocolError,
        HttpErrorCode::LoopDetected => ErrorCode::LoopDetected,
        HttpErrorCode::ConfigurationError => ErrorCode::ConfigurationError,
        HttpErrorCode::InternalError => ErrorCode::InternalError(Some(error.to_string())),
    }
}
