//! Contenders take turns, so that what slows the machine down for a while slows all of them.

use std::pin::Pin;
use std::time::Duration;

use wasmtime::Result;

/// What a round answers in the end: how long it took.
pub(crate) type Round<'a> = Pin<Box<dyn Future<Output = Result<Duration>> + 'a>>;

/// One of those who are compared. What it needs to begin is done before its first round.
pub(crate) trait Contender {
    /// What it is called in the table.
    fn name(&self) -> String;

    /// Does the work `count` times.
    fn round(&mut self, count: u32) -> Round<'_>;
}

/// A contender's name and the median of its rounds, for one piece of work.
pub(crate) struct Median {
    pub(crate) name: String,
    pub(crate) time: Duration,
}

/// Lets each of them do `count` pieces of work, `rounds` times, and forwards and backwards in turn.
pub(crate) async fn alternate(
    contenders: &mut [Box<dyn Contender>],
    rounds: u32,
    count: u32,
) -> Result<Vec<Median>> {
    for contender in &mut *contenders {
        // Caches, connections and compiled code are not what is compared.
        contender.round(count.div_ceil(10)).await?;
    }
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        let mut order: Vec<_> = contenders.iter_mut().zip(&mut times).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (contender, times) in order {
            times.push(contender.round(count).await? / count);
        }
    }
    let medians = contenders
        .iter()
        .zip(times)
        .map(|(contender, times)| Median {
            name: contender.name(),
            time: median(times),
        });
    Ok(medians.collect())
}

/// The middle one, or the later of two middle ones.
pub(crate) fn median<T: Copy + Default + Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    let middle = values.len() / 2;
    values.get(middle).copied().unwrap_or_default()
}
