//! Why a component could not be composed or read.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, with the tools' own words for it.
#[derive(Debug)]
pub enum Error {
    /// The bytes are not a component that can be read.
    Invalid {
        /// Which of the inputs.
        component: Cow<'static, str>,
        /// What the reader found.
        cause: String,
    },
    /// No plug exports anything that the socket imports.
    NothingToPlug,
    /// These imports are exported by a plug, but with other types.
    LeftOpen(Vec<String>),
    /// The result does not encode or validate.
    Encode(String),
    /// A name, version or licence cannot be written into a component.
    Label(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { component, cause } => {
                write!(f, "{component} is not a component: {cause}")
            }
            Self::NothingToPlug => f.write_str("no plug exports what the socket imports"),
            Self::LeftOpen(imports) => {
                write!(
                    f,
                    "types differ, so these imports stay open: {}",
                    imports.join(", ")
                )
            }
            Self::Encode(cause) => write!(f, "the composition is not valid: {cause}"),
            Self::Label(cause) => write!(f, "the component cannot be labelled: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
