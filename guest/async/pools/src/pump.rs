//! Copies a body to a stream as fast as that is read: the only work that goes on after the call that began it.

use urlpool_core::driver::Response;
use urlpool_sockets::{AsyncNet, pour};
use wit_bindgen::{FutureWriter, StreamWriter};

use crate::bindings::exports::urlpool::client::types as wit;
use crate::convert;

/// How a body ended.
pub(crate) type Ending = Result<Vec<wit::Header>, wit::Error>;

/// Copies all of a body, and says how it ended.
pub(crate) async fn pump(
    response: Response<AsyncNet>,
    body: StreamWriter<u8>,
    end: FutureWriter<Ending>,
) {
    let Some(ending) = pour(response, body).await else {
        return;
    };
    let ending = ending
        .map(|trailers| convert::headers(&trailers))
        .map_err(convert::error);
    // Whoever does not listen need not.
    drop(end.write(ending).await);
}
