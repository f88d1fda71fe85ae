//! The pipeline of a source, a transform and a sink.

use tempfile::TempDir;
use urlpool_tests::{Origin, Reply, pipeline};

use super::workshop::PATIENCE;
use crate::doors::{Network, run_with};
use crate::tally::Row;

/// More than the pipeline may have memory for.
const LARGE: usize = 100 << 20;
const MEMORY: &str = "max-memory-size=16777216";

/// Its only row.
pub(super) fn row() -> Row {
    let name = "examples: the pipeline of three brings 100 MB";
    Row::new(name, brings())
}

async fn brings() {
    let folder = TempDir::new().expect("a temporary folder");
    let component = folder.path().join("pipeline.wasm");
    std::fs::write(&component, pipeline()).expect("a temporary folder takes files");
    let origin = Origin::new()
        .reply(Reply::ok(vec![b'x'; LARGE]))
        .start()
        .await;

    let got = run_with(Network::Granted)
        .args(["-W", MEMORY])
        .args([component])
        .args([origin.url("/")])
        .patience(PATIENCE)
        .run()
        .await;

    assert_eq!(got.status, 0, "exit status");
    assert_eq!(got.stdout.len(), LARGE, "bytes");
    assert!(got.stdout.iter().all(|byte| *byte == b'X'));
}
