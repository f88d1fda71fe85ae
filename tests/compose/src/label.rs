//! What a component says about itself: name, version, licence, and the tools that made it.

use wasm_metadata::{AddMetadata, AddMetadataField, Description, Licenses, Source, Version};

use crate::Error;

/// The facts that `wasm-tools metadata show` and registries display.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    /// The component's name.
    pub name: &'a str,
    /// What it is for, in a sentence.
    pub description: &'a str,
    /// Its version.
    pub version: &'a str,
    /// An SPDX expression.
    pub licence: &'a str,
    /// The address of its source code.
    pub source: &'a str,
}

/// Writes a label into a component that has none yet; components inside it keep theirs.
///
/// # Errors
///
/// [`Error::Label`] where the licence is not an SPDX expression, the source not an address, or the input not WebAssembly.
pub fn label(component: &[u8], label: Label<'_>) -> Result<Vec<u8>, Error> {
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set(label.name.to_owned());
    add.description = AddMetadataField::Set(Description::new(label.description.to_owned()));
    add.version = AddMetadataField::Set(Version::new(label.version.to_owned()));
    add.licenses = AddMetadataField::Set(Licenses::new(label.licence).map_err(refused)?);
    add.source = AddMetadataField::Set(Source::new(label.source).map_err(refused)?);
    add.processed_by = vec![(
        env!("CARGO_PKG_NAME").to_owned(),
        env!("CARGO_PKG_VERSION").to_owned(),
    )];
    add.to_wasm(component).map_err(refused)
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::Label(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const SAMPLE: Label<'_> = Label {
        name: "sample",
        description: "A sample.",
        version: "1.2.3",
        licence: "MIT OR Apache-2.0",
        source: "https://example.org/sample",
    };

    #[test]
    fn a_label_can_be_read_back() {
        let labelled = label(EMPTY, SAMPLE).unwrap();
        let payload = wasm_metadata::Payload::from_binary(&labelled).unwrap();
        let found = payload.metadata();
        assert_eq!(found.name.as_deref(), Some("sample"));
        assert_eq!(found.version.as_ref().unwrap().to_string(), "1.2.3");
        assert_eq!(
            found.licenses.as_ref().unwrap().to_string(),
            "MIT OR Apache-2.0"
        );
    }

    #[test]
    fn the_same_component_and_label_give_the_same_bytes() {
        assert_eq!(label(EMPTY, SAMPLE).unwrap(), label(EMPTY, SAMPLE).unwrap());
    }

    #[test]
    fn a_licence_must_be_an_expression() {
        let wrong = Label {
            licence: "free for all",
            ..SAMPLE
        };
        assert!(matches!(label(EMPTY, wrong), Err(Error::Label(_))));
    }
}
