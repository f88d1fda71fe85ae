//! Between the contract's types and core's. What both generations of WASI have in common is the other component's: the same files, compiled
//! against the types of this one.

mod body;
#[path = "../../../../src/convert/content.rs"]
mod content;
#[path = "../../../../src/convert/error.rs"]
mod error;
#[path = "../../../../src/convert/event.rs"]
mod event;
#[path = "../../../../src/convert/head.rs"]
mod head;
#[path = "../../../../src/convert/proxy.rs"]
mod proxy;
#[path = "../../../../../host/src/convert/retries.rs"]
mod retries;
#[path = "../../../../src/convert/settings.rs"]
mod settings;
#[path = "../../../../src/convert/tls.rs"]
mod tls;

use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) use body::{Asked, asked};
pub(crate) use content::{form, header_options, headers, query};
pub(crate) use error::{Outcome, error, history, in_use};
pub(crate) use event::event;
pub(crate) use head::{origin, response_head};
pub(crate) use proxy::{from_environment, proxied_settings, proxy_at};
pub(crate) use retries::into_wit as remaining;
pub(crate) use settings::{
    manager_settings, options_for_form, options_for_query, pool_context, pool_settings,
};
pub(crate) use tls::tls_info;
