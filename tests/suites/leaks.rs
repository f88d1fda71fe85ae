//! Nothing is left behind: after many requests, dropped responses, refusals and instances that were thrown away, memory, handles and sockets
//! are where they were.
//!
//! Sockets and memory are a whole process's, so each test runs in one of its own: this binary again, with that test alone and the server's URL
//! in a variable. The server stays out here.

use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use urlpool_host::{Grants, PoolManager, Settings, Usage};
use urlpool_tests::{Program, within};

use crate::common::{failure_of, get};

/// Says that this is the process of its own, and where the server is.
const SERVER: &str = "URLPOOL_TEST_LEAKS";

/// What the resident memory may grow by, in bytes: what allocators keep. A leak of 1 KiB for each of 10,000 requests is 10 MiB.
const MARGIN: usize = 4 << 20;

/// What this process and an instance have.
#[derive(Debug)]
struct Has {
    files: usize,
    resident: usize,
    usage: Usage,
}

impl Has {
    async fn now(manager: &PoolManager) -> Self {
        let usage = manager.usage().await.expect("no trap");
        let statm = fs::read_to_string("/proc/self/statm").expect("procfs");
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        let pages: usize = pages.expect("a number of pages");
        Self {
            files: files(),
            resident: pages * 4096,
            usage: usage.expect("an instance"),
        }
    }

    /// Waits for sockets to be closed, and compares.
    async fn assert_back(self, manager: &PoolManager) {
        let closed = async {
            while files() > self.files {
                tokio::task::yield_now().await;
            }
        };
        within("sockets to be closed", closed).await;
        let now = Self::now(manager).await;
        eprintln!("{self:?} became {now:?}");
        assert_eq!((now.files, now.usage), (self.files, self.usage));
        assert!(
            now.resident < self.resident + MARGIN,
            "{self:?} became {now:?}"
        );
    }
}

fn files() -> usize {
    fs::read_dir("/proc/self/fd").expect("procfs").count()
}

/// In the process of a test, where its server is; elsewhere runs the test in such a process and says nothing.
async fn alone(test: &str) -> Option<String> {
    if let Ok(url) = std::env::var(SERVER) {
        return Some(url);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(serve(listener));
    let this = std::env::current_exe().expect("a test knows its own path");
    let outcome = Program::from_file(this)
        .args(["--exact", &format!("leaks::{test}"), "--nocapture"])
        .env(SERVER, url)
        .patience(Duration::from_secs(60))
        .run()
        .await;
    server.abort();
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert_eq!(outcome.status, 0, "{said}\n{}", outcome.stderr_text());
    assert!(said.contains("1 passed"), "{said}");
    None
}

/// Answers as it is asked, and remembers nothing: the servers of `support` do, which takes them longer than answering.
async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut asked = Vec::new();
            while stream
                .read_buf(&mut asked)
                .await
                .is_ok_and(|count| count > 0)
            {
                if !asked.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let body = match asked.get(4..6) {
                    Some(b"/n") => continue,
                    Some(b"/l") => vec![b'x'; 1 << 20],
                    _ => b"body".to_vec(),
                };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let answer = [head.into_bytes(), body].concat();
                // Whoever drops a response hangs up while it is sent.
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
                asked.clear();
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn manager() -> PoolManager {
    let settings = Settings {
        grants: Grants::none().allow("127.0.0.1", None),
        ..Settings::default()
    };
    PoolManager::new(settings).await.expect("settings that fit")
}

#[tokio::test]
async fn ten_thousand_requests_leave_nothing() {
    let Some(url) = alone("ten_thousand_requests_leave_nothing").await else {
        return;
    };
    let manager = manager().await;
    let many = async |count| {
        for _ in 0..count {
            for _ in 0..100 {
                assert_eq!(get(&manager, format!("{url}/")).await, "body");
            }
            manager.clear().await.unwrap();
        }
    };
    many(10).await;
    let before = Has::now(&manager).await;
    many(100).await;
    before.assert_back(&manager).await;
}

#[tokio::test]
async fn a_thousand_dropped_responses_leave_nothing() {
    let Some(url) = alone("a_thousand_dropped_responses_leave_nothing").await else {
        return;
    };
    let manager = manager().await;
    let many = async |count| {
        for _ in 0..count {
            let mut response = manager.get(format!("{url}/long")).send().await.unwrap();
            assert!(response.chunk().await.unwrap().is_some());
        }
    };
    many(100).await;
    let before = Has::now(&manager).await;
    many(1000).await;
    before.assert_back(&manager).await;
    assert_eq!(get(&manager, format!("{url}/")).await, "body");
}

#[tokio::test]
async fn refusals_and_requests_that_are_given_up_leave_nothing() {
    let Some(url) = alone("refusals_and_requests_that_are_given_up_leave_nothing").await else {
        return;
    };
    let manager = manager().await;
    let many = async |count| {
        for number in 0..count {
            for refused in [format!("http://{number}.test/"), "http://[::1]/".to_owned()] {
                let error = failure_of("refused", manager.get(refused)).await;
                assert_eq!(error.kind(), "denied");
            }
            drop(manager.get(format!("{url}/never")).start().await.unwrap());
        }
    };
    many(100).await;
    let before = Has::now(&manager).await;
    many(1000).await;
    before.assert_back(&manager).await;
}

#[tokio::test]
async fn instances_that_are_thrown_away_leave_nothing() {
    let Some(url) = alone("instances_that_are_thrown_away_leave_nothing").await else {
        return;
    };
    let manager = manager().await;
    let many = async |count| {
        for _ in 0..count {
            assert_eq!(get(&manager, format!("{url}/")).await, "body");
            {
                let mut given_up = pin!(manager.get(format!("{url}/never")).send());
                let is_begun = poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context)));
                assert!(is_begun.await.is_pending());
            }
            assert_eq!(manager.usage().await.unwrap(), None);
        }
        assert_eq!(get(&manager, format!("{url}/")).await, "body");
    };
    many(20).await;
    let before = Has::now(&manager).await;
    many(200).await;
    before.assert_back(&manager).await;
}
