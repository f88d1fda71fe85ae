//! Bodies of responses, from a connection that exists in memory only: decoded, unchunked, and read in the pieces in which the tests read
//! them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;
use urlpool_core::driver::{Manager, Response};
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    Content, Error, ManagerSettings, PoolSettings, Reading, RequestOptions, Retries,
};

use crate::vector::{Answer, Vector, bytes, pairs, same_bytes, text};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What the reads of a response come to, one after the other.
pub(crate) fn read(vector: &Vector) -> Answer {
    let net = SimNet::new();
    net.name("a.test", &[ADDRESS]);
    let script = Script::new().request().send(response(vector)?).close();
    net.listen(SocketAddr::new(ADDRESS, 80), Listener::Accept(vec![script]));
    let settings = ManagerSettings {
        pool: PoolSettings {
            retries: Retries::off(),
            ..PoolSettings::default()
        },
        ..ManagerSettings::default()
    };
    let manager = Manager::new(net.clone(), settings).map_err(|error| error.to_string())?;
    let options = RequestOptions {
        reading: Reading {
            is_raw: vector.field("decode_content") == false,
            ..Reading::default()
        },
        ..RequestOptions::default()
    };
    let method = vector.text("method")?;
    let request = manager.request(method, "http://a.test/", Content::Empty, options);
    let mut response = net.run(request);
    for (number, wanted) in vector.list("reads").iter().enumerate() {
        let piece = match &mut response {
            Ok(response) => fully(&net, response, wanted),
            Err(error) => Err(error.clone()),
        };
        compare(wanted, piece).map_err(|why| format!("read {}: {why}", number + 1))?;
    }
    Ok(())
}

/// The bytes on the wire.
fn response(vector: &Vector) -> Result<Vec<u8>, String> {
    let status = vector.field("status").as_u64().unwrap_or(200);
    let mut head = format!("HTTP/1.1 {status} OK\r\n");
    for (name, value) in pairs(vector.field("headers")) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    Ok([head.into_bytes(), bytes(vector.field("wire"))?].concat())
}

/// What one read of the test's comes to. Ours hand out at most 64 KiB of what they decode at once, so that it may take several; and where
/// urllib3 fails they may hand out first what came before the failure.
fn fully(net: &SimNet, response: &mut Response<SimNet>, wanted: &Value) -> Result<Vec<u8>, Error> {
    let amount = wanted["amount"].as_u64().map(size);
    let long = wanted["length"].as_u64().map_or(0, size);
    let fails = text(&wanted["error"]).is_some();
    let call = text(&wanted["call"]).unwrap_or_default();
    let mut whole = piece(net, response, call, amount)?;
    while fails || whole.len() < long {
        let more = piece(
            net,
            response,
            call,
            Some(long.saturating_sub(whole.len()).max(1)),
        )?;
        if more.is_empty() {
            break;
        }
        whole.extend(more);
    }
    Ok(whole)
}

fn size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The next piece, as the test has read it.
fn piece(
    net: &SimNet,
    response: &mut Response<SimNet>,
    call: &str,
    amount: Option<usize>,
) -> Result<Vec<u8>, Error> {
    let most = amount.unwrap_or(usize::MAX);
    let is_chunked = response.head().headers.has("transfer-encoding");
    match call {
        "read1" => net.run(response.read(most)),
        "read_chunked" => net.run(response.read_chunk(most)),
        "stream" if is_chunked => net.run(response.read_chunk(most)),
        "__iter__" => net.run(response.read_line(most)),
        _ => match amount {
            Some(amount) => net.run(response.read_full(amount)),
            None => net.run(response.read_all(u64::MAX)),
        },
    }
}

/// Whether a piece, or what came in its place, is what urllib3 had.
fn compare(wanted: &Value, piece: Result<Vec<u8>, Error>) -> Answer {
    let (raised, piece) = match (text(&wanted["error"]), piece) {
        (None, Ok(piece)) => return same_bytes(wanted, &piece),
        (None, Err(error)) => return Err(format!("{wanted}, but {}: {error}", error.kind())),
        (Some(raised), piece) => (raised, piece),
    };
    let kinds: &[&str] = match raised {
        "DecodeError" => &["decode"],
        "IncompleteRead" => &["incomplete-body"],
        "ProtocolError" => &["incomplete-body", "invalid-chunk", "protocol"],
        "InvalidChunkLength" => &["invalid-chunk"],
        "InvalidHeader" => &["protocol"],
        "ResponseNotChunked" => &["invalid-request"],
        _ => &[],
    };
    match piece {
        Err(error) if kinds.contains(&error.kind()) => Ok(()),
        Err(error) => Err(format!("{raised}, but {}: {error}", error.kind())),
        Ok(piece) => Err(format!("{raised}, but {}", piece.escape_ascii())),
    }
}
