//! What servers say.

use urlpool_core::sim::Script;

/// A whole response with a length.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
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

/// Bytes that are text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the bytes are text")
}
