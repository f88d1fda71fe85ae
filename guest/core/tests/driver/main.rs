//! The driver in simulated time: pools, bodies, clocks, bytes on the wire, TLS, and peers that misbehave.
//!
//! No test waits for anything real: a second of theirs is a step of a counter, so every duration is compared exactly.

#![cfg(test)]

mod answers;
mod attacks;
mod bodies;
mod bombs;
mod bounds;
mod broken;
mod common;
mod connecting;
mod copying;
mod cross_origin;
mod decoding;
mod delays;
mod events;
mod faults;
mod limits;
mod liveness;
mod parting;
mod pools;
mod preloading;
mod proxies_errors;
mod proxies_forward;
mod proxies_layers;
mod proxies_refusal;
mod proxies_retries;
mod proxies_secrets;
mod proxies_socks;
mod proxies_socks_refusal;
mod proxies_tls;
mod proxies_trust;
mod proxies_tunnel;
mod proxies_verified;
mod pushing;
mod racing;
mod reading;
mod redirects;
mod replays;
mod retries;
mod secrets;
mod sharing;
mod smuggling;
mod through;
mod timeouts;
mod tls;
mod tls_client;
mod tls_identity;
mod tls_names;
mod tls_terms;
mod truncation;
mod turns;
mod unwanted;
mod uploads;
mod waiting;
mod wire;
