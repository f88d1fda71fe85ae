//! What the command needs of an HTTP client. Both fronts implement it; tests use a scripted one.

use urlpool_core::driver::Progress;
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

    /// Pushes some bytes of a streamed body, and waits while too many of them have not been sent.
    ///
    /// # Errors
    /// What the host itself reports, as [`Error::Other`].
    fn write(&mut self, request: &mut Self::Pending, bytes: &[u8]) -> Result<Progress, Error>;

    /// Ends a streamed part of a form.
    ///
    /// # Errors
    /// As for [`Client::write`].
    fn end_part(&mut self, request: &mut Self::Pending) -> Result<Progress, Error>;

    /// Ends a streamed body, and waits until it is not needed again, or is.
    ///
    /// # Errors
    /// As for [`Client::write`].
    fn finish(&mut self, request: &mut Self::Pending) -> Result<Progress, Error>;

    /// Waits for some bytes of standard input, none at its end; `None` where the request is ready before they come.
    ///
    /// # Errors
    /// [`Error::Other`] where it cannot be read.
    fn read_input(&mut self, request: &Self::Pending) -> Result<Option<Vec<u8>>, Error>;

    /// Waits until at least one of some requests, or of some bodies, is ready: there is a response, or there are bytes, the end or an error.
    ///
    /// # Errors
    /// What the host itself reports, as [`Error::Other`].
    fn wait(&mut self, requests: &[&Self::Pending], bodies: &[&Self::Body])
    -> Result<Ready, Error>;

    /// Waits for the head of the response. A streamed body that was not pushed to its end is given up.
    ///
    /// # Errors
    /// As for [`Client::request`].
    fn response(&mut self, request: Self::Pending) -> Result<(ResponseHead, Self::Body), Error>;

    /// Takes out what happened since the last call, oldest first.
    fn take_events(&mut self) -> Vec<Event>;
}

/// What has become ready, by places in ascending order; nothing where nothing ever could.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ready {
    /// Requests whose response can be taken.
    pub requests: Vec<usize>,
    /// Bodies that can be read.
    pub bodies: Vec<usize>,
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
