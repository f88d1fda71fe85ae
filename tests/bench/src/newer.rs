//! Part (m): components of WASI 0.3 with one of ours plugged under them, beside the same without it.
//!
//! Each times itself, connecting included.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use urlpool_tests::nginx::Nginx;
use urlpool_tests::{Origin, Reply};
use wasmtime::component::{Accessor, Component, Linker};
use wasmtime::{Engine, Result, Store, bail, format_err};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p3::bindings::Command;

use crate::Scale;
use crate::aside::Aside;
use crate::clients::{Reading, Reqwest, Urlpool};
use crate::guests::{NEVER, State};
use crate::hooks::Hooks;
use crate::place::Place;
use crate::rounds::{Contender, Round, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// What keeping the connection is worth to requests in turn, and to eight at a time.
const KEPT: Goal = Goal::TimesItsRate(2.2);
const KEPT_BY_EIGHT: Goal = Goal::TimesItsRate(1.8);
/// What sparing the handshake is worth.
const NO_HANDSHAKE: Goal = Goal::TimesItsRate(7.0);
const NEAR_THE_LIMIT: Goal = Goal::TimesItsRate(0.8);
/// Requests at once, each answered after [`ANSWER`].
const MANY: u32 = 1000;
const ANSWER: Duration = Duration::from_secs(1);
const IN_TIME: Goal = Goal::AtMost(Quantity::Time(Duration::from_secs(2)));

/// One engine and one linker for all of them.
pub(crate) struct Newer {
    engine: Engine,
    linker: Linker<State>,
    hooks: Hooks,
    roots: String,
}

impl Newer {
    pub(crate) fn new(roots: &Path) -> Result<Rc<Self>> {
        let mut config = urlpool_host::engine_config();
        config.concurrency_support(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        Ok(Rc::new(Self {
            engine,
            linker,
            hooks: Hooks::new(roots)?,
            roots: std::fs::read_to_string(roots)?,
        }))
    }

    fn guest(
        self: &Rc<Self>,
        name: &'static str,
        bytes: &[u8],
        arguments: &[&str],
    ) -> Result<Guest> {
        Ok(Guest {
            name,
            component: Component::new(&self.engine, bytes)?,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            shared: Rc::clone(self),
        })
    }
}

/// A contender. Each round is an instance of its own.
struct Guest {
    name: &'static str,
    component: Component,
    arguments: Vec<String>,
    shared: Rc<Newer>,
}

impl Guest {
    async fn run(&self, count: u32) -> Result<Duration> {
        let Newer {
            engine,
            linker,
            hooks,
            roots,
        } = &*self.shared;
        let [stdout, stderr] = [(); 2].map(|()| MemoryOutputPipe::new(64 * 1024));
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg(self.name)
            .args(&self.arguments)
            .arg(format!("count={count}"))
            .env("URLPOOL_CA_BUNDLE", roots)
            .env("CA_PEM", roots)
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .inherit_network()
            .allow_tcp(true)
            .allow_ip_name_lookup(true);
        let mut store = Store::new(engine, State::new(wasi.build(), Box::new(hooks.clone())));
        store.set_epoch_deadline(NEVER);
        let command = Command::instantiate_async(&mut store, &self.component, linker).await?;
        let run = async move |store: &Accessor<State>| command.wasi_cli_run().call_run(store).await;
        let ended = store.run_concurrent(run).await??;
        let text = |pipe: MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
        ended.map_err(|()| format_err!("{}: {}", self.name, text(stderr)))?;
        let printed = text(stdout);
        let nanos = printed
            .lines()
            .last()
            .and_then(|line| line.strip_suffix(" ns")?.split(' ').next_back())
            .ok_or_else(|| format_err!("{} printed {printed}", self.name))?;
        Ok(Duration::from_nanos(nanos.parse()?))
    }
}

impl Contender for Guest {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(self.run(count))
    }
}

/// What is run, before and after it is composed.
struct Parts {
    consumer: Vec<u8>,
    composed: Vec<u8>,
    pools: Vec<u8>,
}

impl Parts {
    fn read(place: &Place) -> Result<Self> {
        let plugged = |consumer: &str, ours: &str| -> Result<Vec<u8>> {
            let ours = std::fs::read(place.component_named(ours))?;
            Ok(urlpool_compose::plug(&place.guest(consumer)?, &[&ours])?)
        };
        Ok(Self {
            consumer: place.guest("http03")?,
            composed: plugged("http03", "urlpool-http.wasm")?,
            pools: plugged("pools03", "urlpool-async.wasm")?,
        })
    }
}

/// Small requests in turn and eight at a time, by both schemes; one large body.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
) -> Result<()> {
    let newer = Newer::new(&nginx.authority_file())?;
    let parts = Parts::read(place)?;
    for (part, secure, ways, goal) in [
        ("(m) WASI 0.3, http in turn", false, 1, KEPT),
        ("(m) WASI 0.3, http by eight", false, 8, KEPT_BY_EIGHT),
        ("(m) WASI 0.3, https in turn", true, 1, NO_HANDSHAKE),
        ("(m) WASI 0.3, https by eight", true, 8, NO_HANDSHAKE),
    ] {
        let url = if secure {
            nginx.https("/small")
        } else {
            nginx.http("/small")
        };
        let parallel = format!("parallel={ways}");
        let arguments = [url.as_str(), &parallel, "print=total"];
        let roots = nginx.authority_file();
        let mut contenders: Vec<Box<dyn Contender>> = vec![
            Box::new(newer.guest("wasip3, urlpool-http", &parts.composed, &arguments)?),
            Box::new(newer.guest("urlpool-async", &parts.pools, &arguments)?),
            Box::new(newer.guest("wasip3, stock client", &parts.consumer, &arguments)?),
            Box::new(Reqwest::new(url.clone(), &roots)?.by(ways)),
        ];
        if ways == 1 {
            contenders.push(Box::new(
                Urlpool::new(url.clone(), Some(&roots), 100, Reading::Whole).await?,
            ));
        }
        let medians = alternate(&mut contenders, scale.rounds, scale.requests).await?;
        let [drop_in, pools, stock, rest @ ..] = &medians[..] else {
            bail!("four contenders or five have as many medians");
        };
        for (ours, goal) in [(drop_in, Some(goal)), (pools, None)] {
            let stock = Compared::new(&stock.name, Quantity::Time(stock.time));
            let time = Quantity::Time(ours.time);
            table.add(Row::against(part, &ours.name, time, stock, goal));
        }
        for theirs in rest {
            let compared = Compared::new(&theirs.name, Quantity::Time(theirs.time));
            let time = Quantity::Time(drop_in.time);
            table.add(Row::against(part, &drop_in.name, time, compared, None));
        }
    }
    large(table, scale, place, nginx, &newer, &parts).await
}

async fn large(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    newer: &Rc<Newer>,
    parts: &Parts,
) -> Result<()> {
    let url = nginx.http("/large");
    let arguments = [url.as_str(), "print=total"];
    let bare = [nginx.plain().to_string(), "/large".to_owned()];
    let bare: Vec<&str> = bare.iter().map(String::as_str).collect();
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(newer.guest("wasip3, urlpool-http", &parts.composed, &arguments)?),
        Box::new(newer.guest("urlpool-async", &parts.pools, &arguments)?),
        Box::new(newer.guest("raw sockets of 0.3", &place.guest("bench_raw03")?, &bare)?),
    ];
    let medians = alternate(&mut contenders, scale.bulk_rounds, 1).await?;
    let [drop_in, pools, limit] = &medians[..] else {
        bail!("three contenders have three medians");
    };
    let rate = |time| Quantity::rate(scale.bulk_bytes, time);
    for ours in [drop_in, pools] {
        table.add(Row::against(
            "(m) WASI 0.3, one large body",
            &ours.name,
            rate(ours.time),
            Compared::new(&limit.name, rate(limit.time)),
            Some(NEAR_THE_LIMIT),
        ));
    }
    Ok(())
}

/// Many requests at once that are answered slowly, in one instance.
pub(crate) async fn slow(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
) -> Result<()> {
    let server = Aside::start(Origin::new().reply(Reply::ok("body").delayed(ANSWER))).await?;
    let newer = Newer::new(&nginx.authority_file())?;
    let parts = Parts::read(place)?;
    let (url, parallel) = (server.url("/"), format!("parallel={MANY}"));
    let arguments = [url.as_str(), &parallel, "buffer=4096", "print=total"];
    for (name, bytes) in [
        ("wasip3, urlpool-http", &parts.composed),
        ("urlpool-async", &parts.pools),
    ] {
        let mut contenders: Vec<Box<dyn Contender>> =
            vec![Box::new(newer.guest(name, bytes, &arguments)?)];
        // A round's time is for all of them.
        let medians = alternate(&mut contenders, scale.slow_rounds, MANY).await?;
        let [ours] = &medians[..] else {
            bail!("one contender has one median");
        };
        table.add(Row::alone(
            "(m) 1,000 requests at once, each answered after 1 s",
            &ours.name,
            Quantity::Time(ours.time * MANY),
            Some(IN_TIME),
        ));
    }
    Ok(())
}
