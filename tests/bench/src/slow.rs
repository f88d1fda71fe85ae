//! Part (h): many slow requests at once over one instance, and what each costs while it waits.
//!
//! The time is from the first call to the last byte of the last body, connecting included. Memory is what a process has resident while all
//! of its requests wait, less what it has with one, for each request more: that counts the component, its host and the sockets' share of both.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::time::timeout;
use urlpool_host::{Grants, ManagerSettings, PoolManager, PoolSettings, Settings};
use urlpool_tests::{Gate, Origin, Reply, Server};
use wasmtime::{Result, bail, format_err};

use crate::Scale;
use crate::aside::Aside;
use crate::command;
use crate::place::Place;
use crate::python::{THREADS, Urllib3};
use crate::rounds::{Contender, Round, alternate, median};
use crate::table::{Compared, Goal, Quantity, Row, Table};

const MANY: u16 = 200;
/// How long the server takes for each answer.
const ANSWER: Duration = Duration::from_secs(1);
const IN_TIME: Goal = Goal::AtMost(Quantity::Time(Duration::from_secs(2)));
const SMALL: Goal = Goal::AtMost(Quantity::Bytes(64 << 10));
const PATIENCE: Duration = Duration::from_secs(60);

/// Both, each for urlpool and for urllib3 with threads.
pub(crate) async fn measure(table: &mut Table, scale: Scale, place: &Place) -> Result<()> {
    time(table, scale, place).await?;
    memory(table, scale, place).await
}

async fn time(table: &mut Table, scale: Scale, place: &Place) -> Result<()> {
    let server = Aside::start(Origin::new().reply(Reply::ok("body").delayed(ANSWER))).await?;
    let url = server.url("/");
    let many = MANY.to_string();
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(Started::new(url.clone()).await?),
        Box::new(Urllib3::start(place, THREADS, &[&url, &many]).await?),
    ];
    let medians = alternate(&mut contenders, scale.slow_rounds, 1).await?;
    let [ours, theirs] = &medians[..] else {
        bail!("two contenders have two medians");
    };
    table.add(Row::against(
        "(h) 200 requests at once, each answered after 1 s",
        &ours.name,
        Quantity::Time(ours.time),
        Compared::new(&theirs.name, Quantity::Time(theirs.time)),
        Some(IN_TIME),
    ));
    Ok(())
}

/// Requests that are started together on one instance.
struct Started {
    manager: PoolManager,
    url: String,
}

impl Started {
    async fn new(url: String) -> Result<Self> {
        let pool = PoolSettings {
            maxsize: Some(MANY.into()),
            ..PoolSettings::default()
        };
        let manager = PoolManager::new(Settings {
            manager: ManagerSettings {
                pool,
                ..ManagerSettings::default()
            },
            grants: Grants::all(),
            ..Settings::default()
        });
        Ok(Self {
            manager: manager.await?,
            url,
        })
    }

    async fn all(&self) -> Result<Duration> {
        let started = Instant::now();
        let mut waiting = Vec::new();
        for _ in 0..MANY {
            waiting.push(self.manager.get(&self.url).start().await?);
        }
        for pending in waiting {
            let response = pending.response().await?;
            if response.status() != 200 || response.bytes().await? != b"body" {
                bail!("not all requests were answered");
            }
        }
        let took = started.elapsed();
        // The next round connects again.
        self.manager.clear().await?;
        Ok(took)
    }
}

impl Contender for Started {
    fn name(&self) -> String {
        "urlpool-host, start()".to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let mut took = Duration::ZERO;
            for _ in 0..count {
                took += self.all().await?;
            }
            Ok(took)
        })
    }
}

async fn memory(table: &mut Table, scale: Scale, place: &Place) -> Result<()> {
    let cache = tempfile::tempdir()?;
    // Compiling takes memory too, and is not what is measured.
    ours(place, cache.path(), 1).await?;
    let (mut our_sizes, mut their_sizes) = (Vec::new(), Vec::new());
    for _ in 0..scale.slow_rounds {
        let (one, many) = (
            ours(place, cache.path(), 1).await?,
            ours(place, cache.path(), MANY).await?,
        );
        our_sizes.push(each(one, many));
        let (one, many) = (theirs(place, 1).await?, theirs(place, MANY).await?);
        their_sizes.push(each(one, many));
    }
    table.add(Row::against(
        "(h) memory of each request that waits",
        "urlpool --parallel",
        Quantity::Bytes(median(our_sizes)),
        Compared::new("urllib3, threads", Quantity::Bytes(median(their_sizes))),
        Some(SMALL),
    ));
    Ok(())
}

/// What one request more adds.
fn each(one: u64, many: u64) -> u64 {
    many.saturating_sub(one) / u64::from(MANY - 1)
}

/// What the command has resident while that many requests wait.
async fn ours(place: &Place, cache: &Path, count: u16) -> Result<u64> {
    let (server, gate) = gated().await;
    let many = count.to_string();
    let mut process = command::urlpool(place, cache)
        .args(["--parallel", &many, "--repeat", &many, &server.url("/")])
        .spawn()?;
    server.requested(count.into()).await;
    let bytes = resident(&process)?;
    gate.open();
    let ended = timeout(PATIENCE, process.wait()).await??;
    if !ended.success() {
        bail!("urlpool --parallel ended with {ended}");
    }
    Ok(bytes)
}

/// What Python has resident meanwhile.
async fn theirs(place: &Place, count: u16) -> Result<u64> {
    let (server, gate) = gated().await;
    let mut urllib3 =
        Urllib3::start(place, THREADS, &[&server.url("/"), &count.to_string()]).await?;
    urllib3.ask(1).await?;
    server.requested(count.into()).await;
    let bytes = resident(urllib3.process())?;
    gate.open();
    urllib3.answer().await?;
    Ok(bytes)
}

/// A server that answers when the gate is open.
async fn gated() -> (Server, Gate) {
    let gate = Gate::new();
    let reply = Reply::ok("body").after(&gate);
    (Origin::new().reply(reply).start().await, gate)
}

/// What a process has in memory at this moment. The kernel counts it on being asked, where `/proc/PID/status` lags behind.
fn resident(process: &Child) -> Result<u64> {
    let id = process
        .id()
        .ok_or_else(|| format_err!("the process has ended"))?;
    let sums = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let kibibytes = sums
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| format_err!("the kernel does not tell what is resident"))?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
