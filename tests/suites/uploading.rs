//! Bodies of requests: pushed piece by piece, forms, and those that wait to be asked for.

use urlpool_host::{
    Multipart, Part, PartData, Pending, PoolManager, Progress, RequestBuilder, RequestOptions,
    Streamed, Writing,
};
use urlpool_tests::{Origin, Peer, Reply, Server, Step, within};

use crate::common::{assert_healthy, manager, patient, refusal, text};

const CHUNKED: Streamed = Streamed {
    length: None,
    can_rewind: false,
};

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("fine")).start().await
}

async fn pushing(manager: &PoolManager, url: &str, body: Streamed) -> Pending {
    let request = manager.request("PUT", url).streamed(body);
    request.start().await.expect("a request that can be sent")
}

/// Pushes a body, again wherever that is asked for, and says how often it was pushed from its start.
async fn push(pending: &mut Pending, pieces: &[&str]) -> usize {
    let mut times = 0;
    'start: loop {
        times += 1;
        for piece in pieces {
            match pending.write(piece.as_bytes()).await.expect("a push") {
                Progress::Accepted => {}
                Progress::Rewind => continue 'start,
                Progress::Answered => return times,
            }
        }
        if pending.finish().await.expect("a push") != Progress::Rewind {
            return times;
        }
    }
}

#[tokio::test]
async fn a_pushed_body_is_sent_as_it_comes() {
    let manager = manager().await;
    for (case, length, field, expected) in [
        ("length", Some(12), ("content-length", "12"), "hello, world"),
        (
            "chunked",
            None,
            ("transfer-encoding", "chunked"),
            "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
        ),
    ] {
        let origin = origin().await;
        let body = Streamed { length, ..CHUNKED };
        let mut pending = pushing(&manager, &origin.url("/"), body).await;
        for piece in ["hello", "", ", world"] {
            let progress = pending.write(piece.as_bytes()).await.unwrap();
            assert_eq!(progress, Progress::Accepted, "{case}");
        }
        assert_eq!(
            pending.finish().await.unwrap(),
            Progress::Answered,
            "{case}"
        );
        let response = pending.response().await.unwrap();
        assert_eq!(text(response).await, "fine", "{case}");
        let request = origin.request();
        assert_eq!(request.field(field.0).as_deref(), Some(field.1), "{case}");
        assert_eq!(String::from_utf8(request.body).unwrap(), expected, "{case}");
    }
}

#[tokio::test]
async fn a_large_pushed_body_arrives_whole() {
    let (manager, origin) = (manager().await, origin().await);
    let piece = "0123456789abcdef".repeat(4096);
    let pieces = [piece.as_str(); 32];
    let body = Streamed {
        length: Some(pieces.concat().len() as u64),
        ..CHUNKED
    };
    let mut pending = pushing(&manager, &origin.url("/"), body).await;
    assert_eq!(push(&mut pending, &pieces).await, 1);
    assert_eq!(text(pending.response().await.unwrap()).await, "fine");
    assert!(origin.request().body == pieces.concat().as_bytes());
}

#[tokio::test]
async fn a_body_of_another_length_than_announced_is_refused() {
    let manager = manager().await;
    for (case, pieces) in [("short", ["ab", "c"]), ("long", ["ab", "cde"])] {
        let origin = origin().await;
        let body = Streamed {
            length: Some(4),
            ..CHUNKED
        };
        let mut pending = pushing(&manager, &origin.url("/"), body).await;
        push(&mut pending, &pieces).await;
        let error = pending.response().await.unwrap_err();
        assert_eq!(refusal(case, &error).kind(), "invalid-request", "{case}");
        origin.closed(1).await;
        assert_eq!(origin.requests().len(), 0, "{case}");
    }
    assert_healthy("bodies of another length", &manager).await;
}

#[tokio::test]
async fn a_redirected_body_is_pushed_again_where_it_can_be() {
    let manager = patient(3).await;
    for can_rewind in [true, false] {
        let second = origin().await;
        let moved = Reply::new(307, "").header("Location", second.url("/there"));
        let first = Origin::new().reply(moved).start().await;
        let body = Streamed {
            can_rewind,
            ..CHUNKED
        };
        let mut pending = pushing(&manager, &first.url("/"), body).await;
        let times = push(&mut pending, &["hello", ", world"]).await;
        let outcome = pending.response().await;
        let expected = "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n".as_bytes();
        assert_eq!(first.request().body, expected, "{can_rewind}");
        if can_rewind {
            let response = outcome.unwrap();
            assert_eq!(response.history().await.unwrap().len(), 1);
            assert_eq!((times, text(response).await), (2, "fine".into()));
            assert_eq!(second.request().body, expected);
        } else {
            let error = refusal("not rewindable", &outcome.unwrap_err());
            assert_eq!((times, error.kind()), (1, "body-not-replayable"));
            assert_eq!(second.accepted(), 0);
        }
    }
}

#[tokio::test]
async fn two_bodies_are_pushed_in_turns() {
    let (manager, origin) = (manager().await, origin().await);
    let mut one = pushing(&manager, &origin.url("/1"), CHUNKED).await;
    let mut two = pushing(&manager, &origin.url("/2"), CHUNKED).await;
    for piece in ["a", "b"] {
        for pending in [&mut one, &mut two] {
            pending.write(piece.as_bytes()).await.unwrap();
        }
    }
    for pending in [&mut two, &mut one] {
        assert_eq!(pending.finish().await.unwrap(), Progress::Answered);
    }
    for pending in [one, two] {
        assert_eq!(text(pending.response().await.unwrap()).await, "fine");
    }
    let bodies: Vec<Vec<u8>> = origin
        .requests()
        .into_iter()
        .map(|sent| sent.body)
        .collect();
    assert_eq!(bodies, [b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"; 2]);
}

#[tokio::test]
async fn pushes_that_nobody_waits_for_are_told_so() {
    let (manager, origin) = (manager().await, origin().await);
    let mut plain = manager.get(origin.url("/")).start().await.unwrap();
    for _ in 0..2 {
        assert_eq!(plain.write(b"x").await.unwrap(), Progress::Answered);
        assert_eq!(plain.end_part().await.unwrap(), Progress::Answered);
        assert_eq!(plain.finish().await.unwrap(), Progress::Answered);
    }
    assert_eq!(text(plain.response().await.unwrap()).await, "fine");

    let mut ended = pushing(&manager, &origin.url("/"), CHUNKED).await;
    push(&mut ended, &["x"]).await;
    assert_eq!(ended.write(b"y").await.unwrap(), Progress::Answered);
    assert_eq!(ended.finish().await.unwrap(), Progress::Answered);
    assert_eq!(text(ended.response().await.unwrap()).await, "fine");
    assert_healthy("pushes in vain", &manager).await;
}

#[tokio::test]
async fn an_early_answer_ends_the_pushing() {
    let manager = manager().await;
    let peer = Peer::always([
        Step::Bytes,
        Step::send("HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"),
        Step::Hold,
    ])
    .start()
    .await;
    let piece = vec![0; 64 << 10];
    let mut pending = pushing(&manager, &peer.url("/"), CHUNKED).await;
    while pending.write(&piece).await.unwrap() == Progress::Accepted {}
    let response = pending.response().await.unwrap();
    assert_eq!(
        (response.status(), text(response).await),
        (413, "no".into())
    );
    peer.closed(1).await;
}

#[tokio::test]
async fn a_body_that_is_not_pushed_to_its_end_is_given_up_with_its_request() {
    let (manager, origin) = (manager().await, origin().await);
    let mut pending = pushing(&manager, &origin.url("/"), CHUNKED).await;
    pending.write(b"x").await.unwrap();
    drop(pending);
    assert_healthy("half a body", &manager).await;
    assert_eq!(origin.requests().len(), 0);

    // Nobody can push while the response is waited for.
    let mut pending = pushing(&manager, &origin.url("/"), CHUNKED).await;
    pending.write(b"x").await.unwrap();
    let error = within("an answer", pending.response()).await.unwrap_err();
    assert_eq!(refusal("half", &error).kind(), "invalid-request");

    let moved = Reply::new(307, "").header("Location", origin.url("/there"));
    let first = Origin::new().reply(moved).start().await;
    let body = Streamed {
        can_rewind: true,
        ..CHUNKED
    };
    let mut pending = patient(3)
        .await
        .request("PUT", first.url("/"))
        .streamed(body)
        .start()
        .await
        .unwrap();
    pending.write(b"x").await.unwrap();
    assert_eq!(pending.finish().await.unwrap(), Progress::Rewind);
    let error = within("an answer", pending.response()).await.unwrap_err();
    assert_eq!(refusal("not again", &error).kind(), "invalid-request");
    assert_eq!(origin.requests().len(), 0);
    assert_healthy("half a body", &manager).await;
}

#[tokio::test]
async fn a_pushed_body_needs_a_start() {
    let (manager, origin) = (manager().await, origin().await);
    let request = manager.request("PUT", origin.url("/")).streamed(CHUNKED);
    let error = request.send().await.unwrap_err();
    assert_eq!(refusal("sent", &error).kind(), "invalid-request");
    assert_eq!(origin.accepted(), 0);
}

fn named(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[tokio::test]
async fn bodies_are_encoded_as_they_are_named() {
    type Row = (
        &'static str,
        &'static str,
        fn(RequestBuilder) -> RequestBuilder,
        (&'static str, Option<&'static str>, &'static str),
    );
    let rows: [Row; 5] = [
        (
            "json",
            "POST",
            |request| request.json(r#"{"a":1}"#),
            ("/?q=1", Some("application/json"), r#"{"a":1}"#),
        ),
        (
            "json with a type of its own",
            "POST",
            |request| request.json("{}").header("Content-Type", "text/x"),
            ("/?q=1", Some("text/x"), "{}"),
        ),
        (
            "form",
            "PUT",
            |request| request.form([named("a", "b c"), named("d", "&é")]),
            (
                "/?q=1",
                Some("application/x-www-form-urlencoded"),
                "a=b+c&d=%26%C3%A9",
            ),
        ),
        (
            "fields of GET",
            "GET",
            |request| request.fields([Part::field("a", "b c"), Part::field("d", "&")]),
            ("/?q=1&a=b+c&d=%26", None, ""),
        ),
        (
            "multipart",
            "POST",
            |request| {
                request.multipart(Multipart {
                    parts: vec![
                        Part::field("a", "b"),
                        Part::file("f", "x.txt", PartData::Bytes(b"text".to_vec())),
                    ],
                    boundary: Some("edge".into()),
                    can_rewind: false,
                })
            },
            (
                "/?q=1",
                Some("multipart/form-data; boundary=edge"),
                "--edge\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n\
                 --edge\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\ntext\r\n\
                 --edge--\r\n",
            ),
        ),
    ];
    let manager = manager().await;
    for (case, method, carry, (target, kind, body)) in rows {
        let origin = origin().await;
        let request = carry(manager.request(method, origin.url("/?q=1")));
        request.send().await.unwrap().bytes().await.unwrap();
        let sent = origin.request();
        assert_eq!(sent.target(), target, "{case}");
        assert_eq!(sent.field("content-type").as_deref(), kind, "{case}");
        assert_eq!(String::from_utf8_lossy(&sent.body), body, "{case}");
    }
}

#[tokio::test]
async fn parts_of_a_form_are_pushed_in_their_order() {
    let (manager, origin) = (manager().await, origin().await);
    let form = Multipart {
        parts: vec![
            Part::file("f", "x.bin", PartData::Streamed(Some(4))),
            Part::field("a", "b"),
            Part::file("g", "y.bin", PartData::Streamed(Some(2))),
        ],
        boundary: Some("edge".into()),
        can_rewind: false,
    };
    let request = manager.request("POST", origin.url("/")).multipart(form);
    let mut pending = request.start().await.unwrap();
    for part in ["text", "gg"] {
        let progress = pending.write(part.as_bytes()).await.unwrap();
        assert_eq!(progress, Progress::Accepted);
        assert_eq!(pending.end_part().await.unwrap(), Progress::Accepted);
    }
    assert_eq!(pending.finish().await.unwrap(), Progress::Answered);
    assert_eq!(text(pending.response().await.unwrap()).await, "fine");
    let part = |name: &str, rest: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n")
    };
    let kind = "\r\nContent-Type: application/octet-stream\r\n\r\n";
    let expected = [
        part("f", &format!("; filename=\"x.bin\"{kind}text")),
        part("a", "\r\n\r\nb"),
        part("g", &format!("; filename=\"y.bin\"{kind}gg")),
        "--edge--\r\n".into(),
    ];
    let sent = origin.request();
    assert_eq!(String::from_utf8(sent.body).unwrap(), expected.concat());
}

#[tokio::test]
async fn a_body_waits_until_the_server_asks_for_it() {
    let manager = manager().await;
    let peer = Peer::always([
        Step::Bytes,
        Step::send("HTTP/1.1 100 Continue\r\n\r\n"),
        Step::Request,
        Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        Step::Hold,
    ])
    .start()
    .await;
    let request = manager.request("PUT", peer.url("/")).body("body");
    let request = request.options(RequestOptions {
        writing: Writing {
            expects_continue: true,
            ..Writing::default()
        },
        ..RequestOptions::default()
    });
    assert_eq!(text(request.send().await.unwrap()).await, "ok");
    let sent = peer.request();
    assert_eq!(sent.field("expect").as_deref(), Some("100-continue"));
    // Without the wait, head and body are one write.
    assert_eq!(peer.connections()[0].reads, [sent.head.len(), 4]);

    let refusing = Peer::answering("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
        .start()
        .await;
    let plain = manager.request("PUT", refusing.url("/")).body("body");
    assert_eq!(plain.send().await.unwrap().status(), 417);
}
