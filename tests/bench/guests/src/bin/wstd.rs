//! What a component does that leaves HTTP to its host: `wasi:http` through wstd. The arguments are `URL COUNT`.

use std::error::Error;
use std::time::Instant;

use wstd::http::{Body, Client, Request};

fn main() -> Result<(), Box<dyn Error>> {
    wstd::runtime::block_on(repeat())
}

async fn repeat() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: URL COUNT")?;
    let count: u32 = arguments.next().ok_or("usage: URL COUNT")?.parse()?;
    let client = Client::new();
    fetch(&client, &url).await?;
    let started = Instant::now();
    for _ in 0..count {
        fetch(&client, &url).await?;
    }
    eprintln!("{}", started.elapsed().as_nanos());
    Ok(())
}

async fn fetch(client: &Client, url: &str) -> Result<(), Box<dyn Error>> {
    let response = client.send(Request::get(url).body(Body::empty())?).await?;
    if response.status() != 200 {
        return Err(format!("the server answered {}", response.status()).into());
    }
    let mut body = response.into_body();
    if body.contents().await?.is_empty() {
        return Err("the body is empty".into());
    }
    Ok(())
}
