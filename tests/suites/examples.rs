//! The components of `examples/` that are built with cargo. What needs other people's tools is among the rows of `make interop`.

use urlpool_compose::interface;
use urlpool_tests::{Command, Origin, RefusingPort, Reply, consumer, pipeline};

#[test]
fn a_pipeline_imports_only_wasi() {
    let found = interface(&pipeline()).expect("it is a component");
    for import in &found.imports {
        assert!(import.starts_with("wasi:"), "{import} is left open");
    }
    assert!(
        matches!(&*found.exports, [run] if run.starts_with("wasi:cli/run@0.2")),
        "{:?}",
        found.exports
    );
}

#[tokio::test]
async fn a_pipeline_brings_what_its_source_fetches_through_its_transform() {
    let origin = Origin::new()
        .reply(Reply::ok("from the source").chunked(4))
        .start()
        .await;

    let got = run(origin.url("/")).await;

    assert_eq!(got.stdout_text(), "FROM THE SOURCE");
    assert_eq!(got.status, 0, "exit status");
    assert_eq!(origin.request().target(), "/");
}

#[tokio::test]
async fn a_failure_at_the_source_comes_out_of_the_pipeline() {
    let got = run(RefusingPort::new().url("/")).await;
    assert_eq!(got.status, 1, "exit status");
    assert!(got.stderr_text().contains("Connection refused"));
    assert_eq!(got.stdout_text(), "");
}

#[tokio::test]
async fn the_component_in_rust_fetches_over_one_connection() {
    let origin = Origin::new().reply(Reply::ok("three")).start().await;
    let component = consumer("example-fetch");

    let got = Command::from_bytes("example-fetch", &component)
        .args([origin.url("/1"), origin.url("/2")])
        .run()
        .await;

    assert_eq!(
        got.stdout_text(),
        "200 5 bytes over connection 1 after 0 other answers\n".repeat(2)
    );
    assert_eq!(origin.accepted(), 1);
}

async fn run(url: String) -> urlpool_tests::Outcome {
    Command::from_bytes("pipeline", &pipeline())
        .args([url])
        .run()
        .await
}
