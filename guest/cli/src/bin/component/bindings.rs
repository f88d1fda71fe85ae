//! The imports, as wit-bindgen generates them from the contract.

wit_bindgen::generate!({
    inline: "
        package urlpool:command@0.1.0;

        world command {
            import urlpool:client/types@0.1.0;
            import urlpool:client/blocking@0.1.0;
            import urlpool:client/pipe@0.1.0;
        }
    ",
    path: "../../wit",
    world: "urlpool:command/command",
    with: {
        "wasi:io/error@0.2.12": wasi::io::error,
        "wasi:io/poll@0.2.12": wasi::io::poll,
        "wasi:io/streams@0.2.12": wasi::io::streams,
    },
    generate_all,
});
