//! Redirects that are followed, from server to server, and those that are not.

use urlpool_host::{Budget, ClientError, LastOutcome, Redirects, Retries};
use urlpool_tests::{Origin, Reply, Server, fail};

use crate::common::{entry, failure_of, patient, text};

fn to(status: u16, location: impl Into<String>) -> Reply {
    Reply::new(status, "moved").header("Location", location)
}

async fn there() -> Server {
    Origin::new().reply(Reply::ok("there")).start().await
}

#[tokio::test]
async fn secrets_stay_with_the_first_server_and_host_is_the_seconds() {
    let (manager, second) = (patient(3).await, there().await);
    let location = second.url("/there?page=2");
    let first = Origin::new().reply(to(302, &location)).start().await;
    let (port, asked) = (first.port(), first.url("/from"));
    let response = manager
        .get(format!("http://me:secret@127.0.0.1:{port}/from"))
        .header("Cookie", "c=1")
        .header("proxy-authorization", "Basic eA==")
        .header("X-Kept", "1")
        .header("Accept-Encoding", "identity")
        .header("User-Agent", "suite")
        .send()
        .await
        .unwrap();
    assert_eq!(response.head().url, location);
    assert_eq!(
        response.history().await.unwrap(),
        [entry("GET", &asked, 302, Some(&location))]
    );
    assert_eq!(text(response).await, "there");
    let sent = first.request();
    assert_eq!(sent.field("host"), Some(first.authority()));
    for secret in ["authorization", "cookie", "proxy-authorization"] {
        assert!(sent.field(secret).is_some(), "{secret}");
    }
    assert_eq!(
        second.request().head_text(),
        format!(
            "GET /there?page=2 HTTP/1.1\r\nHost: {}\r\nX-Kept: 1\r\nAccept-Encoding: identity\r\nUser-Agent: suite\r\n\r\n",
            second.authority()
        )
    );
}

#[tokio::test]
async fn only_303_changes_the_method_and_drops_the_body() {
    let manager = patient(3).await;
    for (status, method, body, expected_method, expected_body) in [
        (301, "POST", "body", "POST", "body"),
        (302, "PUT", "body", "PUT", "body"),
        (303, "POST", "body", "GET", ""),
        (303, "HEAD", "", "HEAD", ""),
        (307, "POST", "body", "POST", "body"),
        (308, "POST", "body", "POST", "body"),
    ] {
        let case = format!("{status} to {method}");
        let origin = Origin::new()
            .at("/from", to(status, "to"))
            .at("/to", Reply::ok("there"))
            .start()
            .await;
        let mut request = manager.request(method, origin.url("/from"));
        if !body.is_empty() {
            request = request.body(body).header("Content-Type", "text/plain");
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.head().url, origin.url("/to"), "{case}");
        response.bytes().await.unwrap();
        let requests = origin.requests();
        let [first, second] = requests.as_slice() else {
            fail(&format!("{case}: {requests:?}"));
        };
        assert_eq!(first.body, body.as_bytes(), "{case}");
        assert_eq!(second.method(), expected_method, "{case}");
        assert_eq!(second.body, expected_body.as_bytes(), "{case}");
        for name in ["content-type", "content-length"] {
            let is_sent = second.field(name).is_some();
            assert_eq!(is_sent, !expected_body.is_empty(), "{case}: {name}");
        }
        assert_eq!(origin.accepted(), 1, "{case}");
    }
}

#[tokio::test]
async fn a_redirect_that_is_not_to_be_followed_is_handed_over() {
    let (manager, second) = (patient(3).await, there().await);
    let first = Origin::new().reply(to(302, second.url("/"))).start().await;
    for (case, request) in [
        (
            "hand over",
            manager.get(first.url("/1")).redirects(Redirects::HandOver),
        ),
        ("off", manager.get(first.url("/2")).retries(Retries::off())),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 302, "{case}");
        assert_eq!(
            response.headers().first("location"),
            Some(second.url("/").as_bytes()),
            "{case}"
        );
        assert_eq!(response.history().await.unwrap(), [], "{case}");
        assert_eq!(text(response).await, "moved", "{case}");
    }
    assert_eq!((first.requests().len(), second.accepted()), (2, 0));
}

#[tokio::test]
async fn one_redirect_too_many_is_an_error_that_knows_them_all() {
    let manager = patient(10).await;
    let origin = Origin::new().reply(to(307, "/again")).start().await;
    let (start, again) = (origin.url("/"), origin.url("/again"));
    let request = manager.get(&start).retries(Retries {
        redirect: Some(Budget::AtMost(2)),
        ..Retries::default()
    });
    let error = failure_of("three redirects", request).await;
    let ClientError::TooManyRedirects(exhausted) = error else {
        fail(&format!("another error: {error:?}"));
    };
    assert_eq!((exhausted.attempts, origin.requests().len()), (3, 3));
    assert_eq!(exhausted.last, LastOutcome::Status(307));
    assert_eq!(
        exhausted.history,
        [
            entry("GET", &start, 307, Some(&again)),
            entry("GET", &again, 307, Some(&again)),
            entry("GET", &again, 307, Some(&again)),
        ]
    );
}
