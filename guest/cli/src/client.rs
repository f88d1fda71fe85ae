//! What the command needs of an HTTP client. Both fronts implement it; tests use a scripted one.

use urlpool_core::types::{Content, Error, Event, HistoryEntry, RequestOptions, ResponseHead};

/// A manager of pools whose calls wait.
pub trait Client {
    /// The body of its responses. Dropping it gives up what was not read.
    type Body: Body;
    /// A request that was started. Dropping it gives it up.
    type Pending;

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

    /// Starts a request and returns at once. It goes on whenever the client waits for anything.
    ///
    /// # Errors
    /// As for [`Client::request`]; what happens later is said by [`Client::response`].
    fn start(
        &mut self,
        method: &str,
        url: &str,
        content: &Content,
        options: &RequestOptions,
    ) -> Result<Self::Pending, Error>;

    /// Waits until one of some requests, of which there is at least one, is ready, and says which by its place.
    ///
    /// # Errors
    /// What the host itself reports, as [`Error::Other`].
    fn wait(&mut self, requests: &[Self::Pending]) -> Result<usize, Error>;

    /// Waits for the head of the response.
    ///
    /// # Errors
    /// As for [`Client::request`].
    fn response(&mut self, request: Self::Pending) -> Result<(ResponseHead, Self::Body), Error>;

    /// Takes out what happened since the last call, oldest first.
    fn take_events(&mut self) -> Vec<Event>;
}

/// The body of a response, read piece by piece, and what came before it.
pub trait Body {
    /// The attempts before the one that was answered, oldest first.
    ///
    /// # Errors
    /// What the host itself reports, as [`Error::Other`].
    fn history(&mut self) -> Result<Vec<HistoryEntry>, Error>;

    /// Waits for some more bytes, as many as come in handy; none at the end.
    ///
    /// # Errors
    /// As for the component's `read`; what the host itself reports is [`Error::Other`].
    fn read(&mut self) -> Result<Vec<u8>, Error>;
}
