//! Fetches the URLs in its arguments, one after the other over the same connections, and says how large they are.
//!
//! Proxies come from the variables that curl reads; `CA_PEM` holds the certificates to trust, where the built-in ones will not do.

mod defaults;

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "package example:fetch; world fetch { import urlpool:client/blocking@0.1.0; }",
    world: "example:fetch/fetch",
    generate_all,
});

use std::process::ExitCode;

use defaults::{MANAGER, POOL, REQUEST, RETRIES, TIMEOUTS, TLS};
use urlpool::client::blocking::{Body, PoolManager, proxies_from_environment};
use urlpool::client::types::{
    Budget, Error, Limit, ManagerSettings, PoolSettings, Retries, Timeouts, TlsSettings,
};

/// The component counts in nanoseconds.
const SECOND: u64 = 1_000_000_000;
const PIECE: u32 = 256 * 1024;

fn main() -> ExitCode {
    match fetch_all(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The kind is what a program decides by; the words are for people.
            eprintln!("{:?}: {}", error.kind, error.message);
            ExitCode::FAILURE
        }
    }
}

fn fetch_all(urls: impl Iterator<Item = String>) -> Result<(), Error> {
    let manager = open_manager()?;
    for url in urls {
        fetch(&manager, &url)?;
    }
    Ok(())
}

fn open_manager() -> Result<PoolManager, Error> {
    let variables: Vec<_> = std::env::vars().collect();
    let roots = std::env::var("CA_PEM").ok().map(String::into_bytes);
    let pool = PoolSettings {
        timeouts: Some(Timeouts {
            connect: Some(Limit::After(5 * SECOND)),
            read: Some(Limit::After(10 * SECOND)),
            ..TIMEOUTS
        }),
        retries: Some(Retries {
            total: Some(Budget::AtMost(3)),
            statuses: Some(vec![502, 503, 504]),
            backoff_factor: Some(SECOND / 10),
            ..RETRIES
        }),
        proxies: Some(proxies_from_environment(&variables)),
        tls: Some(TlsSettings { roots, ..TLS }),
        ..POOL
    };
    PoolManager::open(&ManagerSettings {
        pool: Some(pool),
        ..MANAGER
    })
}

fn fetch(manager: &PoolManager, url: &str) -> Result<(), Error> {
    let response = manager.request("GET", url, &Body::Empty, &REQUEST)?;
    let head = response.head();
    let mut length = 0;
    loop {
        let piece = response.read(PIECE)?;
        if piece.is_empty() {
            break;
        }
        length += piece.len();
    }
    println!(
        "{} {length} bytes over connection {} after {} other answers",
        head.status,
        head.connection.number,
        response.history().len(),
    );
    Ok(())
}
