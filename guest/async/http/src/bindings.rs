//! What wit-bindgen makes of the world `urlpool-http` of `wit/async`.

#![expect(unsafe_code, reason = "generated")]

use crate::Component;

wit_bindgen::generate!({
    path: ["../../../wit", "../../../wit/async"],
    world: "urlpool:client-async/urlpool-http",
    generate_all,
});

export!(Component with_types_in crate::bindings);
