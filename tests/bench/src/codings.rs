//! Part (g): one large body in each coding, decoded as it comes.
//!
//! urllib3 decodes with C: zlib, brotli's and zstd's own libraries. The body is text as servers send it; what is counted is decoded bytes.
//! Both hand it out in pieces of 64 KiB, which is what `chunk()` does and what urllib3's `stream()` does unless told otherwise. Larger pieces
//! make no difference to urllib3 where it shares a CPU with the server, as here.

use urlpool_tests::{Origin, Reply};
use wasmtime::{Result, bail};

use crate::Scale;
use crate::aside::Aside;
use crate::clients::{Reading, Urlpool};
use crate::place::Place;
use crate::python::{Bodies, DOWNLOADS, Urllib3};
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Every coding, each with both contenders in alternation.
pub(crate) async fn measure(table: &mut Table, scale: Scale, place: &Place) -> Result<()> {
    let bodies = Bodies::make(place, scale.coded_bytes).await?;
    let rate = |time| Quantity::rate(bodies.length, time);
    for (part, coding, goal) in [
        (
            "(g) decoded body, gzip",
            "gzip",
            Some(Goal::TimesItsRate(0.75)),
        ),
        ("(g) decoded body, br", "br", None),
        ("(g) decoded body, zstd", "zstd", None),
    ] {
        let reply = Reply::ok(bodies.coded(coding)?).header("Content-Encoding", coding);
        let server = Aside::start(Origin::new().reply(reply)).await?;
        let url = server.url("/");
        let length = bodies.length.to_string();
        let mut contenders: Vec<Box<dyn Contender>> = vec![
            Box::new(Urlpool::new(url.clone(), None, bodies.length, Reading::Streamed).await?),
            Box::new(Urllib3::start(place, DOWNLOADS, &[&url, &length]).await?),
        ];
        let medians = alternate(&mut contenders, scale.bulk_rounds, 1).await?;
        let [ours, theirs] = &medians[..] else {
            bail!("two contenders have two medians");
        };
        table.add(Row::against(
            part,
            &ours.name,
            rate(ours.time),
            Compared::new(&theirs.name, rate(theirs.time)),
            goal,
        ));
    }
    Ok(())
}
