//! Core's `Net` for WASI 0.3: sockets as streams, everything that waits as a future of the component model.
//!
//! What both components of `guest/async` reach the network by. No `std::net` and no poll of WASI 0.2, either of which would stop every other
//! task of the instance.

mod bindings;
mod inflow;
mod net;
mod pour;
mod stream;

pub use inflow::Inflow;
pub use net::AsyncNet;
pub use pour::pour;
pub use stream::Tcp;
