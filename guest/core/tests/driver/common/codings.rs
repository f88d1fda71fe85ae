//! Content in its codings, and the ways to send it.

use std::io::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Bytes that a bomb decodes to.
pub(crate) const ZEROS: usize = 10 * 1024 * 1024;
/// As many zeros, written once by brotli's reference encoder.
const ZEROS_BR: &str = "n///n/gnAOKxQCD3/hM=";

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Brotli as it stores what cannot be compressed (RFC 7932, section 9.2): up to 64 KiB.
pub(crate) fn brotli(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() - 1).unwrap();
    let header = (1 << 20 | length << 4).to_le_bytes();
    [&header[..3], data, &[3]].concat()
}

pub(crate) fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

/// The same content in every coding there is: its name, what it looks like, and whether what follows its end is told from it.
pub(crate) fn encoded(data: &[u8]) -> Vec<(&'static str, Vec<u8>, bool)> {
    vec![
        ("gzip", gzip(data), true),
        ("x-gzip", gzip(data), true),
        ("deflate", zlib(data), true),
        ("deflate", raw_deflate(data), true),
        ("br", brotli(data), true),
        ("zstd", zstd(data), false),
        ("zstd, gzip", gzip(&zstd(data)), true),
        ("gzip, identity, br", brotli(&gzip(data)), true),
    ]
}

/// [`ZEROS`] zero bytes in every coding.
pub(crate) fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; ZEROS];
    let blocks = ZEROS / (128 * 1024);
    // A window of 128 KiB and blocks that repeat a zero byte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    for number in 1..=blocks {
        frame.extend([2 | u8::from(number == blocks), 0, 0x10, 0]);
    }
    vec![
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("deflate", raw_deflate(&zeros)),
        ("br", BASE64_STANDARD.decode(ZEROS_BR).unwrap()),
        ("zstd", frame),
        ("gzip, gzip", gzip(&gzip(&zeros))),
    ]
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    UntilClose,
}

pub(crate) const FRAMINGS: [Framing; 3] = [Framing::Length, Framing::Chunked, Framing::UntilClose];

impl Framing {
    /// A whole response in this coding. Whoever sends one until close has to close.
    pub(crate) fn respond(self, coding: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n");
        match self {
            Self::Length => {
                let length = format!("Content-Length: {}\r\n\r\n", body.len());
                [head.as_bytes(), length.as_bytes(), body].concat()
            }
            Self::Chunked => {
                let mut response = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
                for chunk in body.chunks(7.max(body.len() / 10)) {
                    response.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    response.extend(chunk);
                    response.extend(b"\r\n");
                }
                response.extend(b"0\r\n\r\n");
                response
            }
            Self::UntilClose => [head.as_bytes(), b"\r\n", body].concat(),
        }
    }

    /// How many connections it leaves open.
    pub(crate) fn kept(self) -> usize {
        usize::from(self != Self::UntilClose)
    }
}
