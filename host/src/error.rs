//! What can go wrong, the component's own errors apart from the sandbox's.

use std::fmt;
use std::time::Duration;

use urlpool_core::types;

/// Why a call brought no result.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use urlpool_host::{Error, PoolManager};
///
/// let manager = PoolManager::builder().build().await?; // nothing is granted
/// match manager.get("http://192.0.2.1/").send().await {
///     Ok(response) => println!("{}", response.status()),
///     Err(Error::Client(error)) => assert_eq!(error.kind(), "denied"),
///     Err(error) => println!("the sandbox failed: {error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The component answered with an error: the request failed, the sandbox is well.
    Client(types::Error),
    /// The component trapped, for example at its memory limit. Its instance is gone, its connections with it; the next call makes a new one.
    Trap(String),
    /// A call took longer than [`crate::Limits::call`] allows. As after a trap, the instance is gone.
    Deadline(Duration),
    /// The sandbox could not be set up.
    Setup(String),
}

impl Error {
    /// The component's own error, if it is one.
    #[must_use]
    pub const fn client(&self) -> Option<&types::Error> {
        match self {
            Self::Client(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn setup(cause: &wasmtime::Error) -> Self {
        Self::Setup(cause.root_cause().to_string())
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self::Client(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => error.fmt(formatter),
            Self::Trap(why) => write!(formatter, "the component was stopped: {why}"),
            Self::Deadline(span) => write!(
                formatter,
                "the component was stopped: a call took longer than {span:?}"
            ),
            Self::Setup(why) => write!(formatter, "the component could not be started: {why}"),
        }
    }
}

impl std::error::Error for Error {}
