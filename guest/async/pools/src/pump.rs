//! Copies a body to a stream as fast as that is read: the only work that goes on after the call that began it.

use urlpool_core::driver;
use urlpool_sockets::AsyncNet;
use wit_bindgen::{FutureWriter, StreamWriter};

use crate::bindings::exports::urlpool::client::types as wit;
use crate::convert;

/// What a body is read in.
const MAX_PIECE: usize = 64 * 1024;

/// How a body ended.
pub(crate) type Ending = Result<Vec<wit::Header>, wit::Error>;

/// Copies all of a body, and says how it ended. The connection is back in its pool, or closed, before the end is told.
pub(crate) async fn pump(
    mut response: driver::Response<AsyncNet>,
    mut body: StreamWriter<u8>,
    end: FutureWriter<Ending>,
) {
    let ending = loop {
        match response.read(MAX_PIECE).await {
            Ok(piece) if piece.is_empty() => break Ok(convert::headers(response.trailers())),
            Ok(piece) => {
                if !body.write_all(piece).await.is_empty() {
                    // Nobody reads on.
                    return;
                }
            }
            Err(error) => break Err(convert::error(error)),
        }
    };
    drop(response);
    drop(body);
    // Whoever does not listen need not.
    drop(end.write(ending).await);
}
