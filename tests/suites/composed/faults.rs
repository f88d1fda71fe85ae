//! What goes wrong between requests of one instance: whatever it is, the next request has a connection that nobody doubts.

use urlpool_tests::{
    Authority, DeafListener, Gate, HttpProxy, Origin, Peer, Reply, Server, Step, Tunnel, fail,
};

use super::{DOORS, DROP_IN, Failure, answering};

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Asserts that no connection was used again after one of these.
fn assert_last(server: &Server, target: &str) {
    for connection in server.connections() {
        let mut targets = connection.requests.iter().map(|sent| sent.target());
        let is_last = targets.find(|sent| sent == target).is_none() || targets.next().is_none();
        assert!(is_last, "{:?}", connection.requests);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_takes_its_connection_with_it() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n5\r\nha";
    for door in DOORS {
        for (case, end) in [("closed", Step::Request), ("reset", Step::Reset)] {
            for body in [cut, chunked] {
                let broken = [Step::Request, Step::send(body)];
                let broken = match end {
                    Step::Reset => broken.into_iter().chain([Step::Reset]).collect::<Vec<_>>(),
                    _ => broken.into(),
                };
                let origin = Peer::new()
                    .connection(broken)
                    .connection([Step::Request, Step::send(WHOLE), Step::Hold])
                    .start()
                    .await;
                let url = origin.url("/");
                let arguments = [&*url, "count=2", "after=failure"];
                let printed = door.run(arguments).end().await.unwrap();
                let shown = format!("{} {case} {body:?}: {printed}", door.consumer);
                assert!(printed.starts_with("failed "), "{shown}");
                assert!(printed.contains("\nbody 2 "), "{shown}");
                assert_eq!((origin.accepted(), origin.requests().len()), (2, 2));
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_that_dies_takes_its_tunnels_with_it() {
    let authority = Authority::new();
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let origin = Origin::new()
        .tls(authority.issue(&["far.test"]).tls())
        .reply(Reply::ok(vec![7; 1_000_000]))
        .start()
        .await;
    let url = origin.url_as("far.test", "/");
    for (times, door) in DOORS.into_iter().enumerate() {
        let proxy = HttpProxy::new()
            .tunnel(Tunnel::closing_after(200_000))
            .tunnel(Tunnel::open())
            .start()
            .await;
        let run = door
            .run([&*url, "count=3", "after=failure"])
            .variable(door.roots, &roots)
            .variable("https_proxy", proxy.proxy_url("http"));
        let printed = run.end().await.unwrap();
        let failed = (door.words)(Failure::Incomplete);
        assert!(
            printed.starts_with(&format!("failed {failed}")),
            "{printed}"
        );
        let brought = printed.matches("\nbody 1000000 sum 7000000\n").count();
        assert_eq!(brought, 2, "{printed}");
        assert_eq!(proxy.accepted(), 2, "{}", door.consumer);
        assert_eq!(origin.accepted(), 2 * (times + 1), "{}", door.consumer);
    }
}

#[tokio::test]
async fn sends_that_are_given_up_close_their_connections_and_no_other() {
    for door in DOORS {
        let (gate, never) = (Gate::new(), Gate::new());
        let origin = Origin::new()
            .at("/", Reply::ok("hello").after(&gate))
            .at("/never", Reply::ok("").after(&never))
            .at("/late", Reply::ok("late").body_after(&never))
            .start()
            .await;
        let (url, pause) = (origin.url("/"), format!("pause={}", origin.url("/")));
        let given_up = format!("given-up={}", origin.url("/never"));
        let run = door.run([&*url, &given_up, &pause, "count=5"]).end();
        let all_wait = async {
            origin.requested(4).await;
            gate.open();
        };
        let (printed, ()) = tokio::join!(run, all_wait);
        let printed = printed.unwrap();
        assert!(printed.contains("\ntotal 5 25 bytes "), "{printed}");
        // One to warm up, five, and four between them.
        assert_eq!(origin.requests().len(), 3 + 1 + 5 + 4);
        assert_eq!(origin.accepted(), 4, "{}", door.consumer);
        assert_last(&origin, "/never");
    }
}

#[tokio::test]
async fn sends_that_are_given_up_while_they_connect_leave_nothing() {
    let Some(deaf) = DeafListener::start().await else {
        return;
    };
    let given_up = format!("given-up={}", deaf.url("/"));
    for door in DOORS {
        let origin = answering(Reply::ok("hello")).await;
        let run = door.run([&*origin.url("/"), &given_up, "count=5"]);
        let printed = run.end().await.unwrap();
        assert!(printed.contains("\ntotal 5 25 bytes "), "{printed}");
        assert_eq!((origin.accepted(), origin.requests().len()), (1, 6));
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_while_idle_is_not_used_again() {
    for door in DOORS {
        let (closing, answered) = (Gate::new(), Gate::new());
        let origin = Peer::new()
            .connection([
                Step::Request,
                Step::send(WHOLE),
                Step::Wait(closing.clone()),
            ])
            .connection([Step::Request, Step::send(WHOLE), Step::Hold])
            .start()
            .await;
        let other = answering(Reply::ok("other").after(&answered)).await;
        let (url, pause) = (origin.url("/"), format!("pause={}", other.url("/")));
        // A body that comes from a stream could not be sent again.
        let arguments = [&*url, &pause, "count=2", "method=PUT", "body=1000"];
        let run = door.run(arguments).end();
        let closes = async {
            other.requested(1).await;
            closing.open();
            origin.hung_up(1).await;
            answered.open();
        };
        let (printed, ()) = tokio::join!(run, closes);
        let printed = printed.unwrap_or_else(|why| fail(&format!("{}: {why}", door.consumer)));
        assert!(printed.contains("\ntotal 2 4 bytes "), "{printed}");
        assert_eq!((origin.accepted(), origin.requests().len()), (2, 2));
    }
}

#[tokio::test]
async fn a_store_that_does_not_run_meanwhile_finds_out_what_was_closed() {
    for is_closed in [true, false] {
        let gate = Gate::new();
        let ok = || [Step::Request, Step::send(WHOLE)];
        let then = if is_closed {
            vec![Step::Wait(gate.clone())]
        } else {
            [&ok()[..], &[Step::Hold]].concat()
        };
        let origin = Peer::new()
            .connection(ok().into_iter().chain(then))
            .connection(ok())
            .start()
            .await;
        let url = origin.url("/");
        let arguments = [&*url, "method=PUT", "body=1000"];
        let between = async {
            if is_closed {
                gate.open();
                origin.hung_up(1).await;
            }
        };
        let printed = DROP_IN.run(arguments).end_twice(between).await.unwrap();
        assert_eq!(printed.matches("total 1 2 bytes ").count(), 2, "{printed}");
        let accepted = if is_closed { 2 } else { 1 };
        assert_eq!((origin.accepted(), origin.requests().len()), (accepted, 2));
    }
}
