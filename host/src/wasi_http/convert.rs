//! Between what wasmtime hands over and what core takes, and back.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use urlpool_core::policy::hop_by_hop;
use urlpool_core::policy::http_error::{HttpErrorCode, http_error};
use urlpool_core::types::{Error, Header, Headers, Limit, ResponseHead, Timeouts, Url};
use wasmtime_wasi_http::{Error as Code, RequestOptions, WasiBody};

/// The URL of a request. It names a host and nobody's credentials: those are for headers, and in a URL a plugin may not know what becomes
/// of them (RFC 9110, section 4.2.4).
pub(super) fn url(uri: &Uri) -> Result<Url, Code> {
    let invalid = || Code::HttpRequestUriInvalid;
    let authority = uri.authority().ok_or_else(invalid)?;
    if authority.as_str().contains('@') {
        return Err(invalid());
    }
    Url::parse(&uri.to_string()).map_err(|error| self::error(&error))
}

/// A plugin's fields, without those that it has no say in.
pub(super) fn headers(fields: &HeaderMap) -> Result<Headers, Code> {
    let fields = listed(fields)?;
    Ok(hop_by_hop::end_to_end(&fields))
}

/// A plugin's fields behind a body.
pub(super) fn trailers(fields: Option<HeaderMap>) -> Result<Headers, Code> {
    headers(&fields.unwrap_or_default())
}

fn listed(fields: &HeaderMap) -> Result<Headers, Code> {
    let parsed = fields
        .iter()
        .map(|(name, value)| Header::parse(name.as_str(), value.as_bytes()));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| self::error(&error))
}

/// How long the body is, where the plugin says so.
pub(super) fn length(fields: &HeaderMap) -> Result<Option<u64>, Code> {
    let Some(value) = fields.get(http::header::CONTENT_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or(Code::HttpProtocolError)
}

/// A plugin's timeouts. What it leaves open is as in `base`, each of the two for reading on its own.
pub(super) fn timeouts(options: RequestOptions, base: Timeouts) -> Timeouts {
    // WASI has no word for none at all, so 0 is as short as can be.
    let limit =
        |span: Option<Duration>| span.map(|span| Limit::After(span.max(Duration::from_nanos(1))));
    let RequestOptions {
        connect_timeout,
        first_byte_timeout,
        between_bytes_timeout,
    } = options;
    Timeouts {
        connect: limit(connect_timeout),
        read: limit(between_bytes_timeout),
        head: limit(first_byte_timeout).or(base.head).or(base.read),
        ..Timeouts::default()
    }
}

/// A response's head, for a plugin.
pub(super) fn response(head: &ResponseHead, body: WasiBody) -> Result<Response<WasiBody>, Code> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(head.status).map_err(|_| Code::HttpProtocolError)?;
    *response.headers_mut() = received(&head.headers)?;
    Ok(response)
}

/// A server's fields, without those that are of the connection.
pub(super) fn received(fields: &Headers) -> Result<HeaderMap, Code> {
    let mut map = HeaderMap::new();
    for field in &hop_by_hop::end_to_end(fields) {
        let name = HeaderName::from_bytes(field.name().as_bytes());
        let value = HeaderValue::from_bytes(field.value());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(Code::HttpProtocolError);
        };
        map.try_append(name, value)
            .map_err(|_| Code::HttpResponseHeaderSectionSize(None))?;
    }
    Ok(map)
}

/// What a plugin is told of an error.
pub(super) fn error(error: &Error) -> Code {
    let code = http_error(error);
    tracing::debug!(target: "urlpool", %error, ?code, "a plugin's request has failed");
    match code {
        HttpErrorCode::DnsTimeout => Code::DnsTimeout,
        HttpErrorCode::DnsError => Code::DnsError {
            rcode: None,
            info_code: None,
        },
        HttpErrorCode::DestinationUnavailable => Code::DestinationUnavailable,
        HttpErrorCode::ConnectionRefused => Code::ConnectionRefused,
        HttpErrorCode::ConnectionTerminated => Code::ConnectionTerminated,
        HttpErrorCode::ConnectionTimeout => Code::ConnectionTimeout,
        HttpErrorCode::ConnectionReadTimeout => Code::ConnectionReadTimeout,
        HttpErrorCode::ConnectionWriteTimeout => Code::ConnectionWriteTimeout,
        HttpErrorCode::ConnectionLimitReached => Code::ConnectionLimitReached,
        HttpErrorCode::TlsProtocolError => Code::TlsProtocolError,
        HttpErrorCode::TlsCertificateError => Code::TlsCertificateError,
        HttpErrorCode::TlsAlertReceived => Code::TlsAlertReceived {
            alert_id: None,
            alert_message: None,
        },
        HttpErrorCode::HttpRequestDenied => Code::HttpRequestDenied,
        HttpErrorCode::HttpRequestUriInvalid => Code::HttpRequestUriInvalid,
        HttpErrorCode::HttpResponseIncomplete => Code::HttpResponseIncomplete,
        HttpErrorCode::HttpResponseBodySize => Code::HttpResponseBodySize(None),
        HttpErrorCode::HttpResponseTransferCoding => Code::HttpResponseTransferCoding(None),
        HttpErrorCode::HttpResponseContentCoding => Code::HttpResponseContentCoding(None),
        HttpErrorCode::HttpResponseTimeout => Code::HttpResponseTimeout,
        HttpErrorCode::HttpProtocolError => Code::HttpProtocolError,
        HttpErrorCode::LoopDetected => Code::LoopDetected,
        HttpErrorCode::ConfigurationError => Code::ConfigurationError,
        HttpErrorCode::InternalError => Code::InternalError(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timeout_is_for_its_own_wait() {
        let span = |count: u64| (count > 0).then(|| Duration::from_secs(count));
        let limit = |count| span(count).map(Limit::After);
        let base = |head| Timeouts {
            connect: limit(600),
            read: limit(500),
            head,
            ..Timeouts::default()
        };
        // What is `None` is inherited from the pool.
        for (case, asked, base, expected) in [
            ("nothing", [0, 0, 0], base(None), [0, 500, 0]),
            ("all", [1, 2, 3], base(None), [1, 2, 3]),
            ("first byte", [0, 2, 0], base(None), [0, 2, 0]),
            ("between bytes", [0, 0, 3], base(None), [0, 500, 3]),
            ("a host's own", [0, 0, 3], base(limit(7)), [0, 7, 3]),
        ] {
            let [connect, first, between] = asked.map(span);
            let options = RequestOptions {
                connect_timeout: connect,
                first_byte_timeout: first,
                between_bytes_timeout: between,
            };
            let found = timeouts(options, base);
            let [connect, head, read] = expected.map(limit);
            assert_eq!(
                (found.connect, found.head, found.read),
                (connect, head, read),
                "{case}"
            );
        }
        let at_once = RequestOptions {
            connect_timeout: Some(Duration::ZERO),
            ..RequestOptions::default()
        };
        let shortest = Some(Limit::After(Duration::from_nanos(1)));
        assert_eq!(timeouts(at_once, base(None)).connect, shortest);
    }

    #[test]
    fn a_url_names_a_host_and_nobody_else() {
        for (uri, expected) in [
            ("http://a.test/x?y", Ok("http://a.test/x?y")),
            ("https://a.test:8443/", Ok("https://a.test:8443/")),
            ("http://[::1]:80/", Ok("http://[::1]/")),
            ("http://me:word@a.test/", Err(())),
            ("http://me@a.test/", Err(())),
            ("/x", Err(())),
        ] {
            let parsed = url(&uri.parse().unwrap());
            let shown = parsed.as_ref().map(Url::as_str);
            match expected {
                Ok(expected) => assert_eq!(shown.unwrap(), expected, "{uri}"),
                Err(()) => assert!(
                    matches!(shown, Err(Code::HttpRequestUriInvalid)),
                    "{uri}: {shown:?}"
                ),
            }
        }
    }
}
