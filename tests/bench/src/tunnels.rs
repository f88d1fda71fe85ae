//! Part (i): sequential GETs of 100 bytes through one tunnel.
//!
//! Whoever asks directly goes through the same relay, which for them only hands bytes on: what differs is CONNECT, which is over before the
//! first round, and what the route costs each request.

use std::path::Path;

use urlpool_host::{Proxies, ProxySettings};
use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::clients::{Reading, Urlpool};
use crate::place::Place;
use crate::python::{GETS, Urllib3};
use crate::relay::Relay;
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Against the same without a tunnel.
const NO_SLOWER: Goal = Goal::TimesItsTime(1.1);

/// urlpool with and without a tunnel, and urllib3 with one.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
) -> Result<()> {
    let relay = Relay::start(nginx.secure()).await?;
    let roots = &nginx.authority_file();
    let (url, proxy) = (nginx.https("/small"), relay.proxy());
    let direct = urlpool(relay.https("/small"), roots, None).await?;
    let tunnelled = urlpool(url.clone(), roots, Some(proxy.clone())).await?;
    let trusted = roots.display().to_string();
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(tunnelled),
        Box::new(direct),
        Box::new(Urllib3::start(place, GETS, &[&url, &trusted, &proxy]).await?),
    ];
    let medians = alternate(&mut contenders, scale.rounds, scale.requests).await?;
    let [ours, direct, urllib3] = &medians[..] else {
        bail!("three contenders have three medians");
    };
    for (name, theirs, goal) in [
        ("urlpool-host without CONNECT", direct, Some(NO_SLOWER)),
        (&urllib3.name, urllib3, None),
    ] {
        table.add(Row::against(
            "(i) GET of 100 bytes, https, through a tunnel",
            &ours.name,
            Quantity::Time(ours.time),
            Compared::new(name, Quantity::Time(theirs.time)),
            goal,
        ));
    }
    table.note("(i): all three go through the same relay, a thread of this process; without CONNECT it only hands bytes on.");
    Ok(())
}

async fn urlpool(url: String, roots: &Path, proxy: Option<String>) -> Result<Urlpool> {
    let through = |url| {
        Proxies::all_through(ProxySettings {
            url,
            ..ProxySettings::default()
        })
    };
    Urlpool::with(url, Some(roots), 100, Reading::Whole, |pool| {
        pool.proxies = proxy.map(through);
    })
    .await
}
