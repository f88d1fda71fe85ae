//! The drop-in: `wasi:http/client` for the component that it is plugged under, over pools of connections of its own.
//!
//! [`request`] and [`response`] translate between the resources of `wasi:http` and core, [`error`] between the two kinds of failures; core
//! decides, by what [`client`] was told in the environment.

mod bindings;
mod client;
mod error;
mod request;
mod response;

use bindings::exports::wasi::http::client::Guest;
use bindings::wasi::http::types::{ErrorCode, Request, Response};
use urlpool_core::types::Error;

/// What the component exports.
struct Component;

impl Guest for Component {
    async fn send(request: Request) -> Result<Response, ErrorCode> {
        // Whoever set the variables can act on the text alone, and it holds nothing but their names and short values.
        let refused = |error: Error| ErrorCode::InternalError(Some(error.to_string()));
        let client = client::shared().map_err(refused)?;
        let order = request::take(request, &client.options).await?;
        let response = order.send(&client.manager).await;
        response::hand_out(response.map_err(|error| error::of(&error))?)
    }
}
