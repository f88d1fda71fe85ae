//! The driver in simulated time: pools, bodies, clocks, bytes on the wire, TLS, and peers that misbehave.
//!
//! No test waits for anything real: a second of theirs is a step of a counter, so every duration is compared exactly.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod common;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod copying;
#[cfg(test)]
mod cross_origin;
#[cfg(test)]
mod decoding;
#[cfg(test)]
mod delays;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod liveness;
#[cfg(test)]
mod parting;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod preloading;
#[cfg(test)]
mod pushing;
#[cfg(test)]
mod racing;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod through;
#[cfg(test)]
mod timeouts;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod truncation;
#[cfg(test)]
mod unwanted;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod wire;
