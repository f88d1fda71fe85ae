//! The pipeline of `examples/`, composed as its page says.

use std::path::Path;

use indexmap::IndexMap;
use wac_graph::EncodeOptions;
use wac_graph::types::BorrowedPackageKey;
use wac_parser::Document;

use crate::command::{dist, target, workspace};
use crate::guard::fail;

/// What `wac compose` makes of `examples/pipeline/pipeline.wac`: urlpool, a source, a transform and a sink.
///
/// # Panics
/// Where one of them has not been built, or they do not fit.
#[must_use]
pub fn pipeline() -> Vec<u8> {
    let document = workspace().join("examples/pipeline/pipeline.wac");
    let document = String::from_utf8(read(&document)).expect("a document is text");
    let built = target().join("wasm32-wasip2/component");
    let packages: IndexMap<_, _> = [
        ("urlpool:component", dist("urlpool.wasm")),
        ("example:source", built.join("example_source.wasm")),
        ("example:transform", built.join("example_transform.wasm")),
        ("example:sink", built.join("example-sink.wasm")),
    ]
    .into_iter()
    .map(|(name, file)| {
        (
            BorrowedPackageKey::from_name_and_version(name, None),
            read(&file),
        )
    })
    .collect();
    let composed = Document::parse(&document)
        .map_err(|error| error.to_string())
        .and_then(|document| {
            let resolved = document.resolve(packages);
            resolved
                .and_then(|it| it.encode(EncodeOptions::default()))
                .map_err(|error| error.to_string())
        });
    composed.unwrap_or_else(|error| fail(&format!("pipeline.wac: {error}")))
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| {
        fail(&format!(
            "{}: {error}; `make components consumers` makes it",
            file.display()
        ))
    })
}
