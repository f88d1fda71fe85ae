//! The component on a real wire, through the Rust host, the two commands and a composed consumer; and what must hold of the repository.
//!
//! One binary, so that the host is linked once. Every server is on port 0 of the loopback; nothing here leaves the machine.

mod common;
mod composed;
mod contract;
mod decoding;
mod doors;
mod embedding;
mod examples;
mod failures;
mod framing;
mod giving_up;
mod input;
mod instances;
mod leaks;
mod limits;
mod plugins;
mod pools;
mod proxied;
mod proxies;
mod redirects;
mod releases;
mod requests;
mod retrying;
mod sandbox;
mod settings;
mod several;
mod speaking;
mod streaming;
mod tidy;
mod timeouts;
mod tls;
mod tls_settings;
mod uploading;
mod waiting;
mod wasi_http;
