//! Fetches the URL that is the pipeline's first argument.

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    world: "example:pipeline/source",
    generate_all,
});

use std::cell::OnceCell;

use exports::example::pipeline::bytes::Guest;
use urlpool::client::blocking::{Body, Response, request};
use urlpool::client::types::{Error, RequestOptions};

const PIECE: u32 = 256 * 1024;

/// Every default.
const OPTIONS: RequestOptions = RequestOptions {
    headers: None,
    timeouts: None,
    retries: None,
    redirects: None,
    pool_timeout: None,
    skip_headers: None,
    chunked: None,
    expect_continue: None,
    decode_content: None,
    enforce_content_length: None,
    max_body: None,
    preload_content: None,
    assert_same_host: None,
};

thread_local! {
    static RESPONSE: OnceCell<Result<Response, Error>> = const { OnceCell::new() };
}

struct Source;

impl Guest for Source {
    fn next() -> Result<Vec<u8>, String> {
        RESPONSE.with(|response| {
            response
                .get_or_init(fetch)
                .as_ref()
                .map_err(|error| error.message.clone())?
                .read(PIECE)
                .map_err(|error| error.message)
        })
    }
}

fn fetch() -> Result<Response, Error> {
    let url = std::env::args().nth(1).unwrap_or_default();
    request("GET", &url, &Body::Empty, &OPTIONS)
}

export!(Source);
