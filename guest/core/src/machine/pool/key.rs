//! What makes two requests share a pool: their origin and all of their pool's settings.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use crate::policy::Profile;
use crate::policy::route::Route;
use crate::types::Origin;

/// A profile that is compared by content but costs no more than a pointer where it is the same one, however long its roots are.
#[derive(Clone, Debug)]
pub struct SharedProfile {
    profile: Rc<Profile>,
    hash: u64,
}

impl SharedProfile {
    /// Hashes the profile once.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let mut hasher = DefaultHasher::new();
        profile.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            profile: Rc::new(profile),
        }
    }

    /// The profile.
    #[must_use]
    pub fn get(&self) -> &Profile {
        &self.profile
    }
}

impl Eq for SharedProfile {}

impl PartialEq for SharedProfile {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.profile, &other.profile)
            || (self.hash == other.hash && self.profile == other.profile)
    }
}

impl Hash for SharedProfile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

/// The key of a pool (urllib3: `PoolKey`, whose fields are listed by hand).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Key {
    /// Where its connections lead.
    pub origin: Origin,
    /// The way there.
    pub route: Route,
    /// How they are made and kept.
    pub profile: SharedProfile,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{PoolSettings, TlsSettings};

    #[test]
    fn equality_is_by_content() {
        let with = |roots: &[u8]| {
            let tls = TlsSettings {
                roots: Some(roots.to_vec()),
                ..TlsSettings::default()
            };
            SharedProfile::new(
                Profile::resolve(PoolSettings {
                    tls,
                    ..PoolSettings::default()
                })
                .unwrap(),
            )
        };
        assert_eq!(with(b"a"), with(b"a"));
        assert_ne!(with(b"a"), with(b"b"));
    }
}
