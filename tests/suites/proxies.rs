//! Requests through proxies, on a real wire: who is asked for what, who proves who it is, and whose fault a failure is.
//!
//! The servers behind a proxy are called `far.test` and `other.test`, which nobody but the tests' proxies can find: a request that arrives went
//! through one.

mod failing;
mod grants;
mod routes;
mod secrets;
mod socks;
mod streams;

use urlpool_host::{
    Grants, ManagerSettings, PoolSettings, ProxyManager, ProxySettings, Retries, Settings,
};
use urlpool_tests::{Request, Server};

const FAR: &str = "far.test";
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", FAR, "other.test"];

fn settings(url: impl Into<String>) -> ProxySettings {
    ProxySettings {
        url: url.into(),
        ..ProxySettings::default()
    }
}

/// A manager for a proxy that may connect to anything, and tries once unless `pool` says otherwise.
async fn through(proxy: ProxySettings, mut pool: PoolSettings) -> ProxyManager {
    if pool.retries == Retries::default() {
        pool.retries = Retries::off();
    }
    let settings = Settings {
        manager: ManagerSettings {
            pool,
            ..ManagerSettings::default()
        },
        grants: Grants::all(),
        ..Settings::default()
    };
    ProxyManager::new(proxy, settings)
        .await
        .expect("settings that fit")
}

/// The requests that a server was sent: method, target, and the names of the fields.
fn heads(server: &Server) -> Vec<String> {
    let line = |request: &Request| {
        let names: Vec<String> = request.fields().into_iter().map(|(name, _)| name).collect();
        let (method, target) = (request.method(), request.target());
        format!("{method} {target}: {}", names.join(", "))
    };
    server.requests().iter().map(line).collect()
}
