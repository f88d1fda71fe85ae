//! What wit-bindgen makes of the world that a consumer imports.

wit_bindgen::generate!({
    path: ["../../../wit", "../../../wit/async"],
    world: "urlpool:client-async/imports",
    generate_all,
});
