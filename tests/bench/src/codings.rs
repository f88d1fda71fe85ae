//! Part (g): one large body in each coding, decoded as it comes.
//!
//! urllib3 decodes with C: zlib, brotli's and zstd's own libraries. The body is text as servers send it; what is counted is decoded bytes.
//! Both hand it out in pieces of 64 KiB, which is all that `chunk()` does and what urllib3's `stream()` does unless told otherwise; larger
//! pieces make urllib3 faster, so that there is a second row.

use urlpool_tests::{Origin, Reply};
use wasmtime::{Result, bail};

use crate::Scale;
use crate::aside::Aside;
use crate::clients::{Reading, Urlpool};
use crate::place::Place;
use crate::python::{Bodies, DOWNLOADS, Urllib3};
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Every coding, each with all contenders in alternation.
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
            Box::new(Urllib3::start(place, DOWNLOADS, &[&url, &length, "65536"]).await?),
            Box::new(Urllib3::start(place, DOWNLOADS, &[&url, &length, "1048576"]).await?),
        ];
        let medians = alternate(&mut contenders, scale.bulk_rounds, 1).await?;
        let [ours, alike, larger] = &medians[..] else {
            bail!("three contenders have three medians");
        };
        for (theirs, goal) in [(alike, goal), (larger, None)] {
            table.add(Row::against(
                part,
                &ours.name,
                rate(ours.time),
                Compared::new(&theirs.name, rate(theirs.time)),
                goal,
            ));
        }
    }
    Ok(())
}
