//! The functions of the contract that the Rust API does not need, because core or another function does the same natively: they do it too.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::grants::Grants;
use crate::instance::Slot;
use crate::manager::Settings;
use crate::{AcceptEncoding, Header, MakeHeaders, RequestOptions, convert, make_headers, wit};

async fn slot() -> Arc<Slot> {
    let settings = Settings {
        grants: Grants::all(),
        ..Settings::default()
    };
    Arc::new(Slot::open(settings).await.unwrap())
}

fn asked(basic_auth: &str) -> wit::HeaderOptions {
    wit::HeaderOptions {
        keep_alive: true,
        accept_encoding: Some(Vec::new()),
        user_agent: Some("me".into()),
        basic_auth: Some(basic_auth.into()),
        proxy_basic_auth: None,
        disable_cache: true,
    }
}

#[tokio::test]
async fn the_component_makes_the_headers_that_core_makes() {
    let slot = slot().await;
    let make = async |options: wit::HeaderOptions| {
        let made = slot.value(async |parts| {
            let made = parts.blocking.call_make_headers(parts.store, &options);
            made.await
        });
        made.await.unwrap()
    };
    let expected = make_headers(MakeHeaders {
        keep_alive: true,
        accept_encoding: Some(AcceptEncoding::All),
        user_agent: Some("me".into()),
        basic_auth: Some("user:p\u{e9}".into()),
        disable_cache: true,
        ..MakeHeaders::default()
    });
    let expected: Vec<_> = expected
        .unwrap()
        .into_iter()
        .map(Header::into_parts)
        .collect();
    assert_eq!(make(asked("user:p\u{e9}")).await.unwrap(), expected);
    let error = make(asked("user:\u{20ac}")).await.unwrap_err();
    assert_eq!(error.kind, wit::ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn the_component_encodes_fields_into_the_body_of_any_method() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"--\r\n") {
            assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0);
        }
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8(received).unwrap()
    };
    let slot = slot().await;
    let options = convert::request_options(RequestOptions::default());
    let fields = [wit::Part {
        name: "a".into(),
        filename: None,
        content_type: None,
        headers: Vec::new(),
        data: wit::PartData::Bytes(b"b".to_vec()),
    }];
    let send = slot.make(async |parts| {
        let manager = parts.blocking.pool_manager();
        let on = parts.manager;
        let sent =
            manager.call_request_encode_body(parts.store, on, "get", &url, &fields, &options);
        sent.await
    });
    let (received, sent) = tokio::join!(serve, send);
    slot.discard(sent.unwrap());
    assert!(received.starts_with("GET / HTTP/1.1\r\n"), "{received}");
    let part = "Content-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--";
    assert!(received.contains(part), "{received}");
}
