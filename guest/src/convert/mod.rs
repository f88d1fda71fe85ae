//! Between the contract's types and core's. The only module that names both, so that a change to either breaks here, at compile time.

mod body;
mod content;
mod error;
mod event;
mod head;
mod proxy;
#[path = "../../../host/src/convert/retries.rs"]
mod retries;
mod settings;
mod tls;
mod waiting;

use crate::bindings::exports::urlpool::client::types as wit;

pub(crate) use body::asked;
pub(crate) use content::{form, header_options, headers, query, streamed};
pub(crate) use error::{Outcome, error, history, in_use};
pub(crate) use event::event;
pub(crate) use head::{origin, response_head};
pub(crate) use proxy::{from_environment, proxied_settings, proxy_at};
pub(crate) use retries::into_wit as remaining;
pub(crate) use settings::{
    manager_settings, options_for_form, options_for_query, pool_context, pool_settings,
    request_options,
};
pub(crate) use tls::tls_info;
pub(crate) use waiting::{end, progress, stuck, taken};
