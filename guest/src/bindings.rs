//! What wit-bindgen makes of `wit/`. `wasi:io` comes from the crate `wasi`, so that its resources are the ones that the sockets hand out.

#![expect(unsafe_code, reason = "generated")]

use crate::exports::Component;

wit_bindgen::generate!({
    path: "../wit",
    world: "urlpool",
    with: {
        "wasi:io/error@0.2.12": wasi::io::error,
        "wasi:io/poll@0.2.12": wasi::io::poll,
        "wasi:io/streams@0.2.12": wasi::io::streams,
    },
});

export!(Component with_types_in crate::bindings);
