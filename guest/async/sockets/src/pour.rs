//! Copies the body of a response to a stream, as fast as that is read.

use urlpool_core::driver::Response;
use urlpool_core::types::{Error, Headers};
use wit_bindgen::StreamWriter;

use crate::net::AsyncNet;

/// What a body is read in.
const MAX_PIECE: usize = 64 * 1024;

/// Copies all of a body and says how it ended: with its trailers, or with what kept it from being had whole; `None` where nobody read on.
///
/// The connection is back in its pool, or closed, before the end of the stream is told.
pub async fn pour(
    mut response: Response<AsyncNet>,
    mut body: StreamWriter<u8>,
) -> Option<Result<Headers, Error>> {
    let ending = loop {
        match response.read(MAX_PIECE).await {
            Ok(piece) if piece.is_empty() => break Ok(response.trailers().clone()),
            Ok(piece) => {
                if !body.write_all(piece).await.is_empty() {
                    return None;
                }
            }
            Err(error) => break Err(error),
        }
    };
    drop(response);
    drop(body);
    Some(ending)
}
