//! Bodies in their codings, undone by the component.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use urlpool_host::{Reading, RequestOptions};
use urlpool_tests::{Origin, Reply, Server};

use crate::common::{assert_healthy, failure_of, manager, refusal};

/// How many zeros there are in the bodies: far more than may be decoded at once.
const ZEROS: usize = 10 << 20;
/// As many, by brotli's reference encoder.
const ZEROS_BR: &str = "n///n/gnAOKxQCD3/hM=";

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

/// The zeros in every coding.
fn encoded() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = vec![0; ZEROS];
    let zstd = compress_to_vec(zeros.as_slice(), CompressionLevel::Fastest);
    vec![
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("deflate", raw_deflate(&zeros)),
        (
            "br",
            BASE64_STANDARD.decode(ZEROS_BR).expect("valid base64"),
        ),
        ("zstd, gzip", gzip(&zstd)),
        ("zstd", zstd),
    ]
}

async fn serving(coding: &str, body: Vec<u8>, is_chunked: bool) -> Server {
    let reply = Reply::ok(body).header("Content-Encoding", coding);
    let reply = if is_chunked { reply.chunked(7) } else { reply };
    Origin::new().reply(reply).start().await
}

fn reading(reading: Reading) -> RequestOptions {
    RequestOptions {
        reading,
        ..RequestOptions::default()
    }
}

#[tokio::test]
async fn codings_are_undone_piece_by_piece() {
    let (manager, zeros) = (manager().await, vec![0; ZEROS]);
    for (coding, body) in encoded() {
        for is_chunked in [false, true] {
            let case = format!("{coding}, chunked: {is_chunked}");
            let origin = serving(coding, body.clone(), is_chunked).await;
            let mut response = manager.get(origin.url("/")).send().await.unwrap();
            let mut length = 0;
            while let Some(chunk) = response.chunk().await.unwrap() {
                assert!(zeros.starts_with(&chunk), "{case}");
                length += chunk.len();
            }
            assert_eq!(length, ZEROS, "{case}");
            let again = manager.get(origin.url("/")).send().await.unwrap();
            assert!(again.head().connection.reused, "{case}");
        }
    }
}

#[tokio::test]
async fn decoding_can_be_left_to_the_caller() {
    let manager = manager().await;
    let body = gzip(b"text");
    let origin = serving("gzip", body.clone(), false).await;
    let raw = reading(Reading {
        is_raw: true,
        ..Reading::default()
    });
    let request = manager.get(origin.url("/")).options(raw);
    let response = request.send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), body);

    let raw = reading(Reading {
        is_raw: true,
        ..Reading::default()
    });
    let request = manager.get(origin.url("/")).options(raw);
    let mut response = request.send().await.unwrap();
    response.decode_content(true).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), b"text"[..]);
    let error = response.decode_content(false).await.unwrap_err();
    assert_eq!(refusal("too late", &error).kind(), "invalid-request");

    let strange = serving("rot13", b"grkg".to_vec(), false).await;
    let response = manager.get(strange.url("/")).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), b"grkg");
}

#[tokio::test]
async fn the_limit_of_a_body_counts_what_it_decodes_to() {
    let manager = manager().await;
    let at_most = |count| {
        reading(Reading {
            max_body: Some(count),
            ..Reading::default()
        })
    };
    for (coding, body) in encoded() {
        let origin = serving(coding, body, false).await;
        let request = |count| manager.get(origin.url("/")).options(at_most(count));
        let error = failure_of(coding, request(ZEROS as u64 - 1)).await;
        assert_eq!(error.kind(), "body-too-large", "{coding}");
        let response = request(ZEROS as u64).send().await.unwrap();
        assert_eq!(response.bytes().await.unwrap().len(), ZEROS, "{coding}");
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_an_error() {
    let manager = manager().await;
    let mut damaged = gzip(b"text");
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    for (case, coding, body) in [
        ("another coding", "gzip", b"text".to_vec()),
        ("a wrong checksum", "gzip", damaged),
        ("not brotli", "br", vec![0xff; 20]),
        ("not zstd", "zstd", b"text".to_vec()),
        ("six codings", "gzip,gzip,gzip,gzip,gzip,gzip", gzip(b"x")),
    ] {
        let origin = serving(coding, body, false).await;
        let error = failure_of(case, manager.get(origin.url("/"))).await;
        assert_eq!(error.kind(), "decode", "{case}: {error}");
    }
    assert_healthy("bodies that cannot be decoded", &manager).await;
}
