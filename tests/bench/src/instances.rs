//! Part (k): what a further instance costs, once the component is compiled.
//!
//! The time is that of `PoolManager::new` and of dropping it again: a store, its memories, linking, and a manager opened inside.

use std::time::{Duration, Instant};

use urlpool_host::{PoolManager, Settings};
use wasmtime::{Result, bail};

use crate::Scale;
use crate::rounds::{Contender, Round, alternate};
use crate::table::{Goal, Quantity, Row, Table};

const SOON: Goal = Goal::AtMost(Quantity::Time(Duration::from_micros(200)));

/// One after the other, each gone before the next.
pub(crate) async fn measure(table: &mut Table, scale: Scale) -> Result<()> {
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(Fresh)];
    let medians = alternate(&mut contenders, scale.rounds, scale.requests / 4).await?;
    let [fresh] = &medians[..] else {
        bail!("one contender has one median");
    };
    table.add(Row::alone(
        "(k) an instance, made and dropped",
        &fresh.name,
        Quantity::Time(fresh.time),
        Some(SOON),
    ));
    Ok(())
}

struct Fresh;

impl Contender for Fresh {
    fn name(&self) -> String {
        "urlpool-host, PoolManager::new".to_owned()
    }

    fn round(&mut self, count: u32) -> Round<'_> {
        Box::pin(async move {
            let started = Instant::now();
            for _ in 0..count {
                drop(PoolManager::new(Settings::default()).await?);
            }
            Ok(started.elapsed())
        })
    }
}
