//! The contract's functions: convert, call core, convert back.

mod component;
mod manager;
mod pool;
mod proxy;
mod response;

pub(crate) use component::Component;
