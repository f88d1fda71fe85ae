//! A network that exists only in memory: a virtual clock, scripted peers, faults at any byte.
//!
//! Time passes only when nothing else can happen, or as [`SimNet::take_time`] says, so a day of waiting takes a moment, and a wait that
//! nothing will ever end is found at once.
//! A peer acts as soon as it has received what its script waits for; what it sends arrives at the instants its script says.

mod listener;
mod script;
mod stream;
mod world;

pub use listener::{Attempt, AttemptState, Listener};
pub use script::{Codec, Plain, Script};
pub use stream::SimStream;
pub use world::SimNet;
