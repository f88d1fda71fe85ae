//! Which header fields a request is sent with, and in which order.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::framing::{self, RequestFraming};
use crate::types::{Error, Header, Headers, Method, Payload, Skipped, Together, Url, Writing};

/// What we call ourselves.
pub const USER_AGENT: &str = concat!("urlpool/", env!("CARGO_PKG_VERSION"));

/// A request whose head is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The URL it is sent to.
    pub url: &'a Url,
    /// The body.
    pub payload: &'a Payload,
    /// The `Content-Type` that the body brings, where the caller names none.
    pub content_type: Option<&'a str>,
    /// The caller's own fields.
    pub headers: &'a Headers,
    /// What the caller decides about the writing.
    pub writing: Writing,
}

/// The fields of a request, and what they say about its body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fields {
    /// Everything between the request line and the empty line.
    pub headers: Headers,
    /// How the end of the body is told.
    pub framing: RequestFraming,
    /// Whether the server is asked for a `100 Continue`, so that the body had better wait for it.
    pub awaits_continue: bool,
}

/// The fields of a request: ours first, then the caller's as they were given (urllib3's order on the wire).
///
/// Each of ours gives way to the caller's own. `Accept-Encoding: identity` is urllib3's default; without it a server may choose any coding
/// (RFC 9110, section 12.5.3). Userinfo of the URL becomes Basic credentials for that URL's origin.
///
/// # Errors
/// [`Error::InvalidRequest`] where the caller's fields contradict each other or the body.
pub fn of_request(asked: &Asked<'_>) -> Result<Fields, Error> {
    let Asked {
        method,
        url,
        payload,
        content_type,
        headers,
        writing,
    } = *asked;
    if method.is("CONNECT") {
        return Err(Error::InvalidRequest(
            "CONNECT asks a proxy for a tunnel and is not a request to a URL".into(),
        ));
    }
    if headers.all("host").count() > 1 {
        return Err(Error::InvalidRequest(
            "there is more than one Host header; give one or none".into(),
        ));
    }
    let framing = framing::of_request(method, payload, headers, writing.is_chunked)?;
    // RFC 9110, section 10.1.1: no expectation without content.
    let expects_continue = writing.expects_continue && payload.has_content();
    let mut ours = Together::with_room(7, 128);
    let mut add = |is_due: bool, name: &str, value: &dyn Fn() -> Cow<'static, [u8]>| {
        if is_due && !headers.has(name) {
            ours.push(name, &value());
        }
    };
    let Skipped {
        host,
        accept_encoding,
        user_agent,
    } = writing.skipped;
    add(!host, "Host", &|| {
        url.origin().authority().into_bytes().into()
    });
    add(!accept_encoding, "Accept-Encoding", &|| b"identity".into());
    match framing {
        RequestFraming::Absent => {}
        RequestFraming::Length(length) => add(true, "Content-Length", &|| {
            length.to_string().into_bytes().into()
        }),
        RequestFraming::Chunked => add(true, "Transfer-Encoding", &|| b"chunked".into()),
    }
    add(!user_agent, "User-Agent", &|| USER_AGENT.as_bytes().into());
    if let Some(credentials) = url.credentials() {
        add(true, "Authorization", &|| basic(&credentials).into());
    }
    add(expects_continue, "Expect", &|| b"100-continue".into());
    // Behind the caller's, where urllib3 writes it too.
    let content_type = content_type
        .filter(|_| !headers.has("content-type"))
        .map(|content_type| Header::received("Content-Type", content_type.as_bytes()));
    Ok(Fields {
        headers: ours
            .into_fields()
            .chain(headers.iter().cloned())
            .chain(content_type)
            .collect(),
        framing,
        awaits_continue: if headers.has("expect") {
            payload.has_content() && is_expected_by_hand(headers)
        } else {
            expects_continue
        },
    })
}

/// Whether the caller wrote the expectation by hand.
fn is_expected_by_hand(headers: &Headers) -> bool {
    headers
        .elements("expect")
        .any(|expectation| expectation.eq_ignore_ascii_case(b"100-continue"))
}

/// Names that say how a message is framed, routed, authenticated or to be understood, which is too late behind it.
const NEVER_BEHIND: [&str; 17] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether these fields may stand behind a body (RFC 9110, section 6.5.1).
///
/// # Errors
/// Names the first that may not, in words.
pub fn check_trailers(trailers: &Headers) -> Result<(), String> {
    let never = |name: &&str| {
        NEVER_BEHIND
            .iter()
            .any(|never| never.eq_ignore_ascii_case(name))
    };
    match trailers.iter().map(Header::name).find(never) {
        Some(name) => Err(format!("{name} cannot be a trailer")),
        None => Ok(()),
    }
}

/// `Basic` credentials (RFC 7617, section 2) for `name:password`.
#[must_use]
pub fn basic(credentials: &[u8]) -> Vec<u8> {
    format!("Basic {}", BASE64_STANDARD.encode(credentials)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_a_message_cannot_stand_behind_it() {
        for (name, is_allowed) in [
            ("Checksum", true),
            ("Grpc-Status", true),
            ("Content-Length", false),
            ("transfer-encoding", false),
            ("HOST", false),
            ("Authorization", false),
        ] {
            let trailers = Headers::parse([("X", "1"), (name, "1")]).unwrap();
            assert_eq!(check_trailers(&trailers).is_ok(), is_allowed, "{name}");
        }
    }
    use crate::types::Streamed;

    type Pairs = &'static [(&'static str, &'static str)];

    /// A request of which a row names only what matters.
    #[derive(Clone)]
    struct Row {
        method: &'static str,
        url: &'static str,
        payload: Payload,
        content_type: Option<&'static str>,
        headers: Pairs,
        writing: Writing,
    }

    fn row() -> Row {
        Row {
            method: "POST",
            url: "http://h/",
            payload: Payload::None,
            content_type: None,
            headers: &[],
            writing: Writing::default(),
        }
    }

    fn get() -> Row {
        Row {
            method: "GET",
            ..row()
        }
    }

    fn abc() -> Payload {
        Payload::Bytes(b"abc".to_vec())
    }

    fn written(row: &Row) -> Result<Fields, Error> {
        of_request(&Asked {
            method: &Method::parse(row.method).unwrap(),
            url: &Url::parse(row.url).unwrap(),
            payload: &row.payload,
            content_type: row.content_type,
            headers: &Headers::parse(row.headers.iter().copied()).unwrap(),
            writing: row.writing,
        })
    }

    fn lines(row: &Row) -> Vec<String> {
        let line = |header: &Header| format!("{}: {}", header.name(), header.text());
        written(row).unwrap().headers.iter().map(line).collect()
    }

    const HOST: &str = "Host: h";
    const CODING: &str = "Accept-Encoding: identity";
    const AGENT: &str = concat!("User-Agent: urlpool/", env!("CARGO_PKG_VERSION"));

    #[test]
    fn ours_come_first_and_give_way() {
        let streamed = |length| {
            Payload::Streamed(Streamed {
                length,
                can_rewind: false,
            })
        };
        let skipped = Skipped {
            host: true,
            accept_encoding: true,
            user_agent: true,
        };
        let rows: [(&str, Row, &[&str]); 12] = [
            ("plain", get(), &[HOST, CODING, AGENT]),
            (
                "a port that is not the scheme's own, and a root dot",
                Row {
                    url: "https://h.:80/",
                    ..get()
                },
                &["Host: h:80", CODING, AGENT],
            ),
            (
                "a body",
                Row {
                    payload: abc(),
                    headers: &[("X-A", "1"), ("x-b", "2"), ("X-A", "3")],
                    ..row()
                },
                &[
                    HOST,
                    CODING,
                    "Content-Length: 3",
                    AGENT,
                    "X-A: 1",
                    "x-b: 2",
                    "X-A: 3",
                ],
            ),
            (
                "the caller's own",
                Row {
                    headers: &[
                        ("user-agent", "me"),
                        ("HOST", "other"),
                        ("accept-encoding", "gzip"),
                    ],
                    ..get()
                },
                &["user-agent: me", "HOST: other", "accept-encoding: gzip"],
            ),
            (
                "userinfo",
                Row {
                    url: "http://user:pa%20ss@h/",
                    ..get()
                },
                &[HOST, CODING, AGENT, "Authorization: Basic dXNlcjpwYSBzcw=="],
            ),
            (
                "the caller's credentials win over userinfo",
                Row {
                    url: "http://user:x@h/",
                    headers: &[("authorization", "Bearer t")],
                    ..get()
                },
                &[HOST, CODING, AGENT, "authorization: Bearer t"],
            ),
            (
                "everything of ours, in order",
                Row {
                    url: "http://u:p@h/",
                    payload: streamed(None),
                    content_type: Some("text/x"),
                    headers: &[("X-A", "1")],
                    writing: Writing {
                        expects_continue: true,
                        ..Writing::default()
                    },
                    ..row()
                },
                &[
                    HOST,
                    CODING,
                    "Transfer-Encoding: chunked",
                    AGENT,
                    "Authorization: Basic dTpw",
                    "Expect: 100-continue",
                    "X-A: 1",
                    "Content-Type: text/x",
                ],
            ),
            (
                "everything of the caller's",
                Row {
                    url: "http://u:p@h/",
                    payload: streamed(Some(3)),
                    content_type: Some("text/x"),
                    headers: &[
                        ("expect", "100-Continue"),
                        ("content-type", "text/y"),
                        ("authorization", "x"),
                        ("user-agent", "y"),
                        ("content-length", "3"),
                        ("accept-encoding", "gzip"),
                        ("host", "z"),
                    ],
                    writing: Writing {
                        expects_continue: true,
                        ..Writing::default()
                    },
                    ..row()
                },
                &[
                    "expect: 100-Continue",
                    "content-type: text/y",
                    "authorization: x",
                    "user-agent: y",
                    "content-length: 3",
                    "accept-encoding: gzip",
                    "host: z",
                ],
            ),
            (
                "chunked by hand",
                Row {
                    payload: streamed(None),
                    headers: &[("transfer-encoding", "CHUNKED")],
                    ..row()
                },
                &[HOST, CODING, AGENT, "transfer-encoding: CHUNKED"],
            ),
            (
                "ours left out",
                Row {
                    writing: Writing {
                        skipped,
                        ..Writing::default()
                    },
                    ..row()
                },
                &["Content-Length: 0"],
            ),
            (
                "one of ours left out",
                Row {
                    writing: Writing {
                        skipped: Skipped {
                            accept_encoding: true,
                            ..Skipped::default()
                        },
                        ..Writing::default()
                    },
                    ..get()
                },
                &[HOST, AGENT],
            ),
            (
                "ours left out, the caller's own sent",
                Row {
                    headers: &[
                        ("host", "x"),
                        ("accept-encoding", "br"),
                        ("user-agent", "me"),
                    ],
                    writing: Writing {
                        skipped,
                        ..Writing::default()
                    },
                    ..get()
                },
                &["host: x", "accept-encoding: br", "user-agent: me"],
            ),
        ];
        for (case, row, expected) in rows {
            assert_eq!(lines(&row), expected, "{case}");
        }
    }

    #[test]
    fn only_a_body_is_waited_for() {
        let asked = Writing {
            expects_continue: true,
            ..Writing::default()
        };
        let by_hand: Pairs = &[("Expect", "x, 100-CONTINUE")];
        let streamed = |length| {
            Payload::Streamed(Streamed {
                length,
                can_rewind: false,
            })
        };
        for (case, payload, writing, headers, expect, awaits) in [
            ("a body", abc(), asked, &[][..], true, true),
            ("a streamed body", streamed(None), asked, &[], true, true),
            (
                "a streamed body of no bytes",
                streamed(Some(0)),
                asked,
                &[],
                false,
                false,
            ),
            (
                "a body of no bytes",
                Payload::Bytes(vec![]),
                asked,
                &[],
                false,
                false,
            ),
            ("no body", Payload::None, asked, &[], false, false),
            (
                "not asked for",
                abc(),
                Writing::default(),
                &[],
                false,
                false,
            ),
            ("by hand", abc(), Writing::default(), by_hand, true, true),
            (
                "another expectation by hand",
                abc(),
                Writing::default(),
                &[("Expect", "x")],
                true,
                false,
            ),
            (
                "asked for, but another expectation by hand",
                abc(),
                asked,
                &[("Expect", "x")],
                true,
                false,
            ),
            (
                "no body, by hand",
                Payload::None,
                Writing::default(),
                by_hand,
                true,
                false,
            ),
        ] {
            let fields = written(&Row {
                payload,
                writing,
                headers,
                ..row()
            })
            .unwrap();
            assert_eq!(
                (fields.headers.has("expect"), fields.awaits_continue),
                (expect, awaits),
                "{case}"
            );
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (case, row) in [
            (
                "a tunnel is no request",
                Row {
                    method: "CONNECT",
                    ..row()
                },
            ),
            (
                "a tunnel in lower case",
                Row {
                    method: "connect",
                    ..row()
                },
            ),
            (
                "two hosts",
                Row {
                    headers: &[("Host", "a"), ("host", "a")],
                    ..get()
                },
            ),
            (
                "a length that does not fit",
                Row {
                    headers: &[("Content-Length", "1")],
                    ..get()
                },
            ),
        ] {
            assert_eq!(
                written(&row).unwrap_err().kind(),
                "invalid-request",
                "{case}"
            );
        }
    }
}
