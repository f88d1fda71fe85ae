//! What wit-bindgen makes of `wit/`. `wasi:io` comes from the crate `wasi`, so that its resources are the ones that the sockets hand out.

#![expect(
    unsafe_code,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "urlpool",
    with: {
        "wasi:io/error@0.2.12": wasi::io::error,
        "wasi:io/poll@0.2.12": wasi::io::poll,
        "wasi:io/streams@0.2.12": wasi::io::streams,
    },
});

use crate::exports::Component;

export!(Component with_types_in crate::bindings);
