//! Puts urlpool into components that import it.

use urlpool_compose::plug;

use crate::engine::COMPONENT;
use crate::error::Error;

/// Gives a component that imports `urlpool:client` (any of `types`, `blocking` and `pipe`) an urlpool of its own, as `wac plug` does, in
/// memory. What comes out imports `wasi:` packages alone, which [`add_to_linker`](crate::add_to_linker) links; a component that does not
/// import urlpool comes back as it is.
///
/// So each instance of a plugin has its own managers, pools, memory and, by the [`Sandbox`](crate::Sandbox) of its store, its own network.
/// A linker alone cannot do that: it links functions of the host and not instances of components, so all of the contract would go through the
/// host and back, body bytes too. Here calls between plugin and urlpool stay within WebAssembly.
///
/// Compiling what comes out takes most of a second for urlpool's part; with the cache of [`engine_config`](crate::engine_config) once for
/// each plugin and not for each start.
///
/// # Errors
/// [`Error::Setup`] where the bytes are not a component, or import another version of the contract with other types.
///
/// ```
/// # fn main() -> Result<(), urlpool_host::Error> {
/// let nothing = b"\0asm\x0d\0\x01\0"; // the smallest component
/// assert_eq!(urlpool_host::compose(nothing)?, nothing);
/// assert!(urlpool_host::compose(b"\0asm\x01\0\0\0").is_err()); // a module
/// # Ok(())
/// # }
/// ```
pub fn compose(component: &[u8]) -> Result<Vec<u8>, Error> {
    match plug(component, &[COMPONENT]) {
        Ok(composed) => Ok(composed),
        Err(urlpool_compose::Error::NothingToPlug) => Ok(component.to_vec()),
        Err(cause) => Err(Error::Setup(cause.to_string())),
    }
}
