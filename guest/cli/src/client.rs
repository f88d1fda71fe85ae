//! What the command needs of an HTTP client. Both fronts implement it; tests use a scripted one.

use urlpool_core::types::{Content, Error, Event, RequestOptions, ResponseHead};

/// A manager of pools whose calls wait.
pub trait Client {
    /// The body of its responses. Dropping it gives up what was not read.
    type Body: Body;

    /// Sends a request and waits for the head of the response.
    ///
    /// `url` may have userinfo; the method is sent in upper case.
    ///
    /// # Errors
    /// Those of the component's `request`; what the host itself reports (a trap, a limit) is [`Error::Other`].
    fn request(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<(ResponseHead, Self::Body), Error>;

    /// Takes out what happened since the last call, oldest first.
    fn take_events(&mut self) -> Vec<Event>;
}

/// The body of a response, read piece by piece.
pub trait Body {
    /// Waits for some more bytes, as many as come in handy; none at the end.
    ///
    /// # Errors
    /// As for the component's `read`; what the host itself reports is [`Error::Other`].
    fn read(&mut self) -> Result<Vec<u8>, Error>;
}
