//! Calls every function of the contract that is about proxies once, and prints what came of it. The arguments are a proxy's URL and an origin,
//! as `http://host`.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use urlpool_consumers::blocking::{
    self, Body, ConnectionPool, PoolManager, ProxyManager, Response, proxies_from_environment,
    proxy_from_url,
};
use urlpool_consumers::types::{
    Limit, ManagerSettings, Part, PartData, PoolContext, PoolSettings, ProxySettings,
};
use urlpool_consumers::{Failed, options, pool_settings, settings};

fn main() -> ExitCode {
    match proxied() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn proxied() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let proxy = arguments.next().unwrap_or_default();
    let origin = arguments.next().unwrap_or_default();
    let at = |path: &str| format!("{origin}/{path}");

    let manager = ProxyManager::open(&named(&proxy), &recording())?;
    requests(&manager, at)?;
    pools(&manager, &proxy, at)?;
    rest(&manager);

    let plain = proxy_from_url(&proxy, &recording())?;
    let response = plain.request("GET", &at("proxy-from-url"), &Body::Empty, &options())?;
    show("proxy-from-url", text(&response)?);
    let refused = proxy_from_url("ftp://proxy.test", &recording());
    show(
        "ftp",
        refused
            .err()
            .map_or_else(String::new, |error| error.message),
    );

    let chosen = PoolManager::open(&ManagerSettings {
        pool: Some(environment(&proxy)),
        ..recording()
    })?;
    let response = chosen.request("GET", &at("environment"), &Body::Empty, &options())?;
    show("proxies-from-environment", text(&response)?);
    Ok(())
}

fn requests(manager: &ProxyManager, at: impl Fn(&str) -> String) -> Result<(), Failed> {
    let (empty, options) = (Body::Empty, options());
    show("proxy", manager.proxy());
    let sent = manager.request("get", &at("request"), &empty, &options)?;
    show("request", text(&sent)?);
    let sent = manager.urlopen("get", &at("urlopen"), &empty, &options)?;
    show("urlopen", text(&sent)?);
    let pairs = [("a".to_owned(), "b c".to_owned())];
    let sent = manager.request_encode_url("PUT", &at("url"), &pairs, &options)?;
    show("request-encode-url", text(&sent)?);
    let fields = [Part {
        name: "a".into(),
        filename: None,
        content_type: None,
        headers: Vec::new(),
        data: PartData::Bytes(b"b".to_vec()),
    }];
    let sent = manager.request_encode_body("PUT", &at("body"), &fields, &options)?;
    show("request-encode-body", text(&sent)?);
    let started = manager.start("GET", &at("start"), &empty, &options)?;
    blocking::wait(&[&started], Limit::Unlimited);
    show("start", text(&started.response()?)?);
    Ok(())
}

fn pools(manager: &ProxyManager, proxy: &str, at: impl Fn(&str) -> String) -> Result<(), Failed> {
    let ask = |name: &str, pool: &ConnectionPool| {
        let sent = pool.request("GET", &format!("/{name}"), &Body::Empty, &options())?;
        show(name, format!("{} {}", pool.num_connections(), text(&sent)?));
        Ok::<_, Failed>(())
    };
    ask("from-url", &manager.connection_from_url(&at(""), None)?)?;
    let host = at("");
    let host = host.trim_start_matches("http://").trim_end_matches('/');
    ask(
        "from-host",
        &manager.connection_from_host(host, None, None, None)?,
    )?;
    let context = PoolContext {
        scheme: "http".into(),
        host: host.into(),
        port: None,
        settings: Some(environment(proxy)),
    };
    ask("from-context", &manager.connection_from_context(&context)?)
}

fn rest(manager: &ProxyManager) {
    let also = manager.manager();
    show(
        "num-pools",
        format!("{} {}", manager.num_pools(), also.num_pools()),
    );
    manager.clear();
    show(
        "clear",
        format!("{} {}", manager.num_pools(), also.num_pools()),
    );
    let events = manager.take_events();
    show("take-events", !events.is_empty());
    show("take-events again", !also.take_events().is_empty());
}

/// A proxy that is shown a header of its own.
fn named(url: &str) -> ProxySettings {
    ProxySettings {
        url: url.into(),
        headers: Some(vec![("X-Via".into(), b"open".to_vec())]),
        credentials: None,
        tls: None,
        use_forwarding_for_https: None,
    }
}

fn recording() -> ManagerSettings {
    ManagerSettings {
        events: Some(100),
        ..settings(None)
    }
}

/// Pools whose proxies are those of an environment.
fn environment(proxy: &str) -> PoolSettings {
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let proxies = proxies_from_environment(&[
        variable("HOME", "/"),
        variable("HTTP_PROXY", "http://chosen-by-a-client.test"),
        variable("http_proxy", proxy),
        variable("NO_PROXY", "near.test, 192.0.2.0/24"),
    ]);
    show("no-proxy", proxies.no_proxy.join(" "));
    PoolSettings {
        proxies: Some(proxies),
        ..pool_settings(None)
    }
}

fn show(name: &str, value: impl Display) {
    // A line that is lost is missed by whoever reads them.
    let _ = writeln!(std::io::stdout(), "{name}: {value}");
}

fn text(response: &Response) -> Result<String, Failed> {
    Ok(response.text(1 << 20)?)
}
