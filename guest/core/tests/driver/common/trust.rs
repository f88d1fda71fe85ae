//! A TLS server, and what a client with settings makes of it.

use urlpool_core::types::{Error, Event, PoolSettings, TlsReason, TlsSettings};

use super::{TlsServer, World, origin_of};

/// A world whose pools speak TLS like this.
fn world_of(tls: TlsSettings) -> World {
    World::of_pools(PoolSettings {
        tls,
        ..PoolSettings::default()
    })
}

/// A world in which `a.test` is that TLS server.
pub(crate) fn serving(server: TlsServer, tls: TlsSettings) -> World {
    let world = world_of(tls);
    world.listen("a.test", 443, server.listener(origin_of("a")));
    world
}

/// Why the server was not accepted; `None` where it was.
pub(crate) fn reason(world: &World, url: &str) -> Option<(TlsReason, String)> {
    match world.get(url) {
        Ok(_) => None,
        Err(Error::Tls(reason, failure)) => Some((reason, failure.message)),
        Err(other) => panic!("{other:?}"),
    }
}

/// What the manager has warned of.
pub(crate) fn warnings(world: &World) -> Vec<String> {
    let text = |event| match event {
        Event::Warned(text) => Some(text),
        _ => None,
    };
    world
        .manager
        .take_events()
        .into_iter()
        .filter_map(text)
        .collect()
}
