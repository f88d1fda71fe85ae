//! Part (b): one body of 256 MiB.
//!
//! The two in wasm that only read throw the bytes away; `copy-to` writes them to a stream of the host, which does; `chunk()` brings them
//! out to Rust.

use std::rc::Rc;

use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::clients::{Reading, Urlpool};
use crate::guests::{Clock, Guests};
use crate::place::Place;
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Both schemes, each with all contenders in alternation.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
) -> Result<()> {
    for (part, secure, host_goal) in [
        ("(b) one large body, http", false, 0.75),
        ("(b) one large body, https", true, 0.9),
    ] {
        let mut contenders = contenders(scale, place, nginx, guests, secure).await?;
        let medians = alternate(&mut contenders, scale.bulk_rounds, 1).await?;
        let [copied, streamed, limit] = &medians[..] else {
            bail!("three contenders have three medians");
        };
        let rate = |time| Quantity::rate(scale.bulk_bytes, time);
        for (ours, goal) in [(copied, 0.9), (streamed, host_goal)] {
            table.add(Row::against(
                part,
                &ours.name,
                rate(ours.time),
                Compared::new(&limit.name, rate(limit.time)),
                Some(Goal::TimesItsRate(goal)),
            ));
        }
    }
    Ok(())
}

async fn contenders(
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
    secure: bool,
) -> Result<Vec<Box<dyn Contender>>> {
    let roots = &nginx.authority_file();
    let (url, limit, binary, address) = if secure {
        (
            nginx.https("/large"),
            "bare rustls in wasm",
            "bench-rustls",
            nginx.secure(),
        )
    } else {
        (
            nginx.http("/large"),
            "raw sockets in wasm",
            "bench-raw",
            nginx.plain(),
        )
    };
    let consumer = [
        url.clone(),
        "--cacert".to_owned(),
        roots.display().to_string(),
    ];
    let bare = [address.to_string(), "/large".to_owned()];
    Ok(vec![
        Box::new(guests.consumer(
            "urlpool, copy-to",
            &place.guest("copy")?,
            &consumer,
            scale.bulk_bytes,
        )?),
        Box::new(Urlpool::new(url, Some(roots), scale.bulk_bytes, Reading::Streamed).await?),
        Box::new(guests.guest(limit, &place.guest(binary)?, Clock::Hosts, &bare)?),
    ])
}
