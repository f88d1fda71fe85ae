//! What wit-bindgen makes of the world `urlpool-async` of `wit/async`.

#![expect(unsafe_code, reason = "generated")]

use crate::exports::Component;

wit_bindgen::generate!({
    path: ["../../../wit", "../../../wit/async"],
    world: "urlpool:client-async/urlpool-async",
});

export!(Component with_types_in crate::bindings);
