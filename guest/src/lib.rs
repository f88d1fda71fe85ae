//! The WASI 0.2 component: `urlpool:client` over `wasi:sockets`.
//!
//! WASI begins here and nowhere before: [`net`], [`stream`] and [`closing`] implement core's `Net` over sockets, [`reactor`] waits and [`tasks`]
//! run beside each other; a [`pending`] request is one of them. [`exports`] are a few
//! lines each, and only [`convert`] knows both the contract's types and core's.

mod bindings;
mod closing;
mod convert;
mod exports;
mod net;
mod pending;
mod reactor;
mod shared;
mod stream;
mod tasks;
