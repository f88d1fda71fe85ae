//! The interface `blocking` as a consumer sees it that imports nothing else.
#![expect(missing_docs, reason = "generated from wit/")]

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package urlpool:consumers;
        world fetch {
            import urlpool:client/blocking@0.1.0;
        }
    ",
    world: "urlpool:consumers/fetch",
    generate_all,
});
