//! Puts what comes in upper case.

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    world: "example:pipeline/transform",
    generate_all,
});

use example::pipeline::bytes;
use exports::example::pipeline::bytes::Guest;

struct Transform;

impl Guest for Transform {
    fn next() -> Result<Vec<u8>, String> {
        let mut piece = bytes::next()?;
        piece.make_ascii_uppercase();
        Ok(piece)
    }
}

export!(Transform);
