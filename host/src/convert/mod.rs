//! Core values made of the component's, and the component's of core values. Nothing else names both.
//!
//! Two crates compile this file: the host, whose `wit` wasmtime's generator writes, and the command component, whose `wit` is
//! wit-bindgen's. Both give the records and variants of `urlpool:client/types` the same names and shapes, and no more is used here.

mod content;
mod error;
mod event;
mod head;
mod proxy;
mod retries;
mod settings;
mod tls;

use super::wit;

pub(crate) use content::body;
pub(crate) use error::{error, history};
pub(crate) use event::events;
pub(crate) use head::{headers, origin, response_head};
pub(crate) use retries::from_wit as remaining;
pub(crate) use settings::{manager_settings, pool_context, pool_settings, request_options, wait};
pub(crate) use tls::tls_info;
