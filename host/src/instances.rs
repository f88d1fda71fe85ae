//! Several managers as one, for requests at the same time.
//!
//! Decides which of them sends a request. Invariant: the choice has no effect but on time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use urlpool_core::types::Error as ClientError;

use crate::error::Error;
use crate::instance::Slot;
use crate::manager::{PoolManager, Settings};
use crate::request::RequestBuilder;

/// Instances of equal settings that serve requests at the same time, on as many threads as the runtime has. Clones share them.
///
/// A [`PoolManager`] is one instance, whose calls run one after the other. Here each request goes to the first instance that nobody calls at
/// the moment, beginning with the one that its URL's host always begins with: while there is little to do a host's requests meet on the
/// same instance and reuse its connections, and under load they spread. Where all are busy, it goes where the fewest wait. So a host has up to
/// `maxsize` idle connections in each instance.
///
/// Dropping the future of a call costs one instance, and the others nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), urlpool_host::Error> {
/// use urlpool_host::PoolManager;
///
/// let instances = PoolManager::builder().allow("a.example", 443).build_several(4).await?;
/// let (one, other) = tokio::join!(
///     instances.get("https://b.example/1").send(),
///     instances.get("https://b.example/2").send(),
/// );
/// assert!(one.is_err() && other.is_err()); // neither is granted
/// assert_eq!(instances.managers().len(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Instances {
    managers: Arc<[PoolManager]>,
}

impl Instances {
    /// Starts `count` instances.
    ///
    /// # Errors
    /// [`Error::Client`] with `InvalidSettings` where `count` is 0; or as for [`PoolManager::new`].
    pub async fn new(count: u16, settings: Settings) -> Result<Self, Error> {
        if count == 0 {
            return Err(ClientError::InvalidSettings("no instances are none to use".into()).into());
        }
        let mut managers = Vec::with_capacity(count.into());
        for _ in 0..count {
            managers.push(PoolManager::new(settings.clone()).await?);
        }
        Ok(Self {
            managers: managers.into(),
        })
    }

    /// Begins a request. Which instance it goes to is decided when it is sent or started.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> RequestBuilder {
        RequestBuilder::spread(Arc::clone(&self.managers), method.into(), url.into())
    }

    /// Begins a GET.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder {
        self.request("GET", url)
    }

    /// The manager of each instance, for what is to be done to all of them, such as [`PoolManager::clear`].
    #[must_use]
    pub fn managers(&self) -> &[PoolManager] {
        &self.managers
    }
}

/// The instance that a request to a URL is sent by.
pub(crate) fn choose(managers: &[PoolManager], url: &str) -> Option<Arc<Slot>> {
    let busy: Vec<usize> = managers.iter().map(|manager| manager.slot.busy()).collect();
    let chosen = place(&busy, first_for(url, managers.len()))?;
    managers
        .get(chosen)
        .map(|manager| Arc::clone(&manager.slot))
}

/// Where the search begins for a URL: always at the same place for the same scheme and authority.
fn first_for(url: &str, count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    let authority = url.splitn(4, '/').take(3);
    authority.for_each(|part| part.to_ascii_lowercase().hash(&mut hasher));
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    usize::try_from(hasher.finish() % count).unwrap_or(0)
}

/// The first that nobody calls, from there on; or that which the fewest do.
fn place(busy: &[usize], first: usize) -> Option<usize> {
    let (before, after) = busy.split_at_checked(first)?;
    let (before, after) = (before.iter().enumerate(), after.iter().enumerate());
    let after = after.map(|(place, busy)| (place + first, busy));
    after
        .chain(before)
        .min_by_key(|(_, busy)| **busy)
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_idle_serves_else_that_with_the_fewest_waiting() {
        for (case, busy, first, expected) in [
            ("none", &[][..], 0, None),
            ("one", &[7], 0, Some(0)),
            ("all idle", &[0, 0, 0], 1, Some(1)),
            ("the first is busy", &[0, 1, 0], 1, Some(2)),
            ("the last are busy", &[0, 1, 1], 1, Some(0)),
            ("all busy alike", &[2, 2, 2], 2, Some(2)),
            ("all busy", &[2, 1, 3], 2, Some(1)),
        ] {
            assert_eq!(place(busy, first), expected, "{case}");
        }
    }

    #[test]
    fn a_host_always_begins_at_the_same_place() {
        let first = first_for("https://a.test/", 8);
        for (case, url) in [
            ("path", "https://a.test/x/y"),
            ("case", "HTTPS://A.test/"),
            ("no path", "https://a.test"),
        ] {
            assert_eq!(first_for(url, 8), first, "{case}");
        }
        let mut places: Vec<usize> = (0..100)
            .map(|number| first_for(&format!("https://{number}.test/"), 8))
            .collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, (0..8).collect::<Vec<_>>(), "hosts are spread");
    }
}
