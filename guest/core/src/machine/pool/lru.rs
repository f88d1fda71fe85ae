//! The pools of a manager, the one used last at the front (urllib3: `RecentlyUsedContainer`).

use std::num::NonZeroUsize;

use lru::LruCache;

use super::Key;

/// At most so many pools.
#[derive(Debug)]
pub struct Lru<P> {
    pools: Option<LruCache<Key, P>>,
}

impl<P: Clone> Lru<P> {
    /// Holds up to `capacity` pools; with 0 every pool is evicted at once, as in urllib3.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        // The table grows as pools come, so that a generous limit costs nothing.
        let bounded = |capacity| {
            let mut pools = LruCache::unbounded();
            pools.resize(capacity);
            pools
        };
        Self {
            pools: NonZeroUsize::new(capacity).map(bounded),
        }
    }

    /// The pool of that key, made where there is none or where `is_usable` denies the one there is; and the pool that had to go for it.
    ///
    /// # Errors
    /// Those of `make`; then nothing has changed.
    pub fn get_or_make<E>(
        &mut self,
        key: &Key,
        is_usable: impl FnOnce(&P) -> bool,
        make: impl FnOnce() -> Result<P, E>,
    ) -> Result<(P, Option<P>), E> {
        let Some(pools) = &mut self.pools else {
            let pool = make()?;
            return Ok((pool.clone(), Some(pool)));
        };
        if let Some(pool) = pools.get(key).filter(|pool| is_usable(pool)) {
            return Ok((pool.clone(), None));
        }
        let pool = make()?;
        let evicted = pools
            .push(key.clone(), pool.clone())
            .map(|(_, evicted)| evicted);
        Ok((pool, evicted))
    }

    /// Forgets all pools and hands them back.
    pub fn clear(&mut self) -> Vec<P> {
        let mut cleared = Vec::with_capacity(self.len());
        while let Some((_, pool)) = self.pools.as_mut().and_then(LruCache::pop_lru) {
            cleared.push(pool);
        }
        cleared
    }

    /// How many pools there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pools.as_ref().map_or(0, LruCache::len)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::SharedProfile;
    use super::*;
    use crate::policy::Profile;
    use crate::policy::route::Route;
    use crate::types::{Host, Origin, PoolSettings, Scheme};

    fn key(port: u16) -> Key {
        let origin = Origin::new(Scheme::Http, Host::parse("h.test").unwrap(), Some(port));
        Key {
            origin,
            route: Route::Direct,
            profile: SharedProfile::new(Profile::resolve(PoolSettings::default()).unwrap()),
        }
    }

    fn get<P: Clone>(lru: &mut Lru<P>, port: u16, pool: P) -> (P, Option<P>) {
        lru.get_or_make(&key(port), |_| true, || Ok::<_, ()>(pool))
            .unwrap()
    }

    #[test]
    fn no_room_means_that_nothing_is_kept() {
        let mut lru = Lru::new(0);
        assert_eq!(get(&mut lru, 1, 'a'), ('a', Some('a')));
        assert_eq!(lru.len(), 0);
    }

    #[test]
    fn a_pool_that_is_no_longer_usable_is_replaced() {
        let mut lru = Lru::new(2);
        get(&mut lru, 1, 'a');
        assert_eq!(lru.get_or_make(&key(1), |_| false, || Err("no")), Err("no"));
        assert_eq!(
            lru.get_or_make(&key(1), |_| false, || Ok::<_, ()>('b')),
            Ok(('b', Some('a')))
        );
        assert_eq!(lru.len(), 1);
    }

    proptest! {
        /// The naive model: a list, the last used at its end.
        #[test]
        fn agrees_with_a_list(capacity in 1_usize..5, ports in prop::collection::vec(0_u16..8, 0..60)) {
            let (mut lru, mut list) = (Lru::new(capacity), Vec::<u16>::new());
            for port in ports {
                let (found, evicted) = get(&mut lru, port, port);
                let before = list.len();
                list.retain(|other| *other != port);
                let was_there = list.len() < before;
                list.push(port);
                let expected = (!was_there && list.len() > capacity).then(|| list.remove(0));
                prop_assert_eq!((found, evicted), (port, expected));
                prop_assert_eq!(lru.len(), list.len());
            }
            prop_assert_eq!(lru.clear(), list);
        }
    }
}
