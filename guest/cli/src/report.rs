//! The line of JSON that `--report json` writes for a request.
//!
//! The names, their order and their meaning are part of what the command promises.

use std::time::Duration;

use serde_json::{Value, json};
use urlpool_core::types::{ConnectionInfo, Error, Exhausted, HistoryEntry, ResponseHead};

use crate::delivery::Tally;
use crate::text::{http_version, tls_version};

/// How a request ended.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// `None` where no response came.
    pub(crate) head: Option<ResponseHead>,
    /// The connection of a request without a response, where it had one.
    pub(crate) connection: Option<ConnectionInfo>,
    pub(crate) delivered: Tally,
    /// The attempts before the response; an error without one brings its own.
    pub(crate) history: Vec<HistoryEntry>,
    /// Until the head had come.
    pub(crate) first_byte: Option<Duration>,
    /// Until the end of the body, or of the attempt to have it.
    pub(crate) total: Duration,
    /// Beside a head: why its body broke.
    pub(crate) error: Option<Error>,
}

impl Exchange {
    /// The line, without its end. `url` is the one that was asked for: a response knows its own, and so do most errors.
    pub(crate) fn line(&self, method: &str, url: &str) -> String {
        let head = self.head.as_ref();
        let connection = head
            .map(|head| &head.connection)
            .or(self.connection.as_ref());
        let fields = [
            ("url", json!(self.url().unwrap_or(url))),
            ("method", json!(method)),
            ("status", json!(head.map(|head| head.status))),
            (
                "http_version",
                json!(head.map(|head| http_version(head.version))),
            ),
            ("reason", json!(head.map(|head| &head.reason))),
            ("headers", head.map_or_else(|| json!([]), headers)),
            ("body_bytes", json!(self.delivered.bytes)),
            ("body_sha256", json!(self.delivered.sha256())),
        ];
        let mut line = String::from("{");
        for (name, value) in fields {
            line.push_str(&format!("\"{name}\":{value},"));
        }
        // Objects are written here and not by serde_json, which would sort their names.
        line.push_str(&format!(
            "\"history\":[{}],\"connection\":{},\"seconds\":{{\"total\":{},\"first_byte\":{}}},\"error\":{}}}",
            self.history().iter().map(entry_object).collect::<Vec<_>>().join(","),
            connection.map_or_else(null, connection_object),
            seconds(self.total),
            self.first_byte.map_or_else(null, seconds),
            self.error.as_ref().map_or_else(null, error_object),
        ));
        line
    }

    /// Where the request ended up.
    fn url(&self) -> Option<&str> {
        if let Some(head) = &self.head {
            return Some(&head.url);
        }
        let error = self.error.as_ref()?;
        match exhausted(error) {
            Some(exhausted) => Some(&exhausted.url),
            None => error.failure().map(|failure| failure.url.as_str()),
        }
    }

    fn history(&self) -> &[HistoryEntry] {
        match &self.error {
            // Of a body that broke, the response knows what came before.
            Some(error) if self.head.is_none() => error.history(),
            _ => &self.history,
        }
    }
}

fn exhausted(error: &Error) -> Option<&Exhausted> {
    match error {
        Error::TooManyRedirects(exhausted) | Error::RetriesExhausted(exhausted) => Some(exhausted),
        _ => None,
    }
}

fn headers(head: &ResponseHead) -> Value {
    head.headers
        .iter()
        .map(|header| json!([header.name(), header.text()]))
        .collect()
}

fn null() -> String {
    "null".into()
}

fn connection_object(connection: &ConnectionInfo) -> String {
    format!(
        "{{\"number\":{},\"reused\":{},\"tls\":{},\"remote\":{}}}",
        connection.number,
        connection.reused,
        json!(connection.tls.map(tls_version)),
        json!(connection.remote),
    )
}

fn entry_object(entry: &HistoryEntry) -> String {
    format!(
        "{{\"method\":{},\"url\":{},\"status\":{},\"location\":{},\"error\":{}}}",
        json!(entry.method),
        json!(entry.url),
        json!(entry.status),
        json!(entry.location),
        entry.error.as_deref().map_or_else(null, error_object),
    )
}

fn error_object(error: &Error) -> String {
    format!(
        "{{\"kind\":{},\"message\":{}}}",
        json!(error.kind()),
        json!(error.message())
    )
}

fn seconds(span: Duration) -> String {
    format!("{:.6}", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use urlpool_core::types::{Headers, LastOutcome, TlsVersion, Version};

    use super::*;
    use crate::fake::failure;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn head() -> ResponseHead {
        ResponseHead {
            status: 200,
            version: Version::Http10,
            reason: "O\"K".into(),
            url: "http://h/x".into(),
            headers: Headers::parse([
                ("X-B", &b"caf\xe9"[..]),
                ("x-a", "caf\u{e9}\t".as_bytes()),
                ("X-B", b""),
            ])
            .unwrap(),
            connection: connection(Some(TlsVersion::Tls13)),
        }
    }

    fn connection(tls: Option<TlsVersion>) -> ConnectionInfo {
        ConnectionInfo {
            number: 3,
            reused: true,
            remote: "[::1]:443".into(),
            tls,
            is_verified: tls.is_some(),
            proxy_is_verified: false,
        }
    }

    #[test]
    fn a_response_is_told_in_full_and_in_order() {
        let exchange = Exchange {
            head: Some(head()),
            delivered: Tally::new(true),
            first_byte: Some(Duration::from_micros(1_500)),
            total: Duration::from_millis(1_250),
            ..Exchange::default()
        };
        assert_eq!(
            exchange.line("GET", "ignored"),
            format!(
                concat!(
                    r#"{{"url":"http://h/x","method":"GET","status":200,"http_version":"1.0","reason":"O\"K","#,
                    r#""headers":[["X-B","café"],["x-a","café\t"],["X-B",""]],"body_bytes":0,"body_sha256":"{}","history":[],"#,
                    r#""connection":{{"number":3,"reused":true,"tls":"1.3","remote":"[::1]:443"}},"#,
                    r#""seconds":{{"total":1.250000,"first_byte":0.001500}},"error":null}}"#,
                ),
                EMPTY
            )
        );
    }

    #[test]
    fn an_attempt_is_told_in_order() {
        let exchange = Exchange {
            history: vec![
                HistoryEntry {
                    method: "POST".into(),
                    url: "http://h/1".into(),
                    status: Some(303),
                    location: Some("http://h/2".into()),
                    error: None,
                },
                HistoryEntry {
                    method: "GET".into(),
                    url: "http://h/2".into(),
                    status: None,
                    location: None,
                    error: Some(Box::new(Error::ConnectTimeout(failure("a \"b\"")))),
                },
            ],
            ..Exchange::default()
        };
        let line = exchange.line("POST", "http://h/1");
        let expected = concat!(
            r#""history":[{"method":"POST","url":"http://h/1","status":303,"location":"http://h/2","error":null},"#,
            r#"{"method":"GET","url":"http://h/2","status":null,"location":null,"#,
            r#""error":{"kind":"connect-timeout","message":"a \"b\""}}],"connection":null,"#,
        );
        assert!(line.contains(expected), "{line}");
    }

    #[test]
    fn an_error_knows_where_it_ended_up() {
        let entry = |url: &str| HistoryEntry {
            method: "GET".into(),
            url: url.into(),
            status: Some(302),
            location: None,
            error: None,
        };
        let exhausted = || {
            Box::new(Exhausted {
                message: "enough".into(),
                method: "GET".into(),
                url: "http://h/last".into(),
                attempts: 2,
                last: LastOutcome::Status(302),
                history: vec![entry("http://h/first"), entry("http://h/last")],
            })
        };
        for (error, url, tried) in [
            (Error::TooManyRedirects(exhausted()), "http://h/last", 2),
            (Error::RetriesExhausted(exhausted()), "http://h/last", 2),
            (Error::Protocol(failure("x")), "http://h/", 0),
            (
                Error::ReadTimeout(failure("x")).after(&[entry("http://h/first")]),
                "http://h/",
                1,
            ),
            (Error::Other("x".into()), "http://asked/", 0),
        ] {
            let kind = error.kind();
            let exchange = Exchange {
                error: Some(error),
                ..Exchange::default()
            };
            let line: Value = serde_json::from_str(&exchange.line("GET", "http://asked/")).unwrap();
            assert_eq!(line["url"], json!(url), "{kind}");
            assert_eq!(line["history"].as_array().unwrap().len(), tried, "{kind}");
        }
    }

    #[test]
    fn a_line_is_json_whatever_is_missing() {
        for (case, exchange, pointers) in [
            (
                "no connection",
                Exchange {
                    error: Some(Error::NameResolution(failure("no \"such\" name\n"))),
                    ..Exchange::default()
                },
                [
                    ("/status", json!(null)),
                    ("/url", json!("http://h/")),
                    ("/connection", json!(null)),
                    ("/error/kind", json!("name-resolution")),
                    ("/error/message", json!("no \"such\" name\n")),
                    ("/seconds/first_byte", json!(null)),
                ],
            ),
            (
                "no response",
                Exchange {
                    connection: Some(connection(None)),
                    error: Some(Error::ReadTimeout(failure("slow"))),
                    ..Exchange::default()
                },
                [
                    ("/status", json!(null)),
                    ("/reason", json!(null)),
                    ("/headers", json!([])),
                    ("/connection/tls", json!(null)),
                    ("/connection/number", json!(3)),
                    ("/error/kind", json!("read-timeout")),
                ],
            ),
            (
                "a body that broke",
                Exchange {
                    head: Some(head()),
                    error: Some(Error::InvalidChunk(failure("bad chunk"))),
                    ..Exchange::default()
                },
                [
                    ("/status", json!(200)),
                    ("/url", json!("http://h/x")),
                    ("/http_version", json!("1.0")),
                    ("/history", json!([])),
                    ("/connection/remote", json!("[::1]:443")),
                    ("/error/kind", json!("invalid-chunk")),
                ],
            ),
        ] {
            let line = exchange.line("GET", "http://asked/");
            let parsed: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(parsed.as_object().unwrap().len(), 12, "{case}");
            for (pointer, expected) in pointers {
                assert_eq!(
                    parsed.pointer(pointer),
                    Some(&expected),
                    "{case}: {pointer}"
                );
            }
        }
    }
}
