//! Part (f): what a request costs as the origins grow from 1 to 10,000. It should not grow with them.
//!
//! All origins are names that lead to one nginx. Nothing here holds 10,000 sockets, so that what grows is looked at piece by piece: finding
//! an origin's pool; a request over a live connection beside so many other pools, also where no further connection may be opened; and
//! requests from each origin in turn over few connections, where each closes another origin's to open its own, one after the other or many
//! that wait for their turn.

use std::time::Instant;

use urlpool_host::{Grants, HostEntry, ManagerSettings, PoolManager, Response, Settings};
use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::rounds::{Contender, Round, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

const FLAT: Goal = Goal::TimesItsTime(1.25);

/// How many pools every manager has room for.
const ROOM: u32 = 10_000;

/// How many connections there may be where each origin in turn is asked.
const FEW: u32 = 8;

/// How many requests are started before the first of them is waited for.
const BATCH: usize = 64;

/// From one origin to the next in turn. It has no factor in common with the numbers of origins, so all of them are visited, and neighbours
/// in the order of making are not neighbours in time.
const STRIDE: usize = 7919;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Work {
    /// Two calls that send nothing: finding the pool of each origin in turn, and one of its counters.
    Lookup,
    /// GETs from one origin over one connection.
    Kept,
    /// The same where that connection is all that there may be.
    KeptAtLimit,
    /// A GET from each origin in turn.
    InTurn,
    /// The same, many at once.
    InQueue,
}

impl Work {
    const ALL: [Self; 5] = [
        Self::Lookup,
        Self::Kept,
        Self::KeptAtLimit,
        Self::InTurn,
        Self::InQueue,
    ];

    fn part(self) -> &'static str {
        match self {
            Self::Lookup => "(f) finding a pool, without network",
            Self::Kept => "(f) GET over one live connection, beside other pools",
            Self::KeptAtLimit => "(f) the same with max-connections 1",
            Self::InTurn => "(f) GET from each origin in turn, max-connections 8, each reconnects",
            Self::InQueue => "(f) the same, 64 started at once that wait for their turn",
        }
    }

    /// The first is what the others are compared with. Where connections are few, it has more origins than those already, so that all of
    /// them do the same on the network.
    fn origins(self) -> &'static [usize] {
        match self {
            Self::Lookup | Self::Kept | Self::KeptAtLimit => &[1, 10, 100, 1_000, 10_000],
            Self::InTurn => &[10, 100, 1_000, 10_000],
            Self::InQueue => &[100, 1_000, 10_000],
        }
    }

    fn max_connections(self) -> Option<u32> {
        match self {
            Self::Lookup | Self::Kept => None,
            Self::KeptAtLimit => Some(1),
            Self::InTurn | Self::InQueue => Some(FEW),
        }
    }

    fn count(self, scale: Scale) -> u32 {
        match self {
            Self::Lookup => scale.lookups,
            Self::Kept | Self::KeptAtLimit => scale.requests,
            Self::InTurn | Self::InQueue => scale.reconnects,
        }
    }
}

/// Each kind of work, all numbers of origins in alternation.
pub(crate) async fn measure(table: &mut Table, scale: Scale, nginx: &Nginx) -> Result<()> {
    for work in Work::ALL {
        let mut contenders: Vec<Box<dyn Contender>> = Vec::new();
        for count in work.origins() {
            contenders.push(Box::new(Many::new(work, *count, nginx).await?));
        }
        let medians = alternate(&mut contenders, scale.rounds, work.count(scale)).await?;
        let Some((least, more)) = medians.split_first() else {
            bail!("some contenders have some medians");
        };
        for median in more {
            table.add(Row::against(
                work.part(),
                &median.name,
                Quantity::Time(median.time),
                Compared::new(&least.name, Quantity::Time(least.time)),
                Some(FLAT),
            ));
        }
    }
    Ok(())
}

/// A manager with a pool for each of many origins.
struct Many {
    work: Work,
    manager: PoolManager,
    urls: Vec<String>,
    at: usize,
}

impl Many {
    async fn new(work: Work, count: usize, nginx: &Nginx) -> Result<Self> {
        let server = nginx.plain();
        let names = || (0..count).map(|number| format!("origin-{number}.test"));
        let entry = |name| HostEntry {
            name,
            addresses: vec![server.ip()],
        };
        let manager = PoolManager::new(Settings {
            manager: ManagerSettings {
                num_pools: Some(ROOM),
                max_connections: work.max_connections(),
                hosts: names().map(entry).collect(),
                ..ManagerSettings::default()
            },
            grants: Grants::all(),
            ..Settings::default()
        });
        let manager = manager.await?;
        let url = |name| format!("http://{name}:{}/small", server.port());
        let urls: Vec<String> = names().map(url).collect();
        for url in &urls {
            drop(manager.connection_from_url(url, None).await?);
        }
        let pools = manager.num_pools().await?;
        if usize::try_from(pools)? != count {
            bail!("{count} origins have {pools} pools");
        }
        Ok(Self {
            work,
            manager,
            urls,
            at: 0,
        })
    }

    /// The origin whose turn it is.
    fn turn(&mut self) -> Result<String> {
        self.at = (self.at + STRIDE) % self.urls.len();
        self.here()
    }

    fn here(&self) -> Result<String> {
        match self.urls.get(self.at) {
            Some(url) => Ok(url.clone()),
            None => bail!("there is no origin {}", self.at),
        }
    }

    /// Does at most that much; how much it was.
    async fn some(&mut self, most: usize) -> Result<usize> {
        let url = match self.work {
            Work::InQueue => return self.together(most.min(BATCH)).await,
            Work::Kept | Work::KeptAtLimit => self.here()?,
            Work::Lookup | Work::InTurn => self.turn()?,
        };
        if self.work == Work::Lookup {
            let pool = self.manager.connection_from_url(&url, None).await?;
            pool.num_requests().await?;
        } else {
            self.read(self.manager.get(url).send().await?).await?;
        }
        Ok(1)
    }

    async fn together(&mut self, count: usize) -> Result<usize> {
        let mut waiting = Vec::with_capacity(count);
        for _ in 0..count {
            let url = self.turn()?;
            waiting.push(self.manager.get(url).start().await?);
        }
        for pending in waiting {
            self.read(pending.response().await?).await?;
        }
        Ok(count)
    }

    /// Reads what must be the small body, over a connection of the kind that the work is about.
    async fn read(&self, response: Response) -> Result<()> {
        let must_connect = matches!(self.work, Work::InTurn | Work::InQueue);
        if must_connect && response.head().connection.reused {
            bail!("a request found a connection where it had to make one");
        }
        if response.status() != 200 || response.bytes().await?.len() != 100 {
            bail!("nginx answered something else");
        }
        Ok(())
    }
}

impl Contender for Many {
    fn name(&self) -> String {
        match self.urls.len() {
            1 => "1 origin".to_owned(),
            count => format!("{count} origins"),
        }
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let mut left = usize::try_from(count)?;
            let started = Instant::now();
            while left > 0 {
                left -= self.some(left).await?;
            }
            Ok(started.elapsed())
        })
    }
}
