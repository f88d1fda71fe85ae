//! A request without a manager.

use std::sync::Arc;

use crate::error::Error;
use crate::function::Through;
use crate::grants::Grants;
use crate::instance::Slot;
use crate::manager::Settings;
use crate::request::RequestBuilder;

/// Begins a request for which there is no manager (urllib3: the function `request`).
///
/// As there, connecting and each wait for the server take at most 3 seconds unless the request's timeouts say otherwise. It has an instance of
/// its own, which lives for as long as its response, so nothing is shared between two of them: whoever sends more than one makes a
/// [`PoolManager`](crate::PoolManager). It can be sent; starting it, and a method in another spelling than upper case, are for managers.
///
/// # Errors
/// [`Error::Setup`] where the sandbox cannot be had.
///
/// ```no_run
/// # async fn example() -> Result<(), urlpool_host::Error> {
/// use urlpool_host::{Grants, request};
///
/// let grants = Grants::none().allow("example.com", 443);
/// let page = request(grants, "GET", "https://example.com/").await?.send().await?.text().await?;
/// # drop(page);
/// # Ok(())
/// # }
/// ```
pub async fn request(
    grants: Grants,
    method: impl Into<String>,
    url: impl Into<String>,
) -> Result<RequestBuilder, Error> {
    let (method, url) = (method.into(), url.into());
    let settings = Settings {
        grants,
        ..Settings::default()
    };
    let slot = Arc::new(Slot::open(settings).await?);
    Ok(RequestBuilder::new(slot, Through::Shared, method, url))
}
