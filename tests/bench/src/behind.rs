//! Part (l): the same GETs by a component that leaves HTTP to its host, whose hooks are ours or the stock ones.

use std::path::Path;
use std::rc::Rc;

use urlpool_host::wasi_http::{Hooks, Settings};
use urlpool_host::{Grants, ManagerSettings, PoolSettings, TlsSettings};
use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::guests::{Clock, Guests};
use crate::place::Place;
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// What keeping the connection is worth.
const KEPT: Goal = Goal::TimesItsRate(2.2);
/// What sparing the handshake is worth.
const NO_HANDSHAKE: Goal = Goal::TimesItsRate(7.0);

/// Both schemes.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
) -> Result<()> {
    let hooks = ours(&nginx.authority_file())?;
    for (part, url, goal) in [
        ("(l) GET by wasi:http, http", nginx.http("/small"), KEPT),
        (
            "(l) GET by wasi:http, https",
            nginx.https("/small"),
            NO_HANDSHAKE,
        ),
    ] {
        let bytes = place.guest("bench-wstd")?;
        let guest = |name| guests.guest(name, &bytes, Clock::Guests, std::slice::from_ref(&url));
        let mut contenders: Vec<Box<dyn Contender>> = vec![
            Box::new(guest("wstd, hooks of urlpool-host")?.behind(hooks.clone())),
            Box::new(guest("wstd, stock hooks")?),
        ];
        let medians = alternate(&mut contenders, scale.rounds, scale.requests).await?;
        let [ours, stock] = &medians[..] else {
            bail!("two contenders have two medians");
        };
        table.add(Row::against(
            part,
            &ours.name,
            Quantity::Time(ours.time),
            Compared::new(&stock.name, Quantity::Time(stock.time)),
            Some(goal),
        ));
    }
    Ok(())
}

fn ours(roots: &Path) -> Result<Hooks> {
    let tls = TlsSettings {
        roots: Some(std::fs::read(roots)?),
        ..TlsSettings::default()
    };
    let pool = PoolSettings {
        tls,
        ..PoolSettings::default()
    };
    Ok(Hooks::new(Settings {
        manager: ManagerSettings {
            pool,
            ..ManagerSettings::default()
        },
        grants: Grants::all(),
        ..Settings::default()
    })?)
}
