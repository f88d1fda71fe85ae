//! The head of a response, read from bytes that arrive in any pieces.

use std::mem::MaybeUninit;

use crate::types::{Headers, Limits, StatusLine, Together, Version};

/// As many fields as are read without asking for memory.
const USUAL_FIELDS: usize = 100;

/// Why bytes are not the head of a response.
pub type Malformed = String;

/// A head that has arrived whole.
#[derive(Debug, Eq, PartialEq)]
pub struct ReceivedHead {
    /// Version, status and reason.
    pub line: StatusLine,
    /// The fields in the order and case received.
    pub headers: Headers,
    /// How many bytes it took.
    pub length: usize,
}

/// Reads a head that arrives piece by piece. It looks again only where a line has ended since, so a head that comes byte by byte costs no
/// more than its lines.
#[derive(Debug, Default)]
pub struct HeadReader {
    searched: usize,
    limits: Limits,
}

impl HeadReader {
    /// A reader of heads no larger than this.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            searched: 0,
            limits,
        }
    }

    /// Reads the head that `bytes` begin with; `None` where more must arrive first. `bytes` must begin as they did before.
    ///
    /// # Errors
    /// Says what is wrong where the bytes are not HTTP/1.x or the head is too large.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<ReceivedHead>, Malformed> {
        let start = bytes.get(..5.min(bytes.len())).unwrap_or_default();
        if !b"HTTP/".starts_with(start) {
            return Err(bad_status_line(bytes));
        }
        let has_new_line = bytes
            .get(self.searched..)
            .unwrap_or_default()
            .contains(&b'\n');
        self.searched = bytes.len();
        let head = if has_new_line {
            parse(bytes, self.limits.fields)?
        } else {
            None
        };
        let length = head.as_ref().map_or(bytes.len(), |head| head.length);
        let max = self.limits.head;
        if length > max {
            return Err(format!(
                "the head of the response has more than {max} bytes"
            ));
        }
        Ok(head)
    }
}

/// A line may end in a bare LF, as urllib3 takes it too (RFC 9112, section 2.2).
fn parse(bytes: &[u8], max_fields: usize) -> Result<Option<ReceivedHead>, Malformed> {
    let mut usual = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    // A head has no more fields than bytes, whatever the limit.
    let mut many = Vec::new();
    let slots = match usual.get_mut(..max_fields) {
        Some(slots) => slots,
        None => {
            many.resize_with(max_fields.min(bytes.len()), MaybeUninit::uninit);
            many.as_mut_slice()
        }
    };
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut response, bytes, slots) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(format!("got more than {max_fields} headers"));
        }
        Err(httparse::Error::Version) => {
            return Err(format!("UnknownProtocol({:?})", first_line(bytes)));
        }
        Err(httparse::Error::Status) => return Err(bad_status_line(bytes)),
        Err(cause) => return Err(format!("the head of the response is malformed: {cause}")),
    };
    let version = if response.version == Some(0) {
        Version::Http10
    } else {
        Version::Http11
    };
    let status = response
        .code
        .filter(|code| *code >= 100)
        .ok_or_else(|| bad_status_line(bytes))?;
    Ok(Some(ReceivedHead {
        line: StatusLine {
            version,
            status,
            reason: reason(bytes),
        },
        headers: together(response.headers),
        length,
    }))
}

/// What the parser found, in one text.
pub(super) fn together(found: &[httparse::Header<'_>]) -> Headers {
    let bytes = found
        .iter()
        .map(|field| field.name.len() + field.value.len());
    let mut together = Together::with_room(found.len(), bytes.sum());
    for field in found {
        together.push(field.name, field.value);
    }
    together.into_fields().collect()
}

/// What follows the status code on the first line; httparse drops it where it is not ASCII.
fn reason(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let reason = line
        .splitn(3, |byte| *byte == b' ')
        .nth(2)
        .unwrap_or_default();
    crate::types::latin1(reason.trim_ascii())
}

/// Enough of what came to recognise it by.
fn first_line(bytes: &[u8]) -> String {
    let line = bytes
        .split(|byte| *byte == b'\r' || *byte == b'\n')
        .next()
        .unwrap_or_default();
    crate::types::latin1(line.get(..80.min(line.len())).unwrap_or_default())
}

fn bad_status_line(bytes: &[u8]) -> Malformed {
    format!("BadStatusLine({:?})", first_line(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<ReceivedHead>, Malformed> {
        HeadReader::default().read(bytes)
    }

    #[test]
    fn a_head_is_the_same_however_it_is_split() {
        let whole =
            b"HTTP/1.1 200 Very \xe9 OK\r\nContent-Length: 3\r\nx-A:  b \r\nX-a:\r\n\r\nabc";
        let expected = read(whole).unwrap().unwrap();
        assert_eq!(expected.line.reason, "Very \u{e9} OK");
        assert_eq!(
            expected.headers.all("X-A").collect::<Vec<_>>(),
            [&b"b"[..], b""]
        );
        assert_eq!(&whole[expected.length..], b"abc");
        for split in 0..expected.length {
            let mut reader = HeadReader::default();
            assert_eq!(reader.read(&whole[..split]), Ok(None), "{split} bytes");
            assert_eq!(
                reader.read(whole).unwrap().unwrap(),
                expected,
                "split at {split}"
            );
        }
        let mut reader = HeadReader::default();
        for end in 0..expected.length {
            assert_eq!(
                reader.read(&whole[..end]),
                Ok(None),
                "byte by byte to {end}"
            );
        }
    }

    #[test]
    fn what_is_not_http_is_refused_at_once() {
        for (case, bytes) in [
            ("garbage", &b"\x15\x03\x01\x00\x02\x02\x50"[..]),
            ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
            ("leading line break", b"\r\nHTTP/1.1 200 OK\r\n\r\n"),
            ("almost HTTP", b"HTTX"),
            ("version 2", b"HTTP/2.0 200 OK\r\n\r\n"),
            ("version 9.9", b"HTTP/9.9 200 OK\r\n\r\n"),
            ("no status", b"HTTP/1.1 OK\r\n\r\n"),
            ("status of two digits", b"HTTP/1.1 20 OK\r\n\r\n"),
            ("status 099", b"HTTP/1.1 099 OK\r\n\r\n"),
            (
                "space before the colon",
                b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n",
            ),
            ("field without a colon", b"HTTP/1.1 200 OK\r\nfoo\r\n\r\n"),
            ("NUL in a value", b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"),
            ("bare CR in a value", b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"),
            ("folded line", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
        ] {
            assert!(read(bytes).is_err(), "{case}: {:?}", read(bytes));
        }
    }

    #[test]
    fn lenient_where_urllib3_is_and_harmless() {
        for (case, bytes, status) in [
            ("no reason", &b"HTTP/1.1 200\r\n\r\n"[..], 200),
            ("empty reason", b"HTTP/1.0 404 \r\n\r\n", 404),
            ("bare line feeds", b"HTTP/1.1 200 OK\nA: b\n\n", 200),
            ("status 999", b"HTTP/1.1 999 Odd\r\n\r\n", 999),
        ] {
            assert_eq!(read(bytes).unwrap().unwrap().line.status, status, "{case}");
        }
    }

    #[test]
    fn heads_are_bounded() {
        let many = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(read(many(100).as_bytes()).is_ok());
        assert_eq!(
            read(many(101).as_bytes()).unwrap_err(),
            "got more than 100 headers"
        );
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(64 * 1024));
        assert!(
            read(endless.as_bytes())
                .unwrap_err()
                .contains("more than 65536 bytes")
        );
        assert!(
            read(format!("{endless}\r\n\r\n").as_bytes())
                .unwrap_err()
                .contains("more than 65536 bytes")
        );
    }
}
