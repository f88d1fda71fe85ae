//! The WASI 0.3 component: `urlpool:client-async` over `wasi:sockets`.
//!
//! [`exports`] are a few lines each, and only [`convert`] knows both the contract's types and core's. Requests run in the tasks of those who asked
//! for them; the one task that is spawned is [`pump`], which ends with the body that it brings.

mod bindings;
mod convert;
mod exports;
mod pump;
mod upload;
