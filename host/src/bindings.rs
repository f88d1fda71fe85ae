//! What wasmtime's generator makes of `wit/`: the interfaces that a host calls. `pipe` is for components among themselves.

wasmtime::component::bindgen!({
    path: "../wit",
    inline: "
        package urlpool:host;

        world client {
            export urlpool:client/types@0.1.0;
            export urlpool:client/blocking@0.1.0;
        }
    ",
    world: "urlpool:host/client",
    exports: { default: async },
});
