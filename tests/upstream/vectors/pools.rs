//! The container of pools: which of them are kept, and which one goes.

use urlpool_core::machine::pool::{Key, Lru, SharedProfile};
use urlpool_core::policy::Profile;
use urlpool_core::policy::route::Route;
use urlpool_core::types::{PoolSettings, Url};

use crate::vector::{Answer, Vector, same, text};

/// Keys that are put in, and the pools that they stand for: their own names.
struct Pools {
    lru: Lru<String>,
    capacity: usize,
    profile: SharedProfile,
}

impl Pools {
    fn new(capacity: usize) -> Result<Self, String> {
        let profile = Profile::resolve(PoolSettings::default());
        Ok(Self {
            lru: Lru::new(capacity),
            capacity,
            profile: SharedProfile::new(profile.map_err(|error| error.to_string())?),
        })
    }

    /// Asks for a pool; whether it was there, and which one went for it.
    fn ask(&mut self, name: &str) -> Result<(bool, Option<String>), String> {
        let url =
            Url::parse(&format!("http://pool-{name}.test")).map_err(|error| error.to_string())?;
        let key = Key {
            origin: url.origin().clone(),
            route: Route::Direct,
            profile: self.profile.clone(),
        };
        let mut was_there = true;
        let make = || {
            was_there = false;
            Ok::<_, String>(name.to_owned())
        };
        let (_, evicted) = self.lru.get_or_make(&key, |_| true, make)?;
        Ok((was_there, evicted))
    }

    /// All that are left, the one used longest ago first: the order in which they make room for others.
    fn order(&mut self) -> Result<Vec<String>, String> {
        let mut evicted = Vec::new();
        for other in 0..self.capacity {
            evicted.extend(self.ask(&format!("other-{other}"))?.1);
        }
        Ok(evicted)
    }
}

/// What a method of `RecentlyUsedContainer` does. To ask for a pool is to get it, where it is there, and to set it where it is not.
pub(crate) fn kept(vector: &Vector) -> Answer {
    let names = |field: &str| -> Vec<String> {
        let names = vector.list(field).iter().filter_map(text);
        names.map(str::to_owned).collect()
    };
    let capacity = vector.field("capacity").as_u64().unwrap_or_default();
    let mut pools = Pools::new(usize::try_from(capacity).map_err(|error| error.to_string())?)?;
    let (before, after) = (names("before"), names("after"));
    for name in &before {
        pools.ask(name)?;
    }
    match vector.text("call")? {
        "getitem" if vector.field("is_found") == false => {
            let (was_there, _) = pools.ask(vector.text("key")?)?;
            return same("presence", &false, &was_there);
        }
        "getitem" => {
            let (was_there, evicted) = pools.ask(vector.text("key")?)?;
            same("presence", &(true, None), &(was_there, evicted))?;
        }
        "setitem" => {
            let key = vector.text("key")?;
            let mut gone = before.iter().map(String::as_str).chain([key]);
            let gone = gone.find(|name| !after.iter().any(|kept| kept == name));
            let (was_there, evicted) = pools.ask(key)?;
            let is_known = before.iter().any(|name| name == key);
            same("presence", &is_known, &was_there)?;
            same("evicted", &gone, &evicted.as_deref())?;
        }
        "clear" => same("cleared", &before, &pools.lru.clear())?,
        "len" => same("length", &before.len(), &pools.lru.len())?,
        other => return Err(format!("nothing is known of {other:?}")),
    }
    same("what is left", &after, &pools.order()?)
}
