//! What wit-bindgen makes of the world `sockets` of `wit/async`.

wit_bindgen::generate!({
    path: ["../../../wit", "../../../wit/async"],
    world: "urlpool:client-async/sockets",
    generate_all,
});
