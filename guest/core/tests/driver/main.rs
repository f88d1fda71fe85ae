//! The driver in simulated time: pools, bodies, clocks, bytes on the wire, TLS, and peers that misbehave.
//!
//! No test waits for anything real: a second of theirs is a step of a counter, so every duration is compared exactly.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod common;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod copying;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod liveness;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod timeouts;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod truncation;
#[cfg(test)]
mod wire;
