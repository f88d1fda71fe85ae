//! What servers say.

use urlpool_core::sim::Script;

use super::{SECOND, World};

/// A whole response with a length.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A whole response with this status and these fields, and a body with a length.
pub(crate) fn answer(status: &str, fields: &[&str], body: &str) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 {status}\r\n");
    for field in fields {
        response.push_str(field);
        response.push_str("\r\n");
    }
    response.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    response.into_bytes()
}

/// A whole response in chunks.
pub(crate) fn chunked(chunks: &[&str]) -> Vec<u8> {
    let mut response = String::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in chunks {
        response.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    response.push_str("0\r\n\r\n");
    response.into_bytes()
}

/// A server that answers every request with this text.
pub(crate) fn origin_of(body: &str) -> Vec<Script> {
    vec![Script::always(ok(body))]
}

/// A server that sends each head at once, and the body a second later.
pub(crate) fn slow() -> Vec<Script> {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    let script = Script::new().request().send(head).pause(SECOND);
    vec![script.send("slow").again()]
}

/// Bytes that are text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the bytes are text")
}

/// Sends these pieces a second apart, in chunks of their own, and then the end.
pub(crate) fn dripping(head: &str, pieces: &[&[u8]], end: Script) -> World {
    let is_chunked = head.contains("chunked");
    let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
    let mut script = Script::new().request().send(head);
    for piece in pieces {
        let size = format!("{:x}\r\n", piece.len());
        let bytes = match is_chunked {
            true => [size.as_bytes(), piece, b"\r\n"].concat(),
            false => piece.to_vec(),
        };
        script = script.pause(SECOND).send(bytes);
    }
    World::serving(vec![script.followed_by(end)])
}

/// The field of a chunked response.
pub(crate) const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
