//! The interface `pipe`, over the types of `blocking` and `wasi:io` that are there already.
#![expect(missing_docs, reason = "generated from wit/")]

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package urlpool:consumers;
        world copy {
            import urlpool:client/pipe@0.1.0;
        }
    ",
    world: "urlpool:consumers/copy",
    with: {
        "urlpool:client/pipe@0.1.0": generate,
        "urlpool:client/types@0.1.0": crate::types,
        "urlpool:client/blocking@0.1.0": crate::blocking,
        "wasi:io/error@0.2.12": wasi::io::error,
        "wasi:io/poll@0.2.12": wasi::io::poll,
        "wasi:io/streams@0.2.12": wasi::io::streams,
    },
});
