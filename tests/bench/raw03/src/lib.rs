//! The limit for `http` over WASI 0.3: a loop over a bare socket. `ADDRESS:PORT PATH count=N`, of IPv4.
//!
//! It reads 64 KiB at a time, looks for the end of the head, and throws away as many bytes as `Content-Length` says.

use std::net::SocketAddr;
use std::time::Instant;

use wasip3::sockets::types::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket};
use wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use wasip3::wit_stream;

/// How much is read at once.
const PIECE: usize = 64 * 1024;

wasip3::cli::command::export!(Component);

struct Component;

impl wasip3::exports::cli::run::Guest for Component {
    async fn run() -> Result<(), ()> {
        exchange().await.map_err(|why| eprintln!("{why}"))
    }
}

async fn exchange() -> Result<(), String> {
    let arguments = wasip3::cli::environment::get_arguments();
    let [_, address, path, count] = &arguments[..] else {
        return Err("usage: ADDRESS:PORT PATH count=N".into());
    };
    let count: u32 = count
        .strip_prefix("count=")
        .and_then(|count| count.parse().ok())
        .ok_or("count=N is a number")?;
    let Ok(SocketAddr::V4(remote)) = address.parse() else {
        return Err(format!("{address} is not of IPv4"));
    };
    let started = Instant::now();
    let [a, b, c, d] = remote.ip().octets();
    let remote = IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: remote.port(),
        address: (a, b, c, d),
    });
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(failed)?;
    socket.connect(remote).await.map_err(failed)?;
    let (mut received, _) = socket.receive();
    let (mut sending, data) = wit_stream::new();
    let _sent = socket.send(data);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut buffer = Vec::with_capacity(PIECE);
    let mut bytes = 0;
    for _ in 0..count {
        let length;
        (length, buffer) = get(&request, &mut sending, &mut received, buffer).await?;
        bytes += length;
    }
    #[expect(clippy::print_stdout, reason = "the time is what this prints")]
    let () = println!(
        "total {count} {bytes} bytes {} ns",
        started.elapsed().as_nanos()
    );
    Ok(())
}

async fn get(
    request: &str,
    sending: &mut StreamWriter<u8>,
    received: &mut StreamReader<u8>,
    mut buffer: Vec<u8>,
) -> Result<(u64, Vec<u8>), String> {
    if !sending
        .write_all(request.as_bytes().to_vec())
        .await
        .is_empty()
    {
        return Err("the server takes nothing".into());
    }
    buffer.clear();
    let mut left = None;
    let mut length = 0;
    while left != Some(0) {
        if left.is_some() {
            buffer.clear();
        }
        let before = buffer.len();
        let result;
        (result, buffer) = received.read(buffer).await;
        if !matches!(result, StreamResult::Complete(_)) {
            return Err("the server has gone".into());
        }
        let more = (buffer.len() - before) as u64;
        left = match left {
            Some(left) => Some(left - more),
            None => match head(&buffer) {
                None => None,
                Some((head, body)) => {
                    length = body;
                    Some(body - (buffer.len() - head) as u64)
                }
            },
        };
    }
    Ok((length, buffer))
}

/// How long the head is, and the body behind it.
fn head(bytes: &[u8]) -> Option<(usize, u64)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))?;
    Some((end, length.parse().ok()?))
}

fn failed(code: wasip3::sockets::types::ErrorCode) -> String {
    format!("{code:?}")
}
