//! What wit-bindgen makes of the world `sockets` of `wit/async`.

wit_bindgen::generate!({
    path: "../../../wit/async",
    world: "sockets",
    generate_all,
});
