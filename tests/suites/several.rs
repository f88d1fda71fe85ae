//! Several requests at once over one instance.

use std::time::{Duration, Instant};

use urlpool_host::{Error, Grants, Limits, Pending, PoolManager, Ready, Settings, Timeouts};
use urlpool_tests::{Command, Gate, Origin, Reply, consumer, within};

use crate::common::{get, manager, millis, refusal, text};

const MANY: usize = 200;
/// How long the server takes for each answer.
const ANSWER: Duration = Duration::from_secs(1);
/// What an instance takes that does next to nothing.
const BASE: usize = 2 << 20;
/// What a request that waits for its head may cost.
const EACH: usize = 16 << 10;

const SHORT: Option<Duration> = Some(Duration::from_millis(10));

async fn start(manager: &PoolManager, url: String) -> Pending {
    manager
        .get(url)
        .start()
        .await
        .expect("a request that can be sent")
}

#[tokio::test]
async fn two_hundred_waits_take_the_time_of_one_and_little_memory() {
    let origin = Origin::new()
        .reply(Reply::ok("body").delayed(ANSWER))
        .start()
        .await;
    let manager = PoolManager::new(Settings {
        grants: Grants::all(),
        limits: Limits {
            memory: BASE + MANY * EACH,
            ..Limits::default()
        },
        ..Settings::default()
    })
    .await
    .unwrap();
    let started = Instant::now();
    let mut requests = Vec::new();
    for number in 0..MANY {
        requests.push(start(&manager, origin.url(&format!("/{number}"))).await);
    }
    for request in requests {
        assert_eq!(text(request.response().await.unwrap()).await, "body");
    }
    let took = started.elapsed();
    assert!(took < 2 * ANSWER, "it took {took:?}");
    assert_eq!((origin.accepted(), origin.requests().len()), (MANY, MANY));
}

#[tokio::test]
async fn wait_says_which_requests_are_ready_and_may_give_up() {
    let (manager, gate) = (manager().await, Gate::new());
    let origin = Origin::new()
        .at("/slow", Reply::ok("slow").after(&gate))
        .reply(Reply::ok("fast"))
        .start()
        .await;
    let slow = start(&manager, origin.url("/slow")).await;
    let fast = start(&manager, origin.url("/fast")).await;
    let mut requests = [slow, fast];
    assert_eq!(manager.wait(&requests, None).await.unwrap(), [1]);
    // What is ready stays ready until it is taken.
    assert_eq!(manager.wait(&requests, None).await.unwrap(), [1]);
    assert!(
        manager
            .wait(&requests[..1], SHORT)
            .await
            .unwrap()
            .is_empty()
    );
    gate.open();
    assert_eq!(manager.wait(&requests[..1], None).await.unwrap(), [0]);
    requests.reverse();
    for (request, body) in requests.into_iter().zip(["fast", "slow"]) {
        assert_eq!(text(request.response().await.unwrap()).await, body);
    }
}

#[tokio::test]
async fn a_response_that_is_named_twice_is_ready_twice_or_not_at_all() {
    let (manager, gate) = (manager().await, Gate::new());
    let origin = Origin::new()
        .at("/slow", Reply::ok("slow").body_after(&gate))
        .reply(Reply::ok("fast"))
        .start()
        .await;
    let slow = manager.get(origin.url("/slow")).send().await.unwrap();
    let fast = manager.get(origin.url("/fast")).send().await.unwrap();
    let twice = [&slow, &slow];
    let ready = manager.wait_any(&[], &twice, SHORT).await.unwrap();
    assert_eq!(ready, Ready::default());
    let listed = [&slow, &fast, &slow, &fast];
    let ready = manager.wait_any(&[], &listed, None).await.unwrap();
    assert_eq!(ready.responses, [1, 3]);
    gate.open();
    let ready = manager.wait_any(&[], &twice, None).await.unwrap();
    assert_eq!(ready.responses, [0, 1]);
    for (response, body) in [(slow, "slow"), (fast, "fast")] {
        assert_eq!(text(response).await, body);
    }
}

#[tokio::test]
async fn what_came_while_nobody_looked_came_in_time() {
    let (manager, gate) = (manager().await, Gate::new());
    let origin = Origin::new()
        .reply(Reply::ok("body").body_after(&gate))
        .start()
        .await;
    let request = manager.get(origin.url("/")).timeouts(Timeouts {
        read: millis(300),
        ..Timeouts::default()
    });
    let response = request.send().await.unwrap();
    let ready = manager.wait_any(&[], &[&response], SHORT).await.unwrap();
    assert_eq!(ready, Ready::default());
    gate.open();
    let never = Origin::new()
        .reply(Reply::ok("body").after(&Gate::new()))
        .start()
        .await;
    let other = [start(&manager, never.url("/")).await];
    let meanwhile = Some(Duration::from_millis(400));
    assert!(manager.wait(&other, meanwhile).await.unwrap().is_empty());
    assert_eq!(text(response).await, "body");
}

#[tokio::test]
async fn a_body_is_waited_for_beside_a_request() {
    let (manager, head, body) = (manager().await, Gate::new(), Gate::new());
    let origin = Origin::new()
        .at("/body", Reply::ok("the body").body_after(&body))
        .reply(Reply::ok("the request").after(&head))
        .start()
        .await;
    let response = manager.get(origin.url("/body")).send().await.unwrap();
    let request = start(&manager, origin.url("/")).await;
    let ready = async |timeout| {
        let ready = manager.wait_any(&[&request], &[&response], timeout).await;
        let Ready {
            requests,
            responses,
        } = ready.unwrap();
        (requests, responses)
    };
    assert_eq!(ready(SHORT).await, (vec![], vec![]));
    body.open();
    assert_eq!(ready(None).await, (vec![], vec![0]));
    head.open();
    let alone = std::slice::from_ref(&request);
    assert_eq!(manager.wait(alone, None).await.unwrap(), [0]);
    assert_eq!(ready(None).await, (vec![0], vec![0]));
    assert_eq!(text(response).await, "the body");
    assert_eq!(text(request.response().await.unwrap()).await, "the request");
}

#[tokio::test]
async fn lines_and_chunks_are_read_after_a_wait() {
    let manager = manager().await;
    let origin = Origin::new()
        .reply(Reply::ok("one\ntwo\nmore").chunked(6))
        .start()
        .await;
    for (case, expected) in [
        ("lines", ["one\n", "two\n", "more"]),
        ("chunks", ["one\ntw", "o\nmore", ""]),
    ] {
        let mut response = manager.get(origin.url("/")).send().await.unwrap();
        for piece in expected {
            let ready = manager.wait_any(&[], &[&response], None).await.unwrap();
            assert_eq!(ready.responses, [0], "{case}");
            let read = match case {
                "lines" => response.read_line(99).await,
                _ => response.read_chunk(99).await,
            };
            assert_eq!(read.unwrap(), piece.as_bytes(), "{case}");
        }
    }
}

#[tokio::test]
async fn a_wait_for_a_body_that_comes_to_nothing_ends_in_time() {
    // Gzip (RFC 1952) of stored blocks with nothing in them (RFC 1951, section 3.2.4): bytes without end, and no content.
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    body.extend([0, 0, 0, 255, 255].repeat(4 << 20));
    body.extend([1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    let manager = manager().await;
    let origin = Origin::new()
        .reply(Reply::ok(body).header("Content-Encoding", "gzip"))
        .start()
        .await;
    let response = manager.get(origin.url("/")).send().await.unwrap();
    let instant = Some(Duration::from_millis(1));
    let ready = manager.wait_any(&[], &[&response], instant).await.unwrap();
    assert_eq!(ready, Ready::default());
    let ready = manager.wait_any(&[], &[&response], None).await.unwrap();
    assert_eq!(ready.responses, [0]);
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn a_started_request_goes_on_while_another_is_waited_for() {
    let (manager, gate) = (manager().await, Gate::new());
    let background = Origin::new().reply(Reply::ok("started")).start().await;
    let foreground = Origin::new()
        .reply(Reply::ok("sent").after(&gate))
        .start()
        .await;
    let started = start(&manager, background.url("/")).await;
    let send = get(&manager, foreground.url("/"));
    let allow = async {
        background.requested(1).await;
        gate.open();
    };
    assert_eq!(tokio::join!(send, allow).0, "sent");
    assert_eq!(text(started.response().await.unwrap()).await, "started");
}

#[tokio::test]
async fn a_request_that_is_dropped_closes_its_connection() {
    let (manager, gate) = (manager().await, Gate::new());
    let slow = Origin::new()
        .at("/head", Reply::ok("body").after(&gate))
        .at("/body", Reply::ok("body").body_after(&gate))
        .start()
        .await;
    let waiting = [start(&manager, slow.url("/head")).await];
    within("the request", async {
        while slow.requests().is_empty() {
            manager.wait(&waiting, SHORT).await.unwrap();
        }
    })
    .await;
    drop(waiting);
    slow.closed(1).await;

    let answered = [start(&manager, slow.url("/body")).await];
    assert_eq!(manager.wait(&answered, None).await.unwrap(), [0]);
    drop(answered);
    slow.closed(2).await;
}

#[tokio::test]
async fn a_started_request_outlives_its_pool_and_its_manager() {
    let (manager, origin) = (manager().await, Origin::new().start().await);
    let pool = manager
        .connection_from_url(&origin.url("/"), None)
        .await
        .unwrap();
    let started = pool.request("GET", "/x").start().await.unwrap();
    drop(pool);
    manager.clear().await.unwrap();
    drop(manager);
    let response = started.response().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(origin.request().target(), "/x");
}

#[tokio::test]
async fn a_deadline_holds_for_a_request_that_nobody_waits_for() {
    let (manager, gate) = (manager().await, Gate::new());
    let slow = Reply::ok("body").after(&gate);
    let origin = Origin::new().reply(slow).start().await;
    let request = manager.get(origin.url("/")).timeouts(Timeouts {
        deadline: millis(20),
        ..Timeouts::default()
    });
    let started = [request.start().await.unwrap()];
    assert_eq!(manager.wait(&started, None).await.unwrap(), [0]);
    for request in started {
        let error = request.response().await.unwrap_err();
        assert_eq!(refusal("deadline", &error).kind(), "deadline-exceeded");
    }
    origin.closed(1).await;
}

#[tokio::test]
async fn requests_of_an_instance_that_is_gone_say_so() {
    let gate = Gate::new();
    let slow = Reply::ok("body").after(&gate);
    let origin = Origin::new()
        .at("/slow", slow)
        .reply(Reply::ok("fine"))
        .start()
        .await;
    let manager = PoolManager::new(Settings {
        grants: Grants::all(),
        limits: Limits {
            call: Some(Duration::from_millis(100)),
            ..Limits::default()
        },
        ..Settings::default()
    })
    .await
    .unwrap();
    let lost = [start(&manager, origin.url("/slow")).await];
    let error = manager.wait(&lost, None).await.unwrap_err();
    assert!(matches!(error, Error::Deadline(_)), "{error:?}");
    let error = manager.wait(&lost, None).await.unwrap_err();
    assert!(matches!(error, Error::Trap(_)), "{error:?}");
    let [mut request] = lost;
    let error = request.write(b"x").await.unwrap_err();
    assert!(matches!(error, Error::Trap(_)), "{error:?}");
    let error = request.response().await.unwrap_err();
    assert!(matches!(error, Error::Trap(_)), "{error:?}");
    assert_eq!(get(&manager, origin.url("/")).await, "fine");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_at_its_start_or_with_its_response() {
    let manager = manager().await;
    for (url, kind) in [
        ("http:///", "invalid-url"),
        ("ftp://a.test/", "unsupported-scheme"),
    ] {
        let error = manager.get(url).start().await.err().unwrap();
        assert_eq!(refusal(url, &error).kind(), kind, "{url}");
    }
    let refusing = urlpool_tests::RefusingPort::new();
    let started = start(&manager, refusing.url("/")).await;
    let error = started.response().await.unwrap_err();
    assert_eq!(refusal("refused", &error).kind(), "connection-failed");
}

#[tokio::test]
async fn a_component_uploads_its_input_and_waits_for_several_requests() {
    let origin = Origin::new()
        .at(
            "/slow",
            Reply::ok("slow").delayed(Duration::from_millis(50)),
        )
        .at("/up", Reply::ok("up"))
        .reply(Reply::ok("fast"))
        .start()
        .await;
    let urls = ["/up", "/slow", "/fast"].map(|path| origin.url(path));
    let outcome = Command::from_bytes("several", &consumer("several"))
        .args(urls)
        .input("from standard input")
        .run()
        .await;
    assert_eq!(
        (outcome.status, outcome.stdout_text().as_str()),
        (0, "up\nthe other\n1 fast\n0 slow\n")
    );
    let uploads = origin.requests();
    let upload = uploads.first().unwrap();
    assert_eq!(upload.method(), "PUT");
    assert_eq!(upload.body, b"13\r\nfrom standard input\r\n0\r\n\r\n");
}
