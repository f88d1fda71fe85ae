//! Which header fields are for one connection, and so for nobody behind it: what stands between a program and a connection of ours that it
//! does not see, as `wasi:http` does, keeps them from both.

use crate::types::Headers;

/// Names that nobody behind `wasi:http` may write or read: those of RFC 9110, section 7.6.1, what older proxies made of them, what asks a
/// proxy for something, and `Host`, which the URL names.
const OURS: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field is the connection's, whatever the message says.
#[must_use]
pub fn is_forbidden(name: &str) -> bool {
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// The fields of a message that are for whoever is behind the connection: not those that are its own, nor those that the message's own
/// `Connection` names.
#[must_use]
pub fn end_to_end(fields: &Headers) -> Headers {
    let is_named = |name: &str| {
        fields
            .elements("connection")
            .any(|option| option.eq_ignore_ascii_case(name.as_bytes()))
    };
    let kept = fields.iter();
    kept.filter(|field| !is_forbidden(field.name()) && !is_named(field.name()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fields: &Headers) -> Vec<&str> {
        fields.iter().map(|field| field.name()).collect()
    }

    #[test]
    fn what_is_the_connections_goes_no_further() {
        type Pairs = &'static [(&'static str, &'static str)];
        let rows: [(&str, Pairs, &[&str]); 6] = [
            ("nothing", &[], &[]),
            (
                "end to end",
                &[("Date", "x"), ("X-A", "1"), ("x-a", "2"), ("TE", "x")],
                &["Date", "X-A", "x-a", "TE"],
            ),
            (
                "its own",
                &[
                    ("connection", "close"),
                    ("Keep-Alive", "timeout=5"),
                    ("PROXY-CONNECTION", "x"),
                    ("Proxy-Authenticate", "Basic"),
                    ("Proxy-Authorization", "x"),
                    ("Transfer-Encoding", "chunked"),
                    ("Upgrade", "h2c"),
                    ("HTTP2-Settings", "x"),
                    ("Host", "h"),
                    ("Date", "x"),
                ],
                &["Date"],
            ),
            (
                "named by Connection",
                &[
                    ("X-Hop", "1"),
                    ("Connection", "close, x-hop"),
                    ("X-End", "1"),
                    ("connection", "X-OTHER"),
                    ("x-other", "1"),
                ],
                &["X-End"],
            ),
            (
                "named in part",
                &[("X-Hop-By", "1"), ("Connection", "x-hop")],
                &["X-Hop-By"],
            ),
            ("named and not there", &[("Connection", "x")], &[]),
        ];
        for (case, pairs, expected) in rows {
            let fields = Headers::parse(pairs.iter().copied()).unwrap();
            assert_eq!(names(&end_to_end(&fields)), expected, "{case}");
        }
    }
}
