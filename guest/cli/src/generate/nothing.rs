//! Nothing is generated for a component: a shell completes the name of a program, and what it would see is the host's.
//!
//! The component is smaller without, by more than a tenth of what the command adds to the client.

use clap::{Arg, ArgMatches};

/// No option asks for it.
pub(crate) const fn arg() -> Option<Arg> {
    None
}

/// Nobody can have asked for it.
pub(crate) const fn asked(_: &ArgMatches) -> Option<String> {
    None
}
