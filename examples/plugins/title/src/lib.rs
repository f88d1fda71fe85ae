//! A plugin that tells the title of a page. It knows urlpool's contract and nothing of sockets; its host says where it may connect to.

mod bindings;

use bindings::exports::example::plugins::task::Guest;
use bindings::urlpool::client::blocking::{Body, request};
use bindings::urlpool::client::types::{Error, RequestOptions};

/// More of a page is not read.
const MAX_PAGE: u64 = 1 << 20;

/// `None` is always the documented default.
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

struct Title;

impl Guest for Title {
    fn run(url: String) -> Result<String, String> {
        let page = page(&url).map_err(|error| error.message)?;
        let title = page
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"));
        let (title, _) = title.ok_or("the page has no title")?;
        Ok(format!("its title is {title:?}"))
    }
}

fn page(url: &str) -> Result<String, Error> {
    request("GET", url, &Body::Empty, &OPTIONS)?.text(MAX_PAGE)
}
