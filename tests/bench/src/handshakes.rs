//! Part (j): GETs of 100 bytes, each over a TLS connection of its own, with a full handshake or a resumed one.
//!
//! All ask for `Connection: close`. The time is from opening the connection to the end of the body.

use std::rc::Rc;

use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::clients::{Reading, Urlpool};
use crate::guests::{Clock, Guests};
use crate::place::Place;
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Against the least that a component can do.
const NEAR_THE_LIMIT: Goal = Goal::TimesItsTime(1.2);

/// Both kinds of handshake, each with both contenders in alternation.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
) -> Result<()> {
    for (part, connections, is_resumed) in [
        ("(j) new TLS connection, full handshake", "full", false),
        ("(j) new TLS connection, resumed", "resumed", true),
    ] {
        let roots = &nginx.authority_file();
        let url = nginx.https("/small");
        let ours = Urlpool::with(url, Some(roots), 100, Reading::Whole, |pool| {
            pool.tls.resumption = Some(is_resumed);
        });
        let bare = [
            nginx.secure().to_string(),
            "/small".to_owned(),
            connections.to_owned(),
        ];
        let mut contenders: Vec<Box<dyn Contender>> = vec![
            Box::new(ours.await?.connecting(is_resumed).await?),
            Box::new(guests.guest(
                "bare rustls in wasm",
                &place.guest("bench-rustls")?,
                Clock::Guests,
                &bare,
            )?),
        ];
        let medians = alternate(&mut contenders, scale.rounds, scale.reconnects).await?;
        let [ours, limit] = &medians[..] else {
            bail!("two contenders have two medians");
        };
        table.add(Row::against(
            part,
            &ours.name,
            Quantity::Time(ours.time),
            Compared::new(&limit.name, Quantity::Time(limit.time)),
            Some(NEAR_THE_LIMIT),
        ));
    }
    Ok(())
}
