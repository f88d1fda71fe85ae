//! The components of README.md and `examples/` that are built with cargo. What needs other people's tools is among the rows of `make interop`.

use std::path::Path;

use urlpool_compose::interface;
use urlpool_tests::{Command, Origin, RefusingPort, Reply, built, consumer, dist, pipeline};
use wit_parser::Resolve;

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
    for (file, expected) in [
        (dist("urlpool.wasm"), true),
        (built("example_source"), false),
        (built("example_transform"), false),
        (built("example-sink"), false),
    ] {
        let component = std::fs::read(&file).expect("a component of the pipeline");
        let found = interface(&component).expect("it is a component");
        let mut imports = found.imports.iter();
        let has_sockets = imports.any(|import| import.starts_with("wasi:sockets/"));
        assert_eq!(has_sockets, expected, "{}", file.display());
    }
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

#[tokio::test]
async fn the_program_of_the_readme_fetches_and_says_what_failed() {
    let origin = Origin::new().reply(Reply::ok("a page")).start().await;
    let run = |url: String| {
        let program = Command::from_bytes("readme", &consumer("readme"));
        program.args([url]).run()
    };

    let got = run(origin.url("/")).await;
    assert_eq!(got.stdout_text(), "a page\n");
    assert_eq!(
        origin.request().field("accept").as_deref(),
        Some("text/html")
    );

    let got = run(RefusingPort::new().url("/")).await;
    assert!(
        got.stderr_text()
            .starts_with("ErrorKind::RetriesExhausted: ")
    );
    assert_eq!(got.stdout_text(), "");
}

/// Of the third way, running, there is a command instead.
#[test]
fn the_programs_of_the_readme_have_less_than_20_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let page = root.expect("a workspace").join("README.md");
    let page = std::fs::read_to_string(page).expect("the page in the root");
    for way in ["Composing", "Embedding"] {
        let (_, section) = page.split_once(&format!("\n### {way}")).expect(way);
        let (_, program) = section.split_once("\n```r").expect(way);
        let (program, _) = program.split_once("\n```\n").expect("that ends");
        let lines = program.lines().skip(1).filter(|line| !line.is_empty());
        assert!(lines.count() < 20, "{way}");
    }
}

/// Each override is a folder or file of ours, with the package that it is for.
#[test]
fn what_wkg_is_told_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("the package is in a folder of the workspace");
    let page = root.join("examples/README.md");
    let page = std::fs::read_to_string(page).expect("the page of the examples");
    let (_, told) = page.split_once("```toml\n").expect("it has the file");
    let (told, _) = told.split_once("```").expect("that ends");
    let told: toml::Table = told.parse().expect("what a tool can read");
    let overrides = told["overrides"].as_table().expect("a table");

    let found: Vec<String> = overrides
        .iter()
        .map(|(name, at)| {
            let path = at["path"].as_str().expect("a path");
            let path = path.strip_prefix("../urlpool/").expect("one to us");
            let mut resolve = Resolve::default();
            let (package, _) = resolve.push_path(root.join(path)).expect("a package");
            let package = &resolve.packages[package].name;
            assert_eq!(name, &format!("{}:{}", package.namespace, package.name));
            name.clone()
        })
        .collect();
    assert_eq!(found, ["urlpool:client", "wasi:io"]);
}

async fn run(url: String) -> urlpool_tests::Outcome {
    Command::from_bytes("pipeline", &pipeline())
        .args([url])
        .run()
        .await
}
