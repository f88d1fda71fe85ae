//! What a component imports and exports, by name.

use std::borrow::Cow;

use wasmparser::{Parser, Payload};

use crate::Error;

/// The names on a component's outside, in the order they are written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Interface {
    /// What it needs, as in `wasi:io/poll@0.2.12`.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
}

/// Reads the imports and exports of a component; those of components inside it are not its own.
///
/// # Errors
///
/// [`Error::Invalid`] where the bytes are not a component.
pub fn interface(component: &[u8]) -> Result<Interface, Error> {
    read(component).map_err(|cause| Error::Invalid {
        component: Cow::Borrowed("the input"),
        cause,
    })
}

fn read(component: &[u8]) -> Result<Interface, String> {
    if !Parser::is_component(component) {
        return Err("it does not begin like one".to_owned());
    }
    let mut found = Interface::default();
    // How many modules and components we are inside of.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(text)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found
                        .imports
                        .push(import.map_err(text)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found
                        .exports
                        .push(export.map_err(text)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn text(error: wasmparser::BinaryReaderError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_module_is_refused() {
        assert!(interface(b"\0asm\x01\0\0\0").is_err());
        assert!(interface(b"").is_err());
    }

    #[test]
    fn an_empty_component_has_no_interface() {
        let found = interface(b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(found, Interface::default());
    }

    #[test]
    fn a_cut_component_is_refused() {
        assert!(interface(b"\0asm\x0d\0\x01\0\x0a\x20").is_err());
    }
}
