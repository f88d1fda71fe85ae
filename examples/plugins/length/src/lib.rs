//! A plugin that counts the bytes at a URL as they come, over a manager of its own.

mod bindings;

use bindings::exports::example::plugins::task::Guest;
use bindings::urlpool::client::blocking::{Body, PoolManager};
use bindings::urlpool::client::types::{Error, ManagerSettings, RequestOptions};

/// How much is in memory at a time.
const PIECE: u32 = 64 * 1024;

/// `None` is always the documented default.
const MANAGER: ManagerSettings = ManagerSettings {
    num_pools: None,
    headers: None,
    pool: None,
    max_connections: None,
    host_rules: None,
    hosts: None,
    events: None,
};

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

struct Length;

impl Guest for Length {
    fn run(url: String) -> Result<String, String> {
        let length = length(&url).map_err(|error| error.message)?;
        Ok(format!("it has {length} bytes"))
    }
}

fn length(url: &str) -> Result<u64, Error> {
    let manager = PoolManager::open(&MANAGER)?;
    let response = manager.request("GET", url, &Body::Empty, &OPTIONS)?;
    let mut length = 0;
    loop {
        match response.read(PIECE)?.len() {
            0 => return Ok(length),
            count => length += count as u64,
        }
    }
}
