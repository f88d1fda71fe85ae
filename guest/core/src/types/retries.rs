//! How often a request may be tried again, as its caller wrote it, and what has become of its attempts.

use std::time::Duration;

use super::Error;

/// How often something may be tried again.
///
/// ```
/// use urlpool_core::types::{Budget, Retries};
///
/// let retries = Retries { read: Some(Budget::Off), redirect: Some(Budget::Unlimited), ..Retries::total(3) };
/// assert_eq!(retries.total, Some(Budget::AtMost(3)));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Budget {
    /// Never, and the first failure or response is handed out as it is (urllib3: `False`).
    Off,
    /// Without limit of its own (urllib3: `None`).
    Unlimited,
    /// This often; what comes then ends in [`Error::RetriesExhausted`] or [`Error::TooManyRedirects`].
    AtMost(u32),
}

/// Methods whose requests may be sent again once the peer may have acted on them.
///
/// ```
/// use urlpool_core::types::{RetriedMethods, Retries};
///
/// let methods = RetriedMethods::Only(vec!["GET".into(), "POST".into()]);
/// let retries = Retries { methods: Some(methods), ..Retries::total(3) };
/// assert_ne!(retries.methods, Some(RetriedMethods::Any));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum RetriedMethods {
    /// Every method (urllib3: `None`).
    Any,
    /// These, whatever their case.
    Only(Vec<String>),
}

/// When and how often a request is tried again (urllib3: `Retry`). What is `None` is inherited.
///
/// ```
/// use std::time::Duration;
/// use urlpool_core::types::{Budget, Retries};
///
/// let of_pool = Retries {
///     statuses: Some(vec![502, 503, 504]),
///     backoff_factor: Some(Duration::from_millis(100)),
///     ..Retries::total(3)
/// };
/// let of_request = Retries::off().or(&of_pool);
/// assert_eq!((of_request.total, of_request.statuses), (Some(Budget::Off), of_pool.statuses));
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Retries {
    /// All of the others together.
    pub total: Option<Budget>,
    /// Failures before anything was sent: name lookup, TCP, and timeouts of connecting.
    pub connect: Option<Budget>,
    /// Failures after the request may have been sent: timeouts and broken connections.
    pub read: Option<Budget>,
    /// Redirects.
    pub redirect: Option<Budget>,
    /// Responses whose status asks for another attempt.
    pub status: Option<Budget>,
    /// Everything else, such as TLS.
    pub other: Option<Budget>,
    /// Methods for which `read` and `status` count.
    pub methods: Option<RetriedMethods>,
    /// Statuses that are tried again (urllib3: `status_forcelist`).
    pub statuses: Option<Vec<u16>>,
    /// What the delays grow from: this times 0, 2, 4, 8 and so on (urllib3: `backoff_factor`).
    pub backoff_factor: Option<Duration>,
    /// The longest delay.
    pub backoff_max: Option<Duration>,
    /// At most this much, at random, is added to each delay.
    pub backoff_jitter: Option<Duration>,
    /// Whether a redirect too many is an error; otherwise it is handed out.
    pub raise_on_redirect: Option<bool>,
    /// Whether a retried status too many is an error; otherwise the response is handed out.
    pub raise_on_status: Option<bool>,
    /// Whether a response may say with `Retry-After` when to come again.
    pub respect_retry_after: Option<bool>,
    /// The longest such delay.
    pub retry_after_max: Option<Duration>,
    /// Names of header fields that are not sent to another origin.
    pub remove_headers_on_redirect: Option<Vec<String>>,
}

impl Retries {
    /// These, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        Self {
            total: self.total.or(base.total),
            connect: self.connect.or(base.connect),
            read: self.read.or(base.read),
            redirect: self.redirect.or(base.redirect),
            status: self.status.or(base.status),
            other: self.other.or(base.other),
            methods: self.methods.or_else(|| base.methods.clone()),
            statuses: self.statuses.or_else(|| base.statuses.clone()),
            backoff_factor: self.backoff_factor.or(base.backoff_factor),
            backoff_max: self.backoff_max.or(base.backoff_max),
            backoff_jitter: self.backoff_jitter.or(base.backoff_jitter),
            raise_on_redirect: self.raise_on_redirect.or(base.raise_on_redirect),
            raise_on_status: self.raise_on_status.or(base.raise_on_status),
            respect_retry_after: self.respect_retry_after.or(base.respect_retry_after),
            retry_after_max: self.retry_after_max.or(base.retry_after_max),
            remove_headers_on_redirect: self
                .remove_headers_on_redirect
                .or_else(|| base.remove_headers_on_redirect.clone()),
        }
    }

    /// So many in total and nothing else said (urllib3: `Retry(n)`, which is what an integer stands for there).
    #[must_use]
    pub fn total(count: u32) -> Self {
        Self {
            total: Some(Budget::AtMost(count)),
            ..Self::default()
        }
    }

    /// None at all: the first failure and every redirect are handed out as they are (urllib3: `retries=False`).
    #[must_use]
    pub fn off() -> Self {
        Self {
            total: Some(Budget::Off),
            ..Self::default()
        }
    }
}

/// Whether redirects are followed.
///
/// ```
/// use urlpool_core::types::{Redirects, RequestOptions};
///
/// let options = RequestOptions { redirects: Redirects::HandOver, ..RequestOptions::default() };
/// assert_ne!(options.redirects, Redirects::default());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Redirects {
    /// As far as the retries allow.
    #[default]
    Follow,
    /// A redirect is handed out like any other response (urllib3: `redirect=False`).
    HandOver,
}

/// One attempt that was followed by another, or would have been (urllib3: `RequestHistory`).
///
/// ```
/// use urlpool_core::types::HistoryEntry;
///
/// let redirect = HistoryEntry {
///     method: "GET".into(),
///     url: "http://example.com/".into(),
///     status: Some(302),
///     location: Some("http://example.com/login".into()),
///     error: None,
/// };
/// assert!(redirect.status.is_some() != redirect.error.is_some());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryEntry {
    /// The attempt's method.
    pub method: String,
    /// The attempt's URL, without userinfo.
    pub url: String,
    /// The response's status, where one came.
    pub status: Option<u16>,
    /// Where the response redirected to, absolute and without userinfo.
    pub location: Option<String>,
    /// The failure, where no response came.
    pub error: Option<Box<Error>>,
}

/// The facts of a request whose attempts are used up.
///
/// ```
/// use urlpool_core::types::{Error, Exhausted, LastOutcome};
///
/// let exhausted = Exhausted {
///     message: "too many 503 error responses".into(),
///     method: "GET".into(),
///     url: "http://example.com/".into(),
///     attempts: 4,
///     last: LastOutcome::Status(503),
///     history: Vec::new(),
/// };
/// assert_eq!(Error::RetriesExhausted(Box::new(exhausted)).message(), "too many 503 error responses");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exhausted {
    /// What happened, in urllib3's words.
    pub message: String,
    /// The last attempt's method.
    pub method: String,
    /// The last attempt's URL, without userinfo.
    pub url: String,
    /// How many attempts there were.
    pub attempts: u32,
    /// What the last one came to.
    pub last: LastOutcome,
    /// All of them, oldest first; the last 1000, where there were more.
    pub history: Vec<HistoryEntry>,
}

/// What the last attempt came to.
///
/// ```
/// use urlpool_core::types::{Error, LastOutcome};
///
/// let last = LastOutcome::Failed(Error::Other("the host failed".into()));
/// assert!(matches!(last, LastOutcome::Failed(error) if error.kind() == "other"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LastOutcome {
    /// A response with this status.
    Status(u16),
    /// A failure.
    Failed(Error),
}
