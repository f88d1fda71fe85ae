//! Whether a connection may serve another exchange.

use super::framing::BodyFraming;
use crate::types::{Headers, Version};

/// What becomes of a connection after an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reuse {
    /// It goes back to its pool.
    Keep,
    /// It is closed, for this reason.
    Close(&'static str),
}

/// Decides by the request and the response (RFC 9112, section 9.3).
///
/// urllib3 also honours `Proxy-Connection: keep-alive` of HTTP/1.0 responses, so we do.
#[must_use]
pub fn after(
    request: &Headers,
    is_sent_whole: bool,
    version: Version,
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
    let is_kept = version == Version::Http11
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

    #[test]
    fn keep_alive_follows_version_and_connection() {
        use BodyFraming::{Length, UntilClose};
        use Version::{Http10, Http11};
        type Fields = &'static [(&'static str, &'static str)];
        let rows: [(&str, Fields, Version, Fields, BodyFraming, bool); 11] = [
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
            ("until close", &[], Http11, &[], UntilClose, false),
            (
                "asked by the request",
                &[("Connection", "close")],
                Http11,
                &[],
                Length(1),
                false,
            ),
            (
                "two lengths",
                &[],
                Http11,
                &[("Transfer-Encoding", "chunked"), ("Content-Length", "3")],
                BodyFraming::Chunked,
                false,
            ),
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
            let parse = |fields: Fields| Headers::parse(fields.iter().copied()).unwrap();
            let reuse = |is_sent_whole| {
                after(
                    &parse(request),
                    is_sent_whole,
                    version,
                    &parse(response),
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
}
