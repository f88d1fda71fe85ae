//! A request as it came over the wire.

/// The bytes of one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// From the request line to the empty line, both included.
    pub head: Vec<u8>,
    /// As many bytes as `Content-Length` announced; of a chunked body all bytes as they came, framing included.
    pub body: Vec<u8>,
}

impl Request {
    /// The first request in `bytes` and its length, if all of it is there.
    pub(crate) fn first_in(bytes: &[u8]) -> Option<(Self, usize)> {
        let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let (head, rest) = bytes.split_at_checked(head_end)?;
        let mut request = Self {
            head: head.to_vec(),
            body: Vec::new(),
        };
        let length = match request.field("transfer-encoding") {
            Some(_) => chunked_length(rest)?,
            None => request
                .field("content-length")
                .map_or(0, |value| value.parse().expect("a Content-Length")),
        };
        request.body = rest.get(..length)?.to_vec();
        Some((request, head_end + length))
    }

    /// The body out of its framing.
    ///
    /// # Panics
    /// Where it is chunked, and that is malformed.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        if self.field("transfer-encoding").is_none() {
            return self.body.clone();
        }
        let (mut content, mut rest) = (Vec::new(), self.body.as_slice());
        while let Some((data, after)) = first_chunk(rest).filter(|(data, _)| !data.is_empty()) {
            content.extend_from_slice(data);
            rest = after;
        }
        content
    }

    /// The head as text, for comparing.
    #[must_use]
    pub fn head_text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// The first word of the request line.
    #[must_use]
    pub fn method(&self) -> String {
        self.word(0)
    }

    /// The second word of the request line.
    #[must_use]
    pub fn target(&self) -> String {
        self.word(1)
    }

    /// The first field of that name, whatever its case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields()
            .into_iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All fields in order, values trimmed.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        self.head_text()
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect()
    }

    fn word(&self, number: usize) -> String {
        self.head_text()
            .split(' ')
            .nth(number)
            .unwrap_or_default()
            .to_owned()
    }
}

/// How long the chunked body at the start of `bytes` is, with its trailers, if all of it is there.
fn chunked_length(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let (data, after) = first_chunk(rest)?;
        rest = after;
        if data.is_empty() {
            return Some(bytes.len() - rest.len());
        }
    }
}

/// What the first chunk holds and what follows it, if all of it is there. The last one has the trailers with it.
fn first_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")?;
    let (size, rest) = bytes.split_at_checked(line)?;
    let size = str::from_utf8(size).expect("a chunk's size");
    let size = usize::from_str_radix(size, 16).expect("a chunk's size");
    let rest = rest.get(2..)?;
    if size == 0 && !rest.starts_with(b"\r\n") {
        let trailers = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
        return Some((&[], rest.get(trailers + 4..)?));
    }
    let (data, after) = rest.split_at_checked(size)?;
    Some((data, after.get(2..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let whole = b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET ";
        for cut in 0..41 {
            assert_eq!(Request::first_in(&whole[..cut]), None, "{cut}");
        }
        let (request, length) = Request::first_in(whole).unwrap();
        assert_eq!(&whole[length..], b"GET ");
        assert_eq!(request.body, b"abc");
        assert_eq!(
            (request.method(), request.target()),
            ("POST".into(), "/x".into())
        );
        assert_eq!(request.field("content-LENGTH").as_deref(), Some("3"));
        assert_eq!(request.content(), b"abc");

        let chunked =
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        for cut in 0..chunked.len() {
            assert_eq!(Request::first_in(&chunked[..cut]), None, "{cut}");
        }
        let (request, length) = Request::first_in(chunked).unwrap();
        assert_eq!(
            (request.content(), length),
            (b"abc".to_vec(), chunked.len())
        );
    }

    #[test]
    fn a_chunked_body_belongs_to_its_request() {
        let head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "3\r\nabc\r\n0\r\n\r\n",
            "3\r\nabc\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
        ] {
            let whole = format!("{head}{body}GET ");
            let end = whole.len() - 4;
            for cut in 0..end {
                assert_eq!(Request::first_in(&whole.as_bytes()[..cut]), None, "{cut}");
            }
            let (request, length) = Request::first_in(whole.as_bytes()).unwrap();
            assert_eq!((request.body.as_slice(), length), (body.as_bytes(), end));
            assert_eq!(request.content(), b"abc");
        }
    }
}
