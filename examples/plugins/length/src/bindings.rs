//! What the generator makes of urlpool's contract and of the plugin host's.
#![expect(unsafe_code, reason = "generated")]

use crate::Length;

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    inline: "
        package example:plugin;

        world plugin {
            import urlpool:client/blocking@0.1.0;
            export example:plugins/task@0.1.0;
        }
    ",
    world: "example:plugin/plugin",
    generate_all,
});

export!(Length with_types_in crate::bindings);
