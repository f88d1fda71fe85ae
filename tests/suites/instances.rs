//! Several instances as one, builders, and what `tracing` is told.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use urlpool_host::{Error, Instances, Limit, PoolManager, ProxySettings, Retries, Timeouts};
use urlpool_tests::{Gate, Origin, Peer, Reply, Step, within};

use crate::common::{failure_of, get, refusal, text};

const COUNT: u16 = 3;

async fn several() -> Instances {
    let builder = PoolManager::builder().allow("127.0.0.1", None);
    let instances = builder.retries(Retries::off()).build_several(COUNT).await;
    instances.expect("settings that fit")
}

#[tokio::test]
async fn as_many_requests_run_at_the_same_time_as_there_are_instances() {
    let gate = Gate::new();
    let slow = Reply::ok("slow").after(&gate);
    let origin = Origin::new().reply(slow).start().await;
    let instances = several().await;
    // Built before any of them is sent: the choice is made when that is done.
    let requests = [(); COUNT as usize].map(|()| instances.get(origin.url("/")));
    let sent = requests.map(|request| tokio::spawn(request.send()));
    within("all of them", origin.requested(COUNT.into())).await;
    gate.open();
    for sent in sent {
        let response = sent.await.expect("no panic").expect("a response");
        assert_eq!(text(response).await, "slow");
    }
    assert_eq!(origin.accepted(), usize::from(COUNT));
}

#[tokio::test]
async fn one_after_the_other_they_share_a_connection() {
    let origin = Origin::new().reply(Reply::ok("body")).start().await;
    let instances = several().await;
    for _ in 0..4 {
        let response = instances.get(origin.url("/")).send().await.unwrap();
        assert_eq!(text(response).await, "body");
    }
    assert_eq!(origin.accepted(), 1);
    let mut pools = 0;
    for manager in instances.managers() {
        pools += manager.num_pools().await.unwrap();
    }
    assert_eq!(pools, 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_costs_one_of_them() {
    let gate = Gate::new();
    let origin = Origin::new()
        .at("/slow", Reply::ok("slow").after(&gate))
        .reply(Reply::ok("fine"))
        .start()
        .await;
    let instances = several().await;
    // The other is on the same host, so it goes to the next instance while the first is busy.
    let mut slow = Box::pin(instances.get(origin.url("/slow")).send());
    let asked = async {
        tokio::select! {
            _ = &mut slow => {}
            () = origin.requested(1) => {}
        }
    };
    within("the request", asked).await;
    let beside = instances.get(origin.url("/")).send().await.unwrap();
    drop(slow);
    assert_eq!(text(beside).await, "fine");
    let again = instances.get(origin.url("/")).send().await.unwrap();
    assert_eq!(text(again).await, "fine");
}

#[tokio::test]
async fn no_instances_are_refused() {
    let none = PoolManager::builder().build_several(0).await.map(drop);
    let error = refusal("none", &none.expect_err("no instances"));
    assert_eq!(error.kind(), "invalid-settings");
}

#[tokio::test]
async fn a_builder_sets_what_it_says() {
    let silent = Peer::always([Step::Hold]).start().await;
    let soon = std::time::Duration::from_millis(50);
    let builder = || PoolManager::builder().allow("127.0.0.1", silent.port());
    let timeouts = Timeouts {
        read: Some(Limit::After(soon)),
        ..Timeouts::default()
    };
    let impatient = builder().timeouts(timeouts).retries(Retries::off());
    let impatient = impatient.build().await.unwrap();
    let error = failure_of("timeouts", impatient.get(silent.url("/"))).await;
    assert_eq!(error.kind(), "read-timeout");
    let bounded = builder().longest_call(soon).build().await.unwrap();
    let error = bounded.get(silent.url("/")).send().await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline(limit) if limit == soon),
        "{error:?}"
    );
    let small = builder().memory(1 << 20).build().await.map(drop);
    assert!(matches!(small, Err(Error::Trap(_))), "{small:?}");

    let proxy = Origin::new().reply(Reply::ok("there")).start().await;
    let settings = ProxySettings {
        url: format!("http://127.0.0.1:{}", proxy.port()),
        ..ProxySettings::default()
    };
    let builder = PoolManager::builder().allow("127.0.0.1", proxy.port());
    let through = builder.build_through(settings).await.unwrap();
    assert_eq!(get(&through, "http://far.test/").await, "there");
    assert_eq!(proxy.accepted(), 1);
}

/// Keeps what urlpool says, a line each.
#[derive(Clone)]
struct Lines {
    level: Level,
    said: Arc<Mutex<Vec<String>>>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes everything");
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "urlpool" && *metadata.level() <= self.level
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.said.lock().expect("nobody panicked").push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is said about a response and a refusal.
async fn said(level: Level) -> Vec<String> {
    let lines = Lines {
        level,
        said: Arc::default(),
    };
    let _guard = tracing::subscriber::set_default(lines.clone());
    let origin = Origin::new().reply(Reply::ok("body")).start().await;
    let builder = PoolManager::builder().allow("127.0.0.1", origin.port());
    let manager = builder.build().await.expect("settings that fit");
    let secret = origin.url("/").replace("http://", "http://name:secret@");
    assert_eq!(get(&manager, secret).await, "body");
    let error = failure_of("name", manager.get("http://a.test/")).await;
    assert_eq!(error.kind(), "denied");
    let said = lines.said.lock().expect("nobody panicked");
    assert!(
        !said.iter().any(|line| line.contains("secret")),
        "{said:#?}"
    );
    said.clone()
}

#[tokio::test]
async fn tracing_is_told_what_it_listens_for() {
    for (level, expected) in [
        (
            Level::WARN,
            &["WARN message=denied denial=the name \"a.test\""][..],
        ),
        (
            Level::DEBUG,
            &[
                "DEBUG message=instance started",
                "DEBUG message=response",
                "WARN message=denied",
                "DEBUG message=no response",
            ],
        ),
    ] {
        let said = said(level).await;
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (line, expected) in said.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}");
        }
    }
    let said = said(Level::TRACE).await;
    let traced = |what: &str| {
        said.iter()
            .any(|line| line.starts_with("TRACE") && line.contains(what))
    };
    for what in ["Connected", "Sent", "Received", "[redacted]"] {
        assert!(traced(what), "{what}: {said:#?}");
    }
}
