//! Whether a connection may serve another exchange.

use super::framing::BodyFraming;
use crate::types::{Headers, StatusLine, Version};

/// What becomes of a connection after an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reuse {
    /// It goes back to its pool.
    Keep,
    /// It is closed, for this reason.
    Close(&'static str),
}

/// Decides by what was sent and what came back (RFC 9112, section 9.3).
///
/// urllib3 also honours `Proxy-Connection: keep-alive` of HTTP/1.0 responses, so we do.
#[must_use]
pub fn after(
    request: &Headers,
    is_sent_whole: bool,
    line: &StatusLine,
    response: &Headers,
    framing: BodyFraming,
) -> Reuse {
    let says = |headers: &Headers, name: &str, option: &[u8]| {
        headers
            .elements(name)
            .any(|element| element.eq_ignore_ascii_case(option))
    };
    if !is_sent_whole {
        return Reuse::Close("the request was not taken whole");
    }
    if framing == BodyFraming::UntilClose {
        return Reuse::Close("the end of the body is the end of the connection");
    }
    if says(request, "connection", b"close") {
        return Reuse::Close("the request asked for it");
    }
    if says(response, "connection", b"close") {
        return Reuse::Close("the server asked for it");
    }
    if response.has("transfer-encoding") && response.has("content-length") {
        return Reuse::Close("the response names two lengths");
    }
    if response.has("transfer-encoding") && line.version == Version::Http10 {
        return Reuse::Close("HTTP/1.0 knows no Transfer-Encoding");
    }
    let announces_a_body = response.has("transfer-encoding")
        || response
            .first("content-length")
            .is_some_and(|length| length != b"0");
    if line.status == 204 && announces_a_body {
        return Reuse::Close("a response without a body announces one");
    }
    let is_kept = line.version == Version::Http11
        || says(response, "connection", b"keep-alive")
        || says(response, "proxy-connection", b"keep-alive")
        || response.has("keep-alive");
    if is_kept {
        Reuse::Keep
    } else {
        Reuse::Close("the server speaks HTTP/1.0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    fn headers(fields: Fields) -> Headers {
        Headers::parse(fields.iter().copied()).unwrap()
    }

    fn line(version: Version, status: u16) -> StatusLine {
        StatusLine {
            version,
            status,
            reason: String::new(),
        }
    }

    #[test]
    fn keep_alive_follows_version_and_connection() {
        use BodyFraming::{Chunked, Length, UntilClose};
        use Version::{Http10, Http11};
        type Row = (&'static str, Fields, Version, Fields, BodyFraming, bool);
        let both = &[("Transfer-Encoding", "chunked"), ("Content-Length", "3")];
        let rows: [Row; 12] = [
            ("1.1", &[], Http11, &[], Length(1), true),
            (
                "1.1 close",
                &[],
                Http11,
                &[("Connection", "close")],
                Length(1),
                false,
            ),
            (
                "1.1 CLOSE in a list",
                &[],
                Http11,
                &[("connection", "x, CLOSE")],
                Length(1),
                false,
            ),
            ("1.0", &[], Http10, &[], Length(1), false),
            (
                "1.0 keep-alive",
                &[],
                Http10,
                &[("Connection", "Keep-Alive")],
                Length(1),
                true,
            ),
            (
                "1.0 Keep-Alive field",
                &[],
                Http10,
                &[("Keep-Alive", "timeout=5")],
                Length(1),
                true,
            ),
            (
                "1.0 through a proxy",
                &[],
                Http10,
                &[("Proxy-Connection", "keep-alive")],
                Length(1),
                true,
            ),
            (
                "1.0 chunked",
                &[],
                Http10,
                &[
                    ("Transfer-Encoding", "chunked"),
                    ("Connection", "keep-alive"),
                ],
                Chunked,
                false,
            ),
            ("until close", &[], Http11, &[], UntilClose, false),
            (
                "asked by the request",
                &[("Connection", "close")],
                Http11,
                &[],
                Length(1),
                false,
            ),
            ("two lengths", &[], Http11, both, Chunked, false),
            (
                "close beats keep-alive",
                &[],
                Http11,
                &[("Connection", "keep-alive, close")],
                Length(1),
                false,
            ),
        ];
        for (case, request, version, response, framing, kept) in rows {
            let reuse = |is_sent_whole| {
                after(
                    &headers(request),
                    is_sent_whole,
                    &line(version, 200),
                    &headers(response),
                    framing,
                )
            };
            assert_eq!(reuse(true) == Reuse::Keep, kept, "{case}");
            assert!(
                matches!(reuse(false), Reuse::Close(_)),
                "{case}, but sent in part"
            );
        }
    }

    #[test]
    fn a_body_that_must_not_come_may_come_all_the_same() {
        for (case, status, response, kept) in [
            ("204", 204, &[][..], true),
            ("204 of no bytes", 204, &[("Content-Length", "0")], true),
            ("204 of some", 204, &[("Content-Length", "3")], false),
            (
                "chunked 204",
                204,
                &[("Transfer-Encoding", "chunked")],
                false,
            ),
            (
                "304 says what a 200 would have",
                304,
                &[("Content-Length", "3")],
                true,
            ),
        ] {
            let reuse = after(
                &headers(&[]),
                true,
                &line(Version::Http11, status),
                &headers(response),
                BodyFraming::Length(0),
            );
            assert_eq!(reuse == Reuse::Keep, kept, "{case}");
        }
    }
}
