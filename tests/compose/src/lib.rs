//! Plugs components into one another, names them, and reads what they import and export.
//!
//! The work is `wac-graph`'s and `wasm-metadata`'s; this crate decides only when their answer is not good enough. `wac` leaves an
//! import open where the types on both sides do not fit, without a word: here that is an error.
//!
//! Invariant: the same bytes in give the same bytes out.

mod error;
mod interface;
mod label;

pub use error::Error;
pub use interface::{Interface, interface};
pub use label::{Label, label};

use std::borrow::Cow;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId};

/// What `make components` makes in `dist/`.
pub const COMPONENTS: [&str; 4] = [
    "urlpool.wasm",
    "urlpool-cli.wasm",
    "urlpool-async.wasm",
    "urlpool-http.wasm",
];

/// The most that `urlpool.wasm` may weigh, in bytes.
pub const BUDGET: usize = 2_150_000;

/// Gives `socket` the exports of `plugs` for its imports, and exports what `socket` exports.
///
/// A plug is matched by the names of its exports, exactly or by semver, as `wac plug` does. Plugs are not plugged into one another.
///
/// # Errors
///
/// - [`Error::Invalid`]: one of the inputs is not a component.
/// - [`Error::NothingToPlug`]: no export of the plugs is imported by `socket`.
/// - [`Error::LeftOpen`]: an import that a plug exports by name was left open, because the types differ.
/// - [`Error::Encode`]: the composition does not validate.
pub fn plug(socket: &[u8], plugs: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let mut graph = CompositionGraph::new();
    let mut offered = Vec::new();
    let mut registered = Vec::with_capacity(plugs.len());
    for (index, bytes) in plugs.iter().enumerate() {
        registered.push(register(
            &mut graph,
            &format!("urlpool:plug{index}"),
            bytes,
        )?);
        offered.extend(interface(bytes)?.exports);
    }
    let socket = register(&mut graph, "urlpool:socket", socket)?;
    wac_graph::plug(&mut graph, registered, socket).map_err(|error| match error {
        wac_graph::PlugError::NoPlugHappened => Error::NothingToPlug,
        wac_graph::PlugError::GraphError { source } => Error::Encode(format!("{source:#}")),
    })?;
    let composed = graph
        .encode(EncodeOptions::default())
        .map_err(|error| Error::Encode(chain(&error)))?;
    let open: Vec<String> = interface(&composed)?
        .imports
        .into_iter()
        .filter(|import| offered.contains(import))
        .collect();
    if open.is_empty() {
        Ok(composed)
    } else {
        Err(Error::LeftOpen(open))
    }
}

fn register(graph: &mut CompositionGraph, name: &str, bytes: &[u8]) -> Result<PackageId, Error> {
    let invalid = |cause: String| Error::Invalid {
        component: Cow::Owned(name.to_owned()),
        cause,
    };
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .map_err(|error| invalid(format!("{error:#}")))?;
    graph
        .register_package(package)
        .map_err(|error| invalid(chain(&error)))
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component: a header and nothing else.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_is_not_a_component_is_named() {
        let error = plug(EMPTY, &[b"\0asm\x01\0\0\0"]).unwrap_err();
        assert!(matches!(&error, Error::Invalid { .. }), "{error:?}");
        assert!(error.to_string().contains("plug0"), "{error}");
    }

    #[test]
    fn a_plug_that_fits_nothing_is_an_error() {
        assert!(matches!(plug(EMPTY, &[EMPTY]), Err(Error::NothingToPlug)));
    }
}
